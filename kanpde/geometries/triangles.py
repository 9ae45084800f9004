"""A closed surface of triangles, and the point of it that is nearest."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from kanpde.geometries.base import Array
from kanpde.geometries.crossings import Integers

FAN = 8  # boxes in a larger box
CHUNK = 2048  # points at a time


@dataclass(frozen=True, eq=False)
class Triangles:
    """Triangles with corners `vertices` [V, 3] numbered in `faces` [F, 3], counter-clockwise seen from outside."""

    vertices: Array
    faces: Integers

    @cached_property
    def corners(self) -> Array:
        """The corners [F, 3, 3]: triangle, corner, coordinate."""
        return self.vertices[self.faces]

    @cached_property
    def doubled(self) -> Array:
        """Twice each triangle's area times its outward normal [F, 3]."""
        return np.cross(self.corners[:, 1] - self.corners[:, 0], self.corners[:, 2] - self.corners[:, 0])

    @cached_property
    def rounding(self) -> float:
        """More than rounding makes of a distance 0."""
        return float(1e-14 * np.abs(self.vertices).max())

    @cached_property
    def normals(self) -> Array:
        """The outward unit normals [F, 3]."""
        return unit(self.doubled)

    @cached_property
    def edge_normals(self) -> Array:
        """The sums [F, 3, 3] of the normals of the two triangles at each edge, numbered like the corner opposite."""
        ends = np.sort(np.stack([np.roll(self.faces, -1, 1), np.roll(self.faces, -2, 1)], axis=2), axis=2)
        key = ends[:, :, 0].ravel() * len(self.vertices) + ends[:, :, 1].ravel()
        _, edge = np.unique(key, return_inverse=True)
        total = np.zeros((edge.max() + 1, 3))
        np.add.at(total, edge, np.repeat(self.normals, 3, axis=0))
        return total[edge].reshape(-1, 3, 3)

    @cached_property
    def vertex_normals(self) -> Array:
        """The sums [V, 3] of the normals at each vertex, weighed by the angles there."""
        ahead, back = (unit(np.roll(self.corners, -k, 1) - self.corners) for k in (1, 2))
        angles = np.arccos(np.clip((ahead * back).sum(2), -1, 1))
        total = np.zeros_like(self.vertices)
        np.add.at(total, self.faces, angles[:, :, None] * self.normals[:, None])
        return total

    @cached_property
    def boxes(self) -> tuple[Integers, list[tuple[Array, Array]]]:
        """The triangles in an order that keeps neighbours together, and the ends of boxes around 1, 8, 64, … each."""
        middles = self.corners.mean(1)
        span = np.ptp(middles, axis=0) + 1e-300
        cells = ((middles - middles.min(0)) / span * 1023).astype(np.int64)
        code = sum(((cells[:, axis] >> bit) & 1) << (3 * bit + axis) for axis in range(3) for bit in range(10))
        order = np.argsort(code, kind="stable")
        low, high = self.corners[order].min(1), self.corners[order].max(1)
        levels = [(low, high)]
        while len(low) > FAN:
            more = -len(low) % FAN
            low = np.pad(low, ((0, more), (0, 0)), constant_values=np.inf).reshape(-1, FAN, 3).min(1)
            high = np.pad(high, ((0, more), (0, 0)), constant_values=-np.inf).reshape(-1, FAN, 3).max(1)
            levels.append((low, high))
        return order, levels

    def level(self, points: Array) -> Array:
        """The signed distances [N] of points [3, N].

        The sign is that of the normal at the nearest point, summed over the triangles there (Bærentzen & Aanæs, Signed
        distance computation using the angle weighted pseudonormal, 2005).
        """
        parts = np.array_split(points.T, len(points.T) // CHUNK + 1)
        return np.concatenate([self.signed(part) if len(part) else np.empty(0) for part in parts])

    def signed(self, points: Array) -> Array:
        """The signed distances [N] of points [N, 3]."""
        face, weights = self.nearest(points)
        away = points - (weights[:, :, None] * self.corners[face]).sum(1)
        zeros = (weights == 0).sum(1)
        edge = self.edge_normals[face, weights.argmin(1)]
        vertex = self.vertex_normals[self.faces[face, weights.argmax(1)]]
        normal = np.where((zeros == 0)[:, None], self.normals[face], np.where((zeros == 1)[:, None], edge, vertex))
        return np.where((away * normal).sum(1) < 0, -1.0, 1.0) * np.sqrt(np.square(away).sum(1))

    def nearest(self, points: Array) -> tuple[Integers, Array]:
        """For points [N, 3], the triangle [N] of the nearest point and its weights [N, 3] of the corners."""
        order, levels = self.boxes
        count, top = len(points), len(levels[-1][0])
        who, node = np.repeat(np.arange(count), top), np.tile(np.arange(top), count)
        bound = np.full(count, np.inf)
        for depth in range(len(levels) - 1, -1, -1):
            low, high = levels[depth]
            there = node < len(low)
            who, node = who[there], node[there]
            near = from_box(points[who], low[node], high[node]) <= np.square(np.sqrt(bound[who]) + self.rounding)
            who, node = who[near], node[near]
            corner = self.corners[order[node * FAN**depth], 0]  # no farther than the box is large
            starts = np.searchsorted(who, np.arange(count))
            bound = np.minimum(bound, np.minimum.reduceat(np.square(points[who] - corner).sum(1), starts))
            near = from_box(points[who], low[node], high[node]) <= np.square(np.sqrt(bound[who]) + self.rounding)
            who, node = who[near], node[near]
            if depth:
                who, node = np.repeat(who, FAN), (node[:, None] * FAN + np.arange(FAN)).ravel()
        square, weights = square_from(points[who], self.corners[order[node]])
        best = np.lexsort((square, who))
        best = best[np.searchsorted(who[best], np.arange(count))]
        return order[node[best]], weights[best]


def unit(vectors: Array) -> Array:
    """Vectors [..., 3] made one long; those of no length stay."""
    return vectors / np.maximum(np.sqrt(np.square(vectors).sum(-1, keepdims=True)), 1e-300)


def from_box(points: Array, low: Array, high: Array) -> Array:
    """The squares of distances of points [..., 3] from boxes."""
    return np.square(np.maximum(np.maximum(low - points, points - high), 0)).sum(-1)


def square_from(points: Array, corners: Array) -> tuple[Array, Array]:
    """The squares [N] of distances of points [N, 3] from triangles [N, 3, 3], and the nearest points' weights [N, 3].

    Ericson, Real-time collision detection, 2005, section 5.1.5.
    """
    a, b, c = corners.swapaxes(0, 1)
    (d1, d2), (d3, d4), (d5, d6) = (
        (((b - a) * (points - corner)).sum(1), ((c - a) * (points - corner)).sum(1)) for corner in (a, b, c)
    )
    va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
    zero, one = np.zeros_like(d1), np.ones_like(d1)
    cases = [
        ((d1 <= 0) & (d2 <= 0), (one, zero, zero)),
        ((d3 >= 0) & (d4 <= d3), (zero, one, zero)),
        ((d6 >= 0) & (d5 <= d6), (zero, zero, one)),
        ((vc <= 0) & (d1 >= 0) & (d3 <= 0), (-d3, d1, zero)),
        ((vb <= 0) & (d2 >= 0) & (d6 <= 0), (-d6, zero, d2)),
        ((va <= 0) & (d4 >= d3) & (d5 >= d6), (zero, d5 - d6, d4 - d3)),
    ]
    weights = np.stack(
        [np.select([c for c, _ in cases], [w[k] for _, w in cases], (va, vb, vc)[k]) for k in range(3)], 1
    )
    weights = weights / weights.sum(1, keepdims=True)
    return np.square(points - (weights[:, :, None] * corners).sum(1)).sum(1), weights
