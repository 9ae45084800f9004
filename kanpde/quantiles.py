"""Quantiles of Student's t and tails of chi square, for intervals and tests."""

from __future__ import annotations

from math import atan, exp, inf, isfinite, lgamma, pi, sqrt

import numpy as np
import torch

CONFIDENCE = 0.95
NORMAL = 1e7  # degrees of freedom from which Student's t is normal, to eight digits
NODES, WEIGHTS = np.polynomial.legendre.leggauss(60)


def student_quantile(freedom: float, confidence: float = CONFIDENCE) -> float:
    """The t with P(|T| ≤ t) = confidence, by bisection; the normal distribution's for infinite freedom."""
    low, high = 0.0, 1.0
    while central(high, freedom) < confidence and high < 1e12:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if central(middle, freedom) < confidence else (low, middle)
    return (low + high) / 2


def central(t: float, freedom: float) -> float:
    """P(|T| ≤ t) for Student's T: with T = √n tan φ the density is that of cosⁿ⁻¹φ."""
    if freedom >= NORMAL:
        return float(torch.special.erf(torch.tensor(t / sqrt(2), dtype=torch.float64)))
    end = atan(t / sqrt(freedom))
    cut = min(end, atan(40 / sqrt(freedom)))  # beyond 40 only heavy tails have anything, which are smooth
    pieces = [(0.0, cut)] + ([(cut, end)] if end > cut else [])
    constant = 2 * exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) / sqrt(pi)
    total = 0.0
    for start, stop in pieces:
        nodes = (start + stop) / 2 + (stop - start) / 2 * NODES
        total += float(WEIGHTS @ np.cos(nodes) ** (freedom - 1)) * (stop - start) / 2
    return min(constant * total, 1.0)


def chi_square_tail(value: float, freedom: float) -> float:
    """P(χ² ≥ value)."""
    if not isfinite(value) or freedom <= 0:
        return 0.0 if value == inf else 1.0
    half = torch.tensor([freedom / 2, value / 2], dtype=torch.float64)
    return float(torch.special.gammaincc(half[0], half[1]))
