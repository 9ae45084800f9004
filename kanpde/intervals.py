"""Points on the intervals of splines: Gauss's, enough of them for all functions."""

from __future__ import annotations

from math import ceil

import numpy as np
import torch
from torch import Tensor

from kanpde.splines import Spline

DENSITY = 1.25  # points along an axis, over its functions


def mapped(x: Tensor, ends: tuple[float, float]) -> tuple[Tensor, float]:
    """A coordinate on [−1, 1], by the same operations as the trial solution's inputs, and its slope."""
    slope = 2 / (ends[1] - ends[0])
    return (x - ends[0]) * slope - 1.0, slope


def per_interval(spline: Spline) -> int:
    """Points in each interval, enough for all functions."""
    return max(2, ceil(DENSITY * spline.size / spline.intervals))


def with_middles(spline: Spline) -> Tensor:
    """The breaks, with the middles of the first and last interval, which hold all functions of a clamped end."""
    ends = torch.zeros(spline.intervals, dtype=torch.bool)
    ends[[0, -1]] = not spline.periodic and spline.intervals > 1
    return spline.divided(ends).breaks


def gauss_points(breaks: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Gauss–Legendre points [n, count] between breaks, and weights with sum 1."""
    a, w = (torch.from_numpy(part) for part in np.polynomial.legendre.leggauss(count))
    lengths = breaks.diff()[:, None]
    return breaks[:-1, None] + lengths * (a + 1) / 2, lengths * w / (2 * (breaks[-1] - breaks[0]))
