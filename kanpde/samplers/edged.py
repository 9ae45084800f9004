"""Points that are dense near faces."""

from __future__ import annotations

from math import pi

import torch
from torch import Tensor

from kanpde.samplers.sobol import sobol


def edged(dimensions: int, count: int, generator: torch.Generator) -> Tensor:
    """A Sobol sequence of which half, at random, is moved towards the faces by x → (1 − cos πx) / 2.

    With that density, Chebyshev's, least squares by polynomials are stable with few points (Narayan, Jakeman & Zhou
    2017); with an even one they run wild between the last points and the edges.
    """
    unit = sobol(dimensions, count, generator)
    moved = torch.rand(count, generator=generator, dtype=torch.float64) < 0.5
    return torch.where(moved, (1 - torch.cos(pi * unit)) / 2, unit)
