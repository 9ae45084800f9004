"""Domains made of shapes: what the shapes are and how they are joined."""

from __future__ import annotations

from typing import Any, Iterable, Mapping

from kanpde.declarations import words
from kanpde.formulas import Log, declare, scalar
from kanpde.geometries import SHAPES, Leaf, Region, Shape
from kanpde.joins import MOST_SHAPES, Tree, leaves, read_join
from kanpde.names import suggestion
from kanpde.places import RESERVED, is_box
from kanpde.reading import Entry, Node, Scalar, Sequence, Table
from kanpde.shapes import Ground, read_shape
from kanpde.terrain import Terrain
from kanpde.zones import read_zones

_FROM_FILES = {"polygon": ("x", "y"), "mesh": ("x", "y", "z")}  # coordinates of shapes that are made by functions
WORDS = ("shapes", "region", "parts")  # of the section `domain`, beside coordinates


def read_region(domain: Table, ground: Ground, taken: dict[str, str], log: Log) -> Terrain:
    """The coordinates of a domain and the region that its shapes make; notes the names of both as taken."""
    before = len(log.mistakes)
    _refuse_others(domain, log)
    entries = _entries(domain.get("shapes"), log)
    made = {entry.key.text: read_shape(entry.value, ground, log) for entry in entries}
    shapes = {name: shape for name, shape in made.items() if shape is not None}
    axes = _axes({name: shape.axes for name, shape in shapes.items()}, entries, log)
    coordinates = (*axes, *(("t",) if domain.entry("t") else ()))
    for name in coordinates:
        if name in taken:
            log.say(domain.get("shapes") or domain, f"'{name}' is a coordinate here, and {taken[name]} as well")
        taken[name] = "a coordinate"
    for entry in entries:
        _declare(entry.key, taken, log)
    tree = _region_tree(domain, tuple(entry.key.text for entry in entries), _words(ground.zones), log)
    region = _region(shapes, tree, domain, log) if tree is not None and len(log.mistakes) == before else None
    if region is None:
        return Terrain(coordinates, complete=False)
    bounds = dict(zip(axes, region.bounds))
    if ground.zones:
        zones = read_zones(ground.zones, region, log)
        return Terrain(coordinates, bounds, region, zones, domain.get("parts"), complete=zones is not None)
    if isinstance(tree, Leaf) and is_box(shapes[tree.name]) and domain.get("parts") is None:
        return Terrain(coordinates, bounds, plain=tree.name)
    return Terrain(coordinates, bounds, region, parts=domain.get("parts"))


def _region(shapes: Mapping[str, Shape], tree: Tree, domain: Table, log: Log) -> Region | None:
    """The shapes joined, or None after a mistake."""
    try:
        region = Region(shapes, tree)
        message = "" if region.pieces else "the region is empty"
    except ValueError as error:
        message = str(error)
    if not message:
        return region
    log.say(domain.get("region") or domain, message)
    return None


def _refuse_others(domain: Table, log: Log) -> None:
    """No intervals beside shapes but that of time."""
    for entry in domain.entries:
        if entry.key.text in (*WORDS, "t"):
            continue
        if isinstance(entry.value, Sequence):
            log.say(entry.key, "beside shapes only 't' has an interval; the shapes say what the other coordinates are")
        else:
            known = (*WORDS, "t")
            hint = suggestion(entry.key.text, known) or f"; known are {', '.join(known)}"
            log.say(entry.key, f"unknown entry '{entry.key.text}'{hint}")


def _entries(node: Node | None, log: Log) -> tuple[Entry, ...]:
    if not isinstance(node, Table) or not node.entries:
        if node is not None:
            log.say(node, "shapes are expected here, as in 'hole: disc(center=[0, 0], radius=1)'")
        return ()
    if len(node.entries) > MOST_SHAPES:
        log.say(node, f"{len(node.entries)} shapes; at most {MOST_SHAPES}")
    return node.entries[:MOST_SHAPES]


def _declare(key: Scalar, taken: dict[str, str], log: Log) -> None:
    if key.text in RESERVED:
        log.say(key, f"'{key.text}' has a meaning under 'boundary' and cannot name a shape")
    else:
        declare(key, "a shape", taken, log)


def _axes(axes: Mapping[str, tuple[str, ...]], entries: tuple[Entry, ...], log: Log) -> tuple[str, ...]:
    """The coordinates of all shapes, which are the same."""
    if not axes:
        guesses = [_guess(entry.value) for entry in entries]
        return next((guess for guess in guesses if guess), ())
    first, own = next(iter(axes.items()))
    for entry in entries:
        other = axes.get(entry.key.text, own)
        if other != own:
            message = f"'{entry.key.text}' has the coordinates {', '.join(other)}, but '{first}' has {', '.join(own)}"
            log.say(entry.value, message)
    return own


def _guess(node: Node) -> tuple[str, ...]:
    """The coordinates of a shape that could not be made."""
    kind = node.text.partition("(")[0].strip() if isinstance(node, Scalar) else ""
    axes: Any = getattr(SHAPES.get(kind), "axes", None)
    return axes if isinstance(axes, tuple) else _FROM_FILES.get(kind, ())


def _words(nodes: Iterable[Scalar]) -> set[str]:
    """All words in some texts."""
    return {word for node in nodes for word in words(node)}


def _region_tree(domain: Table, names: tuple[str, ...], elsewhere: set[str], log: Log) -> Tree | None:
    """The expression that joins the shapes, each of which it uses if it is not used elsewhere."""
    node, shapes = domain.get("region"), domain.entry("shapes")
    if node is None:
        if len(names) > 1 and shapes:
            log.say(shapes.key, f"'region' is missing; join the shapes, as in region: {' - '.join(names[:2])}")
        return Leaf(names[0]) if len(names) == 1 else None
    text = scalar(node, "an expression over shapes, as in plate - hole,", log)
    tree = read_join(text, names, log) if text and names else None
    unused = set(names) - set(leaves(tree)) - elsewhere if tree is not None else set()
    for entry in shapes.value.entries if shapes and isinstance(shapes.value, Table) else ():
        if entry.key.text in unused:
            log.say(entry.key, "this shape is not part of the region")
    return tree
