"""The ring between two circles."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from kanpde.geometries.base import QUARTERS, Array, Cuts, Ends, positive, vector
from kanpde.geometries.disc import circle


@dataclass(frozen=True)
class Annulus:
    """The points between `inner` and `outer` from `center`."""

    center: tuple[float, ...]
    inner: float
    outer: float

    axes = ("x", "y")
    parts = ("inner", "outer")

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector("center", self.center, 2))
        object.__setattr__(self, "inner", positive("inner", self.inner))
        object.__setattr__(self, "outer", positive("outer", self.outer))
        if self.inner >= self.outer:
            raise ValueError(f"inner must be less than outer, but {self.inner:g} is not less than {self.outer:g}")

    @property
    def bounds(self) -> tuple[Ends, ...]:
        return tuple((middle - self.outer, middle + self.outer) for middle in self.center)

    @property
    def volume(self) -> float:
        return pi * (self.outer - self.inner) * (self.outer + self.inner)

    def level(self, points: Array) -> Array:
        far = np.hypot(points[0] - self.center[0], points[1] - self.center[1])
        return np.maximum(self.inner - far, far - self.outer)

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        points, directions = circle(self.center, getattr(self, part), unit[0])
        return points, directions if part == "outer" else -directions

    def size(self, part: str) -> float:
        return 2 * pi * getattr(self, part)

    def breaks(self, part: str) -> Cuts:
        return (QUARTERS,)
