"""Formulas of trained solutions: found, proved, and never said to be exact where they are not."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from time import process_time

import numpy as np
import pytest
import sympy
import torch
from click.testing import CliRunner
from small import gallery
from sympy.parsing.latex import parse_latex

from kanpde.cli import main
from kanpde.evaluation import Scope
from kanpde.expression import parse
from kanpde.insight.arrays import numbers
from kanpde.insight.conditions import determined
from kanpde.insight.export import NOTATIONS
from kanpde.insight.fields import Samples
from kanpde.insight.findings import Found, Outcome
from kanpde.insight.formula import field_values
from kanpde.insight.patience import OutOfTime, within
from kanpde.insight.proof import proved
from kanpde.insight.recognition import recognised
from kanpde.insight.search import _Search, formula_of
from kanpde.insight.spans import spanning
from kanpde.insight.statement import stripped
from kanpde.insight.symbolic import expression, symbol
from kanpde.regional import known_fields
from kanpde.result import FieldError
from kanpde.result import Outcome as Ending
from kanpde.solution import Solution
from kanpde.solve import solve
from kanpde.spec import read_spec, read_spec_text
from kanpde.tree import Tree

ROOT = Path(__file__).parent / "formula_problems"
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


RING = """\
kanpde: 1
unknowns: [u]
domain: {shapes: {wall: "annulus(center=[1, 0], inner=1, outer=2)"}}
equations: {heat: lap(u) = 0}
boundary: {wall.inner: dn(u) = -3, wall.outer: u = 1}
"""


def test_a_solution_on_a_ring_is_proved_on_both_its_circles() -> None:
    """1 + 3 log(r/2), whose slope out of the ring is −3/r on the inner circle; with another constant it is not."""
    spec = stripped(read_spec_text(RING, "ring.yaml", Path(".")))
    made = 1 + 3 * sympy.log(((x - 1) ** 2 + y**2) / 4) / 2
    assert all(check.holds for check in proved(spec, {"u": made}))
    off = 1 + sympy.Rational(1, 10**6)
    for near, missed in ((made * off, {"wall.inner.dn_u", "wall.outer.u"}), (made + off - 1, {"wall.outer.u"})):
        assert {check.name for check in proved(spec, {"u": near}) if not check.holds} == missed


@pytest.mark.slow
def test_a_radial_solution_is_found_and_proved() -> None:
    solution = solve(read_spec_text(RING, "ring.yaml", Path(".")))
    got = formula_of(solution, stripped(solution.spec), solution.estimated_errors)
    assert got.outcome is Outcome.VERIFIED
    gap = got.expressions["u"] - 1 - 3 * sympy.log(((x - 1) ** 2 + y**2) / 4) / 2
    assert sympy.simplify(sympy.expand_log(gap, force=True)) == 0
    assert any("distance from (1, 0)" in said for said, _ in got.structure["u"])


@pytest.mark.parametrize("name", ["elliptic_2d_l_shape", "flow_2d_cylinder"])
def test_no_formula_is_looked_for_beyond_boxes_discs_and_rings(name: str) -> None:
    spec = stripped(gallery(name))
    solution = Solution(spec, None, torch.zeros(0), {}, Ending.FINISHED, {}, {})  # type: ignore[arg-type]
    assert formula_of(solution, spec, {}).outcome is Outcome.NONE


@pytest.mark.parametrize(
    ("columns", "count"),
    [
        (lambda x: x**3 - x, 2),
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


MADE = [
    sympy.exp(-(sympy.pi**2) * t / 4) * sympy.sin(sympy.pi * x) ** 2,
    2 / sympy.cosh(x - 4 * t) ** 2 + sympy.E * x,
    4 * sympy.atan(sympy.exp((2 * x - t) / sympy.sqrt(3))),
    sympy.log(1 + x**2) / 7 - sympy.tanh(x) * sympy.sqrt(2 + t) / 3,
]
AT = {"x": 0.3, "t": 0.7}


def read_text(text: str) -> float:
    points = torch.tensor([list(AT.values())], dtype=torch.float64).T
    scope = Scope(tuple(AT), (), {})
    return float(field_values(parse(text), np.zeros(0), scope, points)[0])


def read_sympy(text: str) -> float:
    return float(sympy.sympify(text).subs({symbol(k): v for k, v in AT.items()}))


def read_latex(text: str) -> float:
    given = {**AT, "e": sympy.E, "pi": sympy.pi}
    return float(parse_latex(text).subs({sympy.Symbol(name): value for name, value in given.items()}))


def read_python(text: str) -> float:
    return float(eval(text, {"math": math, **AT}))


def read_c(text: str, folder: Path) -> float:
    source, program = folder / "formula.c", folder / "formula"
    given = ", ".join(f"{name} = {value}" for name, value in AT.items())
    body = f'int main(void) {{ double {given}; printf("%.17g", {text}); return 0 * (x > t); }}'
    source.write_text(f"#include <math.h>\n#include <stdio.h>\n{body}\n")
    subprocess.run(["cc", "-D_GNU_SOURCE", str(source), "-o", str(program), "-lm"], check=True)
    return float(subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout)


READERS = {"text": read_text, "sympy": read_sympy, "latex": read_latex, "python": read_python}


@pytest.mark.parametrize("made", MADE)
def test_every_notation_has_the_values_of_the_formula(made: sympy.Expr, tmp_path: Path) -> None:
    value = float(made.subs({symbol(k): v for k, v in AT.items()}))
    found = {name: read(NOTATIONS[name](made)) for name, read in READERS.items()}
    if shutil.which("cc"):
        found["c"] = read_c(NOTATIONS["c"](made), tmp_path)
    assert found == pytest.approx(dict.fromkeys(found, value), rel=1e-14)
    assert set(READERS) | {"c"} == set(NOTATIONS)


def test_formulas_are_written_as_in_problem_files() -> None:
    assert NOTATIONS["text"](MADE[0]) == "exp(-pi^2*t/4)*sin(pi*x)^2"
    assert NOTATIONS["text"](sympy.Abs(x) ** sympy.E) == "abs(x)^e"


def test_an_expression_has_the_same_values_in_arrays() -> None:
    for made in (*MADE, sympy.Integer(3), sympy.sqrt(x - 1)):
        points = np.array([[0.3, 2.0], [0.7, 0.1]])
        known = [made.subs({x: a, t: b}) for a, b in points.T]
        got = numbers(made, ("x", "t"), points)
        assert got == pytest.approx([float(v) if v.is_real else np.nan for v in known], rel=1e-13, nan_ok=True)


def test_algebra_that_takes_too_long_is_given_up() -> None:
    start = process_time()
    with pytest.raises(OutOfTime), within(0.2):
        while True:
            pass
    assert process_time() - start < 2


def test_constants_are_found_from_the_conditions() -> None:
    """Of a solution sinh(pi x) sin(pi y) / sinh(pi), whose factor no table of numbers has."""
    spec = stripped(read_spec(ROOT / "elementary" / "elliptic_2d_laplace.yaml"))
    a, b = sympy.symbols("a b", real=True)
    field = (a * sympy.exp(sympy.pi * x) + b * sympy.exp(-sympy.pi * x)) * sympy.sin(sympy.pi * y)
    weight = 1 / (2 * np.sinh(np.pi))
    exact = determined(spec, {"u": field}, {a: weight, b: -weight})
    assert exact is not None and all(check.holds for check in proved(spec, {"u": field.subs(exact)}))
    assert determined(spec, {"u": field}, {a: weight, b: weight}) is None


def test_what_is_missed_is_told_with_its_size() -> None:
    spec = stripped(gallery("elliptic_1d_beam"))
    checks = {check.name: check for check in proved(spec, {"u": -(x**4) / 24})}
    assert checks["x_max.u_xx" if "x_max.u_xx" in checks else list(checks)[-2]].how == "missed by 0.5"
    assert checks["beam"].holds


def test_integrals_over_a_square_are_proved() -> None:
    fields = {"u": 2 * sympy.sin(sympy.pi * x) * sympy.sin(sympy.pi * y), "lam": 2 * sympy.pi**2}
    assert all(check.holds for check in proved(stripped(gallery("eigen_2d_square")), fields))


def test_runs_in_doubt_promise_nothing() -> None:
    """No bound on the error of a formula rests on the estimate of a suspicious run."""
    estimated = {"u": FieldError(1e-9, 1e-9, "estimate")}
    bounds = {}
    for ending in (Ending.FINISHED, Ending.SUSPICIOUS, Ending.UNRESOLVED, Ending.INTERRUPTED):
        solution = Solution(None, None, torch.zeros(0), {}, ending, {}, {})  # type: ignore[arg-type]
        bounds[ending] = _Search(Samples(solution), None, None, estimated, 0.0).bounds({"u": 1e-3})  # type: ignore
    assert 1e-3 < bounds.pop(Ending.FINISHED)["u"] < 1.2e-3
    assert not any(bounds.values())


def test_every_field_is_read_as_nearly_as_the_run_knows_its_error() -> None:
    """Pressures are less accurate than velocities: each has a tolerance of its own, and at last a finer one."""
    spec = gallery("flow_2d_taylor_green")
    errors = {"u": 1e-8, "v": 1e-6, "p": 1e-4}
    solution = Solution(spec, None, torch.zeros(0), {}, Ending.FINISHED, {}, {})  # type: ignore[arg-type]
    estimated = {name: FieldError(error, error, "estimate") for name, error in errors.items()}
    tried = list(_Search(Samples(solution), spec, None, estimated, 0.0).tolerances())  # type: ignore[arg-type]
    assert tried[0] == pytest.approx({name: 10 * error for name, error in errors.items()})
    assert all(tried[-1][name] < tried[0][name] for name in errors)
    assert max(max(tolerances.values()) for tolerances in tried) <= 1e-3


@pytest.fixture(scope="module")
def beam(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a problem, and what came of the search for its formula."""
    folder = tmp_path_factory.mktemp("beam") / "run"
    problem = str(Path(__file__).parent.parent / "problems" / "elliptic_1d_beam.yaml")
    solving = ["solve", problem, "--quiet", "--out", str(folder), "--set", "output.save=[h5]"]
    for words in (solving, ["formula", str(folder)]):
        got = CliRunner().invoke(main, words)
        assert got.exit_code == 0, got.output
    return folder


def test_a_formula_is_kept_and_compared(beam: Path) -> None:
    facts = json.loads((beam / "formula.json").read_text())
    assert facts["outcome"] == "verified exact" and facts["candidates"]["u"]
    got = CliRunner().invoke(main, ["compare", str(beam), str(beam / "formula.json"), "--json"])
    assert got.exit_code == 0 and json.loads(got.output)["differences"]["u"]["relative_l2"] < 1e-10


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "not JSON"),
        ("[]", "not a file that kanpde formula wrote"),
        ('{"format": "kanpde-formula", "formulas": {}}', "no formula was found"),
        ('{"format": "kanpde-formula", "formulas": {"u": "sin(u)"}}', "has 'u' in it"),
        ('{"format": "kanpde-formula", "formulas": {"u": "sin(x"}}', "the formula of 'u'"),
    ],
)
def test_wrong_files_of_formulas_are_refused(content: str, said: str, beam: Path, tmp_path: Path) -> None:
    (tmp_path / "formula.json").write_text(content)
    got = CliRunner().invoke(main, ["compare", str(beam), str(tmp_path / "formula.json")])
    assert got.exit_code != 0 and said in got.output
