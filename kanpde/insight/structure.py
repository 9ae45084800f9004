"""Structure of sampled fields: sums of products of functions of one coordinate, perhaps after a change of value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping, Sequence

import numpy as np

from kanpde.insight.formula import Formula, call, constant, divided, moved, power, product, total
from kanpde.insight.spans import Span, spanning
from kanpde.tree import Binary, Number, Tree

HIGHEST_RANK = 5
MOST_TERMS = 24
Axes = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Change:
    """A change of value u = g(w): where it is possible, w from u, and g as a tree."""

    name: str
    possible: Callable[[np.ndarray], bool]
    into: Callable[[np.ndarray], np.ndarray]
    tree: Callable[[Tree], Tree]


def _positive(u: np.ndarray) -> bool:
    return bool(u.min() > 0)


def _negative(u: np.ndarray) -> bool:
    return bool(u.max() < 0)


def _one_sign(u: np.ndarray) -> bool:
    return _positive(u) or _negative(u)


def _within(bound: float) -> Callable[[np.ndarray], bool]:
    return lambda u: bool(np.abs(u).max() < bound)


CHANGES: Sequence[Change] = (
    Change("none", lambda u: True, lambda u: u, lambda w: w),
    Change("reciprocal", _one_sign, lambda u: 1 / u, lambda w: divided(1.0, w)),
    Change("inverse square", _positive, lambda u: u**-0.5, lambda w: divided(1.0, power(w, 2))),
    Change("inverse square below 0", _negative, lambda u: (-u) ** -0.5, lambda w: divided(-1.0, power(w, 2))),
    Change("exponential", _positive, np.log, lambda w: call("exp", w)),
    Change("logarithm", _within(50.0), np.exp, lambda w: call("log", w)),
    Change(
        "logarithm squared",
        _within(50.0),
        lambda u: np.exp(-u / 2),
        lambda w: Binary("*", Number(-2.0), call("log", w)),
    ),
    Change("square root", _positive, lambda u: u**2, lambda w: call("sqrt", w)),
    Change("hyperbolic tangent", _within(1.0), np.arctanh, lambda w: call("tanh", w)),
    Change("tangent", lambda u: True, np.arctan, lambda w: call("tan", w)),
    Change(
        "four arctangents",
        _within(6.28),
        lambda u: np.tan(u / 4),
        lambda w: Binary("*", Number(4.0), call("atan", w)),
    ),
)


def read(values: np.ndarray, axes: Axes, tolerance: float) -> list[Formula]:
    """Formulas for samples on a tensor grid, within a tolerance of their size, the simplest first."""
    found = []
    with np.errstate(all="ignore"):
        for change in CHANGES:
            if not change.possible(values):
                continue
            inner = change.into(values)
            if np.isfinite(inner).all() and inner.any() and (made := separable(inner, axes, tolerance)):
                found.append(Formula(change.tree(made.tree), made.values))
                if change.name == "none" and made.complexity < 12:
                    break
    return sorted(found, key=lambda formula: formula.complexity)


def separable(values: np.ndarray, axes: Axes, tolerance: float) -> Formula | None:
    """A sum of products of functions of one coordinate each (Tucker 1966; Beylkin & Mohlenkamp 2002)."""
    spans = []
    for axis, (name, x) in enumerate(axes.items()):
        rows = np.moveaxis(values, axis, 0).reshape(len(x), -1)
        left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
        rank = int((sizes > tolerance * np.linalg.norm(sizes)).sum())
        if not 0 < rank <= HIGHEST_RANK:
            return None
        columns = left[:, :rank] * (sizes[:rank] / np.linalg.norm(sizes))
        span = spanning(columns, x, name, tolerance * 3)
        if span is None:
            return None
        spans.append(span)
    return combined(values, spans, tolerance)


def combined(values: np.ndarray, spans: Sequence[Span], tolerance: float) -> Formula | None:
    """The sum over products of the spans' functions that is nearest to the samples, without what adds nothing."""
    weights = values
    for axis, span in enumerate(spans):
        weights = np.moveaxis(np.tensordot(np.linalg.pinv(span.arrays), weights, axes=(1, axis)), 0, axis)
    norms = [np.linalg.norm(span.arrays, axis=0) for span in spans]
    sizes = np.abs(weights)
    for axis, norm in enumerate(norms):
        sizes = np.moveaxis(np.moveaxis(sizes, axis, -1) * norm, -1, axis)
    kept = np.argwhere(sizes > tolerance * np.linalg.norm(values))
    if not 0 < len(kept) <= MOST_TERMS:
        return None
    design = np.stack([outer([s.arrays[:, k] for s, k in zip(spans, index)]) for index in kept], axis=1)
    best = np.linalg.lstsq(design, values.ravel(), rcond=None)[0]
    if np.linalg.norm(design @ best - values.ravel()) > 10 * tolerance * np.linalg.norm(values):
        return None
    return assembled(best, kept, spans)


def assembled(weights: np.ndarray, kept: np.ndarray, spans: Sequence[Span]) -> Formula:
    """The tree of a sum of products with all its constants."""
    starts = np.cumsum([len(weights), *(len(span.values) for span in spans)])
    atoms = [[moved(atom, int(start)) for atom in span.atoms] for span, start in zip(spans, starts)]
    terms = [
        product([constant(number), *(own[k] for own, k in zip(atoms, index))]) for number, index in enumerate(kept)
    ]
    return Formula(total(terms), (*map(float, weights), *(v for span in spans for v in span.values)))


def outer(factors: Sequence[np.ndarray]) -> np.ndarray:
    """The products of one value of each, flat."""
    found = factors[0]
    for factor in factors[1:]:
        found = np.multiply.outer(found, factor)
    return found.ravel()
