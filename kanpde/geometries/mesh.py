"""The solid inside a closed surface of triangles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanpde.geometries.base import Array, Cuts, Ends
from kanpde.geometries.surface_files import read_surface
from kanpde.geometries.triangles import Triangles


@dataclass(frozen=True)
class Mesh:
    """The points inside the surface that a file describes: STL, VTU or MSH."""

    file: str

    axes = ("x", "y", "z")
    parts = ("",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "file", str(self.file))
        _ = self.surface

    @cached_property
    def surface(self) -> Triangles:
        return Triangles(*read_surface(self.file))

    @cached_property
    def bounds(self) -> tuple[Ends, ...]:
        corners = self.surface.corners.reshape(-1, 3)
        return tuple(zip(corners.min(0).tolist(), corners.max(0).tolist()))

    @cached_property
    def volume(self) -> float:
        corners = self.surface.corners - self.surface.vertices.mean(0)
        return float((corners[:, 0] * self.surface.doubled).sum()) / 6

    def level(self, points: Array) -> Array:
        return self.surface.level(points)

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        """The first coordinate chooses a triangle by its share of the area and a line parallel to its last side."""
        ends = self.shares
        face = np.clip(np.searchsorted(ends, unit[0], side="right") - 1, 0, len(ends) - 2)
        far = np.sqrt(np.clip((unit[0] - ends[face]) / (ends[face + 1] - ends[face]), 0, 1))
        weights = np.stack([1 - far, far * (1 - unit[1]), far * unit[1]], axis=1)
        return (weights[:, :, None] * self.surface.corners[face]).sum(1).T, self.surface.normals[face].T

    def size(self, part: str) -> float:
        return float(np.sqrt(np.square(self.surface.doubled).sum(1)).sum()) / 2

    def breaks(self, part: str) -> Cuts:
        return self.divisions, ()

    @cached_property
    def shares(self) -> Array:
        """The shares [F + 1] of the area up to each triangle."""
        found = np.concatenate([[0.0], np.cumsum(np.sqrt(np.square(self.surface.doubled).sum(1)))])
        return found / found[-1]

    @cached_property
    def divisions(self) -> tuple[float, ...]:
        return tuple(self.shares[1:-1].tolist())
