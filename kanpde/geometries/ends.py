"""The boundary of a set on the line: points."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Mapping

import numpy as np

from kanpde.geometries.base import Array, Draw
from kanpde.geometries.gauss import gauss
from kanpde.geometries.membership import Membership
from kanpde.geometries.tree import names


@dataclass(frozen=True, eq=False)
class Points:
    """The boundary of a set on the line; the measure of a point is 1."""

    members: Membership

    @cached_property
    def found(self) -> Mapping[tuple[str, str], tuple[Array, Array]]:
        """Each remaining end [1, 1] and its outward normal [1, 1]."""
        used = names(self.members.tree)
        candidates = [
            (name, part, *shape.chart(part, np.empty((0, 1))))
            for name, shape in self.members.shapes.items()
            if name in used
            for part in shape.parts
        ]
        sides = [int(self.members.sides(name, point, normal)[0]) for name, _, point, normal in candidates]
        return {(name, part): (x, side * n) for (name, part, x, n), side in zip(candidates, sides) if side}

    @property
    def pieces(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.found)

    def measure(self, shape: str, part: str) -> float:
        return 1.0

    def on(self, shape: str, part: str, count: int, draw: Draw) -> tuple[Array, Array]:
        point, normal = self.found[shape, part]
        return np.repeat(point, count, axis=1), np.repeat(normal, count, axis=1)

    def quadrature(self, shape: str, part: str, n: int) -> tuple[Array, Array, Array]:
        return *self.found[shape, part], np.ones(1)

    def within(self, n: int) -> tuple[Array, Array]:
        """n points of Gauss's in each interval."""
        low, high = np.sort([point[0, 0] for point, _ in self.found.values()]).reshape(-1, 2).T
        nodes, weights = gauss(n)
        return (low + (high - low) * nodes[:, None]).reshape(1, -1), ((high - low) * weights[:, None]).ravel()
