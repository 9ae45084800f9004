"""Which lines and planes of a field are drawn, by the number of its coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Mapping

import numpy as np

from kanpde.writers.layout import TIME, spatial

TIMES = 4
MOST_TOLD = 3  # coordinates that stand in the middle, in a title
FEW_TIMES = 5  # up to so many profiles are drawn one by one; a map of so few columns would look like steps


@dataclass(frozen=True)
class View:
    """A line (`up` is None) or plane through the grid: the coordinates drawn, and where the others stand."""

    across: str
    up: str | None
    fixed: Mapping[str, int]
    title: str

    @property
    def plane(self) -> str:
        """The coordinates of a plane, as in "x y"."""
        return f"{self.across} {self.up}"

    def values(self, axes: Mapping[str, np.ndarray], values: np.ndarray) -> np.ndarray:
        """The part of a field's values in this view, indexed [up, across]."""
        part = values[tuple(self.fixed.get(name, slice(None)) for name in axes)]
        left = [name for name in axes if name not in self.fixed]
        return part.transpose() if left[0] == self.across and self.up else part


def views(axes: Mapping[str, np.ndarray]) -> list[View]:
    """The views that show a field over these coordinates best."""
    space = spatial(axes)
    if len(axes) == 1:
        return [View(next(iter(axes)), None, {}, "")]
    if len(space) == 1 and len(axes[TIME]) <= FEW_TIMES:
        return [View(space[0], None, {TIME: index}, f"t = {time:.3g}") for index, time in enumerate(axes[TIME])]
    if len(space) == 1:
        return [View(TIME, space[0], {}, "")]
    if TIME in axes:
        return snapshots(axes, space)
    if len(space) == 2:
        return [View(space[0], space[1], {}, "")]
    if len(space) == 3:
        return [plane(axes, across, up, {}) for across, up in combinations(space, 2)]
    return [plane(axes, space[0], space[1], {})]


def shown(axis: np.ndarray, index: int) -> float:
    """A point of an axis; zero where it is zero but for rounding."""
    return 0.0 if abs(axis[index]) < 1e-12 * np.abs(axis).max() else float(axis[index])


def snapshots(axes: Mapping[str, np.ndarray], space: list[str]) -> list[View]:
    """The first two coordinates at a few times."""
    count = len(axes[TIME])
    chosen = sorted({round(index) for index in np.linspace(0, count - 1, TIMES)})
    return [plane(axes, space[0], space[1], {TIME: index}) for index in chosen]


def plane(axes: Mapping[str, np.ndarray], across: str, up: str, fixed: Mapping[str, int]) -> View:
    """The plane of two coordinates; those not fixed already stand in the middle."""
    middle = {name: len(axes[name]) // 2 for name in axes if name not in (across, up, *fixed)}
    stands = {**middle, **fixed}
    told = stands if len(middle) <= MOST_TOLD else fixed
    title = ", ".join(f"{name} = {shown(axes[name], index):.3g}" for name, index in told.items())
    rest = "" if told is stands else f"the middle of {len(middle)} others"
    return View(across, up, stands, ", ".join(filter(None, [title, rest])))
