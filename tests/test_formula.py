"""Formulas of trained solutions: found, proved, and never said to be exact where they are not."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest
import sympy
import torch
from small import gallery

from kanpde.insight.export import NOTATIONS
from kanpde.insight.proof import proved
from kanpde.insight.recognition import recognised
from kanpde.insight.search import Found, Outcome, formula_of
from kanpde.insight.spans import spanning
from kanpde.insight.statement import stripped
from kanpde.insight.symbolic import expression, symbol
from kanpde.regional import known_fields
from kanpde.result import Outcome as Ending
from kanpde.solution import Solution
from kanpde.solve import solve
from kanpde.spec import read_spec_text
from kanpde.tree import Tree

x, t, y = map(symbol, "xty")
GOLDEN = {
    "elliptic_1d_beam": {"u": -(x**2) * (x**2 - 4 * x + 6) / 24},
    "elliptic_2d_poisson": {"u": sympy.sin(sympy.pi * x) * sympy.sin(sympy.pi * y)},
    "parabolic_1d_heat": {"u": sympy.exp(-(sympy.pi**2) * t / 4) * sympy.sin(sympy.pi * x)},
    "hyperbolic_1d_convection": {"u": sympy.sin(x - 30 * t)},
    "elliptic_2d_helmholtz": {"u": sympy.sin(sympy.pi * x) * sympy.sin(4 * sympy.pi * y)},
}
OSCILLATOR = """\
kanpde: 1
unknowns: [u]
fit: {E: {start: 0.4}}
domain: {x: [-8, 8]}
equations: {schroedinger: -u_xx/2 + x^2*u/2 = E*u}
boundary: {all: u = 0}
constraints: {norm: integral(u^2) = 1}
"""
EXACT = ["elliptic_1d_beam", "elliptic_2d_poisson", "parabolic_1d_heat", "hyperbolic_1d_wave", "flow_2d_kovasznay"]


@lru_cache(maxsize=8)
def solved(name: str) -> Solution:
    """A problem of the gallery, solved."""
    return solve(gallery(name))


def found(name: str) -> Found:
    solution = solved(name)
    return formula_of(solution, stripped(solution.spec), solution.estimated_errors)


def exact(name: str) -> dict[str, sympy.Expr]:
    """The solution that a problem states itself, as expressions."""
    spec = gallery(name)
    trees: dict[str, Tree] = known_fields(spec)
    return {k: expression(v, {a: symbol(a) for a in spec.box}, spec.definitions) for k, v in trees.items()}


@pytest.mark.slow
@pytest.mark.parametrize("name", GOLDEN)
def test_the_exact_solution_is_found_and_proved(name: str) -> None:
    got = found(name)
    assert got.outcome is Outcome.VERIFIED and got.symbolic
    for unknown, known in GOLDEN[name].items():
        assert sympy.simplify(got.expressions[unknown] - known) == 0


@pytest.mark.slow
def test_what_the_problem_says_of_its_solution_is_not_read() -> None:
    """With a wrong exact solution in the file, or none, the same is found."""
    solution = solved("elliptic_1d_beam")
    for exact_section in ("exact:\n  u: sin(x)\n", ""):
        text = solution.spec.text.partition("exact:")[0] + exact_section
        spec = read_spec_text(text, "beam.yaml", Path("."))
        other = replace(solution, spec=spec)
        got = formula_of(other, stripped(spec), solution.estimated_errors)
        assert got.outcome is Outcome.VERIFIED
        assert sympy.simplify(got.expressions["u"] - GOLDEN["elliptic_1d_beam"]["u"]) == 0


def test_a_stripped_problem_has_no_known_solution() -> None:
    spec = stripped(gallery("flow_2d_kovasznay"))
    assert not spec.exact and spec.reference is None
    assert "w" in stripped(gallery("hyperbolic_1d_sine_gordon")).definitions


@pytest.mark.parametrize("name", EXACT)
def test_the_true_solution_is_proved(name: str) -> None:
    assert all(check.holds for check in proved(stripped(gallery(name)), exact(name)))


@pytest.mark.slow
@pytest.mark.parametrize("name", EXACT)
def test_a_constant_that_is_off_by_a_millionth_is_never_proved(name: str) -> None:
    spec = stripped(gallery(name))
    for unknown, whole in exact(name).items():
        numbers = [n for n in whole.atoms(sympy.Number) if n not in (0, -1)] or [sympy.Integer(1)]
        for number in numbers[:1] if len(exact(name)) > 1 else numbers:
            near = whole.xreplace({number: number * (1 + sympy.Rational(1, 10**6))})
            near = whole * (1 + sympy.Rational(1, 10**6)) if near == whole else near
            assert not all(check.holds for check in proved(spec, {**exact(name), unknown: near}))


def test_a_domain_cut_off_is_not_fulfilled_exactly() -> None:
    """The state of the oscillator vanishes at infinity, not at the ends of a box."""
    spec = stripped(read_spec_text(OSCILLATOR, "oscillator.yaml", Path(".")))
    state = sympy.exp(-(x**2) / 2) / sympy.pi ** sympy.Rational(1, 4)
    checks = {check.name: check.holds for check in proved(spec, {"u": state, "E": sympy.Rational(1, 2)})}
    assert checks["schroedinger"] and not checks["x_min.u"]


@pytest.mark.parametrize("name", ["elliptic_2d_l_shape", "flow_2d_cylinder"])
def test_no_formula_is_looked_for_beyond_boxes(name: str) -> None:
    spec = stripped(gallery(name))
    solution = Solution(spec, None, torch.zeros(0), {}, Ending.FINISHED, {}, {})  # type: ignore[arg-type]
    assert formula_of(solution, spec, {}).outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("columns", "count"),
    [
        (lambda x: x**3 - x, 4),
        (lambda x: np.exp(-2.5 * x), 1),
        (lambda x: np.sin(7 * x + 0.3), 2),
        (lambda x: 1 + x + np.exp(3 * x), 3),
        (lambda x: x * np.exp(-x), 2),
        (lambda x: np.exp(-2 * (x - 0.2) ** 2), 1),
        (lambda x: 1 / np.cosh(3 * (x - 0.1)) ** 2, 1),
        (lambda x: 1 / (1 + 4 * x**2), 1),
    ],
)
def test_functions_of_one_coordinate_are_read(columns: object, count: int) -> None:
    at = np.linspace(-1, 1, 129)
    span = spanning(columns(at)[:, None], at, "x", 1e-9)  # type: ignore[operator]
    assert span is not None and len(span.atoms) == count


@pytest.mark.parametrize(
    "exact",
    [
        sympy.Rational(-7, 24),
        4 * sympy.pi,
        -(sympy.pi**2) / 4,
        sympy.sqrt(2) / 8,
        sympy.pi ** sympy.Rational(-1, 4),
        sympy.sqrt(1 + sympy.pi**2),
        sympy.Integer(0),
    ],
)
def test_exact_numbers_are_recognised(exact: sympy.Expr) -> None:
    assert sympy.simplify(recognised(float(exact), 1e-11, {}) - exact) == 0


def test_arbitrary_numbers_are_not_recognised() -> None:
    generator = np.random.default_rng(0)
    assert all(recognised(float(value), 1e-12, {}) is None for value in generator.uniform(0, 10, 20))


def test_every_notation_writes() -> None:
    made = sympy.exp(-(sympy.pi**2) * t / 4) * sympy.sin(sympy.pi * x) ** 2
    assert all(write(made) for write in NOTATIONS.values())
    assert NOTATIONS["text"](made) == "exp(-pi^2*t/4)*sin(pi*x)^2"
