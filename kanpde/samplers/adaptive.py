"""Points where the residual is."""

from __future__ import annotations

from typing import Sequence

import torch
from torch import Tensor


def chosen_by_residual(residuals: Sequence[Tensor], count: int, generator: torch.Generator) -> Tensor:
    """Indices of `count` candidates, drawn with probability ∝ |r| / mean |r| + 1 (Wu et al. 2023, RAD with k = c = 1).

    `residuals` are the rows' residuals [candidates]; rows count alike.
    """
    weights = 1.0 + sum(r.abs() / r.abs().mean().clamp_min(1e-300) for r in residuals) / len(residuals)
    return torch.multinomial(weights.cpu(), count, replacement=False, generator=generator)
