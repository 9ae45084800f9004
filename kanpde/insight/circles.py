"""Discs and rings: a box inside them in which their fields are read, and their circles as exact curves."""

from __future__ import annotations

from math import sqrt
from typing import Mapping

import sympy

from kanpde.geometries import Leaf
from kanpde.geometries.annulus import Annulus
from kanpde.geometries.disc import Disc
from kanpde.insight.symbolic import Unprovable, exact_number, symbol
from kanpde.names import normal_name
from kanpde.spec import Spec
from kanpde.statement import Piece

ANGLE = symbol("angle.")  # no name in a problem file has a dot
TURN = (sympy.Integer(0), 2 * sympy.pi)


def round_shape(spec: Spec) -> Disc | Annulus | None:
    """The disc or ring that a problem's region is, if it is one."""
    if spec.region is None or spec.zones is not None or not isinstance(spec.region.tree, Leaf):
        return None
    shape = spec.region.shapes[spec.region.tree.name]
    return shape if isinstance(shape, (Disc, Annulus)) else None


def inner_box(spec: Spec) -> dict[str, tuple[float, float]]:
    """A box in the domain: all of it, a square in a disc, or a rectangle from one circle of a ring to the other."""
    found, shape = dict(spec.box), round_shape(spec)
    if isinstance(shape, Disc):
        half = shape.radius / sqrt(2)
        found |= {name: (middle - half, middle + half) for name, middle in zip(shape.axes, shape.center)}
    elif shape is not None:
        x, y, half = *shape.center, (shape.outer - shape.inner) / 2
        sides = (x + shape.inner, x + sqrt(shape.outer**2 - half**2)), (y - half, y + half)
        found |= dict(zip(shape.axes, sides))
    return found


def circle(spec: Spec, piece: Piece) -> tuple[dict[sympy.Symbol, sympy.Expr], Mapping[str, sympy.Expr]]:
    """The coordinates on a whole circle of a region by the angle, and its outward normal by the coordinates."""
    shape = round_shape(spec)
    if shape is None or piece.where is not None or piece.unlike or piece.between is not None:
        raise Unprovable("a piece of the boundary is neither a side of a box nor a circle")
    radius = exact_number(shape.radius if isinstance(shape, Disc) else getattr(shape, piece.part))
    centre, sign = [exact_number(value) for value in shape.center], -1 if piece.part == "inner" else 1
    turns = (sympy.cos(ANGLE), sympy.sin(ANGLE))
    fixed = {symbol(name): middle + radius * turn for name, middle, turn in zip(shape.axes, centre, turns)}
    normals = {normal_name(name): sign * (symbol(name) - middle) / radius for name, middle in zip(shape.axes, centre)}
    return fixed, normals
