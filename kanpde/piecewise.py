"""Formulas that differ from region to region: how they are read, and what they are in one of the regions."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import reduce
from typing import Collection, Mapping

from kanpde.formulas import Log, read_syntax, resolved
from kanpde.names import suggestion
from kanpde.reading import Node, Scalar, Table
from kanpde.resolution import NUMBER, UNSURE, Scope, Shape
from kanpde.tree import Binary, Call, Name, Number, Tree, free_names, rebuilt, walk

_WORDS = re.compile(r"\w+|\S")
_WITHIN = "within@"  # before the name of a region: a function of the coordinates, 1 inside and 0 elsewhere
_BESIDE = "beside@"  # points moved a little from an interface into the region


@dataclass(frozen=True)
class Branch:
    """A formula and the region in which it holds, '' for all; None after a mistake."""

    zone: str
    node: Node
    tree: Tree | None


def spelt(text: str) -> str:
    """A region as text, its words and signs apart."""
    return " ".join(_WORDS.findall(text))


def local(name: str, zone: str) -> str:
    """What a name that has a value of its own in each region is called there; no name in a problem file has an @."""
    return f"{name}@{zone}"


def base(name: str) -> str:
    """A local name without its region."""
    return name.partition("@")[0]


def home(name: str) -> str:
    """The region of a local name, '' for any other."""
    return name.partition("@")[2]


def within(zone: str) -> str:
    """The function that tells whether a point lies in a region."""
    return f"{_WITHIN}{zone}"


def beside(zone: str) -> str:
    """What points are called that lie a little inside of a region, for points on its boundary."""
    return f"{_BESIDE}{zone}"


def read_branches(node: Node, scope: Scope, log: Log) -> tuple[Branch, ...]:
    """A formula whose names are not looked up yet: one for all regions, or one for each."""
    if not isinstance(node, Table) or not scope.zones:
        return (Branch("", node, read_syntax(node, log)),)
    found = {spelt(entry.key.text): entry for entry in node.entries}
    for zone, entry in found.items():
        if zone not in scope.zones:
            hint = suggestion(zone, scope.zones) or f"; the equations hold in {' and '.join(scope.zones)}"
            log.say(entry.key, f"no equation holds in '{zone}'{hint}")
    missing = [zone for zone in scope.zones if zone not in found]
    if missing:
        log.say(node, f"nothing is given for '{missing[0]}'")
    known = [(zone, entry.value) for zone, entry in found.items() if zone in scope.zones]
    branches = tuple(Branch(zone, value, read_syntax(value, log)) for zone, value in known)
    return branches if not missing else tuple(replace(branch, tree=None) for branch in branches)


def settled(branches: tuple[Branch, ...], scope: Scope, log: Log) -> tuple[Tree, Shape] | None:
    """The formula with its names looked up, one tree for all regions; None after a mistake."""
    found = {
        branch.zone: resolved(branch.node, branch.tree, scope, log)
        for branch in branches
        if branch.tree is not None and isinstance(branch.node, Scalar)
    }
    if len(found) < len(branches) or not found:
        return None
    if "" in found:
        return found[""]
    for branch in branches:
        if found[branch.zone][1] not in (NUMBER, UNSURE):
            log.say(branch.node, f"what differs between regions is a number, not {found[branch.zone][1]}")
    if any(shape != NUMBER for _, shape in found.values()):
        return None
    return glued({zone: tree for zone, (tree, _) in found.items()}, scope.spatial), NUMBER


def read_known(node: Node, scope: Scope, log: Log) -> Tree | None:
    """A number, or one for each region; None after a mistake."""
    found = settled(read_branches(node, scope, log), scope, log)
    if found is not None and found[1] not in (NUMBER, UNSURE):
        log.say(node, f"a number is expected, not {found[1]}")
    return found[0] if found is not None and found[1] == NUMBER else None


def glued(trees: Mapping[str, Tree], axes: tuple[str, ...]) -> Tree:
    """One formula made of one for each region."""
    *others, last = trees
    coordinates = tuple(Name(axis) for axis in axes)

    def chosen(rest: Tree, zone: str) -> Tree:
        inside = Binary(">", Call(within(zone), coordinates), Number(0.5))
        return Call("where", (inside, trees[zone], rest))

    return reduce(chosen, reversed(others), trees[last])


def zone_of(tree: Tree) -> str:
    """The region that a formula chooses by, '' where it does not."""
    match tree:
        case Call("where", (Binary(left=Call(function=function)), *_)) if function.startswith(_WITHIN):
            return function.removeprefix(_WITHIN)
    return ""


def divided(definitions: Mapping[str, Tree], unknowns: Collection[str]) -> frozenset[str]:
    """The names that have a value on each side of an interface: unknowns, and what depends on them or on a choice."""
    found = set(unknowns)
    for name, tree in definitions.items():
        if free_names(tree) & found or any(isinstance(part, Call) and part.function == "where" for part in walk(tree)):
            found.add(name)
    return frozenset(found)


def seen_from(tree: Tree, zone: str, names: Collection[str]) -> Tree:
    """A formula as it is in one of the regions, where `names` have a value in each.

    On the region's boundary, a comparison is decided at points beside it.
    """
    match tree:
        case Name(name=name) if name in names:
            return replace(tree, name=local(name, zone))
        case Call("where", (_, yes, no)) if chosen := zone_of(tree):
            return seen_from(yes if chosen == zone else no, zone, names)
    found = rebuilt(tree, lambda part: seen_from(part, zone, names))
    if isinstance(found, Call) and found.function == "where":
        return replace(found, keywords=(("at", Name(beside(zone))),))
    return found


def across(tree: Tree, pair: tuple[str, str], names: Collection[str]) -> Tree:
    """A formula with jumps made differences, outer minus inner, between two regions."""
    if isinstance(tree, Call) and tree.function == "jump":
        inner, outer = (seen_from(tree.arguments[0], zone, names) for zone in pair)
        return Binary("-", outer, inner, tree.column)
    return rebuilt(tree, lambda part: across(part, pair, names))
