"""A region divided into others, and the boundaries between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from kanpde.geometries.base import Array
from kanpde.geometries.crossings import FLUSH
from kanpde.geometries.membership import STEP
from kanpde.geometries.region import Region
from kanpde.geometries.tree import Flags, Leaf

TRIED = 2000  # points of a part at which to look for what lies on its two sides
NOWHERE = -1

Interface = tuple[str, str, str, str]
"""A shape and a part of its boundary, the region on the inner side of the shape and the one on its outer side."""


@dataclass(frozen=True, eq=False)
class Zones:
    """A whole and the regions that it consists of, by name; they share no points but those of their boundaries."""

    whole: Region
    parts: Mapping[str, Region]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names of the regions."""
        return tuple(self.parts)

    def alone(self, shape: str) -> Region:
        """A shape without the others."""
        return Region(self.whole.shapes, Leaf(shape))

    def at(self, points: Array, closed: bool = True) -> NDArray[np.int64]:
        """The number [N] of the first region in which each of points [d, N] lies, or NOWHERE."""
        flags = [region.inside(points, closed) for region in self.parts.values()]
        found = np.full(points.shape[1], NOWHERE)
        for number, inside in reversed(list(enumerate(flags))):
            found[inside] = number
        return found

    def sides(self, shape: str, points: Array, normals: Array) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """What lies on the inner and outer sides [N] of points on a shape's boundary, with its normals.

        NOWHERE on both where the boundary of an earlier shape runs along: there that one counts.
        """
        step = STEP * self.whole.members.scale * normals
        inner, outer = self.at(points - step, closed=False), self.at(points + step, closed=False)
        taken = self._taken(shape, points, step)
        return np.where(taken, NOWHERE, inner), np.where(taken, NOWHERE, outer)

    def between(self, pair: tuple[str, str], shape: str, points: Array, normals: Array) -> Flags:
        """Which of points on a shape's boundary lie between two regions, the first one on the shape's inner side."""
        inner, outer = self.sides(shape, points, normals)
        return (inner == self.names.index(pair[0])) & (outer == self.names.index(pair[1]))

    @cached_property
    def interfaces(self) -> tuple[Interface, ...]:
        """The parts of shapes that lie between two regions, in the order of the shapes."""
        return tuple(self._interfaces())

    def _interfaces(self) -> Iterator[Interface]:
        generator = np.random.default_rng(0)
        for name, shape in self.whole.shapes.items():
            for part in shape.parts:
                points, normals = self.alone(name).on(name, part, TRIED, lambda d, n: generator.random((d, n)))
                pairs = dict.fromkeys(zip(*(side.tolist() for side in self.sides(name, points, normals))))
                for inner, outer in pairs:
                    if NOWHERE not in (inner, outer) and inner != outer:
                        yield name, part, self.names[inner], self.names[outer]

    def _taken(self, name: str, points: Array, step: Array) -> Flags:
        """Where the boundary of a shape before this one runs along."""
        found = np.zeros(points.shape[1], dtype=bool)
        for other, shape in self.whole.shapes.items():
            if other == name:
                return found
            near = np.abs(shape.level(points)) <= FLUSH * self.whole.members.scale
            found |= near & ((shape.level(points + step) < 0) != (shape.level(points - step) < 0))
        return found
