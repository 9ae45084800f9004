"""Laws of jets: every rule agrees with automatic differentiation, applied again and again."""

from __future__ import annotations

from typing import Any, Callable, Mapping

import pytest
import torch
from torch import Tensor

from kanpde.functions import MULTIVARIATE, UNIVARIATE, where
from kanpde.jet import Indices, Jet, closure, compose, constant, variable

# 1e-11 of the largest: a fourth derivative sums some fifteen products of numbers up to a few thousand.
TOLERANCE = 1e-11
ORDER = 4
FULL: Indices = frozenset((i, j) for i in range(ORDER + 1) for j in range(ORDER + 1 - i))
SETS = {
    "full": FULL,
    "laplacian": closure(frozenset({(2, 0), (0, 2)})),
    "mixed": closure(frozenset({(1, 3)})),
    "value": closure(frozenset({(0, 0)})),
}
Formula = Callable[[Any, Any], Any]


def points() -> Tensor:
    """Points in the unit square."""
    return torch.rand(2, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def jets(indices: Indices = FULL) -> tuple[Jet, Jet]:
    """The coordinates as jets."""
    x, y = points()
    return variable(x, 0, 2, indices), variable(y, 1, 2, indices)


def nested(formula: Formula, indices: Indices = FULL) -> dict[tuple[int, ...], Tensor]:
    """The derivatives by one pass of reverse mode after another."""
    x, y = (row.clone().requires_grad_() for row in points())
    found = {(0, 0): formula(x, y)}
    for i, j in sorted(indices, key=sum):
        if (i, j) != (0, 0):
            below, along = (found[i - 1, j], x) if i else (found[i, j - 1], y)
            slope = None
            if below.requires_grad:
                slope = torch.autograd.grad(below.sum(), along, create_graph=True, allow_unused=True)[0]
            found[i, j] = torch.zeros_like(x) if slope is None else slope
    return {alpha: value.detach() for alpha, value in found.items()}


def assert_same(jet: Jet, expected: Mapping[tuple[int, ...], Tensor]) -> None:
    """Equal terms, to within a fraction of the largest of each order of derivative."""
    assert jet.indices <= set(expected)
    for alpha in jet.indices:
        gap = (expected[alpha] - jet[alpha]).abs().max()
        assert gap <= TOLERANCE * max(1.0, float(expected[alpha].abs().max())), alpha


def inner(x: Any, y: Any) -> Any:
    """A function with values between 0.1 and 0.8 on the square, and no vanishing derivative."""
    return 0.35 + 0.2 * x - 0.15 * y + 0.1 * x * y * y + 0.05 * x * x * x * y + 0.02 * x * x * y * y


def other(x: Any, y: Any) -> Any:
    """Another such function, whose difference to the first changes sign."""
    return 0.45 - 0.2 * x + 0.1 * y * y * y + 0.03 * x * y * x * x


RULES: Mapping[str, Formula] = {
    "sum": lambda x, y: inner(x, y) + other(x, y) + 1.5,
    "difference": lambda x, y: 2.0 - inner(x, y) - other(x, y),
    "negative": lambda x, y: -inner(x, y),
    "product": lambda x, y: inner(x, y) * other(x, y) * inner(y, x),
    "multiple": lambda x, y: 3.0 * inner(x, y) * 2,
    "quotient": lambda x, y: inner(x, y) / other(x, y),
    "part": lambda x, y: inner(x, y) / 4.0,
    "reciprocal": lambda x, y: 1.0 / inner(x, y),
    **{f"power {p:g}": lambda x, y, p=p: inner(x, y) ** p for p in (1, 2, 3, 4, 5, 7, 0.5, 2.5, -1, -2, -0.5)},
}


@pytest.mark.parametrize("formula", RULES.values(), ids=RULES)
@pytest.mark.parametrize("indices", SETS.values(), ids=SETS)
def test_arithmetic_differentiates_as_autograd_does(formula: Formula, indices: Indices) -> None:
    assert_same(formula(*jets(indices)), nested(formula))


@pytest.mark.parametrize("name", UNIVARIATE)
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_every_function_differentiates_as_autograd_does(name: str, sign: float) -> None:
    if sign < 0 and name in ("log", "sqrt"):
        sign = 0.5  # another positive argument: these have no value below zero
    function = UNIVARIATE[name]
    assert_same(function(sign * inner(*jets())), nested(lambda x, y: function.value(sign * inner(x, y))))


TENSOR: Mapping[str, Callable[..., Tensor]] = {
    "atan2": torch.atan2,
    "min": torch.minimum,
    "max": torch.maximum,
    "mod": lambda a, b: a - b * (a / b).floor(),
}


@pytest.mark.parametrize("name", MULTIVARIATE)
@pytest.mark.parametrize("signs", [(1.0, 1.0), (-1.0, 1.0), (1.0, -1.0), (-1.0, -1.0)])
def test_every_function_of_two_variables_differentiates_as_autograd_does(name: str, signs: tuple[float, float]) -> None:
    a, b = signs
    found = MULTIVARIATE[name](a * inner(*jets()), b * other(*jets()))
    assert_same(found, nested(lambda x, y: TENSOR[name](a * inner(x, y), b * other(x, y))))


def test_every_function_of_two_variables_has_a_tensor_beside_it() -> None:
    assert set(TENSOR) == set(MULTIVARIATE)


def test_where_takes_the_derivatives_of_the_branch_chosen() -> None:
    condition = points()[0] > 0.5
    assert condition.any() and not condition.all()
    found = where(condition, inner(*jets()), other(*jets()))
    assert_same(found, nested(lambda x, y: inner(x, y).where(condition, other(x, y))))


@pytest.mark.parametrize("outer", ["exp", "sin", "tanh", "log"])
@pytest.mark.parametrize("middle", ["sqrt", "cosh", "sigmoid"])
def test_compositions_of_compositions_differentiate_as_autograd_does(outer: str, middle: str) -> None:
    f, g = UNIVARIATE[outer], UNIVARIATE[middle]
    assert_same(f(g(inner(*jets()))), nested(lambda x, y: f.value(g.value(inner(x, y)))))


def test_composition_takes_a_table_of_derivatives() -> None:
    """Faà di Bruno's formula with the derivatives of t⁵ given as numbers."""
    u = inner(*jets())
    table = [u.value**5, 5 * u.value**4, 20 * u.value**3, 60 * u.value**2, 120 * u.value]
    assert_same(compose(table, u), nested(lambda x, y: inner(x, y) ** 5))


def test_derivatives_move_the_multi_indices() -> None:
    u, below = inner(*jets()), closure(frozenset({(1, 1), (2, 0)}))
    expected = nested(inner)
    assert_same(u.derivative(0, below), {(i, j): v for (i, j) in below for v in [expected[i + 1, j]]})
    assert_same(u.derivative(1, below), {(i, j): v for (i, j) in below for v in [expected[i, j + 1]]})


def test_derivatives_that_were_not_computed_are_refused() -> None:
    u = inner(*jets(SETS["laplacian"]))
    with pytest.raises(KeyError, match=r"\(1, 1\)"):
        u[1, 1]


def test_constants_have_no_derivatives() -> None:
    found = constant(2.5, FULL) * constant(2.0, FULL)
    assert found.terms == {(0, 0): 5.0}
    assert all(found[alpha] == 0 for alpha in FULL - {(0, 0)})


LAWS: Mapping[str, Callable[[Jet, Jet], tuple[Jet, Jet]]] = {
    "products commute": lambda u, v: (u * v, v * u),
    "products associate": lambda u, v: ((u * v) * u, u * (v * u)),
    "products distribute": lambda u, v: (u * (v + u), u * v + u * u),
    "quotients undo products": lambda u, v: (u * v / v, u),
    "powers add": lambda u, v: (u**1.5 * u**-0.5, u),
    "exp undoes log": lambda u, v: (UNIVARIATE["exp"](UNIVARIATE["log"](u)), u),
    "squares of sine and cosine": lambda u, v: (UNIVARIATE["sin"](u) ** 2 + UNIVARIATE["cos"](u) ** 2, u * 0 + 1.0),
    "angle and tangent": lambda u, v: (UNIVARIATE["tan"](MULTIVARIATE["atan2"](u, v)), u / v),
    "minimum and maximum": lambda u, v: (MULTIVARIATE["min"](u, v) + MULTIVARIATE["max"](u, v), u + v),
    "sigmoid and tanh": lambda u, v: (UNIVARIATE["sigmoid"](2.0 * u) * 2.0 - 1.0, UNIVARIATE["tanh"](u)),
}


@pytest.mark.parametrize("law", LAWS.values(), ids=LAWS)
def test_laws_of_arithmetic_hold_for_all_derivatives(law: Callable[[Jet, Jet], tuple[Jet, Jet]]) -> None:
    left, right = law(inner(*jets()), other(*jets()))
    assert left.indices == right.indices == FULL
    assert_same(left, {alpha: right[alpha] + torch.zeros(6, dtype=torch.float64) for alpha in FULL})
