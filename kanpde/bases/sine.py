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
        angle = (x[..., None, :] + pi / (self.size + 1)) * frequency
        if not order:
            return angle.sin()[None]
        found = angle.new_empty(order + 1, *angle.shape)
        torch.sin(angle, out=found[0])
        torch.mul(angle.cos_(), frequency, out=found[1])
        for m in range(2, order + 1):
            torch.mul(found[m - 2], -(frequency**2), out=found[m])
        return found

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree}
