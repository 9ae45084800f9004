"""Every equation and condition of a problem as a formula that vanishes, with the points on which it must."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Sequence

import torch
from torch import Tensor

from kanpde.build import domain_of, scope_of, statements, where
from kanpde.domain import Inside, Where
from kanpde.errors import Place
from kanpde.evaluation import Ground, Scope
from kanpde.operators import normal_name
from kanpde.problem import Row
from kanpde.regional import difference
from kanpde.samplers import uniform
from kanpde.spec import Condition, Equation, Face, Spec

POINTS = 200
MOST = 729  # points of a lattice; all there are with six coordinates
SEED = 2024

Side = Where


@dataclass(frozen=True)
class Law:
    """An equation or a condition: how it is called, where it stands in the file and in space, and its formula."""

    name: str
    path: str
    word: str  # "equation" | "condition"
    place: Place
    side: Side
    row: Row


def laws(spec: Spec, scope: Scope) -> list[Law]:
    """The equations, then the initial and boundary conditions."""
    conditions = [of_condition(spec, condition, row) for condition, row, _ in statements(spec, scope)]
    return [*(of_equation(spec, equation) for equation in spec.equations), *conditions]


def of_equation(spec: Spec, equation: Equation) -> Law:
    """An equation in partial derivatives."""
    row = Row(equation.name, difference(spec, equation))
    side = Inside(equation.zone) if equation.zone else None
    return Law(equation.name, f"equations.{equation.name}", "equation", equation.place, side, row)


def of_condition(spec: Spec, condition: Condition, row: Row) -> Law:
    """A condition on its face."""
    initial = isinstance(condition.face, Face) and condition.face.axis == "t"
    path = f"initial.{condition.name.partition('.')[2]}" if initial else "boundary"
    return Law(condition.name, path, "condition", condition.equation.place, where(spec, condition), row)


def grounds(spec: Spec, sides: Sequence[Side]) -> dict[Side, Ground]:
    """Random points in the interior and on each side, the same at every call; one point where a side is a point.

    In interiors some unit vector stands for a normal, so that the terms of conditions can be measured there.
    """
    domain = domain_of(spec, scope_of(spec))
    found = {
        side: domain.draw(side, POINTS, torch.Generator().manual_seed(SEED), uniform)
        for side in dict.fromkeys([None, *sides])
    }
    for side in [side for side in found if side is None or isinstance(side, Inside)]:
        inside = found[side].points
        normal = torch.full_like(inside[0], max(1, len(spec.spatial)) ** -0.5)
        found[side] = Ground(inside, attached={normal_name(axis): normal for axis in spec.spatial})
    return found


def lattice(spec: Spec) -> Tensor:
    """Corners of the box and what is halfway between them [d, N], where formulas are most often singular.

    Where the domain does not fill the box, those of them that belong to it.
    All 3^d of them in a few dimensions; in more, the least, middle and greatest and a random choice.
    """
    levels = torch.tensor([(low, (low + high) / 2, high) for low, high in spec.box.values()], dtype=torch.float64)
    count = len(spec.box)
    if 3**count <= MOST:
        points = torch.tensor(list(product(*levels.tolist())), dtype=torch.float64).T.contiguous()
        return points[:, domain_of(spec, scope_of(spec)).contains(points)]
    chosen = torch.randint(3, (count, MOST - 3), generator=torch.Generator().manual_seed(SEED))
    ends = torch.arange(3).expand(count, 3)
    points = levels.gather(1, torch.cat([ends, chosen], dim=1))
    return points[:, domain_of(spec, scope_of(spec)).contains(points)]


def spot(names: Sequence[str], point: Tensor) -> str:
    """A point in words: `x = 0.41, y = 0.77`."""
    return ", ".join(f"{name} = {float(value):.3g}" for name, value in zip(names, point))
