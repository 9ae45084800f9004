"""Points spread evenly, without a seed."""

from __future__ import annotations

import numpy as np

from kanpde.geometries.base import Array


def even(dimensions: int, count: int) -> Array:
    """Points [dimensions, count] in the unit cube: multiples, modulo 1, of powers of 1/g with g^(d+1) = g + 1.

    Roberts, The unreasonable effectiveness of quasirandom sequences, 2018.
    """
    g = 2.0
    for _ in range(40):
        g = (1 + g) ** (1 / (dimensions + 1))
    return (0.5 + np.outer(g ** -np.arange(1.0, dimensions + 1), np.arange(1, count + 1))) % 1
