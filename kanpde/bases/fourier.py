"""Sines and cosines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis


@dataclass(frozen=True)
class Fourier(Basis):
    """1, cos kx and sin kx, k = 1 … degree: FourierKAN (Xu et al. 2024)."""

    degree: int = 3
    bound: ClassVar[str | None] = None

    @property
    def size(self) -> int:
        return 2 * self.degree + 1

    def table(self, x: Tensor, order: int) -> Tensor:
        frequency = torch.arange(self.degree + 1, dtype=x.dtype, device=x.device)[:, None]
        angle = frequency * x[..., None, :]
        cosine, sine = angle.cos(), angle[..., 1:, :].sin()
        waves = torch.cat([cosine, sine], dim=-2)
        if not order:
            return waves[None]
        slopes = torch.cat([-angle.sin(), cosine[..., 1:, :]], dim=-2)
        cycle, powers = (waves, slopes, -waves, -slopes), torch.cat([frequency, frequency[1:]])
        return torch.stack([cycle[m % 4] * powers**m for m in range(order + 1)])

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree}
