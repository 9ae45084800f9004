"""What fields are like: structure is found where it is, gives the formula back, and is not claimed where it is not."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Callable, Mapping

import numpy as np
import pytest
import sympy

from kanpde.insight.arrays import numbers
from kanpde.insight.export import text
from kanpde.insight.fields import ALL, SIDES
from kanpde.insight.formula import PREFIX, Formula
from kanpde.insight.recognition import recognised
from kanpde.insight.symbolic import expression, symbol
from kanpde.insight.symmetry import Sampled, Structure

TOLERANCE = 1e-9
x, y, z, t = map(symbol, "xyzt")
SQUARE = {"x": (1, 2), "y": (1, 2)}
STRIP = {"x": (-1, 1), "t": (0, 1)}

SAID = [
    (sympy.sin(2 * x) * sympy.exp(y), SQUARE, "a product of functions of x and y"),
    (sympy.sin(2 * x) + sympy.exp(y), SQUARE, "a sum of functions of x and y"),
    (sympy.sin(x + 2 * y - 3 * z), dict.fromkeys("xyz", (0, 1)), "a function of x + 2*y - 3*z"),
    (sympy.tanh(x - t / 2), STRIP, "a function of x - 0.5*t"),
    (sympy.log(x**2 + y**2) / 2, SQUARE, "a function of the distance from (0, 0)"),
    (sympy.exp(-((x - 1) ** 2 + (y - 2) ** 2) - t), {**SQUARE, "t": (0, 1)},
     "a function of the distance from (1, 2) and of t"),
    (sympy.exp(-(x**2) / (4 * t)) / sympy.sqrt(t), {"x": (-1, 1), "t": (0.2, 1)},
     "t^(-1/2) times a function of x/t^(1/2)"),
    (1 / (1 + x / (2 - t)), {"x": (0, 1), "t": (0, 1)}, "a function of x/(2 - t)"),
    (x**2 / (6 * (1 - t)), {"x": (0, 1), "t": (0, 0.5)}, "x^2 times a function of t"),
    (x**2 / (6 * (1 - t)), {"x": (0, 1), "t": (0, 0.5)}, "(1 - t)^-1 times a function of x"),
    (sympy.cos(3 * (x - sympy.Rational(3, 2))) * y + x * (3 - x), SQUARE, "even in x about 1.5"),
    (sympy.sin(x) * (1 + y) + x**3, {"x": (-1, 2), "y": (0, 1)}, "odd in x about 0"),
    (sympy.exp(-((x - y) ** 2)) * (x + y), SQUARE, "the same with x and y exchanged"),
    (sympy.sin(x - y) * x * y, SQUARE, "the same with x and y exchanged, up to its sign"),
    (sympy.exp(t - x) + sympy.sin(2 * x + t), STRIP,
     "the sum of a function of x + 0.5*t and one of x - t"),
]  # fmt: skip


def sampled(made: sympy.Expr, box: Mapping[str, tuple[float, float]]) -> Sampled:
    """A known function with its derivatives, as a field."""
    names = tuple(box)
    axes = {name: np.linspace(*ends, SIDES[len(box)]) for name, ends in box.items()}
    low, high = np.array(list(box.values())).T
    points = low[:, None] + (high - low)[:, None] * np.random.default_rng(0).random((len(box), 1000))

    def at(expression: sympy.Expr) -> Callable[[np.ndarray], np.ndarray]:
        return lambda places: numbers(expression, names, places.reshape(len(names), -1)).reshape(places.shape[1:])

    pairs = list(combinations_with_replacement(names, 2)) if len(names) == 2 else []
    grid = np.stack(np.meshgrid(*axes.values(), indexing="ij"))
    slopes = np.stack([at(made.diff(symbol(name)))(points) for name in names])
    bends = {pair: at(made.diff(*map(symbol, pair)))(points) for pair in pairs}
    return Sampled(box, axes, at(made)(grid), points, at(made)(points), slopes, bends, at(made))


def structures(made: sympy.Expr, box: Mapping[str, tuple[float, float]]) -> dict[str, Structure]:
    field = sampled(made, box)
    with np.errstate(all="ignore"):
        return {one.said: one for kind in ALL for one in kind(field, TOLERANCE)}


@pytest.mark.parametrize(("made", "box", "said"), SAID)
def test_structure_is_said_with_how_nearly_it_holds(made: sympy.Expr, box: dict, said: str) -> None:
    found = structures(made, box)
    assert said in found and found[said].gap < TOLERANCE


@pytest.mark.parametrize(("made", "box", "said"), SAID)
def test_nothing_is_said_of_a_field_that_is_nearly_like_that(made: sympy.Expr, box: dict, said: str) -> None:
    """A millionth of a function without any structure is a thousand tolerances."""
    x_0 = sum(k * symbol(name) for k, name in enumerate(box, start=1))
    bent = sympy.exp(sympy.sin(3 * x_0 * symbol(next(iter(box))) + 1)) + symbol(next(reversed(box))) ** 3
    assert not structures(made + sympy.Rational(1, 10**6) * bent, box)


READ = [
    (sympy.sin(x + 2 * y - 3 * z), dict.fromkeys("xyz", (0, 1))),
    (sympy.log(x**2 + y**2) / 2, SQUARE),
    (3 + (x**2 + y**2) ** sympy.Rational(3, 2), SQUARE),
    (sympy.exp(-((x - 1) ** 2) - (y - 2) ** 2 - t), {**SQUARE, "t": (0, 1)}),
    (sympy.exp(-(x**2) / (4 * t)) / sympy.sqrt(t), {"x": (-1, 1), "t": (0.2, 1)}),
    (sympy.exp(-((x - 1) ** 2) / (2 - t)) / (2 - t) ** sympy.Rational(1, 3), {"x": (0, 3), "t": (0, 1)}),
    (sympy.sqrt(x) * sympy.sin(2 * y), SQUARE),
    (sympy.exp(-((x - y) ** 2)) * (x + y), SQUARE),
    (sympy.exp(t - x) + sympy.sin(2 * x + t), STRIP),
]


def exact(formula: Formula) -> sympy.Expr:
    """A formula with its constants as the simple numbers that they are near."""
    given = {f"{PREFIX}{k}": recognised(v, 1e-6, {}) for k, v in enumerate(formula.values)}
    return expression(formula.tree, {**given, **{name: symbol(name) for name in "xyzt"}}, {})


@pytest.mark.parametrize(("made", "box"), READ)
def test_a_field_is_read_in_the_coordinates_that_its_structure_gives(made: sympy.Expr, box: dict) -> None:
    found = [f for one in structures(made, box).values() for f in one.formulas(TOLERANCE) if len(f.values) < 9]
    points = sampled(made, box).points
    gaps = {}
    for formula in found:
        try:
            own = exact(formula)
        except AttributeError:  # a constant that is not simple
            continue
        gaps[text(own)] = np.abs(numbers(own - made, tuple(box), points)).max()
    assert gaps and np.nanmin(list(gaps.values())) < 1e-12, (gaps, found)
