"""Layers of univariate functions: jets in, jets out, and taps that make the Jacobian cheap."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Iterator, Mapping, Sequence, Union

import torch
from torch import Tensor

from kanpde.bases import Basis, Chebyshev
from kanpde.composition import Edges, Factors, bounded, by_slice, derivatives, factors_of, gathered, moves, term
from kanpde.functions import UNIVARIATE
from kanpde.jet import Index, Indices, Jet

# The jets here have terms [width, N], or [width, 1] where a term is the same everywhere.


@dataclass(frozen=True)
class Tap:
    """Where outputs [S, 1, O, N] are linear in coefficients [K, O]: features [S, K, N] beside them."""

    features: Tensor
    outputs: Tensor

    def jacobian(self, adjoint: Tensor, out: Tensor) -> None:
        """Write the rows [K·O, N] of the Jacobian: Σ_s features ⊗ adjoint."""
        block = out.view(-1, *adjoint.shape[2:])
        first, *others = zip(self.features, adjoint)
        torch.mul(first[0].unsqueeze(1), first[1], out=block)
        for features, part in others:
            block.addcmul_(features.unsqueeze(1), part)


@dataclass(frozen=True)
class EdgeTap:
    """The same for coefficients [I, K, O] and features Σ_m factors_sm · tables_m, with tables [K, I, N]."""

    tables: Sequence[Tensor]
    factors: Factors
    outputs: Tensor

    def jacobian(self, adjoint: Tensor, out: Tensor) -> None:
        """Write the rows [I·K·O, N] of the Jacobian: Σ_m tables_m ⊗ Σ_s factors_sm · adjoint_s, fewer products."""
        functions, inputs, _ = self.tables[0].shape
        block = out.view(inputs, functions, *adjoint.shape[2:])
        first, *others = gathered(dict(zip(self.factors, adjoint)), self.factors).items()
        torch.mul(self.tables[first[0]].transpose(0, 1).unsqueeze(2), first[1].unsqueeze(1), out=block)
        for m, part in others:
            block.addcmul_(self.tables[m].transpose(0, 1).unsqueeze(2), part.unsqueeze(1))


@dataclass(frozen=True)
class KanLayer:
    """y_o = Σ_i φ_io(x_i) with φ_io = Σ_k c_iok B_k; `before` bounds the inputs first."""

    basis: Basis
    inputs: int
    outputs: int
    before: str | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """The coefficients' shape [I, K, O]."""
        return (self.inputs, self.basis.size, self.outputs)

    def forward(self, jet: Jet, coefficients: Tensor, tapped: bool) -> tuple[Jet, Tap | None]:
        """The output jet, and the tap when asked for."""
        order, moving = max(map(sum, jet.indices)), moves(jet)
        with torch.no_grad():
            tables = tables_of(self.basis, self.before, jet.value, order + moving)
            factors = factors_of({alpha: one.detach() for alpha, one in jet.terms.items()}, jet.indices)
        outputs = Edges.apply(coefficients, tables, factors, tuple(jet.terms), *jet.terms.values())
        tap = EdgeTap(tables, factors, leaf(torch.stack(outputs)[:, None])) if tapped else None
        return Jet(dict(zip(factors, tap.outputs[:, 0].unbind(0) if tap else outputs)), jet.indices), tap

    def value(self, x: Tensor, coefficients: Tensor) -> Tensor:
        """The outputs [O, N] by ordinary operations, for nested automatic differentiation."""
        table = self.basis.table(UNIVARIATE[self.before].value(x) if self.before else x, 0)[0]
        return torch.einsum("ikn,iko->on", table, coefficients)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Coefficients that keep u, ∇u and Δu within a decade over depth.

        Per function d: σ_d = √(1/(K (n μ⁰_d + m μ¹_d))), μ⁰ = E[B_d²], μ¹ = E[B_d'²] for inputs U[−1, 1].
        """
        x = torch.linspace(-1, 1, 513, dtype=torch.float64).expand(self.inputs, -1)
        moments = self.basis.table(x, 1).square().mean(-1)
        spread = moments[0] * self.inputs + moments[1] * self.outputs
        sigma = 1 / (self.basis.size * spread.clamp_min(1e-12)).sqrt()
        return torch.randn(self.shape, generator=generator, dtype=torch.float64) * sigma[..., None]


def tables_of(basis: Basis, before: str | None, u: Tensor, order: int) -> Sequence[Tensor]:
    """The functions of u, bounded first where `before` names a function, and their derivatives by u, each [K, I, N]."""
    if isinstance(basis, Chebyshev) and before in (None, "tanh"):
        return basis.tables_of_tanh(u, order) if before else basis.tables(u, order)
    if before is None:
        return by_function(basis.table(u, order))
    inner = derivatives(before, u, order)
    factors = factors_of({(m,): one for m, one in enumerate(inner)}, frozenset((m,) for m in range(order + 1)))
    outer = by_function(basis.table(inner[0], order))
    return [term(outer, rows) for rows in factors.values()]


def by_function(table: Tensor) -> Sequence[Tensor]:
    """A table [M+1, I, K, N] as M + 1 tensors [K, I, N]."""
    return table.transpose(1, 2).contiguous().unbind(0)


@dataclass(frozen=True)
class DenseLayer:
    """y = W f(x) + b, f the univariate function `before`: an affine layer, of which an MLP is made."""

    inputs: int
    outputs: int
    before: str | None = None

    @property
    def shape(self) -> tuple[int, int, int]:
        """The coefficients' shape [1, I + 1, O], the offsets last."""
        return (1, self.inputs + 1, self.outputs)

    def forward(self, jet: Jet, coefficients: Tensor, tapped: bool) -> tuple[Jet, Tap | None]:
        """The output jet, and the tap when asked for."""
        jet = bounded(self.before, jet) if self.before else jet
        weights, offsets = coefficients[0, :-1], coefficients[0, -1]
        zero = (0,) * len(next(iter(jet.indices)))
        if not tapped:
            found = {a: weights.T @ v for a, v in jet.terms.items()}
            return Jet({**found, zero: found[zero] + offsets[:, None]}, jet.indices), None
        points = jet.value.shape[-1]
        rows = [
            torch.cat([v.expand(-1, points), v.new_full((1, points), float(a == zero))]) for a, v in jet.terms.items()
        ]
        features = torch.stack(rows)
        tap = tapping(features.detach(), by_slice(coefficients[0].T, features)[:, None])
        return Jet(dict(zip(jet.terms, tap.outputs[:, 0].unbind(0))), jet.indices), tap

    def value(self, x: Tensor, coefficients: Tensor) -> Tensor:
        """The outputs [O, N] by ordinary operations, for nested automatic differentiation."""
        x = UNIVARIATE[self.before].value(x) if self.before else x
        return coefficients[0, :-1].T @ x + coefficients[0, -1][:, None]

    def initial(self, generator: torch.Generator) -> Tensor:
        """Weights by Glorot & Bengio (2010), offsets zero."""
        found = torch.randn(self.shape, generator=generator, dtype=torch.float64)
        found *= sqrt(2 / (self.inputs + self.outputs))
        found[0, -1] = 0
        return found


Layer = Union[KanLayer, DenseLayer]


def tapping(features: Tensor, outputs: Tensor) -> Tap:
    """The tap of outputs [S, 1, O, N]."""
    return Tap(features, leaf(outputs))


def summed(
    features: Mapping[Index, Tensor], coefficients: Tensor, indices: Indices, tapped: bool
) -> tuple[Jet, Tap | None]:
    """The jet of Σ_k c_ko s_k from derivatives [K, N] of known functions s, and the tap when asked for."""
    rows = torch.stack(list(features.values()))
    outputs = torch.einsum("skn,ko->son", rows, coefficients)[:, None]
    tap = tapping(rows, outputs) if tapped else None
    outputs = tap.outputs if tap else outputs
    return Jet(dict(zip(features, outputs[:, 0].unbind(0))), indices), tap


def leaf(outputs: Tensor) -> Tensor:
    """Outputs that begin a graph if they are not in one."""
    return outputs if outputs.requires_grad else outputs.detach().requires_grad_()


@dataclass(frozen=True)
class Network:
    """Layers one after another; the coefficients of all lie in one flat vector, layer by layer."""

    layers: tuple[Layer, ...]
    scale: float = 1.0  # of the random start

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return sum(size(layer) for layer in self.layers)

    @property
    def read_out(self) -> slice:
        """The last layer's place among the coefficients."""
        return slice(self.size - size(self.layers[-1]), self.size)

    def split(self, theta: Tensor) -> Iterator[tuple[Layer, Tensor]]:
        """Each layer with its coefficients, shaped."""
        start = 0
        for layer in self.layers:
            yield layer, theta[start : start + size(layer)].view(layer.shape)
            start += size(layer)

    def forward(self, inputs: Jet, theta: Tensor, tapped: Sequence[bool] = ()) -> tuple[Jet, list[Tap]]:
        """The output jet [O, N] for an input jet [I, N], and taps of the layers marked in `tapped`."""
        jet, taps = inputs, []
        for (layer, coefficients), mark in zip(self.split(theta), tapped or [False] * len(self.layers)):
            jet, tap = layer.forward(jet, coefficients, mark)
            taps += [tap] if tap else []
        return jet, taps

    def value(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs [O, N] at x [I, N] by ordinary operations."""
        for layer, coefficients in self.split(theta):
            x = layer.value(x, coefficients)
        return x

    def initial(self, generator: torch.Generator) -> Tensor:
        """A random start, drawn from the generator."""
        return self.scale * torch.cat([layer.initial(generator).reshape(-1) for layer in self.layers])


def size(layer: Layer) -> int:
    """The number of coefficients of a layer."""
    groups, functions, outputs = layer.shape
    return groups * functions * outputs

