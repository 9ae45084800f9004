"""Independent points."""

from __future__ import annotations

import torch
from torch import Tensor


def uniform(dimensions: int, count: int, generator: torch.Generator) -> Tensor:
    """Independent uniform points in the unit cube."""
    return torch.rand(dimensions, count, generator=generator, dtype=torch.float64)
