"""The polygon."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from kanpde.geometries.base import Array, Cuts, Ends, vector
from kanpde.geometries.files import read_bytes
from kanpde.geometries.tree import Flags

MOST_POINTS = 10_000
FEW = 48  # sides, up to which comparing with all of them is faster than a search tree


@dataclass(frozen=True)
class Polygon:
    """The points enclosed by the sides from each corner to the next; side1 starts at the first corner."""

    points: tuple[tuple[float, ...], ...]

    axes = ("x", "y")

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", corners(self.points))
        if not shapely.LinearRing(self.points).is_simple:
            raise ValueError(
                "the sides of the polygon cross or touch each other: " + shapely.is_valid_reason(self.solid)
            )

    @cached_property
    def parts(self) -> tuple[str, ...]:
        return tuple(f"side{k}" for k in range(1, len(self.points) + 1))

    @cached_property
    def bounds(self) -> tuple[Ends, ...]:
        return tuple((min(row), max(row)) for row in zip(*self.points))

    @cached_property
    def volume(self) -> float:
        return abs(self.doubled) / 2

    def level(self, points: Array) -> Array:
        side = self.closest(points)
        start, step = self.starts[:, side], self.steps[:, side]
        away = from_segment(points, start, step)
        return np.where(self.encloses(points), -away, away)

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        k = int(part.removeprefix("side")) - 1
        start, step = self.starts[:, k : k + 1], self.steps[:, k : k + 1]
        end = self.starts[:, [(k + 1) % len(self.points)]]
        normal = np.sign(self.doubled) * np.array([step[1], -step[0]]) / np.hypot(*step)
        return start * (1 - unit) + end * unit, np.repeat(normal, unit.shape[1], axis=1)

    def size(self, part: str) -> float:
        return float(np.hypot(*self.steps[:, int(part.removeprefix("side")) - 1]))

    def breaks(self, part: str) -> Cuts:
        return ((),)

    @cached_property
    def starts(self) -> Array:
        """The corners [2, sides]."""
        return np.array(self.points).T

    @cached_property
    def steps(self) -> Array:
        """From each corner to the next [2, sides]."""
        return np.roll(self.starts, -1, axis=1) - self.starts

    @cached_property
    def doubled(self) -> float:
        """Twice the area, with a minus where the corners go clockwise."""
        x, y = self.starts - self.starts.mean(1, keepdims=True)
        return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum())

    @cached_property
    def solid(self) -> shapely.Polygon:
        found = shapely.Polygon(self.points)
        shapely.prepare(found)
        return found

    @cached_property
    def tree(self) -> shapely.STRtree:
        """A search tree of the sides."""
        return shapely.STRtree(shapely.linestrings(np.stack([self.starts.T, (self.starts + self.steps).T], axis=1)))

    def encloses(self, points: Array) -> Flags:
        """Which of points [2, N] lie inside."""
        return shapely.contains_xy(self.solid, points[0], points[1])

    def closest(self, points: Array) -> Any:
        """The closest side [N] to each of points [2, N]."""
        if len(self.points) > FEW:
            return self.tree.nearest(shapely.points(points[0], points[1]))
        away = from_segment(points[:, :, None], self.starts[:, None], self.steps[:, None])
        return away.argmin(axis=1)


def from_segment(points: Array, start: Array, step: Array) -> Array:
    """The distances of points [2, …] from the segments that go a step from their starts."""
    along = ((points - start) * step).sum(0) / np.square(step).sum(0)
    return np.hypot(*(points - start - np.clip(along, 0, 1) * step))


def corners(points: Any) -> tuple[tuple[float, ...], ...]:
    """Three or more different corners, each once."""
    if not hasattr(points, "__len__") or isinstance(points, str):
        raise ValueError("points must be a list of corners [x, y]")
    if len(points) > MOST_POINTS:
        raise ValueError(f"a polygon has at most {MOST_POINTS} points, not {len(points)}")
    found = [vector(f"points[{k}]", point, 2) for k, point in enumerate(points)]
    if len(found) > 1 and found[0] == found[-1]:
        found.pop()
    if len(found) < 3:
        raise ValueError(f"a polygon has at least 3 points, not {len(found)}")
    twice = [k for k, (here, following) in enumerate(zip(found, found[1:])) if here == following]
    if twice:
        raise ValueError(f"points[{twice[0]}] and points[{twice[0] + 1}] are the same")
    return tuple(found)


def polygon(points: Any = None, file: Any = None) -> Polygon:
    """A polygon from its corners, or from a file of two columns, x and y, with or without a line of names."""
    if (points is None) == (file is None):
        raise ValueError("a polygon is made from either points=[[x, y], …] or file=…")
    return Polygon(points if file is None else columns(file))


def columns(file: Any) -> list[list[float]]:
    """The rows of two numbers in a text file, apart by commas, semicolons or blanks."""
    lines = read_bytes(file).decode("utf-8-sig", errors="replace").splitlines()
    rows = [(k, re.split(r"[\s,;]+", line.strip())) for k, line in enumerate(lines, 1) if line.split("#")[0].strip()]
    found: list[list[float]] = []
    for place, (k, cells) in enumerate(rows):
        try:
            x, y = map(float, cells)
            found.append([x, y])
        except ValueError:
            if place:
                raise ValueError(f"line {k} of {file} must hold two numbers, x and y") from None
        if len(found) > MOST_POINTS + 1:
            raise ValueError(f"a polygon has at most {MOST_POINTS} points; {file} holds more")
    return found
