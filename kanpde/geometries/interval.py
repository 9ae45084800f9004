"""The interval."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanpde.geometries.base import Array, Cuts, Ends, ends


@dataclass(frozen=True)
class Interval:
    """The points from x[0] to x[1]."""

    x: Ends

    axes = ("x",)
    parts = ("left", "right")

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", ends("x", self.x))

    @property
    def bounds(self) -> tuple[Ends, ...]:
        return (self.x,)

    @property
    def volume(self) -> float:
        return self.x[1] - self.x[0]

    def level(self, points: Array) -> Array:
        return np.maximum(self.x[0] - points[0], points[0] - self.x[1])

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        side = self.parts.index(part)
        count = np.shape(unit)[1]
        return np.full((1, count), self.x[side]), np.full((1, count), 2.0 * side - 1)

    def size(self, part: str) -> float:
        return 1.0

    def breaks(self, part: str) -> Cuts:
        return ()
