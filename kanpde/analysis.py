"""How a formula depends on the unknowns: to which degree, and through derivatives of which order."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Iterable, Mapping

from kanpde.tree import Binary, Call, Derivative, Name, Number, Tree, children

TOTAL = "*"
_ADDED = {"lap": 2, "biharm": 4, "grad": 1, "div": 1, "curl": 1, "dn": 1, "jump": 0}

Orders = Mapping[str, Mapping[str, int]]
"""For each unknown, the highest order of its derivatives along each coordinate, and under `*` in total."""


@dataclass(frozen=True)
class Ground:
    """What is known of the names: unknowns, spatial coordinates, what is fitted, and the facts of each definition."""

    unknowns: tuple[str, ...]
    spatial: tuple[str, ...]
    degrees: Mapping[str, int]
    orders: Mapping[str, Orders]
    fitted: tuple[str, ...] = ()  # of degree one like the unknowns, but no equation is asked for them


def survey(
    definitions: Mapping[str, Tree], unknowns: tuple[str, ...], spatial: tuple[str, ...], fitted: Iterable[str] = ()
) -> Ground:
    """The facts of definitions listed so that each uses only earlier ones."""
    degrees: dict[str, int] = {}
    orders: dict[str, Orders] = {}
    ground = Ground(unknowns, spatial, degrees, orders, tuple(fitted))
    for name, tree in definitions.items():
        degrees[name] = degree_in_unknowns(tree, ground)
        orders[name] = derivative_orders(tree, ground)
    return ground


def degree_in_unknowns(tree: Tree, ground: Ground) -> int:
    """0 if the formula is independent of the unknowns, 1 if it is affine in them, 2 if neither is plain to see."""
    match tree:
        case Number():
            return 0
        case Name(name=name):
            return 1 if name in ground.unknowns or name in ground.fitted else ground.degrees.get(name, 0)
        case Binary(operator=symbol, left=left, right=right):
            return _of_binary(symbol, degree_in_unknowns(left, ground), degree_in_unknowns(right, ground), right)
        case Call(function="where", arguments=(condition, *branches)):
            return 2 if degree_in_unknowns(condition, ground) else max(degree_in_unknowns(b, ground) for b in branches)
        case Call(function="dot", arguments=(left, right)):
            return min(2, degree_in_unknowns(left, ground) + degree_in_unknowns(right, ground))
        case Call(function=function) if function not in _ADDED:
            return 2 if any(degree_in_unknowns(part, ground) for part in children(tree)) else 0
    return max((degree_in_unknowns(part, ground) for part in children(tree)), default=0)


def _of_binary(symbol: str, left: int, right: int, exponent: Tree) -> int:
    if left == right == 0:
        return 0
    if symbol in "+-":
        return max(left, right)
    if symbol == "*":
        return min(2, left + right)
    if symbol == "/" and right == 0:
        return left
    return left if symbol == "^" and exponent == Number(1.0) else 2


def derivative_orders(tree: Tree, ground: Ground) -> Orders:
    """The highest derivatives of each unknown in the formula."""
    match tree:
        case Name(name=name) if name in ground.unknowns:
            return {name: {TOTAL: 0}}
        case Name(name=name):
            return ground.orders.get(name, {})
        case Derivative(argument=argument, axes=axes):
            return _raised(derivative_orders(argument, ground), {**Counter(axes), TOTAL: len(axes)})
        case Call(function=function, arguments=arguments) if function in _ADDED:
            added = dict.fromkeys((*ground.spatial, TOTAL), _ADDED[function])
            return _raised(highest(derivative_orders(part, ground) for part in arguments), added)
    return highest(derivative_orders(part, ground) for part in children(tree))


def nested_order(tree: Tree, orders: Mapping[str, int]) -> int:
    """How many derivatives are taken of one another in a formula; `orders` says it of the definitions."""
    return max(part for _, part in _nested(tree, orders))


def too_nested(tree: Tree, orders: Mapping[str, int], most: int) -> Tree | None:
    """The first part, from within, that takes more derivatives of one another than allowed."""
    return next((part for part, order in _nested(tree, orders) if order > most), None)


def _nested(tree: Tree, orders: Mapping[str, int]) -> list[tuple[Tree, int]]:
    """Every part of a formula with the number of derivatives taken of one another in it, the whole formula last."""
    inner = [found for part in children(tree) for found in _nested(part, orders)]
    own = len(tree.axes) if isinstance(tree, Derivative) else 0
    if isinstance(tree, Call):
        own = _ADDED.get(tree.function, 0)
    below = orders.get(tree.name, 0) if isinstance(tree, Name) else max((order for _, order in inner), default=0)
    return [*inner, (tree, own + below)]


def highest(found: Iterable[Orders]) -> Orders:
    """The highest orders of several formulas together."""
    joint: dict[str, dict[str, int]] = {}
    for orders in found:
        for unknown, axes in orders.items():
            mine = joint.setdefault(unknown, {})
            for axis, order in axes.items():
                mine[axis] = max(mine.get(axis, 0), order)
    return joint


def _raised(orders: Orders, added: Mapping[str, int]) -> Orders:
    return {
        unknown: {axis: axes.get(axis, 0) + added.get(axis, 0) for axis in {**axes, **added}}
        for unknown, axes in orders.items()
    }
