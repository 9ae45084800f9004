"""Operators mean what the textbook says, and the tables of words agree with what is implemented."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch
from torch import Tensor

from kanpde.errors import KanpdeError
from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.expression import Tree, parse
from kanpde.functions import MULTIVARIATE, UNIVARIATE, where
from kanpde.jet import Jet, constant
from kanpde.operators import OPERATORS, Scene, expand, facing
from kanpde.resolution import NUMBER, resolve
from kanpde.resolution import Scope as Names
from kanpde.trial import no_unknowns
from kanpde.vocabulary import FUNCTIONS
from kanpde.vocabulary import OPERATORS as WORDS

FIELDS = {
    "f": "sin(x)*exp(2*y)*cos(3*z)",
    "g": "x^2*y^3*z",
    "h": "exp(x*y)",
    "r": "x^4*y^4",
}
POINTS = torch.rand(3, 8, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 0.1


def tree(text: str, axes: tuple[str, ...], normal: tuple[str, int] | None = None) -> Tree:
    """A formula of the coordinates and the fields above, in partial derivatives only."""
    names = Names(axes, (), dict.fromkeys(FIELDS, NUMBER), on_face=normal is not None)
    found = resolve(parse(text), names)
    assert not found.faults, found.faults
    spatial = tuple(axis for axis in axes if axis != "t")
    return expand(found.tree, Scene(spatial, definitions(axes), facing(*normal) if normal else None))


def definitions(axes: tuple[str, ...]) -> dict[str, Tree]:
    """The fields that the coordinates allow."""
    flat = {name: text.replace("*cos(3*z)", "").replace("*z", "") for name, text in FIELDS.items()}
    texts = FIELDS if "z" in axes else flat
    return {name: resolve(parse(text), Names(axes, (), {})).tree for name, text in texts.items()}


def values(text: str, axes: tuple[str, ...], normal: tuple[str, int] | None = None) -> Tensor:
    """The formula's values at the points."""
    zero = frozenset({(0,) * len(axes)})
    ground, scope = Ground(POINTS[: len(axes)]), Scope(axes, (), definitions(axes))
    found = evaluate(tree(text, axes, normal), zero, scope, ground, no_unknowns)
    return torch.as_tensor(as_jet(found, zero, ground).value)


PLANE, SPACE, FLOW = ("x", "y"), ("x", "y", "z"), ("x", "t")
HAND = [
    (PLANE, "lap(f)", "3*f"),
    (PLANE, "biharm(f)", "9*f"),
    (PLANE, "biharm(r)", "24*y^4 + 24*x^4 + 2*144*x^2*y^2"),
    (PLANE, "lap(lap(r))", "24*y^4 + 24*x^4 + 2*144*x^2*y^2"),
    (PLANE, "div(grad(h))", "(x^2 + y^2)*h"),
    (PLANE, "lap(h)", "(x^2 + y^2)*h"),
    (PLANE, "div((f, g))", "cos(x)*exp(2*y) + 3*x^2*y^2"),
    (PLANE, "div(f, g)", "cos(x)*exp(2*y) + 3*x^2*y^2"),
    (PLANE, "curl((f, g))", "2*x*y^3 - 2*f"),
    (PLANE, "curl(grad(h))", "0*x"),
    (PLANE, "dot(grad(g), grad(h))", "(2*x*y^3*y + 3*x^2*y^2*x)*h"),
    (PLANE, "dot((f, g), (g, f))", "2*f*g"),
    (PLANE, "d(h, x, y)", "(1 + x*y)*h"),
    (PLANE, "d(x*h, x)", "(1 + x*y)*h"),
    (PLANE, "d(d(g, x), y, y)", "12*x*y"),
    (PLANE, "div(x*grad(h))", "x*(x^2 + y^2)*h + y*h"),
    (PLANE, "dot((1, 2), 3*grad(g) - grad(g)/2)", "2.5*(2*x*y^3 + 6*x^2*y^2)"),
    (SPACE, "lap(f)", "-6*f"),
    (SPACE, "biharm(f)", "36*f"),
    (SPACE, "div((f, g, h))", "cos(x)*exp(2*y)*cos(3*z) + 3*x^2*y^2*z"),
    (SPACE, "dot(curl((f, g, h)), (1, 0, 0))", "x*h - x^2*y^3"),
    (SPACE, "dot(curl((f, g, h)), (0, 1, 0))", "-3*sin(x)*exp(2*y)*sin(3*z) - y*h"),
    (SPACE, "dot(curl((f, g, h)), (0, 0, 1))", "2*x*y^3*z - 2*f"),
    (SPACE, "div(curl((f, g, h)))", "0*x"),
    (SPACE, "dot(curl(grad(g)), (1, 2, 3))", "0*x"),
    (FLOW, "lap(x^3*t)", "6*x*t"),
    (FLOW, "d(x^3*t^2, t)", "2*x^3*t"),
]


@pytest.mark.parametrize(("axes", "operator", "hand"), HAND, ids=[f"{len(a)}d-{o}" for a, o, _ in HAND])
def test_operators_are_their_hand_formulas(axes: tuple[str, ...], operator: str, hand: str) -> None:
    found, expected = values(operator, axes), values(hand, axes)
    assert found.shape == (8,)
    assert (found - expected).abs().max() <= 1e-13 * max(1.0, float(expected.abs().max()))


@pytest.mark.parametrize("axis", ["x", "y"])
@pytest.mark.parametrize("sign", [1, -1])
def test_the_normal_derivative_points_out(axis: str, sign: int) -> None:
    hand = {"x": "y*h", "y": "x*h"}[axis]
    assert torch.allclose(values("dn(h)", PLANE, (axis, sign)), sign * values(hand, PLANE), rtol=1e-14)


def test_the_normal_derivative_needs_a_face() -> None:
    with pytest.raises(KanpdeError, match="boundary"):
        expand(parse("dn(h)"), Scene(PLANE, {}))


@pytest.mark.parametrize("text", ["div((f, g, h))", "dot((f, g, h), grad(f))", "curl((f, g, h))"])
def test_vectors_of_the_wrong_length_are_refused(text: str) -> None:
    with pytest.raises(KanpdeError, match="2 components|3 components"):
        expand(parse(text), Scene(PLANE, {}))


def test_operators_of_the_vocabulary_are_those_implemented() -> None:
    of_functions = {name for name, word in WORDS.items() if word.only != "constraints"}
    assert of_functions == set(OPERATORS) | {"d", "jump"}  # jump is resolved before, region by region


def test_functions_of_the_vocabulary_are_those_implemented() -> None:
    names = set(FUNCTIONS)
    assert names <= set(UNIVARIATE) | set(MULTIVARIATE) | {"where"}
    assert set(UNIVARIATE) - names == {"silu", "sigmoid"}  # parts of networks, not words of formulas
    assert set(MULTIVARIATE) <= names
    assert all(FUNCTIONS[name].arguments == 1 for name in names & set(UNIVARIATE))
    assert all(FUNCTIONS[name].arguments == 2 for name in MULTIVARIATE)


ARGUMENTS = (-2.3, -1.0, -0.4, -0.0, 0.0, 0.25, 1.0, 1.7)


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) & set(UNIVARIATE)))
def test_functions_of_numbers_and_of_tensors_agree(name: str) -> None:
    tried, of_tensor = 0, UNIVARIATE[name].value
    for x in ARGUMENTS:
        found = float(of_tensor(torch.tensor(x, dtype=torch.float64)))
        try:
            expected = FUNCTIONS[name].scalar(x)
        except ValueError:  # no real value, which is NaN or infinite on tensors
            assert not math.isfinite(found)
            continue
        tried += 1
        assert found == pytest.approx(expected, rel=2e-15, abs=1e-16)
    assert tried >= 3


def jet(value: float) -> Jet:
    """A number as a jet of one point."""
    return constant(torch.tensor([value], dtype=torch.float64), frozenset({(0,)}))


@pytest.mark.parametrize("name", sorted(MULTIVARIATE))
def test_functions_of_two_numbers_and_of_jets_agree(name: str) -> None:
    for a, b in product(ARGUMENTS, ARGUMENTS):
        if name == "mod" and b == 0:
            continue
        found = torch.as_tensor(MULTIVARIATE[name](jet(a), jet(b)).value)
        assert float(found) == pytest.approx(FUNCTIONS[name].scalar(a, b), rel=2e-15, abs=1e-16), (a, b)


def test_choices_of_numbers_and_of_jets_agree() -> None:
    for holds in (True, False):
        found = where(torch.tensor([holds]), jet(2.0), jet(3.0))
        assert float(found.value) == FUNCTIONS["where"].scalar(float(holds), 2.0, 3.0)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_functions_in_formulas_agree_with_their_tensors(name: str) -> None:
    """f(0·x + a) on points is f(a) of numbers."""
    count = FUNCTIONS[name].arguments
    arguments = ["0.3", "0.7", "0.2"][:count]
    plain = f"{name}({', '.join(arguments)})" if name != "where" else "where(0.3 < 0.7, 0.7, 0.2)"
    varying = plain.replace("(", "(0*x + ", 1)
    assert torch.allclose(values(varying, PLANE), values(plain, PLANE), rtol=1e-15, atol=1e-16)
