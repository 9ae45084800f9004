"""The parts of a region's boundary: those of its shapes, and those that a problem cuts from them by a comparison."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from kanpde.analysis import nested_order
from kanpde.constants import constant
from kanpde.formulas import Log, declare, read_syntax, resolved, scalar
from kanpde.geometries import Region, Zones
from kanpde.known import reach
from kanpde.names import suggestion
from kanpde.places import RESERVED, Places, places_of_region
from kanpde.reading import Entry, Node, Scalar, Table
from kanpde.resolution import COMPARISON, UNSURE, Scope
from kanpde.shapes import listed
from kanpde.statement import Piece
from kanpde.tokens import ExpressionError
from kanpde.tree import Tree, free_names
from kanpde.vocabulary import CONSTANTS

TRIED = 1000  # points of a part at which a comparison is looked at
_FIELDS = ("of", "where")
_USAGE = "{of: plate.left, where: y < 0}"


@dataclass(frozen=True)
class Known:
    """A region, those that it consists of, and the names that may describe parts of its boundary."""

    region: Region
    zones: Zones | None
    scope: Scope
    definitions: Mapping[str, Tree]


@dataclass(frozen=True)
class Cut:
    """What a comparison, written at `node`, cuts from some pieces: at which of some points of each it holds."""

    name: str
    where: Tree
    node: Node
    holds: Mapping[Piece, NDArray[np.bool_]]


def read_parts(node: Node | None, known: Known, taken: dict[str, str], log: Log) -> Places[Piece]:
    """The pieces of a region's boundary, each of which needs its conditions, and their names."""
    whole = places_of_region(known.region, known.zones)
    if node is not None and not isinstance(node, Table):
        log.say(node, f"entries 'inlet: {_USAGE}' are expected here")
    entries = node.entries if isinstance(node, Table) else ()
    for entry in entries:
        _declare(entry.key, whole, taken, log)
    cuts = [cut for entry in entries if (cut := _cut(entry, whole, known, log))]
    _report_shared(cuts, log)
    found = _divided(whole, cuts)
    return found if len(cuts) == len(entries) else replace(found, everything=(), complete=False)


def _declare(key: Scalar, whole: Places[Piece], taken: dict[str, str], log: Log) -> None:
    if key.text in RESERVED or key.text in whole.named or key.text in whole.barred:
        log.say(key, f"'{key.text}' has a meaning under 'boundary' already and cannot name a part")
    else:
        declare(key, "a part of the boundary", taken, log)


def _cut(entry: Entry, whole: Places[Piece], known: Known, log: Log) -> Cut | None:
    """One entry of `parts`."""
    table = entry.value
    if not isinstance(table, Table):
        log.say(table, f"a part is written {_USAGE}")
        return None
    for other in table.entries:
        if other.key.text not in _FIELDS:
            log.say(other.key, f"unknown field '{other.key.text}'{suggestion(other.key.text, _FIELDS)}")
    missing = [name for name in _FIELDS if table.get(name) is None]
    if missing:
        log.say(table, f"'{missing[0]}' is missing; a part is written {_USAGE}")
    of, where = table.get("of"), table.get("where")
    pieces = tuple(dict.fromkeys(_pieces(of, whole, log))) if of is not None else ()
    tree = _comparison(where, known, log) if where is not None else None
    if not pieces or tree is None or where is None:
        return None
    looked = {piece: _holds(tree, piece, known) for piece in pieces}
    if not any(flags.any() for flags in looked.values()):
        log.say(where, f"this holds nowhere on '{_text(of)}'")
        return None
    if all(flags.all() for flags in looked.values()):
        log.say(where, f"this holds everywhere on '{_text(of)}', which has its name already")
        return None
    return Cut(entry.key.text, tree, where, {piece: flags for piece, flags in looked.items() if flags.any()})


def _text(node: Node | None) -> str:
    return node.text if isinstance(node, Scalar) else ""


def _pieces(node: Node, whole: Places[Piece], log: Log) -> Iterator[Piece]:
    """The pieces that a part is cut from."""
    text = scalar(node, "a part of the boundary, as in plate.left,", log)
    for word in listed(text) if text else ():
        if word.text in whole.named:
            yield from whole.named[word.text]
        else:
            hint = suggestion(word.text, whole.named) or f"; the parts are {', '.join(whole.named)}"
            log.say_at(word, 0, whole.barred.get(word.text, f"no part is named '{word.text}'{hint}"))


def _comparison(node: Node, known: Known, log: Log) -> Tree | None:
    """A comparison of formulas in the region's coordinates."""
    syntax = read_syntax(node, log)
    if syntax is None or not isinstance(node, Scalar):
        return None
    tree, shape = resolved(node, syntax, known.scope, log)
    if shape == UNSURE:
        return None
    if shape != COMPARISON:
        log.say(node, f"a comparison is expected, as in y < 0, not {shape}")
        return None
    strangers = sorted(reach(tree, known.definitions) - set(known.region.axes) - set(CONSTANTS))
    if strangers:
        listed = ", ".join(known.region.axes)
        log.say(node, f"a part of the boundary depends on {listed} only, not on '{strangers[0]}'")
        return None
    if nested_order(tree, known.scope.orders):
        log.say(node, "a part of the boundary is described without derivatives")
        return None
    return tree


def _holds(where: Tree, piece: Piece, known: Known) -> NDArray[np.bool_]:
    """At which of some points of a piece a comparison holds."""
    used = _used(where, known.definitions)
    generator = np.random.default_rng(0)
    home = known.zones.alone(piece.shape) if known.zones and piece.between else known.region
    points, normals = home.on(piece.shape, piece.part, TRIED, lambda d, n: generator.random((d, n)))
    if known.zones and piece.between:
        points = points[:, known.zones.between(piece.between, piece.shape, points, normals)]
    return np.array([_is_true(where, dict(zip(known.region.axes, map(float, point))), used) for point in points.T])


def _used(where: Tree, definitions: Mapping[str, Tree]) -> list[tuple[str, Tree]]:
    """The definitions that a comparison needs, each after those it uses."""
    needed = set(free_names(where))
    for name, tree in reversed(definitions.items()):
        needed |= free_names(tree) if name in needed else set()
    return [(name, tree) for name, tree in definitions.items() if name in needed]


def _is_true(where: Tree, at: Mapping[str, float], used: list[tuple[str, Tree]]) -> bool:
    values = {**CONSTANTS, **at}
    try:
        for name, tree in used:
            values[name] = constant(tree, values)
        return bool(constant(where, values))
    except ExpressionError:
        return False


def _report_shared(cuts: list[Cut], log: Log) -> None:
    """A mistake for each part that takes what another has taken."""
    for number, cut in enumerate(cuts):
        for other in cuts[:number]:
            shared = [
                piece for piece in cut.holds if piece in other.holds and (cut.holds[piece] & other.holds[piece]).any()
            ]
            if shared:
                log.say(cut.node, f"'{cut.name}' and '{other.name}' share points of '{shared[0]}'")


def _divided(whole: Places[Piece], cuts: list[Cut]) -> Places[Piece]:
    """The places with pieces cut out of others; the old names mean what is left of these."""
    rests: dict[Piece, tuple[Piece, ...]] = {}
    for piece in whole.everything:
        takers = [cut for cut in cuts if piece in cut.holds]
        gone = any(cut.holds[piece].all() for cut in takers)
        rests[piece] = () if gone else (replace(piece, unlike=tuple(cut.where for cut in takers)),)
    named = {name: tuple(rest for piece in some for rest in rests[piece]) for name, some in whole.named.items()}
    for cut in cuts:
        names = [cut.name if len(cut.holds) == 1 else f"{cut.name}.{piece}" for piece in cut.holds]
        named[cut.name] = tuple(replace(p, name=name, where=cut.where) for p, name in zip(cut.holds, names))
    everything = dict.fromkeys(
        piece for some in (*rests.values(), *(named[cut.name] for cut in cuts)) for piece in some
    )
    gone = {name: f"all of '{name}' belongs to other parts" for name, some in named.items() if not some}
    left = {name: some for name, some in named.items() if some}
    return replace(whole, everything=tuple(everything), named=left, barred={**whole.barred, **gone})
