"""The rectangle."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanpde.geometries.base import Array, Cuts, Ends, box_level, ends, slabs


@dataclass(frozen=True)
class Rectangle:
    """The points (x, y) with x[0] ≤ x ≤ x[1] and y[0] ≤ y ≤ y[1]."""

    x: Ends
    y: Ends

    axes = ("x", "y")
    parts = ("left", "right", "bottom", "top")

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", ends("x", self.x))
        object.__setattr__(self, "y", ends("y", self.y))

    @property
    def bounds(self) -> tuple[Ends, ...]:
        return self.x, self.y

    @property
    def volume(self) -> float:
        return (self.x[1] - self.x[0]) * (self.y[1] - self.y[0])

    def level(self, points: Array) -> Array:
        return box_level(slabs(points, self.bounds))

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        axis, side = divmod(self.parts.index(part), 2)
        low, high = self.bounds[1 - axis]
        points = np.empty((2, unit.shape[1]))
        points[axis] = self.bounds[axis][side]
        points[1 - axis] = low * (1 - unit[0]) + high * unit[0]
        normals = np.zeros_like(points)
        normals[axis] = 2 * side - 1
        return points, normals

    def size(self, part: str) -> float:
        low, high = self.bounds[1 - self.parts.index(part) // 2]
        return high - low

    def breaks(self, part: str) -> Cuts:
        return ((),)
