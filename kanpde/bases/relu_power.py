"""Bumps made of powers of rectifiers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from math import comb, perm
from operator import mul
from typing import Any, ClassVar, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis


@dataclass(frozen=True)
class ReluPower(Basis):
    """(relu(x − s) relu(e − x) · 4 / (e − s)²)^degree: ReLU-KAN (Qiu et al. 2024) and HRKAN (So & Yung 2024).

    Each spans degree + 1 intervals of an even grid, and has degree − 1 continuous derivatives, as B-splines do.
    """

    degree: int = 5
    grid: int = 4
    bound: ClassVar[str | None] = "tanh"

    @property
    def size(self) -> int:
        return self.grid + self.degree

    def table(self, x: Tensor, order: int) -> Tensor:
        first = -1 + (1 - self.degree) / self.grid
        steps = torch.arange(self.size, dtype=x.dtype, device=x.device)[:, None]
        scale = self.grid / (self.degree + 1)
        t = scale * (x[..., None, :] - (first + 2 / self.grid * steps))
        return torch.stack([f * scale**m for m, f in enumerate(bump(t, self.degree, order))])

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree, "grid": self.grid}


def bump(t: Tensor, power: int, order: int) -> list[Tensor]:
    """((1 + t)(1 − t))^power for |t| < 1, else 0, and its derivatives by Leibniz' rule."""
    inside = (t.abs() < 1).to(t.dtype)
    left, right = (list(accumulate([rise] * power, mul, initial=torch.ones_like(t))) for rise in (1 + t, 1 - t))
    found = []
    for m in range(order + 1):
        total = torch.zeros_like(t)
        for k in range(max(0, m - power), min(m, power) + 1):
            factor = comb(m, k) * perm(power, m - k) * perm(power, k) * (-1) ** k
            total = torch.addcmul(total, left[power - m + k], right[power - k], value=factor)
        found.append(inside * total)
    return found
