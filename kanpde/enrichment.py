"""Singular functions for a problem: at the corners of its region, and around the holes in it."""

from __future__ import annotations

from math import atan2, hypot, inf, isfinite, pi
from typing import Hashable, Iterator

from kanpde.analysis import TOTAL
from kanpde.check import ground_of, kind
from kanpde.contours import Corner, Hole, corners, holes, images, way_out
from kanpde.equations import joint_orders
from kanpde.lattice import LatticeLayer
from kanpde.network import Network
from kanpde.piecewise import base, home
from kanpde.regional import box_of, fields_of
from kanpde.singular import Mode, SingularLayer, corner_modes, hole_modes, inner_corner_modes, slit_modes
from kanpde.spec import Condition, Face, Spec
from kanpde.statement import Piece

AT_CORNERS, AROUND_HOLES, AROUND_IMAGES = 8, 24, 16  # modes
DEEP = 0.5  # of the way across a hole: where the cut from a corner ends


def enrichment(spec: Spec) -> list[tuple[Network, tuple[str, ...]]]:
    """A network of singular functions for each field of a problem in the plane; none elsewhere.

    On a box without conditions built in, the corners have theirs; a distance that vanishes there would spoil them.
    """
    if len(spec.box) != 2 or len(spec.spatial) != 2:
        return []
    if spec.periodic:
        return on_lattices(spec)
    found = []
    for name in fields_of(spec):
        modes = tuple(modes_of(spec, name))
        (left, right), (low, high) = box_of(spec, name) or spec.box.values()
        for some in (tuple(m for m in modes if not m.focus), tuple(m for m in modes if m.focus)):
            if some:
                layer = SingularLayer(((left, right), (low, high)), some, 1)
                found.append((Network((layer,)), (name,)))
    return found


def on_lattices(spec: Spec) -> list[tuple[Network, tuple[str, ...]]]:
    """Networks of functions that close up with the cell, around every hole in it."""
    box = tuple(spec.box.values())
    periods = tuple(high - low if name in spec.periodic else inf for name, (low, high) in spec.box.items())
    found = []
    for name in fields_of(spec) if spec.region is not None and spec.zones is None else ():
        for hole in holes(spec.region):
            layer = LatticeLayer((box[0], box[1]), (periods[0], periods[1]), hole.centre, hole.radius, AROUND_HOLES, 1)
            found.append((Network((layer,)), (name,)))
    return found


def modes_of(spec: Spec, field: str) -> Iterator[Mode]:
    """The modes of a field: at every corner of the boundary, around every hole, and around the holes' images.

    What is singular where regions meet is not among them.
    """
    size = hypot(*(high - low for low, high in spec.box.values()))
    region = spec.zones.parts[home(field)] if spec.zones else spec.region
    found = [] if spec.region is not None or spec.enforce != "soft" else list(corners_of_box(spec))
    ways = [float("inf")] * len(found)
    if spec.region is not None and region is not None:
        outer = set(spec.region.pieces)
        found = [corner for corner in corners(region) if outer >= {*corner.pieces}]
        ways = [way_out(region, corner) for corner in found]
        inside = holes(region)
        for hole in inside:
            yield from around(hole, coupled(spec))
        for hole in images(region, inside):
            yield from hole_modes(hole.centre, hole.radius, AROUND_IMAGES, coupled(spec))
    kinds = [(place_of(condition), kind(condition, spec)) for condition in spec.boundary]
    given = {place for place, k in kinds if k.type == "dirichlet" and k.unknown == base(field)}
    for corner, way in zip(found, ways):
        first, second = (piece in given for piece in corner.pieces)
        where = corner.point, corner.turn, corner.angle, (first, second), size
        if not isfinite(way):
            yield from corner_modes(*where, AT_CORNERS)
        elif way > 0 and corner.angle > pi:
            yield from inner_corner_modes(*where, DEEP * way)


def around(hole: Hole, coupled: bool) -> list[Mode]:
    """The modes around a hole."""
    if hole.ellipse is None:
        return hole_modes(hole.centre, hole.radius, AROUND_HOLES, coupled)
    along, across = hole.ellipse.turn[:, 0], sorted(hole.ellipse.radii)
    return slit_modes(hole.centre, atan2(along[1], along[0]), (across[1], across[0]), AROUND_HOLES, coupled)


def coupled(spec: Spec) -> bool:
    """Whether there are several unknowns, or equations of fourth order, so that solutions are not nearly harmonic."""
    orders = joint_orders(spec.equations, ground_of(spec)).values()
    return len(spec.unknowns) > 1 or max((axes.get(TOTAL, 0) for axes in orders), default=0) > 2


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
