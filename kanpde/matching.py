"""Which simple function a curve resembles most."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Callable, Mapping, Sequence

import numpy as np

EXACT = 1e-10  # of the variance: what is left by a match that counts as exact
AS_GOOD = 2.0  # a simpler function may leave so many times more
ROUNDS, SHRINK = 26, 0.5  # of the search around the best place on a grid
POINTS = 81
SMALL = 1e-5  # of the largest number in a formula: left out
FLAT = 1e-13  # a curve that varies by no more than this part of its size is constant


@dataclass(frozen=True)
class Match:
    """The name of a function, the part R² of the curve's variance that it explains, and the formula."""

    name: str
    r2: float
    formula: str


@dataclass(frozen=True)
class Shape:
    """A family a·g(t; p) + d over t in [−1, 1]: the number of its constants, a grid of p, and g [m, …, n]."""

    constants: int
    grid: tuple[tuple[float, ...], ...]
    functions: Callable[[np.ndarray, np.ndarray], np.ndarray]
    formula: str


def spaced(low: float, high: float, count: int) -> tuple[float, ...]:
    """Equally spaced numbers."""
    return tuple(np.linspace(low, high, count))


POLYNOMIALS = {"linear": 1, "quadratic": 2, "cubic": 3}
SHAPES: Mapping[str, Shape] = {
    "abs": Shape(3, (spaced(-0.96, 0.96, 49),), lambda t, p: np.abs(t - p[0])[None], "|{s}|"),
    "exp": Shape(3, (spaced(-20, 20, 80),), lambda t, p: np.exp(p[0] * t - np.abs(p[0]))[None], "exp({s})"),
    "sin": Shape(4, (spaced(0.2, 60, 300),), lambda t, p: np.stack([np.sin(p[0] * t), np.cos(p[0] * t)]), "sin({s})"),
    "tanh": Shape(4, (spaced(-0.7, 3, 20), spaced(-1.5, 1.5, 31)),
                  lambda t, p: np.tanh(np.exp(p[0]) * (t - p[1]))[None], "tanh({s})"),
    "gaussian": Shape(4, (spaced(-0.7, 3, 20), spaced(-1.5, 1.5, 31)),
                      lambda t, p: np.exp(-(np.exp(2 * p[0]) * (t - p[1]) ** 2))[None], "exp(-({s})^2)"),
}
FUNCTIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "abs": np.abs, "exp": np.exp, "sin": np.sin, "tanh": np.tanh, "gaussian": lambda s: np.exp(-(s**2)),
}  # fmt: skip
CONSTANTS = {"constant": 1, "linear": 2, "quadratic": 3, "cubic": 4} | {
    name: shape.constants for name, shape in SHAPES.items()
}


@dataclass(frozen=True)
class Fit:
    """A function near a curve: R², and its constants: a, b, c and d of a·f(b·x + c) + d, or a polynomial's."""

    name: str
    r2: float
    constants: tuple[float, ...]

    @property
    def left(self) -> float:
        """The part of the variance that is not explained."""
        return 1 - self.r2

    def at(self, x: np.ndarray) -> np.ndarray:
        """The values of the function."""
        if self.name not in FUNCTIONS:
            return np.polyval(self.constants, x)
        a, b, c, d = self.constants
        return a * FUNCTIONS[self.name](b * x + c) + d


def matches(curves: Sequence[np.ndarray], names: Sequence[str]) -> list[Match]:
    """The best match of each curve [2, n], whose variables have these names.

    R² is over equally spaced arguments. Of the functions that leave at most twice as much as the best (or 1e-10) that
    with the fewest constants is taken, the best of several.
    """
    found = []
    for curve, name, near in zip(curves, names, fits(curves)):
        chosen = simplest({fit.name: fit.left for fit in near}) if len(near) > 1 else "constant"
        best = next(fit for fit in near if fit.name == chosen)
        found.append(Match(chosen, best.r2, written(best, curve[1], name)))
    return found


def fits(curves: Sequence[np.ndarray]) -> list[list[Fit]]:
    """Every simple function as near as it comes to each curve [2, n]; a number alone where that is all it is."""
    if not curves:
        return []
    t = np.linspace(-1, 1, POINTS)
    ends = [(float(x[0]), float(x[-1])) for x, _ in curves]
    y = np.stack([np.interp(low + (t + 1) * (high - low) / 2, *curve) if len(curve[0]) != POINTS else curve[1]
                  for curve, (low, high) in zip(curves, ends)])
    centred = y - y.mean(1, keepdims=True)
    sizes = np.linalg.norm(centred, axis=1)
    flat = sizes <= FLAT * np.linalg.norm(y, axis=1)
    unit = centred / np.where(flat, 1.0, sizes)[:, None]
    left = {
        name: 1 - explained(np.vander(t, degree + 1)[:, :-1].T[:, None], unit) for name, degree in POLYNOMIALS.items()
    }
    places = {}
    for name, shape in SHAPES.items():
        places[name], r2 = searched(shape, t, unit)
        left[name] = 1 - r2
    found = []
    for number, (low, high) in enumerate(ends):
        if flat[number]:
            found.append([Fit("constant", 1.0, (float(y[number].mean()),))])
            continue
        found.append([
            Fit(name, 1 - max(float(values[number]), 0.0),
                constants(name, places[name][:, number] if name in places else np.zeros(0), t, y[number], low, high))
            for name, values in left.items()
        ])  # fmt: skip
    return found


def simplest(left: Mapping[str, float]) -> str:
    """The function with the fewest constants of those that leave little more than the best."""
    enough = max(EXACT, AS_GOOD * min(left.values()))
    return min((name for name in left if left[name] <= enough), key=lambda name: (CONSTANTS[name], left[name]))


def explained(functions: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """The part of unit vectors [E, n], orthogonal to 1, that functions [m, …, n] and a constant explain."""
    total = 0.0
    basis: list[np.ndarray] = []
    for one in functions:
        rest = one - one.mean(-1, keepdims=True)
        for _ in range(2):  # twice is enough
            for other in basis:
                rest = rest - other * (rest * other).sum(-1, keepdims=True)
        size = np.linalg.norm(rest, axis=-1, keepdims=True)
        basis.append(rest / np.where(size > 0, size, 1.0))
        total = total + (basis[-1] * unit).sum(-1) ** 2
    return np.asarray(total)


def searched(shape: Shape, t: np.ndarray, unit: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The parameters [P, E] with which a family explains most of unit vectors [E, n], and how much."""
    grid = np.array(list(product(*shape.grid))).T
    steps = np.array([np.diff(values[:2])[0] for values in shape.grid])
    scores = np.stack([explained(shape.functions(t, place[:, None, None]), unit) for place in grid.T])
    place, best = grid[:, scores.argmax(0)], scores.max(0)
    moves = np.array(list(product((-1.0, 0.0, 1.0), repeat=len(steps)))).T
    for _ in range(ROUNDS):
        tried = place[:, None] + (moves * steps[:, None])[..., None]
        scores = np.stack([explained(shape.functions(t, one[..., None]), unit) for one in tried.transpose(1, 0, 2)])
        which = scores.argmax(0)
        better = scores.max(0) > best
        place = np.where(better, tried[:, which, np.arange(len(unit))], place)
        best = np.maximum(best, scores.max(0))
        steps = steps * SHRINK
    return place, best


def constants(name: str, place: np.ndarray, t: np.ndarray, y: np.ndarray, low: float, high: float) -> tuple[float, ...]:
    """The constants of a function in a curve's own variable."""
    half, middle = (high - low) / 2 or 1.0, (high + low) / 2
    if name in POLYNOMIALS:
        return tuple(map(float, np.polyfit(middle + half * t, y, POLYNOMIALS[name])))
    functions = SHAPES[name].functions(t, place[:, None])
    columns = np.stack([*functions, np.ones_like(t)], 1)
    *factors, offset = np.linalg.lstsq(columns, y, rcond=None)[0]
    rate, shift = 1 / half, -middle / half
    if name == "sin":
        factors, rate, shift = [np.hypot(*factors)], place[0] * rate, place[0] * shift + np.arctan2(*factors[::-1])
        shift = (shift + np.pi) % (2 * np.pi) - np.pi
    elif name == "exp":
        factors = [factors[0] * np.exp(place[0] * shift - abs(place[0]))]
        rate, shift = place[0] * rate, 0.0
    elif name == "abs":
        shift -= place[0]
        factors, rate, shift = [factors[0] * rate], 1.0, shift / rate
    else:
        steep = np.exp(place[0])
        rate, shift = steep * rate, steep * (shift - place[1])
    return float(factors[0]), float(rate), float(shift), float(offset)


def written(fit: Fit, y: np.ndarray, variable: str) -> str:
    """The formula of a function near a curve of values y."""
    if fit.name == "constant":
        return f"{fit.constants[0]:.3g}"
    if fit.name in POLYNOMIALS:
        return polynomial(fit.constants, variable)
    first, rate, shift, offset = fit.constants
    inner = SHAPES[fit.name].formula.format(s=polynomial([rate, shift], variable))
    factor = {"1": "", "-1": "-"}.get(f"{first:.3g}", f"{first:.3g} ")
    return f"{factor}{inner}{signed(offset, max(abs(first), np.abs(y).max()))}"


def polynomial(coefficients: Sequence[float], variable: str) -> str:
    """A polynomial, the highest power first, without what is zero to three digits."""
    top = len(coefficients) - 1
    powers = [variable if top - k == 1 else f"{variable}^{top - k}" if top - k else "" for k in range(top + 1)]
    largest = max(map(abs, coefficients)) or 1.0
    terms = [(c, power) for c, power in zip(coefficients, powers) if abs(c) > SMALL * largest] or [(0.0, "")]
    words = [f"{abs(c):.3g} {power}".strip() if abs(abs(c) - 1) > 5e-4 or not power else power for c, power in terms]
    text = " ".join(f"{'-' if c < 0 else '+'} {word}" for (c, _), word in zip(terms, words))
    return text.removeprefix("+ ").replace("- ", "-", 1) if text.startswith("- ") else text.removeprefix("+ ")


def signed(value: float, beside: float) -> str:
    """A number to be added, unless it is zero beside another."""
    return "" if abs(value) < SMALL * beside else f" {'-' if value < 0 else '+'} {abs(value):.3g}"
