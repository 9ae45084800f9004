"""Fields that vary along one direction only, and sums of two such."""

from __future__ import annotations

from math import sqrt
from typing import Iterator, Sequence

import numpy as np
import torch
from numpy.polynomial import chebyshev

from kanpde.evaluation import Scope
from kanpde.insight.export import decimal
from kanpde.insight.formula import Formula, constant, field_values, moved, product, replaced, total
from kanpde.insight.spans import Span, spanning
from kanpde.insight.symmetry import Sampled, Structure, anew, gap_of
from kanpde.tree import Binary, Name, Number, Tree

SAMPLES = 257  # along one new coordinate
FAINT = 1e-6  # a weight of a direction beside the whole
UNSURE = 1e-4  # of the largest: a singular value below which what solves a system is not unique
TINY = 1e-11  # of the largest: a singular value that says nothing any more
DEGREE = 80  # of a function along one of two directions


def sum_of(weights: Sequence[float], names: Sequence[str]) -> str:
    """Coordinates times weights, the first of which is 1, in words."""
    first, *others = zip(weights, names)
    signs = [f"{'-' if w < 0 else '+'} {'' if abs(abs(w) - 1) < 1e-5 else f'{decimal(abs(w))}*'}{n}" for w, n in others]
    return " ".join([first[1], *signs])


def along(weights: Sequence[float], names: Sequence[str], values: list[float]) -> Tree:
    """The sum of coordinates times weights, of which the first is 1, each other one a constant of its own."""
    found: Tree = Name(names[0])
    for weight, name in zip(weights[1:], names[1:]):
        values.append(abs(weight))
        found = Binary("-" if weight < 0 else "+", found, Binary("*", constant(len(values) - 1), Name(name)))
    return found


def directions(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """One direction in which alone the field varies: its slopes have rank one (Constantine 2015)."""
    left, sizes, _ = np.linalg.svd(field.swings, full_matrices=False)
    if len(field.box) < 2 or not sizes[0]:
        return
    gap = float(np.linalg.norm(sizes[1:]) / np.linalg.norm(sizes))
    if gap > tolerance:
        return
    names, weights = list(field.box), left[:, 0]
    kept = [k for k in range(len(names)) if abs(weights[k]) > max(FAINT, gap)]
    if len(kept) == 1:
        yield Structure(f"a function of {names[kept[0]]} alone", gap)
        return
    slopes = weights / field.lengths
    slopes = slopes / slopes[kept[0]]
    chosen, own = [float(slopes[k]) for k in kept], [names[k] for k in kept]
    ends = np.array(list(field.box.values()), dtype=float)
    points = np.repeat(ends.mean(1, keepdims=True), SAMPLES, axis=1)
    for k in kept:
        points[k] = np.linspace(*(ends[k] if slopes[k] > 0 else ends[k][::-1]), SAMPLES)
    xi = np.linspace(slopes[kept] @ points[kept, 0], slopes[kept] @ points[kept, -1], SAMPLES)

    def back(formula: Formula) -> Formula:
        values = list(formula.values)
        return Formula(replaced(formula.tree, {own[0]: along(chosen, own, values)}), tuple(values))

    yield Structure(f"a function of {sum_of(chosen, own)}", gap, anew(field, {own[0]: xi}, points, back))


def two_directions(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """A sum of functions along two directions: a u_xx + b u_xy + c u_yy vanishes, and its roots are real."""
    if len(field.box) != 2:
        return
    (first, second), (a, b) = field.box, field.lengths
    rows = np.stack([field.bends[pair] for pair in ((first, first), (first, second), (second, second))])
    rows = rows * np.array([a * a, a * b, b * b])[:, None]
    if not np.isfinite(rows).all():
        return
    left, sizes, _ = np.linalg.svd(rows, full_matrices=False)
    if not sizes[0] or sizes[1] <= UNSURE * sizes[0] or abs(left[2, 2]) < FAINT or abs(left[0, 2]) < FAINT:
        return
    law = left[:, 2]
    inside = law[1] ** 2 - 4 * law[0] * law[2]
    if inside <= UNSURE:
        return
    speeds = [(-law[1] + sign * sqrt(inside)) / (2 * law[2]) * a / b for sign in (1, -1)]
    ends = np.array(list(field.box.values()), dtype=float)
    x, y = (one.ravel() for one in np.meshgrid(*field.axes.values(), indexing="ij"))
    values, arguments = field.grid.ravel(), [x + speed * y for speed in speeds]
    bounds = [(ends[0] + speed * (ends[1] if speed > 0 else ends[1][::-1])) for speed in speeds]
    unit = [2 * (z - low) / (high - low) - 1 for z, (low, high) in zip(arguments, bounds)]
    design = np.hstack([chebyshev.chebvander(z, DEGREE) for z in unit])
    weights = np.linalg.lstsq(design, values, rcond=TINY)[0]
    if (gap := gap_of(design @ weights, values)) > tolerance:
        return
    words = [sum_of([1.0, speed], [first, second]) for speed in speeds]
    t = np.linspace(-1, 1, SAMPLES)
    curves = [chebyshev.chebval(t, part) for part in (weights[: DEGREE + 1], weights[DEGREE + 1 :])]
    lines = [np.linspace(low, high, SAMPLES) for low, high in bounds]

    def formulas(tolerance: float) -> list[Formula]:
        spans = [
            spanning((y - still(y))[:, None] / np.linalg.norm(y - still(y)), z, first, 10 * tolerance)
            for y, z in zip(curves, lines)
        ]
        return [summed(field, spans, speeds)] if all(spans) else []  # type: ignore[arg-type]

    yield Structure(f"the sum of a function of {words[0]} and one of {words[1]}", gap, formulas)


def still(curve: np.ndarray) -> float:
    """The value at the end at which a curve is flatter: a pulse begins at 0."""
    return float(curve[0] if abs(curve[1] - curve[0]) < abs(curve[-1] - curve[-2]) else curve[-1])


def summed(field: Sampled, spans: Sequence[Span], speeds: Sequence[float]) -> Formula:
    """The sum of functions along two directions that is nearest to the field, with one constant for both."""
    first, second = field.box
    values: list[float] = []
    atoms: list[Tree] = []
    for span, speed in zip(spans, speeds):
        own = [moved(atom, len(values)) for atom in span.atoms if atom != Number(1.0)]
        values += span.values
        line = along([1.0, speed], [first, second], values)
        atoms += [replaced(atom, {first: line}) for atom in own]
    arrays = np.stack([at(Formula(atom, tuple(values)), field) for atom in [*atoms, Number(1.0)]], axis=1)
    weights = np.linalg.lstsq(arrays, field.values, rcond=None)[0]
    sizes = np.abs(weights) * np.linalg.norm(arrays, axis=0)
    kept = [k for k in range(len(weights)) if sizes[k] > FAINT * np.linalg.norm(field.values)]
    terms = [product([constant(len(values) + n), [*atoms, Number(1.0)][k]]) for n, k in enumerate(kept)]
    return Formula(total(terms), (*values, *map(float, weights[kept])))


def at(formula: Formula, field: Sampled) -> np.ndarray:
    """The values of a formula at the field's points."""
    scope = Scope(tuple(field.box), (), {})
    return field_values(formula.tree, np.array(formula.values), scope, torch.as_tensor(field.points))
