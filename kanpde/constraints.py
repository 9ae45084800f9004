"""Single numbers that the solution must give: its values at a point, or integrals of it."""

from __future__ import annotations

from typing import Union

from kanpde.analysis import degree_in_unknowns
from kanpde.equations import label
from kanpde.expression import ExpressionError
from kanpde.formulas import Log, read_sides
from kanpde.integrals import INTEGRALS, IntegralConstraint, read_integrals
from kanpde.known import Facts
from kanpde.names import subscripted
from kanpde.point_values import PointConstraint, is_value, read_point
from kanpde.reading import Scalar, Table
from kanpde.tree import Call, Tree, walk

Constraint = Union[PointConstraint, IntegralConstraint]


def read_constraints(section: Table | None, facts: Facts, named: dict[str, str], log: Log) -> tuple[Constraint, ...]:
    """The `constraints` section; `named` holds the names that are taken."""
    found = []
    for entry in section.entries if section else ():
        label(entry.key, "a constraint", named, log)
        sides, text = read_sides(entry.value, log), entry.value
        if sides is None or not isinstance(text, Scalar):
            continue
        try:
            constraint = _constraint(text, entry.key.text, sides, facts, log)
        except ExpressionError as error:
            log.say_at(text, error.column, error.message)
            continue
        if constraint and not any(degree_in_unknowns(tree, facts.ground) for tree in constraint.formulas):
            log.say(text, "this constraint contains no unknown")
        elif constraint:
            found.append(constraint)
    return tuple(found)


def _constraint(text: Scalar, name: str, sides: tuple[Tree, Tree], facts: Facts, log: Log) -> Constraint | None:
    calls = [part for side in sides for part in walk(side) if isinstance(part, Call)]
    values = [call for call in calls if is_value(call)]
    integrals = [call for call in calls if call.function in INTEGRALS]
    if values and integrals:
        later = max(values[0].column, integrals[0].column)
        raise ExpressionError("values at a point and integrals cannot stand in one constraint", later)
    if values:
        return read_point(text, name, sides, facts, log)
    if integrals:
        return read_integrals(text, name, sides, facts, log)
    where = ", ".join(f"{axis}=…" for axis in facts.scope.coordinates if axis not in facts.scope.parameters)
    fields = (*facts.scope.unknowns, *facts.scope.fitted)
    for call in calls:
        if call.function in fields or subscripted(call.function, fields):
            message = f"a value at a point names its coordinates: {call.function}({where})"
            raise ExpressionError(message, call.column)
    one = facts.scope.unknowns[0] if facts.scope.unknowns else "u"
    raise ExpressionError(f"a constraint is of values at a point, {one}({where}), or of integrals, integral({one})")
