"""Regions: shapes put together and taken away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Mapping

import numpy as np

from kanpde.geometries.base import Array, Draw, Ends, Shape
from kanpde.geometries.curves import Curves
from kanpde.geometries.ends import Points
from kanpde.geometries.membership import Membership
from kanpde.geometries.surfaces import Surfaces
from kanpde.geometries.tree import Flags, Leaf, Tree, names

BOUNDARIES = {1: Points, 2: Curves, 3: Surfaces}
PATIENCE = 4_000_000  # candidates without a point inside


@dataclass(frozen=True, eq=False)
class Region:
    """The set that an expression makes of named shapes.

    On its boundary the shapes' names and parts live on. Where two shapes' boundaries run along each other, the first
    one's name counts.
    """

    shapes: Mapping[str, Shape]
    tree: Tree

    def __post_init__(self) -> None:
        unknown = [name for name in names(self.tree) if name not in self.shapes]
        if unknown:
            raise ValueError(f"there is no shape called {unknown[0]}")
        kinds = {self.shapes[name].axes for name in names(self.tree)}
        if len(kinds) > 1:
            raise ValueError("the shapes have different coordinates: " + " and ".join(map(", ".join, sorted(kinds))))
        _ = self.bounds

    @property
    def axes(self) -> tuple[str, ...]:
        """The names of the coordinates."""
        return self.shapes[names(self.tree)[0]].axes

    @cached_property
    def bounds(self) -> tuple[Ends, ...]:
        """A box around the region: of what is added, cut by what it is cut with; not made smaller by what is taken."""
        found = box(self.tree, self.shapes)
        if any(low >= high for low, high in found):
            raise ValueError("the region is empty")
        return found

    @cached_property
    def members(self) -> Membership:
        used = np.array([self.shapes[name].bounds for name in names(self.tree)])
        extent = np.ptp(used, axis=2).max()
        return Membership(self.shapes, self.tree, self.bounds, float(max(extent, 1e-3 * np.abs(used).max())))

    @cached_property
    def boundary(self) -> Points | Curves | Surfaces:
        return BOUNDARIES[len(self.axes)](self.members)

    def inside(self, points: Array, closed: bool = True) -> Flags:
        """Which of points [d, N] lie in the region, with or without its boundary."""
        return self.members.inside(points, closed)

    @cached_property
    def pieces(self) -> tuple[tuple[str, str], ...]:
        """The shapes and parts of which something remains on the boundary, in the order of the shapes."""
        return self.boundary.pieces

    def on(self, shape: str, part: str, count: int, draw: Draw) -> tuple[Array, Array]:
        """Points [d, count] spread evenly over what remains of a part, and the region's outward normals there."""
        return self.boundary.on(shape, part, count, draw)

    def measure(self, shape: str, part: str) -> float:
        """The length or area of what remains of a part; 0 where nothing does."""
        return self.boundary.measure(shape, part) if (shape, part) in self.pieces else 0.0

    def boundary_quadrature(self, shape: str, part: str, n: int) -> tuple[Array, Array, Array]:
        """Points [d, N], outward normals [d, N] and weights [N] for integrals over what remains of a part."""
        return self.boundary.quadrature(shape, part, n)

    def interior_quadrature(self, n: int) -> tuple[Array, Array]:
        """Points [d, N] and weights [N] for integrals over the region, n in each direction of each simple cell."""
        return self.boundary.within(n)

    def interior(self, count: int, draw: Draw) -> Array:
        """Points [d, count] spread evenly over the region."""
        low, high = (np.array(side)[:, None] for side in zip(*self.bounds))
        found, kept, tried = [np.empty((len(self.axes), 0))], 0, 0
        while kept < count:
            share = (kept + 1) / (tried + 1)
            batch = min(int((count - kept) / share * 1.1) + 16, 1_000_000) if tried else count
            unit = np.asarray(draw(len(self.axes), batch), dtype=float)
            points = low * (1 - unit) + high * unit
            found.append(points[:, self.inside(points, closed=False)])
            kept, tried = kept + found[-1].shape[1], tried + batch
            if not kept and tried > PATIENCE:
                raise ValueError("the region is empty, or too thin for points to be found in it")
        return np.concatenate(found, axis=1)[:, :count]

    @cached_property
    def volume(self) -> float:
        """The length, area or volume, by the divergence theorem: a d-th of the boundary integral of x · n."""
        if isinstance(self.tree, Leaf):
            return self.shapes[self.tree.name].volume
        middle = np.array([(low + high) / 2 for low, high in self.bounds])[:, None]
        total = 0.0
        for piece in self.pieces:
            points, normals, weights = self.boundary_quadrature(*piece, 24)
            total += float((weights * ((points - middle) * normals).sum(0)).sum())
        return total / len(self.axes)


def box(tree: Tree, shapes: Mapping[str, Shape]) -> tuple[Ends, ...]:
    """A box around the tree's set."""
    if isinstance(tree, Leaf):
        return shapes[tree.name].bounds
    left = box(tree.left, shapes)
    if tree.sign == "-":
        return left
    right = box(tree.right, shapes)
    lower, upper = (min, max) if tree.sign == "+" else (max, min)
    return tuple((lower(a, c), upper(b, d)) for (a, b), (c, d) in zip(left, right))
