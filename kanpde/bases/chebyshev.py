"""Chebyshev polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis


@dataclass(frozen=True)
class Chebyshev(Basis):
    """T_0 to T_degree by the three-term recurrence; derivatives by T_n' = 2n Σ' T_k (Mason & Handscomb 2003, 2.4)."""

    degree: int = 5
    bound: ClassVar[str | None] = "tanh"

    @property
    def size(self) -> int:
        return self.degree + 1

    def table(self, x: Tensor, order: int) -> Tensor:
        found, twice = [torch.ones_like(x), x], 2 * x
        for _ in range(2, self.size):
            found.append(torch.addcmul(-found[-2], twice, found[-1]))
        values = torch.stack(found[: self.size], dim=-2)
        if not order:
            return values[None]
        slopes = differentiation(self.degree, order).to(x).flatten(0, 1)
        return torch.matmul(slopes, values).unflatten(1, (order + 1, self.size)).transpose(0, 1)

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree}


@lru_cache(maxsize=64)
def differentiation(degree: int, order: int) -> Tensor:
    """Matrices D^0 … D^order [order+1, K, K] with T^(m) = D^m T."""
    once = torch.zeros(degree + 1, degree + 1, dtype=torch.float64)
    for n in range(1, degree + 1):
        for k in range(n - 1, -1, -2):
            once[n, k] = 2 * n if k else n
    powers = [torch.eye(degree + 1, dtype=torch.float64)]
    for _ in range(order):
        powers.append(once @ powers[-1])
    return torch.stack(powers)
