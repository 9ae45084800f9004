"""Gaussian radial basis functions."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, ClassVar, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis


@dataclass(frozen=True)
class GaussianRbf(Basis):
    """exp(−((x − c) / h)²) for c on an even grid of spacing h on [−1, 1]: FastKAN (Li 2024)."""

    grid: int = 5
    bound: ClassVar[str | None] = "tanh"

    @property
    def size(self) -> int:
        return self.grid + 1

    def table(self, x: Tensor, order: int) -> Tensor:
        centres = torch.linspace(-1, 1, self.size, dtype=x.dtype, device=x.device)[:, None]
        scale = self.grid / sqrt(2)
        found = gaussian(scale * (x[..., None, :] - centres), order)
        return torch.stack([f * scale**m for m, f in enumerate(found)])

    def arrays(self) -> Mapping[str, Any]:
        return {"grid": self.grid}


def gaussian(t: Tensor, order: int) -> list[Tensor]:
    """g = exp(−t²/2) and its derivatives, by g^(m+1) = −t g^(m) − m g^(m-1): Hermite functions (DLMF 18.9.1)."""
    found = [torch.exp(-t * t / 2)]
    for m in range(order):
        found.append(-t * found[m] - m * found[m - 1] if m else -t * found[0])
    return found
