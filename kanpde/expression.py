"""Formulas as text, read into a tree without running any code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union


@dataclass(frozen=True)
class Number:
    """A number as written."""

    value: float
    column: int = 0


@dataclass(frozen=True)
class Name:
    """A coordinate, unknown, definition or constant."""

    name: str
    column: int = 0


@dataclass(frozen=True)
class Negative:
    """Minus one operand."""

    argument: Tree
    column: int = 0


@dataclass(frozen=True)
class Binary:
    """`left operator right` with one of + - * / ^ < <= > >= == !=."""

    operator: str
    left: Tree
    right: Tree
    column: int = 0


@dataclass(frozen=True)
class Call:
    """A function or operator applied to arguments, `p(x=0, y=0)` with keywords."""

    function: str
    arguments: tuple[Tree, ...]
    keywords: tuple[tuple[str, Tree], ...] = ()
    column: int = 0


@dataclass(frozen=True)
class Derivative:
    """The partial derivative of an expression along the named axes: u_xy, d(k*u_x, x), dt(u)."""

    argument: Tree
    axes: tuple[str, ...]
    column: int = 0


@dataclass(frozen=True)
class Vector:
    """Components side by side: (u, v)."""

    components: tuple[Tree, ...]
    column: int = 0


Tree = Union[Number, Name, Negative, Binary, Call, Derivative, Vector]
