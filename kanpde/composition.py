"""Univariate functions of jets as single nodes of the graph, whose reverse rule differentiates no formula.

The terms of v = f(u) are ∂^α v = Σ_m f^(m)(u) B_{α,m}, with the partial Bell polynomials B at the terms of u (Faà di
Bruno). Since δv = f'(u)·δu is a product of jets, the adjoint of u is a transposed product with the jet of f'(u), which
needs one more derivative of f and nothing else.
"""

from __future__ import annotations

from functools import lru_cache
from math import comb
from typing import Any, Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.functions import UNIVARIATE
from kanpde.jet import Index, Indices, Jet, bell, bell_value, leibniz

Factors = dict[Index, list[tuple[int, Any]]]  # for each α, by what each derivative of f enters ∂^α f(u)
RICCATI: Mapping[str, tuple[float, float, float]] = {  # f' = a + bf + cf²
    "tanh": (1.0, 0.0, -1.0),
    "sigmoid": (0.0, 1.0, -1.0),
}


@lru_cache(maxsize=4096)
def reached(indices: Indices, keys: tuple[Index, ...]) -> tuple[tuple[Index, tuple[tuple[int, Any], ...]], ...]:
    """The terms of f(u) that do not vanish identically, with their Bell polynomials, for the terms that u has."""
    found = []
    for alpha in sorted(indices, key=lambda alpha: (sum(alpha), alpha)):
        rows = [(m, tuple(part for part in parts if set(part[1]) <= set(keys))) for m, parts in bell(alpha)]
        kept = tuple((m, parts) for m, parts in rows if parts)
        if kept or not any(alpha):
            found.append((alpha, kept if any(alpha) else ()))
    return tuple(found)


def factors_of(inner: Mapping[Index, Tensor], indices: Indices) -> Factors:
    """The partial Bell polynomials at the terms `inner` of u."""
    plan = reached(indices, tuple(inner))
    return {alpha: [(m, bell_value(polynomial, inner)) for m, polynomial in rows] for alpha, rows in plan}


def term(outer: Sequence[Tensor], rows: Sequence[tuple[int, Any]]) -> Tensor:
    """One term of f(u) from f, f', f'', … at u, each of full shape."""
    if not rows:
        return outer[0]
    (m, factor), *others = rows
    found = outer[m] * factor
    for m, factor in others:
        found.addcmul_(outer[m], factor)
    return found


def pulled_back(
    product: Callable[[int, Tensor], Tensor], factors: Factors,
    adjoints: Iterable[tuple[Index, Tensor]], keys: Sequence[Index],
) -> list[Tensor | None]:  # fmt: skip
    """The adjoints of the terms `keys` of u, given `product` of f^(m+1) and the adjoint of a term of f(u).

    That of ∂^β u is Σ_α (α over β) Σ_m B_{α−β,m} · product(m, adjoint_α), where B_{0,0} = 1; None if it vanishes.
    """
    found: dict[Index, Tensor] = {}
    for alpha, adjoint in adjoints:
        parts: dict[int, Tensor] = {}
        for binomial, beta, gamma in leibniz(alpha):
            if beta not in keys:
                continue
            if beta == alpha:
                found[beta] = product(0, adjoint)
            for m, factor in factors.get(gamma, ()):
                if m not in parts:
                    parts[m] = product(m, adjoint)
                if beta in found:
                    found[beta].addcmul_(parts[m], factor, value=binomial)
                else:
                    found[beta] = parts[m] * (factor * binomial)
    return [found.get(beta) for beta in keys]


def present(factors: Factors, gradients: Sequence[Tensor | None]) -> dict[Index, Tensor]:
    """The adjoints of the terms that something depends on."""
    return {alpha: one for alpha, one in zip(factors, gradients) if one is not None}


def summed_to(part: Tensor | None, shape: torch.Size) -> Tensor | None:
    """The adjoint of a term that was spread from a shape."""
    return part if part is None or part.shape == shape else part.sum_to_size(shape)


class Composed(torch.autograd.Function):
    """The terms of f(u), from f, f', … at u (one derivative more than the terms ask for)."""

    @staticmethod
    def forward(ctx: Any, outer: Sequence[Tensor], factors: Factors, keys: Sequence[Index], *inner: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.slopes, ctx.factors, ctx.keys = outer[1:], factors, keys
        ctx.shapes = [one.shape for one in inner]
        return tuple(term(outer, rows) for rows in factors.values())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # type: ignore[override]
        adjoints = present(ctx.factors, gradients)
        parts = pulled_back(lambda m, one: ctx.slopes[m] * one, ctx.factors, adjoints.items(), ctx.keys)
        return (None, None, None, *(summed_to(part, shape) for part, shape in zip(parts, ctx.shapes)))


class Edges(torch.autograd.Function):
    """The terms [O, N] of a layer's outputs, from coefficients [I, K, O] and tables [K, I, N] of its functions at u."""

    @staticmethod
    def forward(
        ctx: Any, coefficients: Tensor, tables: Sequence[Tensor],
        factors: Factors, keys: Sequence[Index], *inner: Tensor,
    ) -> Any:
        ctx.set_materialize_grads(False)
        ctx.tables, ctx.factors, ctx.keys = tables, factors, keys
        ctx.shapes = [one.shape for one in inner]
        ctx.save_for_backward(coefficients)
        if few_outputs(coefficients):
            weights = coefficients.transpose(1, 2)
            edges = [torch.matmul(weights, table.transpose(0, 1)).transpose(0, 1) for table in tables]
            ctx.slopes = edges[1:]
            return tuple(term(edges, rows).sum(1) for rows in factors.values())
        ctx.slopes = tables[1:]
        matrix = by_function(coefficients).T.contiguous()
        return tuple(torch.mm(matrix, term(tables, rows).flatten(0, 1)) for rows in factors.values())

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:  # type: ignore[override]
        (coefficients,) = ctx.saved_tensors
        of_c, of_u, adjoints = None, [None] * len(ctx.keys), present(ctx.factors, gradients)
        if ctx.needs_input_grad[0]:
            parts = gathered(adjoints, ctx.factors)
            of_c = sum(moments(ctx.tables[m], part) for m, part in parts.items())
        if any(ctx.needs_input_grad[4:]):
            if few_outputs(coefficients):
                pairs = ((alpha, one.unsqueeze(1)) for alpha, one in adjoints.items())
            else:
                matrix, shape = by_function(coefficients), ctx.tables[0].shape
                pairs = ((alpha, torch.mm(matrix, one).view(shape)) for alpha, one in adjoints.items())
            found = pulled_back(lambda m, one: (ctx.slopes[m] * one).sum(0), ctx.factors, pairs, ctx.keys)
            of_u = [summed_to(part, shape) for part, shape in zip(found, ctx.shapes)]
        return (of_c, None, None, None, *of_u)


def moments(table: Tensor, part: Tensor) -> Tensor:
    """Σ_n of a table [K, I, N] times a part [I, O, N], or [O, N] where it is the same for all I: [I, K, O]."""
    if part.ndim == 3:
        return torch.bmm(table.transpose(0, 1), part.mT)
    return torch.mm(table.flatten(0, 1), part.T).view(*table.shape[:2], -1).transpose(0, 1)


def few_outputs(coefficients: Tensor) -> bool:
    """Whether a layer's edges [I, K, O] are cheaper to add up per output than per function."""
    return coefficients.shape[2] < coefficients.shape[1]


def by_function(coefficients: Tensor) -> Tensor:
    """Coefficients [I, K, O] as a matrix [K·I, O]."""
    return coefficients.transpose(0, 1).flatten(0, 1)


def gathered(adjoints: Mapping[Index, Tensor], factors: Factors) -> dict[int, Tensor]:
    """Σ_α B_{α,m} · adjoint_α for each m, [I or 1, O, N]: what stands beside f^(m) in the adjoint of f."""
    found: dict[int, Tensor] = {}
    for alpha, part in adjoints.items():
        for m, factor in factors[alpha] or [(0, None)]:
            if factor is None:
                found[m] = part
            elif m in found:
                found[m].addcmul_(part, factor[:, None])
            else:
                found[m] = part * factor[:, None]
    return found


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
    return Jet(dict(zip(factors, terms)), jet.indices)


def moves(jet: Jet) -> bool:
    """Whether a graph leads to the jet's terms."""
    return torch.is_grad_enabled() and any(term.requires_grad for term in jet.terms.values())
