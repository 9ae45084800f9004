"""Quadrature over a plane region, slice by slice.

The ends of the boundary's arcs, and their vertical tangents, cut the region into slices in which it lies between graphs
y = g(x). Where a graph ends in a vertical tangent, like a square root, x = s²(3-2s) makes it smooth; where one would
become vertical a little outside a slice, slices grow in proportion to the distance from there.
"""

from __future__ import annotations

from typing import Sequence

import numpy as np

from kanpde.geometries.arcs import Arc
from kanpde.geometries.base import Array
from kanpde.geometries.gauss import gauss, rooted

THIN = 1e-13  # a thinner slice, relative to the size, is a matter of rounding
GROWTH = 8.0  # of slices away from a vertical tangent


def sliced(arcs: Sequence[Arc], n: int, scale: float) -> tuple[Array, Array]:
    """Points [2, N] and weights [N]: n by n for each cell between two graphs in a slice."""
    graphs = [graph for arc in arcs for graph in arc.upright()]
    spans = np.array([graph.at(np.array([graph.start, graph.end]))[0][0] for graph in graphs]).reshape(-1, 2)
    poles = np.array([vertical(graph) for graph in graphs]).reshape(-1, 2)
    low, high = spans.min(1), spans.max(1)
    upward = spans[:, 0] < spans[:, 1]
    wide = high - low > THIN * scale
    cuts = np.unique(spans[wide])
    cuts = cuts[np.diff(cuts, prepend=-np.inf) > THIN * scale]
    jobs: list[tuple[list[int], Array, Array]] = []
    slices = list(zip(cuts, cuts[1:]))
    while slices:
        left, right = slices.pop()
        middle = (left + right) / 2
        across = np.flatnonzero(wide & (low < middle) & (middle < high))
        away = np.stack([left - poles[across], poles[across] - right])
        near = np.min(away, axis=(1, 2), where=away > THIN * scale, initial=np.inf)
        side = int(near[1] < near[0])
        if GROWTH * near[side] < right - left:
            cut = (left, right)[side] + (1, -1)[side] * (GROWTH - 1) * near[side]
            slices += [(left, cut), (cut, right)]
            continue
        nodes, weights = (rooted if (np.abs(away) <= THIN * scale).any() else gauss)(n)
        jobs.append((across.tolist(), left + (right - left) * nodes, (right - left) * weights))
    heights = graph_heights(graphs, upward, jobs, n)
    found = [cell for (_, x, weights), y in zip(jobs, heights) for cell in cells(x, weights, y, n)]
    if not found:
        return np.empty((2, 0)), np.empty(0)
    points, weights = zip(*found)
    return np.concatenate(points, axis=1), np.concatenate(weights)


def vertical(graph: Arc) -> tuple[float, float]:
    """Where along x, at or beyond the start and the end of a graph, its tangent is vertical, as if on a circle."""
    points, normals = graph.at(np.array([graph.start, graph.end]))
    turn = abs(
        np.arctan2(normals[0, 0] * normals[1, 1] - normals[0, 1] * normals[1, 0], (normals[:, 0] @ normals[:, 1]))
    )
    radius = graph.length / max(turn, 1e-12)
    beyond = radius * normals[1] ** 2 / (1 + np.abs(normals[0]))
    first, last = points[0] + np.sign(points[0] - points[0, ::-1]) * beyond
    return float(first), float(last)


def graph_heights(graphs: Sequence[Arc], upward: Array, jobs: Sequence, n: int) -> list[Array]:
    """For each slice the heights [graphs across it, n], from below to above."""
    asked: dict[int, list[Array]] = {}
    for across, x, _ in jobs:
        for k in across:
            asked.setdefault(k, []).append(x)
    solved = {k: iter(height(graphs[k], bool(upward[k]), np.concatenate(xs)).reshape(-1, n)) for k, xs in asked.items()}
    rows = [np.array([next(solved[k]) for k in across]).reshape(-1, n) for across, _, _ in jobs]
    return [ys[np.argsort(ys[:, n // 2], kind="stable")] for ys in rows]


def height(graph: Arc, upward: bool, x: Array) -> Array:
    """The heights [N] of a graph at x [N]: Newton's steps, halving where they leave the bracket."""
    low, high = np.full(len(x), graph.start), np.full(len(x), graph.end)
    size = graph.shape.size(graph.part)
    t = (low + high) / 2
    for _ in range(60):
        points, normals = graph.at(t)
        excess = points[0] - x
        beyond = (excess > 0) == upward
        low, high = np.where(beyond, low, t), np.where(beyond, t, high)
        slope = np.abs(normals[1]) * size * (1 if upward else -1)
        with np.errstate(divide="ignore", invalid="ignore"):
            step = t - excess / slope
        inner = (step > low) & (step < high)
        following = np.where(excess == 0, t, np.where(inner, step, (low + high) / 2))
        if np.abs(following - t).max() <= 2e-16:
            break
        t = following
    return graph.at(t)[0][1]


def cells(x: Array, weights: Array, heights: Array, n: int) -> list[tuple[Array, Array]]:
    """Points and weights between the first and second height, the third and fourth, and so on."""
    nodes, across = gauss(n)
    found = []
    for below, above in zip(heights[::2], heights[1::2]):
        y = below + (above - below) * nodes[:, None]
        points = np.stack([np.broadcast_to(x, y.shape), y]).reshape(2, -1)
        found.append((points, (across[:, None] * (weights * (above - below))).ravel()))
    return found
