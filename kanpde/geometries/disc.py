"""The disc."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from kanpde.geometries.base import QUARTERS, Array, Cuts, Ends, positive, vector


@dataclass(frozen=True)
class Disc:
    """The points no farther than `radius` from `center`."""

    center: tuple[float, ...]
    radius: float

    axes = ("x", "y")
    parts = ("",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector("center", self.center, 2))
        object.__setattr__(self, "radius", positive("radius", self.radius))

    @property
    def bounds(self) -> tuple[Ends, ...]:
        return tuple((middle - self.radius, middle + self.radius) for middle in self.center)

    @property
    def volume(self) -> float:
        return pi * self.radius**2

    def level(self, points: Array) -> Array:
        return np.hypot(points[0] - self.center[0], points[1] - self.center[1]) - self.radius

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        return circle(self.center, self.radius, unit[0])

    def size(self, part: str) -> float:
        return 2 * pi * self.radius

    def breaks(self, part: str) -> Cuts:
        return (QUARTERS,)


def circle(center: tuple[float, ...], radius: float, turns: Array) -> tuple[Array, Array]:
    """The points [2, N] of a circle at `turns` [N] of full turns from the first axis, and the directions to them."""
    directions = np.stack([np.cos(2 * pi * turns), np.sin(2 * pi * turns)])
    return np.array(center)[:, None] + radius * directions, directions
