"""Sums of products of splines as few products: the singular pairs of a separable network."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kanpde.geometries.gauss import gauss
from kanpde.matching import POINTS
from kanpde.separable import ProductLayer
from kanpde.splines import Spline

DRAWN = 12 * (POINTS - 1) + 1  # equally spaced arguments
MOST_PAIRS = 12
SMALLEST = 1e-8  # of the first singular value


@dataclass(frozen=True, eq=False)
class Factors:
    """Functions of one coordinate of mean square 1: their values [R, n] at arguments [n] in [−1, 1], and means [R]."""

    arguments: Tensor
    values: Tensor
    means: Tensor


@dataclass(frozen=True, eq=False)
class Pairs:
    """f(x, y) = Σ σ_r p_r(x) q_r(y); `left` is the part of f, in the root mean square, that is left out."""

    sizes: Tensor
    factors: tuple[Factors, Factors]
    left: float


def pairs(layer: ProductLayer, coefficients: Tensor) -> list[Pairs]:
    """The leading singular pairs of each output of a layer of two coordinates (Schmidt 1907)."""
    first, second = layer.axes
    roots = root_of_gram(first), root_of_gram(second)
    found = []
    for column in coefficients[0].double().T:
        u, s, v = torch.linalg.svd(roots[0] @ column.view(first.size, second.size) @ roots[1].T, full_matrices=False)
        count = int((s[:MOST_PAIRS] > SMALLEST * s[0]).sum())
        sides = [torch.linalg.solve_triangular(r, w[:, :count], upper=True) for r, w in zip(roots, (u, v.T))]
        signs = torch.where(sides[0].sum(0) < 0, -1.0, 1.0)
        left = float(s[count:].norm() / s.norm()) if count else 0.0
        p, q = (sampled(axis, signs * side) for axis, side in zip(layer.axes, sides))
        found.append(Pairs(s[:count], (p, q), left))
    return found


def root_of_gram(axis: Spline) -> Tensor:
    """The upper triangle R with RᵀR the mean products of the functions, by Gauss's rule in each interval."""
    nodes, weights = (torch.as_tensor(part).double() for part in gauss(axis.degree + 1))
    low, widths = axis.breaks[:-1, None].double(), axis.breaks.double().diff()[:, None]
    shares = (widths * weights / (weights.sum() * widths.sum())).flatten()
    return torch.linalg.qr(shares.sqrt()[:, None] * table_at(axis, (low + widths * nodes).flatten()), mode="r").R


def sampled(axis: Spline, coefficients: Tensor) -> Factors:
    """Splines with coefficients [K, R]."""
    x = torch.linspace(float(axis.breaks[0]), float(axis.breaks[-1]), DRAWN, dtype=torch.float64)
    return Factors(x, (table_at(axis, x) @ coefficients).T, axis.widths.double() @ coefficients)


def table_at(axis: Spline, points: Tensor) -> Tensor:
    """All functions at points, [n, K]."""
    index, tables = axis.local(points, 0)
    return points.new_zeros(len(points), axis.size).scatter_add_(1, index.T, tables[0].T)
