"""Arcs of the boundary of a plane region."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kanpde.geometries.base import Array, Shape
from kanpde.geometries.crossings import bisect
from kanpde.geometries.gauss import gauss
from kanpde.geometries.tree import Flags


@dataclass(frozen=True)
class Arc:
    """A part of a shape's boundary between two parameters; `side` is 1 where its normal points out of the region."""

    shape: Shape
    part: str
    start: float
    end: float
    side: int

    @property
    def length(self) -> float:
        return (self.end - self.start) * self.shape.size(self.part)

    def at(self, t: Array) -> tuple[Array, Array]:
        """Points [2, N] and outward normals [2, N] at parameters t [N] of the part."""
        points, normals = self.shape.chart(self.part, t[None])
        return points, self.side * normals

    def divided(self) -> tuple[Arc, ...]:
        """The same arc in pieces that turn little."""
        cuts = [self.start, *(t for t in self.shape.breaks(self.part)[0] if self.start < t < self.end), self.end]
        return tuple(Arc(self.shape, self.part, low, high, self.side) for low, high in zip(cuts, cuts[1:]))

    def quadrature(self, n: int) -> tuple[Array, Array, Array]:
        """Points [2, N], outward normals [2, N] and weights [N]: n points of Gauss's in each piece."""
        nodes, weights = gauss(n)
        pieces = [(piece, *piece.at(piece.start + (piece.end - piece.start) * nodes)) for piece in self.divided()]
        return (
            np.concatenate([points for _, points, _ in pieces], axis=1),
            np.concatenate([normals for _, _, normals in pieces], axis=1),
            np.concatenate([piece.length * weights for piece, _, _ in pieces]),
        )

    def downward(self, t: Array) -> Flags:
        """Where the normal points down."""
        return self.at(t)[1][1] < 0

    def upright(self) -> tuple[Arc, ...]:
        """The arc divided where its tangent is vertical, into pieces along which x only grows or only falls."""
        found: list[Arc] = []
        for piece in self.divided():
            ends = np.array([piece.start, piece.end])
            first, last = piece.at(ends)[1][1]
            turn = bisect(self.downward, ends[:1], ends[1:]).tolist() if first * last < 0 else []
            cuts = [piece.start, *turn, piece.end]
            found += [Arc(self.shape, self.part, low, high, self.side) for low, high in zip(cuts, cuts[1:])]
        return tuple(found)
