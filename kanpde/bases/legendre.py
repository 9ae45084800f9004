"""Legendre polynomials."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Mapping

from torch import Tensor

from kanpde.bases.base import Basis
from kanpde.bases.jacobi import jacobi


@dataclass(frozen=True)
class Legendre(Basis):
    """P_0 to P_degree: the Jacobi polynomials whose weight is 1 (DLMF 18.7.9)."""

    degree: int = 5
    bound: ClassVar[str | None] = "tanh"

    @property
    def size(self) -> int:
        return self.degree + 1

    def table(self, x: Tensor, order: int) -> Tensor:
        return jacobi(x, self.degree, (0.0, 0.0), order)

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree}
