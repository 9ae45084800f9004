"""The ball."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from kanpde.geometries.base import QUARTERS, Array, Cuts, Ends, positive, vector


@dataclass(frozen=True)
class Ball:
    """The points no farther than `radius` from `center`."""

    center: tuple[float, ...]
    radius: float

    axes = ("x", "y", "z")
    parts = ("",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector("center", self.center, 3))
        object.__setattr__(self, "radius", positive("radius", self.radius))

    @property
    def bounds(self) -> tuple[Ends, ...]:
        return tuple((middle - self.radius, middle + self.radius) for middle in self.center)

    @property
    def volume(self) -> float:
        return 4 / 3 * pi * self.radius**3

    def level(self, points: Array) -> Array:
        return np.sqrt(np.square(points - np.array(self.center)[:, None]).sum(0)) - self.radius

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        """By Archimedes' theorem that equal heights of a sphere have equal areas."""
        height, turn = 1 - 2 * unit[0], 2 * pi * unit[1]
        across = 2 * np.sqrt(np.maximum(unit[0] * (1 - unit[0]), 0))
        normals = np.stack([across * np.cos(turn), across * np.sin(turn), height])
        return np.array(self.center)[:, None] + self.radius * normals, normals

    def size(self, part: str) -> float:
        return 4 * pi * self.radius**2

    def breaks(self, part: str) -> Cuts:
        return (), QUARTERS
