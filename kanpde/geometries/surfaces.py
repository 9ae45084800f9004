"""The boundary of a region in space: what remains of its shapes' surfaces.

A chart's unit square is cut into lines; on each, what remains is found to rounding, as on a curve in the plane. Across
the lines it is divided where the pattern on them changes. Features between two of the first few lines are missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Mapping

import numpy as np

from kanpde.geometries.base import Array, Draw
from kanpde.geometries.crossings import FIRM, QUICK, Care, Integers
from kanpde.geometries.even import even
from kanpde.geometries.gauss import gauss, rooted
from kanpde.geometries.membership import Membership
from kanpde.geometries.strands import Strands, panels, settled, strands
from kanpde.geometries.tree import names
from kanpde.geometries.volumes import filled, scattered

LINES = 48  # at first, on a part
BATCH, PATIENCE = 1_000_000, 10_000_000  # candidates at a time, and without one that remains
SCATTERED = 8192  # points at least, where lines would run across many pieces


@dataclass(frozen=True, eq=False)
class Surfaces:
    """The boundary of a set in space."""

    members: Membership

    @cached_property
    def divisions(self) -> Mapping[tuple[str, str], tuple[Array, Array]]:
        """For each part of the shapes' boundaries, the first and last lines of the panels between which they change."""
        return {key: self.divided(*key) for key in self.parts}

    @cached_property
    def measures(self) -> Mapping[tuple[str, str], float]:
        """The areas of what remains of the parts, where something does."""
        found = {key: float(self.quadrature(*key, 16)[2].sum()) for key in self.divisions}
        whole = {key: self.members.shapes[key[0]].size(key[1]) for key in found}
        return {key: area for key, area in found.items() if area > 1e-9 * whole[key]}

    @property
    def pieces(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.measures)

    def measure(self, shape: str, part: str) -> float:
        return self.measures[shape, part]

    def on(self, shape: str, part: str, count: int, draw: Draw) -> tuple[Array, Array]:
        """By rejection."""
        share = self.measures[shape, part] / self.members.shapes[shape].size(part)
        found: list[tuple[Array, Array]] = []
        kept = tried = 0
        while kept < count:
            batch = count if share > 1 - 1e-9 else min(int((count - kept) / share * 1.1) + 16, BATCH)
            points, normals, sides = self.sided(shape, part, np.asarray(draw(2, batch), dtype=float))
            there = np.flatnonzero(sides)
            found.append((points[:, there], sides[there] * normals[:, there]))
            kept, tried = kept + len(there), tried + batch
            if not kept and tried > PATIENCE:
                raise ValueError(f"what remains of {shape} is too small for points to be found on it")
        points, normals = (np.concatenate(rows, axis=1)[:, :count] for rows in zip(*found))
        return points, normals

    def quadrature(self, shape: str, part: str, n: int) -> tuple[Array, Array, Array]:
        """By Gauss's rule along lines and across them; by evenly scattered points where there are many pieces."""
        size = self.members.shapes[shape].size(part)
        if (shape, part) in self.scattered:
            unit = even(2, max(SCATTERED, 16 * n * n))
            weights = np.full(unit.shape[1], 1 / unit.shape[1])
        else:
            unit, weights = self.lines(shape, part, n)
        points, normals, sides = self.sided(shape, part, unit)
        there = np.flatnonzero(sides)
        return points[:, there], sides[there] * normals[:, there], size * weights[there]

    @cached_property
    def scattered(self) -> frozenset[tuple[str, str]]:
        """The parts of many pieces, and those that may be cut by one."""
        return frozenset(
            (name, part)
            for name, part in self.parts
            if self.many and (self.coarse(name, part) or not self.sided(name, part, even(2, 1024))[2].all())
        )

    @cached_property
    def many(self) -> bool:
        """Whether any part has many pieces."""
        return any(self.coarse(name, part) for name, part in self.parts)

    @property
    def parts(self) -> tuple[tuple[str, str], ...]:
        """All parts of the boundaries of the shapes in use."""
        used = names(self.members.tree)
        return tuple((name, part) for name, s in self.members.shapes.items() if name in used for part in s.parts)

    def lines(self, shape: str, part: str, n: int) -> tuple[Array, Array]:
        """Points [2, N] of the unit square and weights [N] whose sum is the share that remains."""
        low, high = self.divisions[shape, part]
        nodes, across = rooted(n)
        u = (low[:, None] + (high - low)[:, None] * nodes).ravel()
        thick = ((high - low)[:, None] * across).ravel()
        found = self.strands(shape, part, u, FIRM)
        cuts = [0.0, *self.members.shapes[shape].breaks(part)[1], 1.0]
        nodes, along = gauss(n)
        points, weights = [np.empty((2, 0))], [np.empty(0)]
        for left, right in zip(cuts, cuts[1:]):
            start, end = np.maximum(found.start, left), np.minimum(found.end, right)
            here = np.flatnonzero(start < end)
            length = (end - start)[here]
            v = start[here] + length * nodes[:, None]
            points.append(np.stack([np.broadcast_to(u[found.which[here]], v.shape), v]).reshape(2, -1))
            weights.append((along[:, None] * length * thick[found.which[here]]).ravel())
        return np.concatenate(points, axis=1), np.concatenate(weights)

    def within(self, n: int) -> tuple[Array, Array]:
        """By nested lines; by evenly scattered points where a shape has a surface of many pieces."""
        if self.many:
            return scattered(self.members, max(SCATTERED, (2 * n) ** 3))
        return filled(self.members, n)

    def coarse(self, shape: str, part: str) -> bool:
        """Whether a part has many pieces, across which lines would run."""
        return bool(self.members.shapes[shape].breaks(part)[0])

    def sided(self, shape: str, part: str, unit: Array) -> tuple[Array, Array, Integers]:
        """Points and normals [3, N] of the shape, and the sides [N] of the region."""
        points, normals = self.members.shapes[shape].chart(part, unit)
        return points, normals, self.members.sides(shape, points, normals)

    def strands(self, shape: str, part: str, u: Array, care: Care) -> Strands:
        """What remains along the lines whose first coordinate is u [M]."""
        members = self.members
        chart = members.shapes[shape].chart
        samples = np.stack([np.tile(u, 17), np.repeat(np.arange(17) / 16, len(u))])
        points = chart(part, samples)[0].reshape(3, 17, -1)
        speeds = 17 * np.sqrt(np.square(np.diff(points, axis=1)).sum(0)).max(0) + 1e-12 * members.scale
        return strands(
            [members.shapes[other] for other in names(members.tree) if other != shape],
            lambda which, t: chart(part, np.stack([u[which], t]))[0],
            speeds,
            lambda which, t: self.sided(shape, part, np.stack([u[which], t]))[2],
            members.scale,
            care,
        )

    def divided(self, shape: str, part: str) -> tuple[Array, Array]:
        """The first and last lines of the panels of a part."""
        cuts = np.array([0.0, *self.members.shapes[shape].breaks(part)[0], 1.0])
        if self.many:
            return np.zeros(1), np.ones(1)
        few = max(3, LINES // (len(cuts) - 1))
        _, low, high = panels(lambda _, u: self.strands(shape, part, u, QUICK).codes(len(u)), 1, cuts, few)
        return settled(lambda u: self.strands(shape, part, u, FIRM).lengths(len(u)), low, high)
