"""The box."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod

import numpy as np

from kanpde.geometries.base import Array, Cuts, Ends, box_level, ends, slabs


@dataclass(frozen=True)
class Box:
    """The points (x, y, z) with x[0] ≤ x ≤ x[1] and so on."""

    x: Ends
    y: Ends
    z: Ends

    axes = ("x", "y", "z")
    parts = ("x_min", "x_max", "y_min", "y_max", "z_min", "z_max")

    def __post_init__(self) -> None:
        for name in self.axes:
            object.__setattr__(self, name, ends(name, getattr(self, name)))

    @property
    def bounds(self) -> tuple[Ends, ...]:
        return self.x, self.y, self.z

    @property
    def volume(self) -> float:
        return prod(high - low for low, high in self.bounds)

    def level(self, points: Array) -> Array:
        return box_level(slabs(points, self.bounds))

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        axis, side = divmod(self.parts.index(part), 2)
        points = np.empty((3, unit.shape[1]))
        points[axis] = self.bounds[axis][side]
        for row, other in zip(unit, (k for k in range(3) if k != axis)):
            low, high = self.bounds[other]
            points[other] = low * (1 - row) + high * row
        normals = np.zeros_like(points)
        normals[axis] = 2 * side - 1
        return points, normals

    def size(self, part: str) -> float:
        axis = self.parts.index(part) // 2
        return prod(high - low for k, (low, high) in enumerate(self.bounds) if k != axis)

    def breaks(self, part: str) -> Cuts:
        return (), ()
