"""Equations and where they hold."""

from __future__ import annotations

from dataclasses import dataclass

from kanpde.errors import Place
from kanpde.tree import Tree


@dataclass(frozen=True)
class Equation:
    """`left = right` under a name, with all names resolved, at its place in the file."""

    name: str
    left: Tree
    right: Tree
    text: str
    place: Place
    zone: str = ""  # the region in which it holds, if different equations hold in others


@dataclass(frozen=True)
class Face:
    """One side of the box: the coordinate that is constant there and whether it is its least or greatest value."""

    axis: str
    side: str  # "min" | "max"

    def __str__(self) -> str:
        return f"{self.axis}_{self.side}"


@dataclass(frozen=True)
class Piece:
    """A piece of a region's boundary: a part of a shape, or what `where` cuts from it, less the pieces `unlike`.

    It may also lie between two regions, the first one on the inner side of the shape.
    """

    name: str  # as shown: "hole", "plate.left", "inlet"
    shape: str
    part: str
    where: Tree | None = None
    unlike: tuple[Tree, ...] = ()
    between: tuple[str, str] | None = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Condition:
    """An equation that holds on one face, or on one piece of a region's boundary (initial conditions: on t_min)."""

    name: str  # unique: "x_min.u", "hole.u", "t_min.u_t", as used in logs and the history
    face: Face | Piece
    equation: Equation
