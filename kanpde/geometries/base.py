"""What every shape is, and the checks of the numbers that describe one."""

from __future__ import annotations

from typing import Any, Callable, Protocol, Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ends = tuple[float, float]
Cuts = tuple[tuple[float, ...], ...]
Draw = Callable[[int, int], Any]
"""`draw(dimensions, count)`: an array [dimensions, count] of numbers in [0, 1]."""

QUARTERS = (0.25, 0.5, 0.75)


class Shape(Protocol):
    """A closed set with a piecewise smooth boundary whose parts have names.

    `axes` are the names of its d coordinates, `parts` those of its boundary's parts: `("",)` where the boundary is one
    smooth piece. `bounds` are its ends along each axis.
    """

    @property
    def axes(self) -> tuple[str, ...]: ...

    @property
    def parts(self) -> tuple[str, ...]: ...

    @property
    def bounds(self) -> tuple[Ends, ...]: ...

    @property
    def volume(self) -> float:
        """Its length, area or volume."""

    def level(self, points: Array) -> Array:
        """The distance [N] of points [d, N] from the boundary, with a minus inside."""

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        """Points [d, N] on a part, with the unit normals [d, N] that point outward.

        `unit` [d-1, N] lies in the unit cube; equal volumes in it are equal lengths or areas on the part.
        """

    def size(self, part: str) -> float:
        """The length or area of a part; 1 where it is a point."""

    def breaks(self, part: str) -> Cuts:
        """Where in (0, 1) to divide each coordinate of `unit`; the normal turns by a quarter at most in between."""


def number(name: str, value: Any) -> float:
    """A finite number."""
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a number, not {value!r}") from None
    if not np.isfinite(found):
        raise ValueError(f"{name} must be finite, not {found}")
    return found


def positive(name: str, value: Any) -> float:
    """A finite number above zero."""
    found = number(name, value)
    if found <= 0:
        raise ValueError(f"{name} must be greater than 0, not {found:g}")
    return found


def vector(name: str, value: Any, length: int) -> tuple[float, ...]:
    """So many finite numbers."""
    if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)) or len(value) != length:
        raise ValueError(f"{name} must be a list of {length} numbers, not {value!r}")
    return tuple(number(name, entry) for entry in value)


def ends(name: str, value: Any) -> Ends:
    """Two finite numbers, the smaller one first."""
    low, high = vector(name, value, 2)
    if not low < high:
        raise ValueError(f"{name} must run from a smaller to a greater number, not from {low:g} to {high:g}")
    return low, high


def box_level(excess: Array) -> Array:
    """The signed distance [N] from a box, of points with the signed distances `excess` [d, N] from its slabs."""
    return np.sqrt(np.square(np.maximum(excess, 0)).sum(0)) + np.minimum(excess.max(0), 0)


def slabs(points: Array, bounds: Sequence[Ends]) -> Array:
    """The signed distances [d, N] of points [d, N] from the slabs between `bounds`."""
    return np.stack([np.maximum(low - row, row - high) for row, (low, high) in zip(points, bounds)])
