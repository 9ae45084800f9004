"""The circular cylinder."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import numpy as np

from kanpde.geometries.base import QUARTERS, Array, Cuts, Ends, box_level, positive, vector


@dataclass(frozen=True)
class Cylinder:
    """The points no farther than `radius` from the axis through `center`, nor than `height` / 2 from it along that."""

    center: tuple[float, ...]
    radius: float
    height: float
    axis: str = "z"

    axes = ("x", "y", "z")
    parts = ("side", "bottom", "top")

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector("center", self.center, 3))
        object.__setattr__(self, "radius", positive("radius", self.radius))
        object.__setattr__(self, "height", positive("height", self.height))
        if self.axis not in self.axes:
            raise ValueError(f"axis must be x, y or z, not {self.axis!r}")

    @property
    def order(self) -> tuple[int, int, int]:
        """The places of the two coordinates across the axis, and of the one along it."""
        along = self.axes.index(self.axis)
        return (along + 1) % 3, (along + 2) % 3, along

    @property
    def span(self) -> Ends:
        """From the bottom to the top."""
        middle = self.center[self.order[2]]
        return middle - self.height / 2, middle + self.height / 2

    @property
    def bounds(self) -> tuple[Ends, ...]:
        found = [(middle - self.radius, middle + self.radius) for middle in self.center]
        found[self.order[2]] = self.span
        return tuple(found)

    @property
    def volume(self) -> float:
        return pi * self.radius**2 * self.height

    def level(self, points: Array) -> Array:
        first, second, along = self.order
        far = np.hypot(points[first] - self.center[first], points[second] - self.center[second]) - self.radius
        low, high = self.span
        return box_level(np.stack([far, np.maximum(low - points[along], points[along] - high)]))

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        turn = 2 * pi * unit[1]
        directions = np.stack([np.cos(turn), np.sin(turn)])
        points, normals = np.zeros((3, len(turn))), np.zeros((3, len(turn)))
        across, along = list(self.order[:2]), self.order[2]
        low, high = self.span
        if part == "side":
            points[along] = low * (1 - unit[0]) + high * unit[0]
            normals[across] = directions
            shares = np.ones_like(turn)
        else:
            points[along] = high if part == "top" else low
            normals[along] = 1 if part == "top" else -1
            shares = np.sqrt(unit[0])  # equal steps of the squared radius are equal areas
        points[across] = np.array(self.center)[across, None] + self.radius * shares * directions
        return points, normals

    def size(self, part: str) -> float:
        return 2 * pi * self.radius * self.height if part == "side" else pi * self.radius**2

    def breaks(self, part: str) -> Cuts:
        return (), QUARTERS
