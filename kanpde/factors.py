"""Sums of products of splines as few products: the singular pairs of a separable network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kanpde.separable import ProductLayer
from kanpde.splines import Spline

FINE = 4000  # points along a coordinate, at least one in each interval
MOST_PAIRS = 12
SMALLEST = 1e-8  # of the first singular value


@dataclass(frozen=True, eq=False)
class Pairs:
    """f(x, y) = Σ σ_r p_r(x) q_r(y), with p and q of mean square 1: the p [R, n] and q [R, m] at arguments in [−1, 1].

    `left` is the part of f, in the root mean square, that the pairs leave out; `shares` are the points' weights.
    """

    sizes: Tensor
    arguments: tuple[Tensor, Tensor]
    functions: tuple[Tensor, Tensor]
    shares: tuple[Tensor, Tensor]
    left: float


def pairs(layer: ProductLayer, coefficients: Tensor) -> list[Pairs]:
    """The leading singular pairs of each output of a layer of two coordinates (Schmidt 1907)."""
    first, second = layer.axes
    found = []
    (x, wx, a), (y, wy, b) = sampled(first), sampled(second)
    qa, ra = torch.linalg.qr(wx.sqrt()[:, None] * a)
    qb, rb = torch.linalg.qr(wy.sqrt()[:, None] * b)
    for column in coefficients[0].double().T:
        u, s, v = torch.linalg.svd(ra @ column.view(first.size, second.size) @ rb.T, full_matrices=False)
        count = int((s[:MOST_PAIRS] > SMALLEST * s[0]).sum())
        p, q = (qa @ u[:, :count]).T / wx.sqrt(), (qb @ v[:count].T).T / wy.sqrt()
        signs = torch.where((p * wx * p.abs()).sum(1, keepdim=True) < 0, -1.0, 1.0)
        left = float(s[count:].norm() / s.norm()) if count else 0.0
        found.append(Pairs(s[:count], (x, y), (signs * p, signs * q), (wx, wy), left))
    return found


def sampled(axis: Spline) -> tuple[Tensor, Tensor, Tensor]:
    """Midpoints [n] within the intervals, their shares of the whole, and all functions there [n, K]."""
    each = max(axis.degree + 1, min(32, FINE // axis.intervals)) if axis.intervals < FINE else 1
    ends, widths = axis.breaks[:-1].double(), axis.breaks.double().diff()
    steps = (torch.arange(each, dtype=torch.float64) + 0.5) / each
    points = (ends[:, None] + widths[:, None] * steps).flatten()
    index, tables = axis.local(points, 0)
    table = points.new_zeros(len(points), axis.size).scatter_add_(1, index.T, tables[0].T)
    return points, (widths / widths.sum() / each).repeat_interleave(each), table
