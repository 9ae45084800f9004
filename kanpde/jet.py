"""A value and its partial derivatives as one kind of number.

A jet holds the derivatives ∂^α f at N points for a set of multi-indices α. Sums, products and compositions
follow Leibniz' rule and Faà di Bruno's formula (Griewank & Walther, Evaluating Derivatives, 2008, ch. 13).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product as cartesian
from math import comb, prod
from typing import TYPE_CHECKING, Callable, Iterator, Mapping, Sequence, Union

if TYPE_CHECKING:
    from torch import Tensor

Index = tuple[int, ...]
Indices = frozenset[Index]
Term = Union["Tensor", float]


class Jet:
    """The derivatives of one field (or of many, along leading axes) at N points.

    `terms` maps multi-indices to tensors [..., N]; a multi-index in `indices` without a term is zero.
    """

    __slots__ = ("terms", "indices")

    def __init__(self, terms: Mapping[Index, Term], indices: Indices) -> None:
        self.terms = terms
        self.indices = indices

    @property
    def value(self) -> Term:
        """The undifferentiated field."""
        return self[(0,) * len(next(iter(self.indices)))]

    def __getitem__(self, index: Index) -> Term:
        if index not in self.indices:
            raise KeyError(f"derivative {index} was not computed")
        return self.terms.get(index, 0.0)

    def derivative(self, axis: int, wanted: Indices) -> Jet:
        """The derivative along one axis, for the multi-indices `wanted`."""
        moved = {alpha: raised(alpha, axis) for alpha in wanted}
        return Jet({a: self.terms[b] for a, b in moved.items() if b in self.terms}, wanted)

    def restricted(self, wanted: Indices) -> Jet:
        """The same jet with only the multi-indices `wanted`."""
        return Jet({a: v for a, v in self.terms.items() if a in wanted}, wanted)

    def mapped(self, change: Callable[[Term], Term]) -> Jet:
        """The jet whose terms are `change` of these terms; `change` must be linear."""
        return Jet({a: change(v) for a, v in self.terms.items()}, self.indices)

    def __neg__(self) -> Jet:
        return self.mapped(lambda v: -v)

    def __add__(self, other: Jet | float) -> Jet:
        if not isinstance(other, Jet):
            other = constant(other, self.indices)
        indices = self.indices & other.indices
        terms = {a: v for a, v in self.terms.items() if a in indices}
        for alpha, value in other.terms.items():
            if alpha in indices:
                terms[alpha] = terms[alpha] + value if alpha in terms else value
        return Jet(terms, indices)

    __radd__ = __add__

    def __sub__(self, other: Jet | float) -> Jet:
        return self + (-other)

    def __rsub__(self, other: Jet | float) -> Jet:
        return -self + other

    def __mul__(self, other: Jet | float) -> Jet:
        if not isinstance(other, Jet):
            return self.mapped(lambda v: v * other)
        indices = self.indices & other.indices
        terms: dict[Index, Term] = {}
        for alpha in indices:
            total = None
            for factor, beta, gamma in leibniz(alpha):
                if beta in self.terms and gamma in other.terms:
                    part = self.terms[beta] * other.terms[gamma]
                    part = part if factor == 1 else factor * part
                    total = part if total is None else total + part
            if total is not None:
                terms[alpha] = total
        return Jet(terms, indices)

    __rmul__ = __mul__

    def __truediv__(self, other: Jet | float) -> Jet:
        return self * (other**-1.0) if isinstance(other, Jet) else self * (1.0 / other)

    def __rtruediv__(self, other: float) -> Jet:
        return self**-1.0 * other

    def __pow__(self, exponent: float) -> Jet:
        if exponent == int(exponent) and 0 <= exponent <= 4:
            return prod([self] * int(exponent), start=constant(1.0, self.indices)) if exponent != 1 else self
        order = max(map(sum, self.indices))
        return compose(power_derivatives(self.value, exponent, order), self)


def power_derivatives(x: Term, exponent: float, order: int) -> list[Term]:
    """x^p and its first `order` derivatives."""
    found, factor = [], 1.0
    for m in range(order + 1):
        found.append(factor * x ** (exponent - m) if factor else x * 0.0)
        factor *= exponent - m
    return found


def constant(value: Term, indices: Indices) -> Jet:
    """A field that is the same everywhere."""
    return Jet({(0,) * len(next(iter(indices))): value}, indices)


def variable(value: Tensor, axis: int, dimensions: int, indices: Indices) -> Jet:
    """The coordinate along `axis`, with values [N]."""
    zero = (0,) * dimensions
    terms = {zero: value, raised(zero, axis): 1.0}
    return Jet({a: v for a, v in terms.items() if a in indices}, indices)


def compose(outer: Sequence[Term], inner: Jet) -> Jet:
    """f(u) from the values of f, f', f'', … at u (Faà di Bruno's formula)."""
    terms: dict[Index, Term] = {}
    for alpha in inner.indices:
        if not any(alpha):
            terms[alpha] = outer[0]
            continue
        total = None
        for order, polynomial in bell(alpha):
            inside = bell_value(polynomial, inner.terms)
            if inside is not None:
                part = outer[order] * inside
                total = part if total is None else total + part
        if total is not None:
            terms[alpha] = total
    return Jet(terms, inner.indices)


def bell_value(polynomial: tuple[tuple[int, tuple[Index, ...]], ...], terms: Mapping[Index, Term]) -> Term | None:
    """A partial Bell polynomial at the derivatives `terms`; None when it vanishes identically."""
    total = None
    for factor, betas in polynomial:
        if all(beta in terms for beta in betas):
            part = prod((terms[beta] for beta in betas[1:]), start=terms[betas[0]])
            part = part if factor == 1 else factor * part
            total = part if total is None else total + part
    return total


def raised(index: Index, axis: int, by: int = 1) -> Index:
    """The multi-index with `by` more derivatives along `axis`."""
    return index[:axis] + (index[axis] + by,) + index[axis + 1 :]


@lru_cache(maxsize=4096)
def shifted(indices: Indices, axis: int) -> Indices:
    """Every multi-index with one more derivative along `axis`."""
    return frozenset(raised(a, axis) for a in indices)


@lru_cache(maxsize=4096)
def closure(indices: Indices) -> Indices:
    """The least downward-closed set that holds `indices`."""
    return frozenset(b for a in indices for b in cartesian(*(range(n + 1) for n in a)))


@lru_cache(maxsize=4096)
def leibniz(alpha: Index) -> tuple[tuple[int, Index, Index], ...]:
    """(factor, β, γ) with ∂^α(f g) = Σ factor ∂^β f ∂^γ g."""
    found = []
    for beta in cartesian(*(range(n + 1) for n in alpha)):
        factor = prod(comb(n, k) for n, k in zip(alpha, beta))
        found.append((factor, beta, tuple(n - k for n, k in zip(alpha, beta))))
    return tuple(found)


@lru_cache(maxsize=4096)
def bell(alpha: Index) -> tuple[tuple[int, tuple[tuple[int, tuple[Index, ...]], ...]], ...]:
    """The partial Bell polynomials of ∂^α f(u): for each order m of f, (factor, (β_1 … β_m)) of the terms."""
    elements = [axis for axis, count in enumerate(alpha) for _ in range(count)]
    counted: dict[int, dict[tuple[Index, ...], int]] = {}
    for blocks in partitions(elements):
        betas = tuple(sorted(tuple(block.count(axis) for axis in range(len(alpha))) for block in blocks))
        row = counted.setdefault(len(blocks), {})
        row[betas] = row.get(betas, 0) + 1
    return tuple((m, tuple((factor, betas) for betas, factor in row.items())) for m, row in sorted(counted.items()))


def partitions(elements: list[int]) -> Iterator[list[list[int]]]:
    """All ways to split a list into non-empty blocks."""
    if not elements:
        yield []
        return
    first, rest = elements[0], elements[1:]
    for smaller in partitions(rest):
        yield [[first], *smaller]
        for k, block in enumerate(smaller):
            yield [*smaller[:k], [first, *block], *smaller[k + 1 :]]
