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
        return torch.stack(self.tables(x, order)).transpose(1, 2)

    def tables(self, x: Tensor, order: int) -> list[Tensor]:
        """The same, order by order, each [K, I, N]."""
        return combined(differentiation(self.degree, order), polynomials(x, self.degree))

    def tables_of_tanh(self, u: Tensor, order: int) -> list[Tensor]:
        """The functions of tanh u and their derivatives by u: polynomials in tanh u, too, of higher degree."""
        return combined(differentiation_of_tanh(self.degree, order), polynomials(u.tanh(), self.degree + order))

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


def polynomials(x: Tensor, degree: int) -> Tensor:
    """T_0 to T_degree at x [I, N], [degree + 1, I, N]."""
    found, twice = [torch.ones_like(x), x], 2 * x
    for _ in range(1, degree):
        found.append(twice * found[-1] - found[-2])
    return torch.stack(found[: degree + 1])


@lru_cache(maxsize=64)
def differentiation_of_tanh(degree: int, order: int) -> Tensor:
    """The same for T_k(tanh u) [order+1, K, K+order]: d T_n / du = (1 − T_1²) T_n' = n (T_{n−1} − T_{n+1}) / 2."""
    once = torch.zeros(degree + order + 1, degree + order + 1, dtype=torch.float64)
    for n in range(1, degree + order):
        once[n, n - 1], once[n, n + 1] = n / 2, -n / 2
    powers = [torch.eye(degree + order + 1, dtype=torch.float64)[: degree + 1]]
    for _ in range(order):
        powers.append(powers[-1] @ once)
    return torch.stack(powers)


def combined(matrices: Tensor, values: Tensor) -> list[Tensor]:
    """Each of M matrices [K, L] times values [L, I, N], M tensors [K, I, N]; the first matrix is the identity."""
    count, functions = len(matrices) - 1, matrices.shape[1]
    found = matrices[1:].to(values).flatten(0, 1) @ values.flatten(1)
    return [values[:functions], *found.view(count, functions, *values.shape[1:]).unbind(0)]
