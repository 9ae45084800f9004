"""Exact shapes, and regions made of them."""

from __future__ import annotations

from typing import Callable, Mapping

from kanpde.geometries.base import Draw, Shape
from kanpde.geometries.disc import Disc
from kanpde.geometries.interval import Interval
from kanpde.geometries.rectangle import Rectangle
from kanpde.geometries.region import Region
from kanpde.geometries.tree import Join, Leaf, Tree

SHAPES: Mapping[str, Callable[..., Shape]] = {
    "interval": Interval,
    "rectangle": Rectangle,
    "disc": Disc,
}

__all__ = ["SHAPES", "Draw", "Join", "Leaf", "Region", "Shape", "Tree"]
