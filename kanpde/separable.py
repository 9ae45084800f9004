"""Multiplication nodes: sums of products of univariate splines, one factor per coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Callable, Sequence

import torch
from torch import Tensor

from kanpde.jet import Index, Jet, raised
from kanpde.splines import Spline


@dataclass(frozen=True)
class LocalTap:
    """Outputs [S, 1, O, N] linear in coefficients [1, K, O], by features [S, L, N] of the functions `index` [L, N]."""

    features: Tensor
    index: Tensor
    outputs: Tensor

    def jacobian(self, adjoint: Tensor, out: Tensor) -> None:
        """Write the rows [K·O, N] of the Jacobian."""
        outputs, points = adjoint.shape[2:]
        block = out.view(-1, outputs, points)
        local = torch.einsum("sln,son->lon", self.features, adjoint[:, 0])
        block.scatter_add_(0, self.index[:, None].expand_as(local), local)


@dataclass(frozen=True)
class ProductLayer:
    """y_o = Σ c_{jk…o} φ_j(x) ψ_k(y) …: a separable network with all products of its edges' splines.

    Multiplication nodes as in Liu et al. (2024, KAN 2.0), separable trial solutions as in Jacob et al. (2024, SPIKAN).
    The inputs must be coordinates, each of which varies along its own axis only.
    """

    axes: tuple[Spline, ...]
    outputs: int
    before: None = None

    @property
    def inputs(self) -> int:
        """The number of coordinates."""
        return len(self.axes)

    @property
    def shape(self) -> tuple[int, int, int]:
        """The coefficients' shape [1, K, O], the last coordinate's functions counted fastest."""
        return (1, prod(axis.size for axis in self.axes), self.outputs)

    def forward(self, jet: Jet, coefficients: Tensor, tapped: bool) -> tuple[Jet, LocalTap | None]:
        """The output jet, and the tap when asked for."""
        index, stacked, names = self.stacked(jet)
        outputs = torch.einsum("sln,lno->son", stacked, coefficients[0][index])[:, None]
        if tapped and not outputs.requires_grad:
            outputs.requires_grad_()
        found = {alpha: outputs[s, 0] for s, alpha in enumerate(names)}
        return Jet(found, jet.indices), LocalTap(stacked, index, outputs) if tapped else None

    def stacked(self, jet: Jet) -> tuple[Tensor, Tensor, list[Index]]:
        """Which products differ from zero [L, N], their derivatives [S, L, N] and the multi-indices of these."""
        index, features = self.features(jet)
        return index, torch.stack(list(features.values())), list(features)

    def features(self, jet: Jet) -> tuple[Tensor, dict[Index, Tensor]]:
        """Which products differ from zero [L, N], and each derivative of theirs [L, N]."""
        zero = (0,) * len(self.axes)
        indices, tables = [], []
        for k, axis in enumerate(self.axes):
            order = max(alpha[k] for alpha in jet.indices)
            index, table = axis.local(jet.value[k], order)
            slope = jet.terms[raised(zero, k)][k] if order else 1.0
            indices.append(index)
            tables.append([table[m] * slope**m for m in range(order + 1)])
        return self.flat(indices), {a: outer([t[m] for t, m in zip(tables, a)], torch.mul) for a in sorted(jet.indices)}

    def value(self, x: Tensor, coefficients: Tensor) -> Tensor:
        """The outputs [O, N] by ordinary operations, for nested automatic differentiation."""
        indices, tables = zip(*(axis.local(row, 0) for axis, row in zip(self.axes, x)))
        products = outer([t[0] for t in tables], torch.mul)
        return torch.einsum("ln,lno->on", products, coefficients[0][self.flat(indices)])

    def flat(self, indices: Sequence[Tensor]) -> Tensor:
        """The numbers [L, N] of products from the numbers [L_k, N] of their factors."""
        strides = [prod(axis.size for axis in self.axes[k + 1 :]) for k in range(len(self.axes))]
        return outer([i * s for i, s in zip(indices, strides)], torch.add)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Small coefficients: the sum of the products of partitions of unity is bounded by the largest."""
        return 0.1 * torch.randn(self.shape, generator=generator, dtype=torch.float64)


def outer(parts: Sequence[Tensor], join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """All combinations of the rows [L_k, N] of several tensors, [ΠL_k, N]."""
    found = parts[0]
    for part in parts[1:]:
        found = join(found[:, None], part[None]).flatten(0, 1)
    return found
