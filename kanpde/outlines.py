"""The outline of a region as curves in the planes in which a result is drawn."""

from __future__ import annotations

from typing import Mapping, Sequence

import numpy as np
from contourpy import contour_generator

from kanpde.geometries import Region
from kanpde.geometries.base import Array
from kanpde.geometries.tree import Leaf, Tree
from kanpde.writers.views import View, views

FINE = 100  # points along an arc
MESH = 201  # points a side, where a surface is cut
MARGIN = 0.02  # around the region, of its sides: so that its ends are crossed


def outlines(
    region: Region | None, axes: Mapping[str, Array], inner: Sequence[Region] = ()
) -> dict[str, Array]:
    """For each plane of pictures over a grid, by `View.plane`, points [2, N] along curves, NaN between these.

    The `inner` regions are those that the region consists of.
    """
    if region is None:
        return {}
    shown = [view for view in views(axes) if view.up and {view.across, view.up} & set(region.axes)]
    found = {view.plane: [c for one in (region, *inner) for c in curves_of(one, view, axes)] for view in shown}
    return {plane: np.concatenate(curves, axis=1)[:, :-1] for plane, curves in found.items() if curves}


def curves_of(region: Region, view: View, axes: Mapping[str, Array]) -> list[Array]:
    """Curves [2, N], each ended by NaN: arcs of a region in the plane, else where a plane cuts its boundary."""
    gap = np.full((2, 1), np.nan)
    if region.axes == (view.across, view.up):
        arcs = [arc for found in region.boundary.arcs.values() for arc in found]  # type: ignore[union-attr]
        return [np.concatenate([arc.at(np.linspace(arc.start, arc.end, FINE))[0], gap], axis=1) for arc in arcs]
    ends = dict(zip(region.axes, region.bounds))
    across, up = (np.linspace(*widened(axes[name], ends.get(name)), MESH) for name in (view.across, str(view.up)))
    mesh = dict(zip((view.across, str(view.up)), np.meshgrid(across, up)))
    stands = {name: np.full(MESH * MESH, axes[name][index]) for name, index in view.fixed.items()}
    points = np.stack([mesh[name].ravel() if name in mesh else stands[name] for name in region.axes])
    heights = level(region, region.tree, points).reshape(MESH, MESH)
    lines = contour_generator(across, up, heights).lines(0.0)
    return [np.concatenate([np.asarray(line).T, gap], axis=1) for line in lines]


def widened(axis: Array, ends: tuple[float, float] | None) -> tuple[float, float]:
    """The interval to look at along a coordinate: a little more than the region, or what the grid covers."""
    if ends is None:
        return float(axis.min()), float(axis.max())
    room = MARGIN * (ends[1] - ends[0])
    return ends[0] - room, ends[1] + room


def level(region: Region, tree: Tree, points: Array) -> Array:
    """A function of points [d, N] that is negative inside the region, positive outside, and continuous."""
    if isinstance(tree, Leaf):
        return region.shapes[tree.name].level(points)
    left, right = level(region, tree.left, points), level(region, tree.right, points)
    return {"+": np.minimum(left, right), "&": np.maximum(left, right), "-": np.maximum(left, -right)}[tree.sign]
