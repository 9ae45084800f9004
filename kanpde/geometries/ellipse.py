"""The ellipse."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, sin

import numpy as np

from kanpde.geometries.base import Array, Cuts, Ends, number, positive, vector
from kanpde.geometries.gauss import gauss

ORDER = 16  # of the quadrature in each panel; its error is below rounding since panels shrink towards the tips


@dataclass(frozen=True)
class Ellipse:
    """The points inside the ellipse with half axes `radii`, turned by `angle` (in radians, counter-clockwise)."""

    center: tuple[float, ...]
    radii: tuple[float, ...]
    angle: float = 0.0

    axes = ("x", "y")
    parts = ("",)

    def __post_init__(self) -> None:
        object.__setattr__(self, "center", vector("center", self.center, 2))
        radii = tuple(positive("radii", radius) for radius in vector("radii", self.radii, 2))
        object.__setattr__(self, "radii", radii)
        object.__setattr__(self, "angle", number("angle", self.angle))

    @cached_property
    def turn(self) -> Array:
        """The rotation [2, 2] whose columns are the directions of the long and the short half axis."""
        along = np.array([cos(self.angle), sin(self.angle)])
        across = np.array([-sin(self.angle), cos(self.angle)])
        return np.stack([along, across] if self.radii[0] >= self.radii[1] else [across, -along], axis=1)

    @property
    def half(self) -> tuple[float, float]:
        """The long and the short half axis."""
        return max(self.radii), min(self.radii)

    @property
    def bounds(self) -> tuple[Ends, ...]:
        reach = np.hypot(*(self.turn * self.half).T)
        return tuple((middle - far, middle + far) for middle, far in zip(self.center, reach.tolist()))

    @property
    def volume(self) -> float:
        return pi * self.radii[0] * self.radii[1]

    def level(self, points: Array) -> Array:
        x, y = np.abs(self.turn.T @ (points - np.array(self.center)[:, None]))
        a, b = self.half
        near_x, near_y = nearest(x, y, a, b)
        away = np.hypot(x - near_x, y - near_y)
        return np.where(np.hypot(x / a, y / b) < 1, -away, away)

    def chart(self, part: str, unit: Array) -> tuple[Array, Array]:
        a, b = self.half
        quarter, rest = np.divmod(4 * unit[0], 1.0)
        odd = quarter % 2 == 1
        within = self.angles(np.where(odd, 1 - rest, rest))
        c, s = np.cos(within), np.sin(within)
        c = np.where(odd, -c, c)
        flip = np.where(quarter % 4 >= 2, -1.0, 1.0)
        normals = flip * np.stack([b * c, a * s])
        normals /= np.hypot(*normals)
        return np.array(self.center)[:, None] + self.turn @ (flip * np.stack([a * c, b * s])), self.turn @ normals

    def size(self, part: str) -> float:
        return 4 * float(self.table[1][-1])

    def breaks(self, part: str) -> Cuts:
        quarter = self.table[1] / self.table[1][-1] / 4
        inner = np.unique(np.concatenate([quarter, 0.5 - quarter, 0.5 + quarter, 1 - quarter]))
        return (tuple(inner[(inner > 0) & (inner < 1)].tolist()),)

    @cached_property
    def table(self) -> tuple[Array, Array]:
        """Angles of panels of a quarter, dividing towards the tip of the long axis, and the lengths up to them."""
        a, b = self.half
        depth = max(0, int(np.ceil(np.log2(pi / 4 * a / b))))
        ends = np.concatenate([[0.0], pi / 2 * 0.5 ** np.arange(depth, -1, -1)])
        return ends, np.concatenate([[0.0], np.cumsum(self.lengths(ends[:-1], ends[1:]))])

    def lengths(self, start: Array, end: Array) -> Array:
        """The lengths [N] between angles [N] in one panel, from x = a cos, y = b sin."""
        nodes, weights = gauss(ORDER)
        at = start + (end - start) * nodes[:, None]
        a, b = self.half
        return (end - start) * (weights @ np.hypot(a * np.sin(at), b * np.cos(at)))

    def angles(self, shares: Array) -> Array:
        """The angles [N] up to which the given shares [N] of a quarter's length lie, by Newton's method."""
        ends, lengths = self.table
        a, b = self.half
        goal = shares * lengths[-1]
        panel = np.clip(np.searchsorted(lengths, goal, side="right") - 1, 0, len(ends) - 2)
        low, high = ends[panel], ends[panel + 1]
        goal = goal - lengths[panel]
        at = low + (high - low) * goal / (lengths[panel + 1] - lengths[panel])
        for _ in range(8):
            step = (self.lengths(low, at) - goal) / np.hypot(a * np.sin(at), b * np.cos(at))
            at = np.clip(at - step, low, high)
            if not len(at) or np.abs(step).max() < 1e-15:
                break
        return at


def nearest(x: Array, y: Array, a: float, b: float) -> tuple[Array, Array]:
    """The points [N] of the ellipse with half axes a ≥ b nearest to (x, y) [N], both coordinates at least 0.

    They are (a p, b q), p = a x / (b² (w + e)), q = b y / (b² w), e = a²/b² - 1, with w the greatest zero of
    p² + q² - 1. That decreases and is convex: Newton's method from the left does not overshoot (Eberly, Distance from
    a point to an ellipse, 2013). On the long axis w is 0 where q is not.
    """
    u, v, e = a * x / b**2, y / b, (a / b - 1) * (a / b + 1)
    w = np.maximum(np.maximum(u - e, v), 1e-300)
    for _ in range(80):
        p, q = u / (w + e), v / w
        step = np.maximum(p * p + q * q - 1, 0) / (2 * (p * p / (w + e) + q * q / w) + 1e-300)
        w = w + step
        if (step <= 1e-16 * w).all():
            break
    p, q = u / (w + e), v / w
    q = np.where(v == 0, np.sqrt(np.maximum(1 - p * p, 0)), q)
    size = np.hypot(p, q)
    return a * p / size, b * q / size
