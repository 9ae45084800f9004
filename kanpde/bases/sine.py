"""Sines of growing frequency."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi
from typing import Any, ClassVar, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis


@dataclass(frozen=True)
class Sine(Basis):
    """sin(k x + kπ/(K+1)), k = 1 … K: the edges of SineKAN (Reinhardt, Ramakrishnan & Gleyzer 2024)."""

    degree: int = 6
    bound: ClassVar[str | None] = None

    @property
    def size(self) -> int:
        return self.degree

    def table(self, x: Tensor, order: int) -> Tensor:
        frequency = torch.arange(1, self.size + 1, dtype=x.dtype, device=x.device)[:, None]
        angle = frequency * x[..., None, :] + frequency * (pi / (self.size + 1))
        sine = angle.sin()
        if not order:
            return sine[None]
        cosine = angle.cos()
        cycle = (sine, cosine, -sine, -cosine)
        return torch.stack([cycle[m % 4] * frequency**m for m in range(order + 1)])

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree}
