"""Exact shapes, and regions made of them."""

from __future__ import annotations

from typing import Callable, Mapping

from kanpde.geometries.annulus import Annulus
from kanpde.geometries.ball import Ball
from kanpde.geometries.base import Draw, Shape
from kanpde.geometries.box import Box
from kanpde.geometries.cylinder import Cylinder
from kanpde.geometries.disc import Disc
from kanpde.geometries.ellipse import Ellipse
from kanpde.geometries.interval import Interval
from kanpde.geometries.mesh import Mesh
from kanpde.geometries.polygon import polygon
from kanpde.geometries.rectangle import Rectangle
from kanpde.geometries.region import Region
from kanpde.geometries.tree import Join, Leaf, Tree
from kanpde.geometries.zones import Zones

SHAPES: Mapping[str, Callable[..., Shape]] = {
    "interval": Interval,
    "rectangle": Rectangle,
    "disc": Disc,
    "ellipse": Ellipse,
    "annulus": Annulus,
    "polygon": polygon,
    "box": Box,
    "ball": Ball,
    "cylinder": Cylinder,
    "mesh": Mesh,
}

__all__ = ["SHAPES", "Draw", "Join", "Leaf", "Region", "Shape", "Tree", "Zones"]
