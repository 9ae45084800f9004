"""Functions of one coordinate that span given samples: polynomials, exponentials, waves, and what is made of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch

from kanpde.evaluation import Scope
from kanpde.insight.formula import call, constant, divided, field_values, moved, power, product, total
from kanpde.insight.least_squares import minimised
from kanpde.tree import Name, Number, Tree

DEGREES = range(7)  # of polynomials
MODES = range(1, 7)  # exponentials, a wave counted twice
STEPS = 12  # of a fit that begins near its end
GAIN, SURELY, UNLIKELY = 1e4, 1e-5, 0.1  # what a fit may be missed by at its beginning
VISIBLE, FEWEST = 1e-2, 24  # of the largest value: what is read in another way, and at how many samples at least
NEGLIGIBLE = 1e-9  # a weight beside the whole
SPARE = 2  # modes more than the least
LOWERED = range(4)  # degrees less than this of a polynomial beside exponentials, from 0 for none


@dataclass(frozen=True)
class Kind:
    """Functions of x with some constants: as arrays [n, k], and as trees."""

    constants: int
    values: Callable[[np.ndarray, Sequence[float]], list[np.ndarray]]
    trees: Callable[[Tree, int], list[Tree]]


def _growth(x: Tree, number: int) -> Tree:
    return call("exp", product([constant(number), x]))


def _angle(x: Tree, number: int) -> Tree:
    return product([constant(number), x])


def _waves(x: Tree, number: int) -> list[Tree]:
    return [call("cos", _angle(x, number)), call("sin", _angle(x, number))]


KINDS: Mapping[str, Kind] = {
    "exponential": Kind(1, lambda x, p: [np.exp(p[0] * x)], lambda x, n: [_growth(x, n)]),
    "wave": Kind(1, lambda x, p: [np.cos(p[0] * x), np.sin(p[0] * x)], _waves),
    "damped wave": Kind(
        2,
        lambda x, p: [np.exp(p[1] * x) * np.cos(p[0] * x), np.exp(p[1] * x) * np.sin(p[0] * x)],
        lambda x, n: [product([_growth(x, n + 1), wave]) for wave in _waves(x, n)],
    ),
    "linear times exponential": Kind(
        1,
        lambda x, p: [np.exp(p[0] * x), x * np.exp(p[0] * x)],
        lambda x, n: [_growth(x, n), product([x, _growth(x, n)])],
    ),
}


@dataclass(frozen=True)
class Span:
    """Functions of one coordinate: trees with free constants, and arrays [n, k] of their values at the samples."""

    atoms: tuple[Tree, ...]
    values: tuple[float, ...]
    arrays: np.ndarray

    @property
    def size(self) -> int:
        """How much it takes to say it."""
        return len(self.atoms) + len(self.values)


def spanning(columns: np.ndarray, x: np.ndarray, name: str, tolerance: float) -> Span | None:
    """The simplest span of samples [n, r] at evenly spaced x, left with less than the tolerance of their size."""
    found = list(direct(columns, x, name, tolerance))
    if columns.shape[1] == 1:
        found += made_of_others(columns[:, 0], x, name, tolerance)
    return min(found, key=lambda span: span.size, default=None)


def direct(columns: np.ndarray, x: np.ndarray, name: str, tolerance: float) -> Iterator[Span]:
    """The least polynomials, and the fewest exponentials."""
    with np.errstate(all="ignore"):
        for degree in DEGREES:
            arrays = np.stack([x**k for k in range(degree + 1)], axis=1)
            if misfit(arrays, columns) < tolerance:
                kept = needed(arrays, columns, tolerance)
                yield Span(tuple(power(Name(name), k) for k in kept), (), arrays[:, kept])
                break
        step = x[1] - x[0]
        shifts = [shifted(np.diff(columns, n=low, axis=0), np.linalg.norm(columns) * 2.0**low) for low in LOWERED]
        for modes in MODES:
            enough = [n for n in LOWERED if n + modes >= columns.shape[1] and shifts[n].enough(modes, tolerance)]
            guesses = [(low, shifts[low].exponents(modes, step)) for low in enough]
            found = [s for low, guess in guesses for s in exponentials(columns, x, name, (low, guess), tolerance)]
            if found:
                yield min(found, key=lambda span: span.size)
                break


@dataclass(frozen=True)
class Shifted:
    """The space of samples and their shifts, with its singular values beside the size of the samples."""

    left: np.ndarray
    sizes: np.ndarray

    def enough(self, modes: int, tolerance: float) -> bool:
        """Whether so many modes can come within a tolerance (Eckart & Young 1936), and few more than must be."""
        least = int((self.sizes > tolerance).sum())
        return max(least, 1) <= modes <= least + SPARE and 4 * modes <= len(self.left)

    def exponents(self, modes: int, step: float) -> np.ndarray:
        """The exponents of a sum of exponentials from its invariance under shifts (Roy & Kailath 1989)."""
        left = self.left[:, :modes]
        turns = np.linalg.eigvals(np.linalg.lstsq(left[:-1], left[1:], rcond=None)[0])
        return np.log(turns[np.abs(turns) > 1e-8].astype(complex)) / step


def shifted(columns: np.ndarray, size: float) -> Shifted:
    """Samples [n, r] beside their shifts; no space at all where they are too few or not finite."""
    half = len(columns) // 2
    if half < 2 or not np.isfinite(columns).all():
        return Shifted(np.zeros((0, 0)), np.zeros(0))
    rows = np.hstack([np.lib.stride_tricks.sliding_window_view(c, len(columns) - half + 1) for c in columns.T])
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    return Shifted(left, sizes / (size * half**0.5))


def needed(arrays: np.ndarray, columns: np.ndarray, tolerance: float) -> list[int]:
    """Which of some functions are enough, each left out in turn if the others will do."""
    kept = list(range(arrays.shape[1]))
    for k in range(arrays.shape[1]):
        others = [other for other in kept if other != k]
        if others and misfit(arrays[:, others], columns) < tolerance:
            kept = others
    return kept


def misfit(arrays: np.ndarray, columns: np.ndarray) -> float:
    """What columns keep outside the span of others, beside their size."""
    sizes = np.linalg.norm(arrays, axis=0)
    if not np.isfinite(sizes).all() or (sizes == 0).any():
        return np.inf
    basis, _ = np.linalg.qr(arrays / sizes)
    return float(np.linalg.norm(columns - basis @ (basis.T @ columns)) / np.linalg.norm(columns))


def exponentials(
    columns: np.ndarray, x: np.ndarray, name: str, given: tuple[int, np.ndarray], tolerance: float
) -> Iterator[Span]:
    """Sums of exponentials near given exponents, with a polynomial beside them."""
    lowered, guesses = given
    for kinds, start in readings(guesses, x[-1] - x[0]):
        powers = [x**k for k in range(lowered)]

        def arrays(p: np.ndarray, kinds: tuple[str, ...] = kinds, powers: list[np.ndarray] = powers) -> np.ndarray:
            return np.stack([*powers, *(a for kind, own in shared(kinds, p) for a in KINDS[kind].values(x, own))], 1)

        def left(p: np.ndarray, arrays: Callable[[np.ndarray], np.ndarray] = arrays) -> np.ndarray:
            given = arrays(p)
            sizes = np.linalg.norm(given, axis=0)
            if not np.isfinite(sizes).all() or (sizes == 0).any():
                return np.full(columns.size, np.inf)
            basis, _ = np.linalg.qr(given / sizes)
            return (columns - basis @ (basis.T @ columns)).ravel()

        begun = misfit(arrays(np.array(start)), columns)
        if not begun < min(max(GAIN * tolerance, SURELY), UNLIKELY):
            continue
        best = np.array(start) if begun < tolerance / 10 else minimised(left, np.array(start), STEPS)
        if misfit(arrays(best), columns) < tolerance:
            atoms: list[Tree] = [power(Name(name), k) for k in range(lowered)]
            number = 0
            for kind in kinds:
                atoms += KINDS[kind].trees(Name(name), number)
                number += KINDS[kind].constants
            yield Span(tuple(atoms), tuple(map(float, best)), arrays(best))
            return


def shared(kinds: Sequence[str], values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Each kind with its own constants."""
    start = 0
    for kind in kinds:
        yield kind, values[start : start + KINDS[kind].constants]
        start += KINDS[kind].constants


def readings(guesses: np.ndarray, length: float) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """Exponents as kinds of functions with first constants, the simplest reading first."""
    real = [float(s.real) for s in guesses if abs(s.imag) * length < 1e-6]
    pairs = [s for s in guesses if s.imag * length >= 1e-6]
    if len(real) + 2 * len(pairs) != len(guesses) or not len(guesses):
        return
    growing = [("exponential", [a]) for a in real]
    waves = [("wave", [float(s.imag)]) for s in pairs]
    damped = [("damped wave", [float(s.imag), float(s.real)]) for s in pairs]
    for bent in (waves, damped) if pairs else (waves,):
        chosen = [*growing, *bent]
        yield tuple(kind for kind, _ in chosen), [v for _, values in chosen for v in values]
    if len(guesses) == 2:
        yield ("linear times exponential",), [float(guesses.real.mean())]


@dataclass(frozen=True)
class Wrapping:
    """One function v of another, w: w from v, v from w, v as a tree, and whether a factor of v is one of w."""

    into: Callable[[np.ndarray], np.ndarray]
    back: Callable[[np.ndarray], np.ndarray]
    tree: Callable[[Tree], Tree]
    homogeneous: bool = True


WRAPPINGS = (
    Wrapping(lambda v: 1 / v, lambda w: 1 / w, lambda w: divided(1.0, w)),
    Wrapping(lambda v: v**-2.0, lambda w: w**-0.5, lambda w: divided(1.0, call("sqrt", w))),
    Wrapping(lambda v: v**-0.5, lambda w: w**-2.0, lambda w: divided(1.0, power(w, 2))),
    Wrapping(np.log, np.exp, lambda w: call("exp", w), homogeneous=False),
    Wrapping(lambda v: v**2.0, np.sqrt, lambda w: call("sqrt", w)),
)


def made_of_others(column: np.ndarray, x: np.ndarray, name: str, tolerance: float) -> Iterator[Span]:
    """One function as a simple function of a span, read where it is not small."""
    scaled = np.sign(column[np.abs(column).argmax()]) * column / np.abs(column).max()
    large = np.flatnonzero(scaled > VISIBLE)
    here = slice(large[0], large[-1] + 1)
    if len(large) < FEWEST or scaled[here].min() <= VISIBLE:
        return
    for wrapping in WRAPPINGS:
        with np.errstate(all="ignore"):
            inner = wrapping.into(scaled[here])
            for span in direct(inner[:, None], x[here], name, tolerance) if inner.any() else ():
                made = wrapped(span, inner, wrapping)
                if made is None:
                    continue
                scope, points = Scope((name,), (), {}), torch.as_tensor(x[None])
                whole = field_values(made.atoms[0], np.array(made.values), scope, points)[:, None]
                if misfit(whole, column[:, None]) < 10 * tolerance:
                    yield replace(made, arrays=whole)


def wrapped(span: Span, inner: np.ndarray, wrapping: Wrapping) -> Span | None:
    """The span of the one function that a wrapping makes of a sum over a span.

    A factor of it says nothing, so one weight is 1, or of a logarithm, the constant is left out.
    """
    weights = np.linalg.lstsq(span.arrays, inner, rcond=None)[0]
    sizes = np.abs(weights) * np.linalg.norm(span.arrays, axis=0)
    kept = [k for k in range(len(weights)) if sizes[k] > NEGLIGIBLE * np.linalg.norm(inner)]
    weights = np.linalg.lstsq(span.arrays[:, kept], inner, rcond=None)[0]
    if not wrapping.homogeneous:
        weights = np.array([w for k, w in zip(kept, weights) if span.atoms[k] != Number(1.0)])
        kept = [k for k in kept if span.atoms[k] != Number(1.0)]
        terms, values = [], list(weights)
    elif (weights > 0).any():
        first = int(np.flatnonzero(weights > 0)[0])
        weights = weights / weights[first]
        unit = kept.pop(first)
        terms, values = [moved(span.atoms[unit], len(kept))], [*weights[:first], *weights[first + 1 :]]
        kept, weights = [*kept, unit], np.array([*values, 1.0])
    else:
        return None
    terms += [product([constant(n), moved(span.atoms[k], len(values))]) for n, k in enumerate(kept[: len(values)])]
    if not terms:
        return None
    value = wrapping.back(span.arrays[:, kept] @ weights)
    return Span((wrapping.tree(total(terms)),), (*map(float, values), *span.values), value[:, None])
