"""What a problem says beyond equations and conditions: what is fitted, and the constraints and data to obey."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from kanpde.conditions import Boundary
from kanpde.constraints import Constraint, read_constraints
from kanpde.datasets import DataSet, read_data
from kanpde.equations import joint_orders
from kanpde.fits import Fitted, overdetermined, read_fitted, report_undetermined
from kanpde.folder import Folder
from kanpde.formulas import Log
from kanpde.known import Facts
from kanpde.statement import Equation
from kanpde.terrain import Sections


@dataclass(frozen=True)
class Further:
    """What is fitted, constraints, and data."""

    fitted: Mapping[str, Fitted]
    constraints: tuple[Constraint, ...]
    data: tuple[DataSet, ...]


def read_further(
    section: Sections, facts: Facts, laws: tuple[tuple[Equation, ...], Boundary], folder: Folder, log: Log
) -> Further:
    """The sections `fit`, `constraints` and `data`."""
    equations, boundary = laws
    named = {equation.name: "an equation" for equation in equations}
    named |= {
        str(place): "a part of the boundary" for place in (*boundary.free, *(c.face for c in boundary.conditions))
    }
    fit, constraints, data = section("fit"), section("constraints"), section("data")
    surplus = overdetermined(boundary.conditions, joint_orders(equations, facts.ground), facts.ground)
    report_undetermined(fit, bool(constraints or data or surplus), log)
    return Further(
        fitted=read_fitted(fit, facts.scope.fitted, facts.constants, log),
        constraints=read_constraints(constraints, facts, named, log),
        data=read_data(data, facts, folder, named, log),
    )
