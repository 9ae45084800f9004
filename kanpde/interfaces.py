"""Whether the conditions between two regions say enough, and only what has one meaning there."""

from __future__ import annotations

from typing import Collection, Iterable

from kanpde.analysis import Orders, derivative_orders, highest
from kanpde.equations import joint_orders
from kanpde.errors import Mistake
from kanpde.formulas import Log
from kanpde.known import Facts
from kanpde.piecewise import divided
from kanpde.places import is_inner
from kanpde.statement import Condition, Equation, Piece
from kanpde.tree import Call, Name, Tree, children


def report_jumps(conditions: Iterable[Condition], equations: Iterable[Equation], facts: Facts, log: Log) -> None:
    """A mistake for each name that has two values where it stands, and for each jump that is missing."""
    equations, names = tuple(equations), divided(facts.definitions, facts.scope.unknowns)
    inner: dict[Piece, list[Condition]] = {}
    for condition in conditions:
        if isinstance(condition.face, Piece) and is_inner(condition.face):
            inner.setdefault(condition.face, []).append(condition)
    for face, here in inner.items():
        for condition in here:
            law = condition.equation
            if name := outside_jumps(law.left, names) or outside_jumps(law.right, names):
                message = f"'{name}' has a value on each side of '{face}'; write jump({name}) or the like"
                log.mistakes.append(Mistake(law.place, "boundary", message))
        for message in _missing(face, here, equations, facts):
            log.mistakes.append(Mistake(here[0].equation.place, "boundary", message))


def outside_jumps(tree: Tree, names: Collection[str]) -> str:
    """The first of some names that does not stand in a jump, '' for none."""
    if isinstance(tree, Name):
        return tree.name if tree.name in names else ""
    if isinstance(tree, Call) and tree.function == "jump":
        return ""
    return next((found for part in children(tree) if (found := outside_jumps(part, names))), "")


def _missing(face: Piece, here: list[Condition], equations: tuple[Equation, ...], facts: Facts) -> list[str]:
    """What is not said of an unknown between two regions: on each side an equation of order n asks for n/2."""
    sides = [joint_orders([law for law in equations if law.zone == zone], facts.ground) for zone in face.between or ()]
    said = [
        highest(derivative_orders(side, facts.ground) for side in (law.equation.left, law.equation.right))
        for law in here
    ]
    found = []
    for name in facts.scope.unknowns:
        asked = sum(_along(orders, name, facts.scope.spatial) for orders in sides) // 2
        given = [_along(orders, name, facts.scope.spatial) for orders in said if name in orders]
        lacking = [order for order in range(asked) if order not in given]
        if len(given) < asked and lacking:
            where = f"'{face}', between '{face.between[0]}' and '{face.between[1]}'" if face.between else f"'{face}'"
            text = {0: f"jump({name}) = …", 1: f"jump(dn({name})) = …, or of a flux,"}
            what = text.get(lacking[0], f"the jump of a derivative of order {lacking[0]} of '{name}'")
            found.append(f"on {where}, {what} is missing: {asked} conditions on '{name}' are needed")
    return found


def _along(orders: Orders, name: str, axes: tuple[str, ...]) -> int:
    """The highest order of an unknown along one of some coordinates."""
    return max((orders.get(name, {}).get(axis, 0) for axis in axes), default=0)
