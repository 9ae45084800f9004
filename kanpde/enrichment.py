"""Singular functions for a problem: at the corners of its region, and around the holes in it."""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, hypot, pi, sqrt
from typing import Hashable, Iterator

import numpy as np

from kanpde.check import kind
from kanpde.geometries import Region
from kanpde.network import Network
from kanpde.piecewise import base, home
from kanpde.regional import box_of, fields_of
from kanpde.singular import Mode, SingularLayer, corner_modes, hole_modes
from kanpde.spec import Condition, Face, Spec
from kanpde.statement import Piece

AT_CORNERS, AROUND_HOLES = 8, 16  # modes
NEAR = 1e-9  # of the region's size: ends of arcs this close are one point
RAY = 200  # points along which the cut of a power must not meet the region


@dataclass(frozen=True)
class Ending:
    """One end of an arc: the point, the direction in which the arc leaves it, and on which side the region lies."""

    point: tuple[float, float]
    direction: float
    ahead: bool  # whether one turns counter-clockwise from the arc into the region
    piece: tuple[str, str]


@dataclass(frozen=True)
class Corner:
    """A corner of a region: its interior angle, the direction of the bisector, and the pieces that meet."""

    point: tuple[float, float]
    angle: float
    turn: float
    pieces: tuple[Hashable, Hashable]


def enrichment(spec: Spec) -> list[tuple[Network, tuple[str, ...]]]:
    """A network of singular functions for each field of a problem in the plane; none elsewhere.

    On a box without conditions built in, the corners have theirs; a distance that vanishes there would spoil them.
    """
    if len(spec.box) != 2 or len(spec.spatial) != 2 or spec.periodic:
        return []
    found = []
    for name in fields_of(spec):
        modes = tuple(modes_of(spec, name))
        if modes:
            (left, right), (low, high) = box_of(spec, name) or spec.box.values()
            layer = SingularLayer(((left, right), (low, high)), modes, 1)
            found.append((Network((layer,)), (name,)))
    return found


def modes_of(spec: Spec, field: str) -> Iterator[Mode]:
    """The modes of a field: at every corner of the boundary whose cut stays outside, and around every hole.

    What is singular where regions meet is not among them.
    """
    size = hypot(*(high - low for low, high in spec.box.values()))
    region = spec.zones.parts[home(field)] if spec.zones else spec.region
    if spec.region is not None and region is not None:
        outer = set(spec.region.pieces)
        found = [corner for corner in corners(region) if outside(region, corner, size) and outer >= {*corner.pieces}]
        yield from around_holes(region)
    else:
        found = list(corners_of_box(spec)) if spec.enforce == "soft" else []
    kinds = [(place_of(condition), kind(condition, spec)) for condition in spec.boundary]
    given = {place for place, k in kinds if k.type == "dirichlet" and k.unknown == base(field)}
    for corner in found:
        first, second = (piece in given for piece in corner.pieces)
        yield from corner_modes(corner.point, corner.turn, corner.angle, (first, second), size, AT_CORNERS)


def place_of(condition: Condition) -> Hashable:
    """The piece of a condition, by shape and part, or its face."""
    face = condition.face
    return (face.shape, face.part) if isinstance(face, Piece) else face


def corners_of_box(spec: Spec) -> Iterator[Corner]:
    """The four corners of a rectangle, counter-clockwise from the lower left."""
    (x, (left, right)), (y, (low, high)) = spec.box.items()
    points = [(left, low), (right, low), (right, high), (left, high)]
    sides = [Face(y, "min"), Face(x, "max"), Face(y, "max"), Face(x, "min")]
    for k, point in enumerate(points):
        yield Corner(point, pi / 2, pi / 4 + k * pi / 2, (sides[k], sides[k - 1]))


def outside(region: Region, corner: Corner, size: float) -> bool:
    """Whether the ray from a corner away from the region meets it nowhere."""
    steps = size * np.linspace(0, 1, RAY + 1)[1:]
    direction = corner.turn + pi
    points = np.array(corner.point)[:, None] + steps * np.array([[np.cos(direction)], [np.sin(direction)]])
    return not region.inside(points, closed=False).any()


def around_holes(region: Region) -> Iterator[Mode]:
    """The modes around every shape that is a hole, as a whole."""
    for name, shape in region.shapes.items():
        arcs = [arc for (owner, _), found in region.boundary.arcs.items() if owner == name for arc in found]
        whole = {arc.part for arc in arcs if arc.end - arc.start > 1 - NEAR} == set(shape.parts)
        if arcs and whole and all(arc.side < 0 for arc in arcs):
            centre = tuple((low + high) / 2 for low, high in shape.bounds)
            yield from hole_modes((centre[0], centre[1]), sqrt(shape.volume / pi), AROUND_HOLES)


def corners(region: Region) -> Iterator[Corner]:
    """The points where two arcs of the boundary meet at an angle."""
    waiting = list(endings(region))
    near = NEAR * hypot(*(high - low for low, high in region.bounds))
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
