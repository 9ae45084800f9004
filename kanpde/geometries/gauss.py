"""Gauss's quadrature on [0, 1]."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from kanpde.geometries.base import Array


@lru_cache(maxsize=64)
def gauss(n: int) -> tuple[Array, Array]:
    """The n points and weights [n] that integrate polynomials up to degree 2n-1 over [0, 1]."""
    points, weights = np.polynomial.legendre.leggauss(n)
    return (points + 1) / 2, weights / 2


@lru_cache(maxsize=64)
def rooted(n: int) -> tuple[Array, Array]:
    """Gauss's n points and weights after t = s²(3-2s), which makes √t and √(1-t) smooth functions of s."""
    s, weights = gauss(n)
    return s**2 * (3 - 2 * s), weights * 6 * s * (1 - s)
