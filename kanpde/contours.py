"""The contours of a plane region: corners on them, holes inside them, and the holes' mirror images."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, hypot, pi
from typing import Callable, Hashable, Iterator, Sequence

import numpy as np

from kanpde.geometries import Region
from kanpde.geometries.arcs import Arc
from kanpde.geometries.base import Array
from kanpde.geometries.ellipse import Ellipse

NEAR = 1e-9  # of the region's size: points this close are one
RAY = 200  # points along which a cut must not meet the region
NODES = 16  # points of Gauss's on an arc
REACH, MOST = 0.22, 16  # of the region's size, and in number: images farther away, or more, are not needed

Point = tuple[float, float]
Mirror = Callable[["Hole"], "Hole | None"]


@dataclass(frozen=True)
class Ending:
    """One end of an arc: the point, the direction in which the arc leaves it, and on which side the region lies."""

    point: Point
    direction: float
    ahead: bool  # whether one turns counter-clockwise from the arc into the region
    piece: tuple[str, str]


@dataclass(frozen=True)
class Corner:
    """A corner of a region: its interior angle, the direction of the bisector, and the pieces that meet."""

    point: Point
    angle: float
    turn: float
    pieces: tuple[Hashable, Hashable]


@dataclass(frozen=True)
class Hole:
    """A bounded part of what a region leaves out, or its image: a point in it, and a radius; the ellipse that it is."""

    centre: Point
    radius: float
    ellipse: Ellipse | None = None


def size_of(region: Region) -> float:
    """The diagonal of the box around."""
    return hypot(*(high - low for low, high in region.bounds))


def corners(region: Region) -> Iterator[Corner]:
    """The points where two arcs of the boundary meet at an angle."""
    waiting, near = list(endings(region)), NEAR * size_of(region)
    while waiting:
        one = waiting.pop()
        met = [k for k, other in enumerate(waiting) if hypot(*np.subtract(one.point, other.point)) < near]
        if len(met) != 1:
            continue
        first, second = sorted((one, waiting.pop(met[0])), key=lambda end: not end.ahead)
        angle = (second.direction - first.direction) % (2 * pi)
        if first.ahead and not second.ahead and abs(angle - pi) > 1e-6:
            yield Corner(first.point, angle, first.direction + angle / 2, (first.piece, second.piece))


def endings(region: Region) -> Iterator[Ending]:
    """Both ends of every arc that is no closed curve."""
    for piece, arcs in region.boundary.arcs.items():
        for arc in arcs:
            for end, inner in ((arc.start, 1e-6), (arc.end, -1e-6)):
                points, normals = arc.at(np.array([end, end + inner * (arc.end - arc.start)]))
                x, y = normals[:, 0]
                along = (-y, x) if np.dot(points[:, 1] - points[:, 0], (-y, x)) > 0 else (y, -x)
                ahead = along[0] * -y - along[1] * -x > 0
                yield Ending((float(points[0, 0]), float(points[1, 0])), atan2(along[1], along[0]), bool(ahead), piece)


def way_out(region: Region, corner: Corner) -> float:
    """How far one may go from a corner, away from the region, before meeting it again; infinite if one never does."""
    steps, direction = size_of(region) * np.linspace(0, 1, RAY + 1)[1:], corner.turn + pi
    points = np.array(corner.point)[:, None] + steps * np.array([[np.cos(direction)], [np.sin(direction)]])
    met = np.flatnonzero(region.inside(points, closed=False))
    return float(steps[met[0] - 1]) if len(met) and met[0] else 0.0 if len(met) else float("inf")


def contours(region: Region) -> list[tuple[Arc, ...]]:
    """The arcs of the boundary, those that hang together in one tuple."""
    near, found = NEAR * size_of(region), []
    for arc in (arc for arcs in region.boundary.arcs.values() for arc in arcs):
        ends = arc.at(np.array([arc.start, arc.end]))[0]
        touching = [entry for entry in found if np.abs(ends[:, :, None] - entry[1][:, None]).max(0).min() < near]
        found = [entry for entry in found if not any(entry is other for other in touching)]
        joined = (arc, *(one for arcs, _ in touching for one in arcs))
        found.append((joined, np.concatenate([ends, *(others for _, others in touching)], axis=1)))
    return [arcs for arcs, _ in found]


def holes(region: Region) -> list[Hole]:
    """The holes of a region, by the divergence theorem: around them the outward normals point in."""
    found = []
    for contour in contours(region):
        points, normals, weights = along(contour)
        area = enclosed(contour)
        centre = (weights * np.square(points) * normals).sum(1) / (2 * area)
        if area < 0 and not region.inside(centre[:, None]).any():
            found.append(Hole((float(centre[0]), float(centre[1])), nearest(points, centre), ellipse_of(contour)))
    return found


def ellipse_of(contour: Sequence[Arc]) -> Ellipse | None:
    """The ellipse that a contour is, if it is one and no circle."""
    shape = contour[0].shape
    whole = isinstance(shape, Ellipse) and all(arc.shape is shape for arc in contour)
    return shape if whole and isinstance(shape, Ellipse) and shape.radii[0] != shape.radii[1] else None


def enclosed(contour: Sequence[Arc]) -> float:
    """The area within a contour, with a minus where the region lies outside of it."""
    points, normals, weights = along(contour)
    return float((weights * (points * normals).sum(0)).sum()) / 2


def along(arcs: Sequence[Arc]) -> tuple[Array, Array, Array]:
    """Points [2, N], outward normals [2, N] and weights [N] on arcs."""
    points, normals, weights = zip(*(arc.quadrature(NODES) for arc in arcs))
    return np.concatenate(points, axis=1), np.concatenate(normals, axis=1), np.concatenate(weights)


def nearest(points: Array, centre: Array | Point) -> float:
    """The distance of a point from the nearest of some points."""
    return float(np.hypot(points[0] - centre[0], points[1] - centre[1]).min())


def images(region: Region, found: Sequence[Hole]) -> list[Hole]:
    """The images of holes, and of these images, in the straight and circular arcs of the outer boundary.

    There solutions that are continued across the boundary are singular (Schwarz's reflection principle). Those near the
    region are listed, with the distance from it for a radius.
    """
    arcs, near = contours(region), NEAR * size_of(region)
    everywhere = np.concatenate([along(contour)[0] for contour in arcs], axis=1)
    outer = [arc for contour in arcs if enclosed(contour) > 0 for arc in contour]
    mirrors = [mirror for mirror in map(mirror_of, outer) if mirror]
    known, last = [hole.centre for hole in found], list(found)
    kept: list[Hole] = []
    for _ in range(2):
        seen = [image for hole in last for mirror in mirrors for image in [mirror(hole)] if image]
        last = []
        for image in seen:
            far = nearest(everywhere, image.centre)
            apart = nearest(np.array(known).T, image.centre) > near
            outside = not region.inside(np.array(image.centre)[:, None]).any()
            if apart and outside and near < far < REACH * size_of(region):
                known.append(image.centre)
                last.append(image)
                kept.append(Hole(image.centre, far))
    return sorted(kept, key=lambda hole: hole.radius)[:MOST]


def mirror_of(arc: Arc) -> Mirror | None:
    """The reflection in a straight arc, the inversion in a circular one."""
    points, normals = arc.at(np.linspace(arc.start, arc.end, 5))
    if np.abs(normals - normals[:, :1]).max() < NEAR:
        return lambda hole: reflected(hole, points[:, 0], normals[:, 0])
    turns = normals[:, 1:-1] - normals[:, :1]  # a circle's points are its centre and r times its normals
    radius = float((turns * (points[:, 1:-1] - points[:, :1])).sum() / np.square(turns).sum())
    middles = points - radius * normals
    if np.abs(middles - middles[:, :1]).max() < NEAR * abs(radius):
        return lambda hole: inverted(hole, middles[:, 0], radius)
    return None


def reflected(hole: Hole, point: Array, normal: Array) -> Hole:
    """The image in a line."""
    x, y = np.array(hole.centre) - 2 * ((np.array(hole.centre) - point) @ normal) * normal
    return Hole((float(x), float(y)), hole.radius)


def inverted(hole: Hole, middle: Array, radius: float) -> Hole | None:
    """The image in a circle; none of a hole around its centre, or much of the plane would belong to it."""
    away = np.array(hole.centre) - middle
    power = float(away @ away) - hole.radius**2
    if power <= 0:
        return None
    x, y = middle + radius**2 / power * away
    return Hole((float(x), float(y)), radius**2 / power * hole.radius)
