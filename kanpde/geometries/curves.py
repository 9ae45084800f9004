"""The boundary of a plane region: the arcs that remain of its shapes' boundaries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Mapping

import numpy as np

from kanpde.geometries.arcs import Arc
from kanpde.geometries.base import Array, Draw, Shape
from kanpde.geometries.crossings import Integers
from kanpde.geometries.membership import Membership
from kanpde.geometries.slices import sliced
from kanpde.geometries.strands import strands
from kanpde.geometries.tree import names


@dataclass(frozen=True, eq=False)
class Curves:
    """The boundary of a set in the plane."""

    members: Membership

    @cached_property
    def arcs(self) -> Mapping[tuple[str, str], tuple[Arc, ...]]:
        """What remains of each part of each shape's boundary, where something does."""
        used = names(self.members.tree)
        found = [(name, remains(self.members, name)) for name in self.members.shapes if name in used]
        return {(name, part): arcs for name, parts in found for part, arcs in parts.items() if arcs}

    @property
    def pieces(self) -> tuple[tuple[str, str], ...]:
        return tuple(self.arcs)

    def measure(self, shape: str, part: str) -> float:
        return sum(arc.length for arc in self.arcs.get((shape, part), ()))

    def on(self, shape: str, part: str, count: int, draw: Draw) -> tuple[Array, Array]:
        arcs = self.arcs[shape, part]
        ends = np.cumsum([0.0, *(arc.end - arc.start for arc in arcs)])
        along = np.asarray(draw(1, count), dtype=float)[0] * ends[-1]
        which = np.clip(np.searchsorted(ends, along, side="right") - 1, 0, len(arcs) - 1)
        start, end, side = np.array([(arc.start, arc.end, arc.side) for arc in arcs]).T
        t = np.clip(start[which] + along - ends[which], start[which], end[which])
        points, normals = self.members.shapes[shape].chart(part, t[None])
        return points, side[which] * normals

    def quadrature(self, shape: str, part: str, n: int) -> tuple[Array, Array, Array]:
        found = [arc.quadrature(n) for arc in self.arcs[shape, part]]
        points, normals, weights = zip(*found)
        return np.concatenate(points, axis=1), np.concatenate(normals, axis=1), np.concatenate(weights)

    def within(self, n: int) -> tuple[Array, Array]:
        """n by n points of Gauss's in each cell between two graphs; spectrally accurate."""
        return sliced([arc for arcs in self.arcs.values() for arc in arcs], n, self.members.scale)


def remains(members: Membership, name: str) -> Mapping[str, tuple[Arc, ...]]:
    """The arcs that remain of each part of a shape's boundary."""
    shape = members.shapes[name]
    others = [members.shapes[other] for other in names(members.tree) if other != name]
    found = strands(
        others,
        lambda which, t: on_parts(shape, which, t)[0],
        np.array([shape.size(part) for part in shape.parts]),
        lambda which, t: members.sides(name, *on_parts(shape, which, t)),
        members.scale,
    )
    arcs: dict[str, list[Arc]] = {part: [] for part in shape.parts}
    for k, start, end, side in zip(*(rows.tolist() for rows in (found.which, found.start, found.end, found.kind))):
        arcs[shape.parts[k]].append(Arc(shape, shape.parts[k], start, end, side))
    return {part: tuple(pieces) for part, pieces in arcs.items()}


def on_parts(shape: Shape, which: Integers, t: Array) -> tuple[Array, Array]:
    """Points and normals [2, K] at parameters t [K] of parts which [K]."""
    points, normals = np.empty((2, len(t))), np.empty((2, len(t)))
    order = np.argsort(which, kind="stable")
    starts = np.flatnonzero(np.diff(which[order], prepend=-1))
    for here in np.split(order, starts[1:]):
        if len(here):
            points[:, here], normals[:, here] = shape.chart(shape.parts[which[here[0]]], t[None, here])
    return points, normals
