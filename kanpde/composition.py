"""Univariate functions of jets as single nodes of the graph, whose reverse rule differentiates no formula.

For v = f(u) on jets, δv = f'(u)·δu is a product of jets. So the adjoint of u is a transposed product with the jet of
f'(u), which needs one more derivative of f and nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb, prod
from typing import Any, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.functions import UNIVARIATE
from kanpde.jet import Index, Indices, Jet, bell, bell_value

Factors = dict[Index, list[tuple[int, Any]]]  # for each α, by what each derivative of f enters ∂^α f(u)
RICCATI: Mapping[str, tuple[float, float, float]] = {  # f' = a + bf + cf²
    "tanh": (1.0, 0.0, -1.0),
    "sigmoid": (0.0, 1.0, -1.0),
}


@lru_cache(maxsize=4096)
def reached(indices: Indices, keys: tuple[Index, ...]) -> tuple[tuple[Index, tuple[tuple[int, Any], ...]], ...]:
    """The terms of f(u) that do not vanish identically, with their Bell polynomials, for the terms that u has."""
    found = []
    for alpha in sorted(indices):
        rows = [(m, tuple(part for part in parts if set(part[1]) <= set(keys))) for m, parts in bell(alpha)]
        kept = tuple((m, parts) for m, parts in rows if parts)
        if kept or not any(alpha):
            found.append((alpha, kept if any(alpha) else ()))
    return tuple(found)


@lru_cache(maxsize=4096)
def above(beta: Index, indices: tuple[Index, ...]) -> tuple[tuple[int, Index, Index], ...]:
    """(factor, α, α − β) of the products in which ∂^β u enters."""
    found = []
    for alpha in indices:
        gamma = tuple(n - k for n, k in zip(alpha, beta))
        if min(gamma) >= 0:
            found.append((prod(comb(n, k) for n, k in zip(alpha, beta)), alpha, gamma))
    return tuple(found)


def factors_of(inner: Mapping[Index, Tensor], indices: Indices) -> Factors:
    """The partial Bell polynomials at the terms `inner` of u."""
    plan = reached(indices, tuple(inner))
    return {alpha: [(m, bell_value(polynomial, inner)) for m, polynomial in rows] for alpha, rows in plan}


def composed(outer: Sequence[Tensor], factors: Factors) -> Tensor:
    """f(u) from f, f', f'', … at u, each of full shape: one slice for each multi-index, outside of any graph."""
    found = outer[0].new_empty(len(factors), *outer[0].shape)
    for out, rows in zip(found.unbind(0), factors.values()):
        for number, (m, factor) in enumerate(rows):
            out.addcmul_(outer[m], factor) if number else torch.mul(outer[m], factor, out=out)
        if not rows:
            out.copy_(outer[0])
    return found


def pulled_back(slopes: Tensor, factors: Factors, adjoint: Tensor, beta: Index) -> Tensor:
    """The term β of the adjoint of δu ↦ slopes·δu on jets: Σ_α (α over β) slopes_{α−β} · adjoint_α."""
    place = {alpha: number for number, alpha in enumerate(factors)}
    total = None
    for factor, alpha, gamma in above(beta, tuple(factors)):
        if gamma in place:
            one, other = slopes[place[gamma]], adjoint[place[alpha]]
            if total is None:
                total = one * other if factor == 1 else (one * other).mul_(factor)
            else:
                total.addcmul_(one, other, value=factor)
    assert total is not None  # the terms of u are among those of f(u)
    return total


class Composed(torch.autograd.Function):
    """The terms [S, I, N] of f(u), from f, f', … at u (one derivative more than the terms ask for)."""

    @staticmethod
    def forward(ctx: Any, outer: Sequence[Tensor], factors: Factors, keys: Sequence[Index], *inner: Tensor) -> Tensor:
        ctx.slopes, ctx.factors, ctx.keys = outer[1:], factors, keys
        ctx.shapes = [term.shape for term in inner]
        return composed(outer, factors)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # type: ignore[override]
        slopes = composed(ctx.slopes, ctx.factors)
        parts = (pulled_back(slopes, ctx.factors, gradient, beta) for beta in ctx.keys)
        return (None, None, None, *(part.sum_to_size(shape) for part, shape in zip(parts, ctx.shapes)))


class Edges(torch.autograd.Function):
    """Outputs [S, O, N], linear in coefficients [I, K, O], by features [S, I, K, N] of `tables` [M+2, I, K, N]."""

    @staticmethod
    def forward(
        ctx: Any, coefficients: Tensor, features: Tensor, tables: Tensor,
        factors: Factors, keys: Sequence[Index], *inner: Tensor,
    ) -> Tensor:
        ctx.features, ctx.tables, ctx.factors, ctx.keys = features, tables, factors, keys
        ctx.shapes = [term.shape for term in inner]
        ctx.save_for_backward(coefficients)
        return by_slice(coefficients.flatten(0, 1).T, features.flatten(1, 2))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Any:  # type: ignore[override]
        (coefficients,) = ctx.saved_tensors
        of_c, of_u = None, [None] * len(ctx.keys)
        if ctx.needs_input_grad[0]:
            of_c = gradient.new_zeros(coefficients.shape[2], coefficients[..., 0].numel())
            for features, part in zip(ctx.features.flatten(1, 2), gradient):
                of_c.addmm_(part, features.T)
            of_c = of_c.T.view(coefficients.shape)
        if any(ctx.needs_input_grad[5:]):
            slopes, adjoint = beside(coefficients, ctx.tables[1:], gradient)
            slopes = composed(slopes, ctx.factors)
            parts = (pulled_back(slopes, ctx.factors, adjoint, beta).sum(1) for beta in ctx.keys)
            of_u = [part.sum_to_size(shape) for part, shape in zip(parts, ctx.shapes)]
        return (of_c, None, None, None, None, *of_u)


def beside(coefficients: Tensor, slopes: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """The slopes [M+1, I, ·, N] and the outputs' adjoint, both per output or both per function, whichever are fewer."""
    inputs, functions, outputs = coefficients.shape
    if outputs < functions:
        return torch.matmul(coefficients.transpose(1, 2), slopes), gradient[:, None]
    return slopes, by_slice(coefficients.flatten(0, 1), gradient).view(-1, inputs, functions, gradient.shape[2])


def by_slice(matrix: Tensor, slices: Tensor) -> Tensor:
    """A matrix times each of S others [S, K, N]; `matmul` would transpose, and so copy, them all."""
    return torch.bmm(matrix.expand(len(slices), -1, -1), slices)


def derivatives(name: str, x: Tensor, order: int) -> list[Tensor]:
    """A univariate function and its first `order` derivatives at x; where f' = a + bf + cf², by Leibniz' rule."""
    function = UNIVARIATE[name]
    if name not in RICCATI:
        return [d if isinstance(d, Tensor) else torch.full_like(x, d) for d in function.derivatives(x, order)]
    a, b, c = RICCATI[name]
    found = [function.value(x)]
    for m in range(order):
        total = b * found[m] if m else b * found[m] + a
        for j in range(m // 2 + 1):
            total.addcmul_(found[j], found[m - j], value=c * comb(m, j) * (1 if 2 * j == m else 2))
        found.append(total)
    return found


def bounded(name: str, jet: Jet) -> Jet:
    """The univariate function of a jet of tensors."""
    order = max(map(sum, jet.indices)) + moves(jet)
    with torch.no_grad():
        outer = derivatives(name, jet.value, order)
        factors = factors_of(jet.terms, jet.indices)
    terms = Composed.apply(outer, factors, tuple(jet.terms), *jet.terms.values())
    return Jet(dict(zip(factors, terms.unbind(0))), jet.indices)


def moves(jet: Jet) -> bool:
    """Whether a graph leads to the jet's terms."""
    return torch.is_grad_enabled() and any(term.requires_grad for term in jet.terms.values())
