"""Structure of a field over all its coordinates: products and sums, mirror images, and coordinates that are alike."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Callable, Iterator, Mapping, Sequence

import numpy as np

from kanpde.insight.export import decimal
from kanpde.insight.formula import Formula, constant, replaced
from kanpde.insight.structure import Axes, read
from kanpde.tree import Binary, Name, Number, Tree

EIGHTHS = (4, 3, 5, 2, 6)  # of an interval: where mirrors are looked for, beside its middle and 0
OVERLAP = 0.5  # of an interval: what a point and its mirror image must share
SIDE = 41  # samples along each of two coordinates in which a field is read anew

Back = Callable[[Formula], Formula]


@dataclass(frozen=True)
class Sampled:
    """A field and its slopes [d, M] at points [d, M] of a box, on a grid over it, and wherever else it is asked for."""

    box: Mapping[str, tuple[float, float]]
    axes: Axes
    grid: np.ndarray
    points: np.ndarray
    values: np.ndarray
    slopes: np.ndarray
    bends: Mapping[tuple[str, str], np.ndarray]  # second derivatives at the points, of two coordinates
    at: Callable[[np.ndarray], np.ndarray]
    by_edges: Callable[[], Sequence[Formula]] = tuple  # the formulas of its network's edges put together

    @property
    def lengths(self) -> np.ndarray:
        """Those of the coordinates' intervals."""
        return np.array([high - low for low, high in self.box.values()])

    @property
    def swings(self) -> np.ndarray:
        """The slopes by the coordinates' lengths."""
        return self.slopes * self.lengths[:, None]


@dataclass(frozen=True)
class Structure:
    """What a field is like: in words, how nearly, and the formulas that it leads to for a tolerance."""

    said: str
    gap: float
    formulas: Callable[[float], list[Formula]] = lambda tolerance: []


def anew(field: Sampled, axes: Axes, points: np.ndarray, back: Back, factor: float = 1.0) -> Callable[
    [float], list[Formula]
]:
    """The formulas of a field over other coordinates than its own, whose grid are points [d, …], and back."""
    return lambda tolerance: [back(f) for f in read(field.at(points) / factor, axes, tolerance)]


def counted(name: str, origin: float, values: list[float]) -> Tree:
    """A coordinate from an origin, which is put among the constants unless it is 0."""
    if origin == 0:
        return Name(name)
    values.append(origin)
    return Binary("-", Name(name), constant(len(values) - 1))


def gap_of(one: np.ndarray, other: np.ndarray) -> float:
    """How far one is from another, beside its size."""
    size = float(np.linalg.norm(other))
    found = float(np.linalg.norm(one - other)) / size if size else np.inf
    return found if np.isfinite(found) else np.inf


def edges(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """What the field's network is made of, edge by edge."""
    yield Structure("functions on the edges of its network", np.inf, lambda tolerance: list(field.by_edges()))


def products(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """A product, or a sum, of functions of one coordinate each; their formulas are found in any case."""
    count = len(field.box)
    if count < 2 or np.linalg.norm(field.swings, axis=1).min() <= tolerance * np.linalg.norm(field.values):
        return
    names = listed(tuple(field.box))
    beyond = 0.0
    for axis in range(count):
        sizes = np.linalg.svd(np.moveaxis(field.grid, axis, 0).reshape(field.grid.shape[axis], -1), compute_uv=False)
        beyond = max(beyond, float(np.linalg.norm(sizes[1:]) / np.linalg.norm(sizes)))
    if beyond <= tolerance:
        yield Structure(f"a product of functions of {names}", beyond)
    mean = field.grid.mean()
    others = [tuple(k for k in range(count) if k != axis) for axis in range(count)]
    added = mean + sum((field.grid.mean(rest, keepdims=True) - mean for rest in others), start=np.zeros(()))
    if (gap := gap_of(np.broadcast_to(added, field.grid.shape), field.grid)) <= tolerance:
        yield Structure(f"a sum of functions of {names}", gap)


def mirrors(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """Even or odd in a coordinate about its middle, 0 or an eighth of its interval."""
    for axis, (name, (low, high)) in enumerate(field.box.items()):
        if np.linalg.norm(field.swings[axis]) <= tolerance * np.linalg.norm(field.values):
            continue
        tried = dict.fromkeys([(low + high) / 2, 0.0, *(low + k / 8 * (high - low) for k in EIGHTHS)])
        for centre in tried:
            half = min(centre - low, high - centre)
            here = np.abs(field.points[axis] - centre) <= half
            if 2 * half < OVERLAP * (high - low) or not here.any():
                continue
            image = field.points[:, here].copy()
            image[axis] = np.clip(2 * centre - image[axis], low, high)
            reflected, known = field.at(image), field.values[here]
            for word, sign in (("even", 1.0), ("odd", -1.0)):
                if (gap := gap_of(sign * reflected, known)) <= tolerance:
                    yield Structure(f"{word} in {name} about {decimal(centre)}", gap, from_centre(field, name, centre))
                    break
            else:
                continue
            break


def from_centre(field: Sampled, name: str, centre: float) -> Callable[[float], list[Formula]]:
    """The formulas in a coordinate counted from a centre: of sums, half of the terms are not there."""
    if centre == 0:
        return lambda tolerance: []

    def back(formula: Formula) -> Formula:
        values = list(formula.values)
        tree = replaced(formula.tree, {name: counted(name, centre, values)})
        return Formula(tree, tuple(values))

    axes = {own: x - centre if own == name else x for own, x in field.axes.items()}
    return lambda tolerance: [back(f) for f in read(field.grid, axes, tolerance)]


def exchanges(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """Two coordinates that may be exchanged, perhaps with a change of sign."""
    names = list(field.box)
    for a, b in combinations(range(len(names)), 2):
        ends = [field.box[names[k]] for k in (a, b)]
        low, high = max(e[0] for e in ends), min(e[1] for e in ends)
        within = [(field.points[k] >= low) & (field.points[k] <= high) for k in (a, b)]
        here = within[0] & within[1]
        moving = min(np.linalg.norm(field.swings[k]) for k in (a, b)) > tolerance * np.linalg.norm(field.values)
        if high - low < OVERLAP * max(e[1] - e[0] for e in ends) or not here.any() or not moving:
            continue
        image = field.points[:, here].copy()
        image[[a, b]] = image[[b, a]]
        for sign, word in ((1.0, ""), (-1.0, ", up to its sign")):
            if (gap := gap_of(sign * field.at(image), field.values[here])) <= tolerance:
                said = f"the same with {names[a]} and {names[b]} exchanged{word}"
                turned = diagonals(field, low, high) if len(names) == 2 else Structure("", 0.0).formulas
                yield Structure(said, gap, turned)
                break


def diagonals(field: Sampled, low: float, high: float) -> Callable[[float], list[Formula]]:
    """The formulas in the sum and the difference of two coordinates, which exchange changes the sign of only."""
    first, second = field.box
    half = (high - low) / 2
    along, across = np.linspace(2 * low + half, 2 * high - half, SIDE), np.linspace(-half, half, SIDE)
    s, d = np.meshgrid(along, across, indexing="ij")

    def back(formula: Formula) -> Formula:
        sides = {first: Binary("+", Name(first), Name(second)), second: Binary("-", Name(first), Name(second))}
        return Formula(replaced(formula.tree, sides), formula.values)

    return anew(field, {first: along, second: across}, np.stack([(s + d) / 2, (s - d) / 2]), back)


def listed(names: Sequence[str]) -> str:
    """Names in a sentence."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def fraction(value: float, most: int, tolerance: float) -> tuple[int, int] | None:
    """A number as a fraction with a small denominator, if it is one."""
    for below in range(1, most + 1):
        if abs(value * below - round(value * below)) <= tolerance:
            return round(value * below), below
    return None


def ratio(above: int, below: int) -> Tree:
    """A fraction as a tree."""
    return Number(float(above)) if below == 1 else Binary("/", Number(float(above)), Number(float(below)))
