"""The equations of a problem."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable

from kanpde.analysis import Ground, Orders, degree_in_unknowns, derivative_orders, highest
from kanpde.errors import Mistake
from kanpde.formulas import LONGEST_NAME, Log, read_equation
from kanpde.names import suggestion
from kanpde.piecewise import spelt
from kanpde.reading import Node, Scalar, Table
from kanpde.resolution import Scope
from kanpde.statement import Equation

_FIELDS = ("in", "is")
_USAGE = "{in: plate - hole, is: -lap(u) = f}"


def read_equations(section: Table | None, scope: Scope, ground: Ground, log: Log) -> tuple[Equation, ...]:
    """The `equations` section: in each region as many as unknowns, in which each unknown occurs."""
    if section is None:
        return ()
    found = [(_zone(entry.value), _equation(entry.key, entry.value, scope, log)) for entry in section.entries]
    equations = tuple(equation for _, equation in found if equation is not None)
    need_unknowns(equations, "equation", ground, log)
    for zone in scope.zones or ("",):
        here, where = [equation for name, equation in found if name == zone], f" in '{zone}'" if zone else ""
        sound = [equation for equation in here if equation is not None]
        if len(here) != len(scope.unknowns) and scope.unknowns:
            log.say(section, f"{_count(len(here), 'equation')} for {_count(len(scope.unknowns), 'unknown')}{where}")
        elif len(sound) == len(here):
            orders = joint_orders(sound, ground)
            for name in set(scope.unknowns) - set(orders):
                log.say(section, f"the unknown '{name}' occurs in no equation{where}")
    return equations


def _zone(value: Node) -> str:
    """The region in which an equation holds, '' where it does not say so."""
    node = value.get("in") if isinstance(value, Table) else None
    return spelt(node.text) if isinstance(node, Scalar) else ""


def _equation(key: Scalar, value: Node, scope: Scope, log: Log) -> Equation | None:
    label(key, "an equation", {}, log)
    if not isinstance(value, Table):
        if scope.zones:
            log.say(value, f"others hold in one region each; write {_USAGE}")
        return read_equation(value, key.text, scope, log)
    for entry in value.entries:
        if entry.key.text not in _FIELDS:
            log.say(entry.key, f"unknown field '{entry.key.text}'{suggestion(entry.key.text, _FIELDS)}")
    missing = [name for name in _FIELDS if value.get(name) is None]
    law = value.get("is")
    if missing:
        log.say(value, f"'{missing[0]}' is missing; an equation in one region of several is written {_USAGE}")
    equation = read_equation(law, key.text, scope, log) if law is not None else None
    return replace(equation, zone=_zone(value)) if equation else None


def label(key: Scalar, what: str, named: dict[str, str], log: Log) -> None:
    """A mistake if something cannot be called so; otherwise notes the name as taken."""
    if not key.text or not all(c.isalnum() or c in "_- " for c in key.text) or len(key.text) > LONGEST_NAME:
        log.say(key, f"{what}'s name is made of letters, digits, '-', '_' and spaces")
    elif key.text in named:
        log.say(key, f"'{key.text}' is already the name of {named[key.text]}")
    named.setdefault(key.text, what)


def need_unknowns(equations: Iterable[Equation], what: str, ground: Ground, log: Log) -> None:
    """A mistake for each equation without any unknown."""
    for equation in equations:
        path = f"equations.{equation.name}" if what == "equation" else "boundary"
        fitted = what == "condition" and any(degree_in_unknowns(s, ground) for s in (equation.left, equation.right))
        if not fitted and not joint_orders([equation], ground):
            log.mistakes.append(Mistake(equation.place, path, f"this {what} contains no unknown"))


def joint_orders(equations: Iterable[Equation], ground: Ground) -> Orders:
    """The highest derivatives of each unknown in several equations."""
    return highest(derivative_orders(side, ground) for e in equations for side in (e.left, e.right))


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
