"""Layers of univariate functions: jets in, jets out, and taps that make the Jacobian cheap."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Any, Iterator, Sequence, Union

import torch
from torch import Tensor

from kanpde.bases import Basis
from kanpde.functions import UNIVARIATE
from kanpde.jet import Index, Jet, bell, bell_value

# The jets here have terms [width, N], or [width, 1] where a term is the same everywhere.


@dataclass(frozen=True)
class Tap:
    """Where outputs [S, G, O, N] are linear in coefficients [G, K, O]: the features [S, G, K, N] beside them."""

    features: Tensor
    outputs: Tensor

    def jacobian(self, adjoint: Tensor, out: Tensor) -> None:
        """Write the rows [G·K·O, N] of the Jacobian: Σ_s features ⊗ adjoint."""
        slots, groups, size, points = self.features.shape
        block = out.view(groups, size, adjoint.shape[2], points)
        torch.mul(self.features[0].unsqueeze(2), adjoint[0].unsqueeze(1), out=block)
        for s in range(1, slots):
            block.addcmul_(self.features[s].unsqueeze(2), adjoint[s].unsqueeze(1))


class EdgeValues(torch.autograd.Function):
    """Derivatives m = 0 … M of every edge function, [M+1, I, O, N], from tables [M+2, I, K, N] and coefficients.

    The backward pass uses d/dx E^(m) = E^(m+1), so that no recurrence of the basis is ever differentiated.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, coefficients: Tensor, tables: Tensor) -> Tensor:
        values = torch.matmul(coefficients.transpose(1, 2), tables)
        ctx.save_for_backward(values, tables)
        return values[:-1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor | None, Tensor | None, None]:  # type: ignore[override]
        values, tables = ctx.saved_tensors
        of_x = of_c = None
        if ctx.needs_input_grad[0]:
            of_x = (gradient * values[1:]).sum(dim=(0, 2))
        if ctx.needs_input_grad[1]:
            of_c = torch.einsum("mikn,mion->iko", tables[:-1], gradient)
        return of_x, of_c, None


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
        x, order = jet.value, max(map(sum, jet.indices))
        with torch.no_grad():
            tables = self.basis.table(x, order + 1)
        edges = EdgeValues.apply(x, coefficients, tables)
        if tapped and not edges.requires_grad:
            edges.requires_grad_()
        found: dict[Index, Tensor] = {}
        for alpha in jet.indices:
            if not any(alpha):
                found[alpha] = edges[0].sum(0)
                continue
            inside = ((m, bell_value(polynomial, jet.terms)) for m, polynomial in bell(alpha))
            parts = [(edges[m] * factor[:, None, :]).sum(0) for m, factor in inside if factor is not None]
            if parts:
                found[alpha] = sum(parts[1:], start=parts[0])
        return Jet(found, jet.indices), Tap(tables[:-1], edges) if tapped else None

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
        weights, offsets = coefficients[0, :-1], coefficients[0, -1]
        zero = (0,) * len(next(iter(jet.indices)))
        if not tapped:
            found = {a: weights.T @ v for a, v in jet.terms.items()}
            return Jet({**found, zero: found[zero] + offsets[:, None]}, jet.indices), None
        points = jet.value.shape[-1]
        rows = [
            torch.cat([v.expand(-1, points), v.new_full((1, points), float(a == zero))]) for a, v in jet.terms.items()
        ]
        features = torch.stack(rows)[:, None]
        outputs = torch.matmul(coefficients[0].T, features)
        if not outputs.requires_grad:
            outputs.requires_grad_()
        found = {a: outputs[s, 0] for s, a in enumerate(jet.terms)}
        return Jet(found, jet.indices), Tap(features.detach(), outputs)

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


@dataclass(frozen=True)
class Network:
    """Layers one after another; the coefficients of all lie in one flat vector, layer by layer."""

    layers: tuple[Layer, ...]

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
            bounded = UNIVARIATE[layer.before](jet) if layer.before else jet
            jet, tap = layer.forward(bounded, coefficients, mark)
            taps += [tap] if tap else []
        return jet, taps

    def value(self, x: Tensor, theta: Tensor) -> Tensor:
        """Outputs [O, N] at x [I, N] by ordinary operations."""
        for layer, coefficients in self.split(theta):
            x = layer.value(x, coefficients)
        return x

    def initial(self, generator: torch.Generator) -> Tensor:
        """A random start, drawn from the generator."""
        return torch.cat([layer.initial(generator).reshape(-1) for layer in self.layers])


def size(layer: Layer) -> int:
    """The number of coefficients of a layer."""
    groups, functions, outputs = layer.shape
    return groups * functions * outputs

