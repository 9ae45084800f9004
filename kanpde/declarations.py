"""Unknowns, domain and definitions: the names that a problem file introduces."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Iterable, Iterator, Mapping

from kanpde.analysis import nested_order
from kanpde.errors import Mistake
from kanpde.expression import ExpressionError, constant
from kanpde.formulas import Log, declare, read_syntax, scalar
from kanpde.names import closest, subscripted, suggestion
from kanpde.piecewise import read_branches, settled
from kanpde.reading import Node, Scalar, Sequence, Table, is_empty
from kanpde.resolution import UNSURE, Scope, Shape
from kanpde.tree import Name, Tree, children, free_names
from kanpde.vocabulary import CONSTANTS, MATHEMATICAL_NAMES

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
OF_SHAPES = ("region", "parts")  # said of shapes, in a domain that has some
MOST_COORDINATES = 16
LARGEST = 10_000  # operations in a definition once those it uses are put in; sixty that double each other never end


def read_unknowns(node: Node | None, taken: dict[str, str], log: Log) -> tuple[str, ...]:
    """The names of the unknowns."""
    if node is None or is_empty(node):
        return ()
    items = node.items if isinstance(node, Sequence) else (node,)
    if not items or isinstance(node, Table) or (isinstance(node, Scalar) and "," in node.text):
        log.say(node, "a list of names is expected, as in [u, v]")
        return ()
    names = [name for item in items if (name := scalar(item, "a name", log))]
    return tuple(name.text for name in names if declare(name, "an unknown", taken, log))


def read_coordinates(domain: Table | None, taken: dict[str, str], log: Log) -> tuple[str, ...]:
    """The names of the coordinates."""
    if domain is None:
        return ()
    for entry in domain.entries:
        if entry.key.text in OF_SHAPES:
            log.say(entry.key, "this is about shapes, and 'domain.shapes' is missing")
    keys = [entry.key for entry in domain.entries if entry.key.text not in OF_SHAPES]
    if len(keys) > MOST_COORDINATES:
        log.say(domain, f"{len(keys)} coordinates; at most {MOST_COORDINATES}")
    return tuple(key.text for key in keys if declare(key, "a coordinate", taken, log))


def declare_parameters(section: Table | None, taken: dict[str, str], log: Log) -> tuple[str, ...]:
    """The names of the further inputs."""
    keys = section.keys() if section else ()
    if len(keys) > MOST_COORDINATES:
        log.say(section, f"{len(keys)} parameters; at most {MOST_COORDINATES}")
    for entry in section.entries if section else ():
        if entry.key.text == "t":
            log.say(entry.key, "'t' is time, which is a coordinate of the domain")
    entries = [entry for entry in section.entries if entry.key.text != "t"] if section else []
    return tuple(entry.key.text for entry in entries if declare(entry.key, "a parameter", taken, log))


def read_box(
    domain: Table | None, coordinates: tuple[str, ...], constants: Mapping[str, float], log: Log
) -> dict[str, tuple[float, float]]:
    """The interval of each coordinate."""
    box: dict[str, tuple[float, float]] = {}
    for name in coordinates:
        node = domain.get(name) if domain else None
        interval = read_interval(node, name, constants, log) if node is not None else None
        if interval is not None:
            box[name] = interval
    return box


def read_interval(node: Node, name: str, constants: Mapping[str, float], log: Log) -> tuple[float, float] | None:
    """Two bounds made of constants, the lower first."""
    if not isinstance(node, Sequence) or len(node.items) != 2:
        log.say(node, f"an interval is expected, as in {name}: [0, 1]")
        return None
    low, high = (read_constant(item, constants, log) for item in node.items)
    if low is None or high is None:
        return None
    if not low < high:
        log.say(node, f"the interval [{low:g}, {high:g}] is empty; the lower bound comes first")
        return None
    return low, high


def read_constant(node: Node, constants: Mapping[str, float], log: Log, what: str = "a bound") -> float | None:
    """The value of an expression of constants."""
    tree = read_syntax(node, log)
    if tree is None or not isinstance(node, Scalar):
        return None
    strangers = sorted(free_names(tree) - set(constants))
    if strangers:
        hint = suggestion(strangers[0], constants)
        log.say(node, f"'{strangers[0]}' is not a constant; {what} is made of numbers and constant definitions{hint}")
        return None
    try:
        value = constant(tree, constants)
    except ExpressionError as error:
        log.say_at(node, error.column, error.message)
        return None
    if not math.isfinite(value):
        log.say(node, f"{what} must be finite")
        return None
    return value


def read_definitions(
    node: Table | None, scope: Scope, taken: dict[str, str], log: Log
) -> tuple[dict[str, Tree], dict[str, Shape], dict[str, int]]:
    """The definitions, each after those it uses, the shape of every name defined, and its derivatives' order."""
    entries = [entry for entry in node.entries if declare(entry.key, "a definition", taken, log)] if node else []
    syntax = {entry.key.text: (entry, read_branches(entry.value, scope, log)) for entry in entries}
    values = (*scope.values(), *syntax)
    written = {name: {n for b in found if b.tree for n in free_names(b.tree)} for name, (_, found) in syntax.items()}
    uses = {name: _used(used, values, syntax) for name, used in written.items()}
    circular = set()
    for cycle in _cycles(uses):
        circular.update(cycle)
        entry = syntax[cycle[0]][0]
        log.say(entry.key, f"circular definition: {' -> '.join((*cycle, cycle[0]))}")
    shapes: dict[str, Shape] = {**scope.definitions, **dict.fromkeys(syntax, UNSURE)}
    trees: dict[str, Tree] = {}
    orders: dict[str, int] = {}
    here = replace(scope, definitions=shapes, orders=orders)
    for name in TopologicalSorter(uses).static_order():
        found = settled(syntax[name][1], here, log) if name not in circular else None
        if found is not None:
            trees[name], shapes[name] = found
            orders[name] = nested_order(trees[name], orders) if shapes[name] != UNSURE else 0
    report_large(trees, {name: entry.value for name, (entry, _) in syntax.items()}, log)
    return trees, shapes, orders


def report_large(trees: Mapping[str, Tree], nodes: Mapping[str, Node], log: Log) -> None:
    """A mistake for the first definition that is too large with those it uses, given before it, put in."""
    sizes: dict[str, int] = {}
    for name, tree in trees.items():
        sizes[name] = _size(tree, sizes)
        if sizes[name] > LARGEST:
            log.say(nodes[name], f"with the definitions it uses, more than {LARGEST} operations")
            return


def _size(tree: Tree, sizes: Mapping[str, int]) -> int:
    """The number of operations of a formula with definitions of known sizes put in."""
    waiting, total = [tree], 0
    while waiting:
        part = waiting.pop()
        total += sizes.get(part.name, 1) if isinstance(part, Name) else 1
        waiting.extend(children(part))
    return total


def _used(names: Iterable[str], values: tuple[str, ...], defined: Mapping[str, object]) -> set[str]:
    """The definitions that names refer to, directly or with a subscript."""
    cuts = {name: subscripted(name, values) for name in names}
    bases = {name if name in values or cut is None else cut[0] for name, cut in cuts.items()}
    return {base for base in bases if base in defined}


def _cycles(uses: dict[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Each circle of definitions, which is also cut open."""
    while True:
        try:
            TopologicalSorter(uses).prepare()
            return
        except CycleError as error:
            backwards: list[str] = error.args[1]
            cycle = tuple(reversed(backwards[1:]))
            first = min(range(len(cycle)), key=lambda i: list(uses).index(cycle[i]))
            ring = (*cycle[first:], *cycle[:first])
            uses[ring[-1]] = uses[ring[-1]] - {ring[0]}
            yield ring


def constants_among(trees: Mapping[str, Tree], node: Table | None, log: Log) -> dict[str, float]:
    """The values of the definitions that are plain numbers, with pi and e."""
    values = dict(CONSTANTS)
    for name, tree in trees.items():
        if not free_names(tree) <= set(values):
            continue
        try:
            values[name] = constant(tree, values)
        except ExpressionError as error:
            where = node.get(name) if node else None
            if isinstance(where, Scalar) and not error.message.endswith("is not a constant"):
                log.say_at(where, error.column, error.message)
    return values


def report_unused(node: Table | None, others: Iterable[Node], scope: Scope, log: Log) -> None:
    """A mistake for each definition that nothing in the problem uses, not even by a misspelt name."""
    if node is None:
        return
    texts = {entry.key.text: words(entry.value) for entry in node.entries}
    values = scope.values()
    used: set[str] = set()
    written = {word for other in others for word in words(other)}
    meant = {closest(word, values) for word in written if word not in (*values, *MATHEMATICAL_NAMES)}
    waiting = [*_used(written, values, texts), *meant.intersection(texts)]
    while waiting:
        name = waiting.pop()
        if name not in used:
            used.add(name)
            waiting.extend(_used(texts[name], values, texts))
    for entry in node.entries:
        if entry.key.text in set(texts) - used and entry.key.text in scope.definitions:
            log.mistakes.append(Mistake(entry.key.place, entry.key.path, "this definition is never used"))


def report_idle(node: Table | None, others: Iterable[Node], scope: Scope, message: str, log: Log) -> None:
    """A mistake for each name of a section that the other parts never use, not even misspelt."""
    names = node.keys() if node else ()
    values = scope.values()
    written = {word for other in others for word in words(other)}
    meant = {closest(word, values) for word in written if word not in (*values, *MATHEMATICAL_NAMES)}
    idle = set(names) - _used(written, values, dict.fromkeys(names)) - meant
    for entry in node.entries if node else ():
        if entry.key.text in idle and entry.key.text in values:
            log.say(entry.key, message)


def words(node: Node) -> set[str]:
    """All words in the texts below a node."""
    if isinstance(node, Scalar):
        return set(_WORD.findall(node.text))
    below = node.items if isinstance(node, Sequence) else tuple(entry.value for entry in node.entries)
    return {word for part in below for word in words(part)}
