"""Quadrature over a region in space: planes, lines in each, intervals on each."""

from __future__ import annotations

import numpy as np

from kanpde.geometries.base import Array
from kanpde.geometries.crossings import FIRM, QUICK, Care, Integers
from kanpde.geometries.even import even
from kanpde.geometries.gauss import gauss, rooted
from kanpde.geometries.membership import Membership
from kanpde.geometries.strands import Strands, panel_nodes, panels, strands
from kanpde.geometries.tree import names

LINES = 32  # at first, in each plane
PLANES = 48  # at first
APART = 1e-3  # planes nearer to each other, relative to the size, are not told apart


def scattered(members: Membership, count: int) -> tuple[Array, Array]:
    """Points [3, N] and weights [N] from `count` points of the box around; good to about count^(-3/4) of it."""
    low, high = extremes(members)
    points = low[:, None] + (high - low)[:, None] * even(3, count)
    points = points[:, members.inside(points, closed=False)]
    return points, np.full(points.shape[1], np.prod(high - low) / count)


def filled(members: Membership, n: int) -> tuple[Array, Array]:
    """Points [3, N] and weights [N]: n planes, n lines and n points in each cell.

    Intervals on lines are found to rounding, lines between which they change nearly so; planes between which the
    pattern of lines changes are known exactly at the shapes' ends and middles only. Integrals of smooth functions are
    good to rounding where only those matter, else to 1e-4 of the volume, often to 1e-8.
    """
    low, high = extremes(members)
    size = high - low
    cuts, across = (landmarks(members, axis) for axis in (0, 1))
    few = max(3, LINES // (len(across) - 1))
    seen = panel_nodes(across, few).ravel()

    def line_codes(x: Array, y: Array) -> Integers:
        return rays(members, x, y, QUICK).codes(len(x))

    def plane_codes(_: Integers, x: Array) -> Integers:
        codes = line_codes(np.repeat(x, len(seen)), np.tile(seen, len(x))).reshape(-1, len(seen))
        new = np.diff(codes, axis=1, prepend=-1) != 0
        return np.where(new, codes * 31 ** (new.cumsum(1) % 12), 0).sum(1)

    _, left, right = panels(plane_codes, 1, cuts, max(4, PLANES // (len(cuts) - 1)))
    ends = np.unique(np.concatenate([left, right]))
    ends = ends[(np.abs(ends[:, None] - cuts).min(1) > APART) | np.isin(ends, cuts)]
    nodes, weights = rooted(n)
    x = (ends[:-1, None] + np.diff(ends)[:, None] * nodes).ravel()
    wx = (np.diff(ends)[:, None] * weights).ravel()
    which, below, above = panels(lambda m, y: line_codes(x[m], y), len(x), across, few)
    y = (below[:, None] + (above - below)[:, None] * nodes).ravel()
    wxy = ((above - below)[:, None] * weights * wx[which, None]).ravel()
    x = np.repeat(x[which], n)
    found = rays(members, x, y, FIRM)
    nodes, weights = gauss(n)
    length = found.end - found.start
    z = found.start + length * nodes[:, None]
    total = weights[:, None] * length * wxy[found.which] * np.prod(size)
    unit = np.stack([np.broadcast_to(rows[found.which], z.shape) for rows in (x, y)] + [z]).reshape(3, -1)
    points = low[:, None] + size[:, None] * unit
    kept = members.inside(points, closed=True)
    return points[:, kept], total.ravel()[kept]


def landmarks(members: Membership, axis: int) -> Array:
    """The ends and middles of the shapes along an axis, from 0 to 1."""
    low, high = members.bounds[axis]
    used = np.array([members.shapes[name].bounds[axis] for name in names(members.tree)])
    found = np.unique(np.clip((np.concatenate([*used, used.mean(1)]) - low) / (high - low), 0, 1))
    return found[np.concatenate([[True], np.diff(found) > 1e-12])]


def rays(members: Membership, x: Array, y: Array, care: Care) -> Strands:
    """The intervals inside along the lines at x, y [M], all as shares of the box."""
    low, high = extremes(members)
    size = high - low

    def curves(which: Integers, t: Array) -> Array:
        return low[:, None] + size[:, None] * np.stack([x[which], y[which], t])

    def kind(which: Integers, t: Array) -> Integers:
        return members.inside(curves(which, t), closed=False).astype(np.int64)

    shapes = [members.shapes[name] for name in names(members.tree)]
    return strands(shapes, curves, np.full(len(x), size[2]), kind, members.scale, care)


def extremes(members: Membership) -> tuple[Array, Array]:
    """The lower and upper ends [3] of the box around."""
    return tuple(np.array(members.bounds).T)
