"""What belongs to a set made of shapes, and what belongs to its boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

import numpy as np
from numpy.typing import NDArray

from kanpde.geometries.base import Array, Ends, Shape
from kanpde.geometries.crossings import FLUSH
from kanpde.geometries.tree import Flags, Tree, holds, names

STEP = 1e-7  # to either side of a boundary, relative to the size; well above what counts as flush
GOLDEN = (3 - 5**0.5) / 2


@dataclass(frozen=True)
class Membership:
    """The set that a tree makes of shapes, the ends of a box around it, and the size of its coordinates."""

    shapes: Mapping[str, Shape]
    tree: Tree
    bounds: tuple[Ends, ...]
    scale: float

    def inside(self, points: Array, closed: bool) -> Flags:
        """Which of points [d, N] belong to the set, with or without its boundary.

        Where boundaries of two shapes run along each other, nothing of them remains that bounds no inside.
        """
        levels = {name: self.shapes[name].level(points) for name in names(self.tree)}
        edge = 1e-12 * self.scale
        wide = {name: level <= edge for name, level in levels.items()}
        narrow = {name: level < -edge for name, level in levels.items()}
        if not closed:
            return holds(self.tree, narrow, wide)
        found = holds(self.tree, wide, narrow)
        shared = np.sum([wide[name] & ~narrow[name] for name in wide], axis=0) > 1
        doubtful = np.flatnonzero(found & shared)
        if len(doubtful):
            steps = STEP * self.scale * around(len(points))
            near = points[:, doubtful, None] + steps[:, None]
            found[doubtful] = self.inside(near.reshape(len(points), -1), False).reshape(len(doubtful), -1).any(axis=1)
        return found

    def sides(self, name: str, points: Array, normals: Array) -> NDArray[np.int64]:
        """For points on the boundary of shape `name`, with its normals [d, N]: on which side [N] the set lies.

        1 where the normal points out of the set, -1 where it points into it, 0 where both sides belong to it or
        neither. It is also 0 where the boundary of an earlier shape runs along: there that one counts.
        """
        outer, inner = {}, {}
        count = points.shape[1]
        taken = np.zeros(count, dtype=bool)
        for other in (one for one in self.shapes if one in names(self.tree)):
            if other == name:
                outer[other], inner[other] = np.zeros(count, dtype=bool), np.ones(count, dtype=bool)
                earlier = taken
                continue
            level = self.shapes[other].level(points)
            outer[other], inner[other] = level < 0, level < 0
            flush = np.flatnonzero(np.abs(level) <= FLUSH * self.scale)
            if len(flush):
                for found, sign in ((outer, 1), (inner, -1)):
                    found[other] = found[other].copy()
                    moved = points[:, flush] + sign * STEP * self.scale * normals[:, flush]
                    found[other][flush] = self.shapes[other].level(moved) < 0
                taken = taken | (outer[other] != inner[other])
        without, within = holds(self.tree, outer, outer), holds(self.tree, inner, inner)
        return np.where(earlier, 0, within.astype(np.int64) - without)


def around(dimensions: int) -> Array:
    """Unit vectors [d, K] in many directions, none of them along an axis."""
    if dimensions == 1:
        return np.array([[-1.0, 1.0]])
    if dimensions == 2:
        angles = 2 * np.pi * (np.arange(48) + GOLDEN) / 48
        return np.stack([np.cos(angles), np.sin(angles)])
    heights = (np.arange(200) + 0.5) / 100 - 1
    angles, radii = 2 * np.pi * GOLDEN * np.arange(200), np.sqrt(1 - heights**2)
    return np.stack([radii * np.cos(angles), radii * np.sin(angles), heights])
