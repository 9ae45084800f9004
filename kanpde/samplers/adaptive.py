"""Points where the residual is."""

from __future__ import annotations

from math import inf
from typing import Sequence

import torch
from torch import Tensor


def chosen_by_residual(residuals: Sequence[Tensor], count: int, generator: torch.Generator) -> Tensor:
    """Indices of `count` candidates, drawn with probability ∝ |r| / mean |r| + 1 (Wu et al. 2023, RAD with k = c = 1).

    `residuals` are the rows' residuals [candidates]; rows count alike. One that is not finite counts as the largest.
    """
    sizes = [r.abs().nan_to_num(inf, inf).clamp_max(largest(r)) for r in residuals]
    weights = 1.0 + sum(r / r.mean().clamp_min(1e-300) for r in sizes) / len(residuals)
    return torch.multinomial(weights.cpu(), count, replacement=False, generator=generator)


def largest(residuals: Tensor) -> float:
    """The largest absolute value of those that are finite."""
    return float(residuals.abs().nan_to_num(0.0, 0.0).max())
