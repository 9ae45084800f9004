"""Jacobi polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis


@dataclass(frozen=True)
class Jacobi(Basis):
    """P_0 to P_degree, orthogonal for the weight (1 − x)^a (1 + x)^b, exponents a, b > −1: fKAN (Aghaei 2024)."""

    degree: int = 5
    exponents: tuple[float, float] = (0.0, 0.0)
    bound: ClassVar[str | None] = "tanh"

    @property
    def size(self) -> int:
        return self.degree + 1

    def table(self, x: Tensor, order: int) -> Tensor:
        return jacobi(x, self.degree, self.exponents, order)

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree, "exponents": self.exponents}


def jacobi(x: Tensor, degree: int, exponents: tuple[float, float], order: int) -> Tensor:
    """P_0 … P_degree and their derivatives by P_n = (α x + β) P_{n-1} − γ P_{n-2}, differentiated (DLMF 18.9.2)."""
    a, b = exponents
    linear = torch.stack([(a - b) / 2 + (a + b + 2) / 2 * x, torch.full_like(x, (a + b + 2) / 2)])
    found = [unit(x, order), torch.cat([linear, x.new_zeros(order, *x.shape)])[: order + 1]]
    for n in range(2, degree + 1):
        s = 2 * n + a + b
        common = 2 * n * (n + a + b) * (s - 2)
        alpha, beta = s * (s - 1) * (s - 2) / common, (s - 1) * (a * a - b * b) / common
        gamma = 2 * (n + a - 1) * (n + b - 1) * s / common
        found.append((alpha * x + beta) * found[-1] + alpha * lifted(found[-1]) - gamma * found[-2])
    return torch.stack(found[: degree + 1], dim=-2)


def unit(x: Tensor, order: int) -> Tensor:
    """The function 1 and its derivatives."""
    return torch.cat([torch.ones_like(x)[None], x.new_zeros(order, *x.shape)])


def lifted(f: Tensor) -> Tensor:
    """m f^(m-1) in the place of f^(m): what the product rule adds to x f^(m) in (x f)^(m)."""
    orders = torch.arange(1, len(f), dtype=f.dtype, device=f.device).view(-1, *[1] * (f.dim() - 1))
    return torch.cat([torch.zeros_like(f[:1]), orders * f[:-1]])
