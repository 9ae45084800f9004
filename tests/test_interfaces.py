"""Equations in one region of several: what lies where, what jumps, and solutions to rounding on both sides."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from kanpde.check import kind
from kanpde.proof import exact_residuals, prove
from kanpde.solution import restored
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec_text
from kanpde.statement import Piece

INCLUSION = (Path(__file__).parent.parent / "problems" / "elliptic_2d_inclusion.yaml").read_text(encoding="utf-8")
LINE = """\
unknowns: [u]
domain:
  shapes:
    steel: interval(x=[0, 0.5])
    cork: interval(x=[0.5, 1])
  region: steel + cork
equations:
  steel: {in: steel, is: -div(k*grad(u)) = 1}
  cork: {in: cork, is: -div(k*grad(u)) = 1}
boundary:
  steel.left, cork.right: u = 0
  steel.right: [jump(u) = 0, jump(k*u_x) = 0]
definitions:
  k: {steel: K, cork: 1}
  K: 1000
  c: (1/8/K + 3/8)/(1/2/K + 1/2)
  a: (c*x - x^2/2)/K
  b: c*(x - 1) - (x^2 - 1)/2
exact:
  u: {steel: a, cork: b}
"""
CHOSEN = LINE.replace("{steel: K, cork: 1}", "where(x < 0.5, K, 1)").replace(
    "{steel: a, cork: b}", "where(x < 0.5, a, b)"
)
CUT = """\
unknowns: [u]
domain:
  shapes:
    plate: rectangle(x=[-1, 1], y=[-1, 1])
    coin: disc(center=[1, 0], radius=0.5)
    half: rectangle(x=[-1, 0], y=[-1, 1])
  region: plate
equations:
  west: {in: half, is: -lap(u) = f}
  east: {in: plate - half - coin, is: -2*lap(u) = 2*f}
  coin: {in: plate & coin, is: -lap(u) = f}
definitions:
  g: sin(x + 2*y)
  f: 5*g
  k: {half: 1, plate - half - coin: 2, plate & coin: 1}
  s: {half: 0, plate-half-coin: 1, plate & coin: 3}
boundary:
  plate: u = g + s
  half.right: [jump(u) = 1, jump(dn(u)) = 0]
  coin: [jump(u) = -2, jump(k*dn(u)) = dn(g)]
exact:
  u: {half: g, plate - half - coin: g + 1, plate & coin: g + 3}
"""
HEAT = """\
unknowns: [u]
domain:
  shapes:
    steel: interval(x=[0, 0.5])
    cork: interval(x=[0.5, 1])
  region: steel + cork
  t: [0, 1]
equations:
  steel: {in: steel, is: u_t = k*u_xx + 1 - u}
  cork: {in: cork, is: u_t = k*u_xx + 1 - u}
definitions:
  k: {steel: 4, cork: 1}
  b: {steel: 1, cork: 4}
  g: 1 + exp(-t)*(x - 1/2)*b
initial: {u: 1 + (x - 1/2)*b}
boundary:
  steel.left, cork.right: u = g
  steel.right: [jump(u) = 0, jump(k*dn(u)) = 0]
exact: {u: g}
"""
BALL = """\
unknowns: [u]
domain:
  shapes:
    block: box(x=[-1, 1], y=[-1, 1], z=[-1, 1])
    core: ball(center=[0, 0, 0], radius=R)
  region: block
equations:
  block: {in: block - core, is: div(k*grad(u)) = 0}
  core: {in: core, is: div(k*grad(u)) = 0}
definitions:
  R: 1/2
  K: 5
  r: sqrt(x^2 + y^2 + z^2)
  k: where(r < R, K, 1)
boundary:
  block: u = x - (K - 1)/(K + 2)*R^3*x/r^3
  core: [jump(u) = 0, jump(k*dn(u)) = 0]
exact:
  u: where(r < R, 3/(K + 2)*x, x - (K - 1)/(K + 2)*R^3*x/r^3)
"""
PROBLEMS = {"line": LINE, "chosen": CHOSEN, "inclusion": INCLUSION, "cut": CUT, "heat": HEAT, "ball": BALL}
THREAD = ("training.threads=1",)


def spec(text: str, *overrides: str) -> Spec:
    return read_spec_text(text, "test.yaml", Path("."), overrides)


@pytest.mark.parametrize("name", PROBLEMS)
def test_exact_solutions_leave_no_residual(name: str) -> None:
    found = exact_residuals(spec(PROBLEMS[name]))
    assert {"steel", "outside", "west", "block"} & {part.name for part in found}
    assert max(part.relative for part in found) < 1e-13
    assert not prove(spec(PROBLEMS[name])).warnings


@pytest.mark.parametrize(
    ("name", "right", "wrong"),
    [
        ("cut", "jump(u) = 1", "jump(u) = -1"),
        ("cut", "jump(u) = -2", "jump(u) = 2"),
        ("cut", "= dn(g)", "= -dn(g)"),
        ("line", "jump(k*u_x)", "jump(u_x)"),
        ("chosen", "jump(k*u_x)", "jump(u_x)"),
        ("inclusion", "jump(k*dn(u))", "jump(u + dn(u))"),
    ],
)
def test_jumps_of_another_size_or_sign_are_refuted(name: str, right: str, wrong: str) -> None:
    assert right in PROBLEMS[name]
    (mistake,) = prove(spec(PROBLEMS[name].replace(right, wrong))).mistakes
    assert wrong in str(mistake) and "does not satisfy" in str(mistake)


def test_interfaces_lie_on_both_regions_with_normals_of_the_shape() -> None:
    zones = spec(CUT).zones
    assert zones is not None
    assert zones.interfaces == (
        ("coin", "", "plate & coin", "plate - half - coin"),
        ("half", "right", "half", "plate - half - coin"),
    )
    generator = np.random.default_rng(0)
    for shape, part, *pair in zones.interfaces:
        points, normals = zones.alone(shape).on(shape, part, 500, lambda d, n: generator.random((d, n)))
        kept = zones.between((pair[0], pair[1]), shape, points, normals)
        for sign, name in zip((-1, 1), pair):
            assert zones.parts[name].inside((points + sign * 1e-5 * normals)[:, kept], closed=False).all()
            assert zones.parts[name].inside(points[:, kept]).all()


def test_where_boundaries_run_along_each_other_the_first_names_the_interface() -> None:
    inner = [face for c in spec(LINE).boundary if isinstance(face := c.face, Piece) and face.between]
    assert {(str(face), face.between) for face in inner} == {("steel.right", ("steel", "cork"))}
    assert {kind(c, spec(LINE)).type for c in spec(LINE).boundary} == {"dirichlet", "interface"}


@pytest.mark.parametrize("name", ["line", "chosen"])
def test_two_materials_on_a_line_to_eleven_digits(name: str) -> None:
    solution = solve(spec(PROBLEMS[name], "training.stop.error=1e-11", *THREAD))
    assert solution.errors()["u"].relative_l2 < 1e-11
    x = np.array([0.1, 0.5 - 1e-9, 0.5 + 1e-9, 0.9])
    flux = (1 / 8000 + 3 / 8) / (1 / 2000 + 1 / 2) - x  # c - x
    assert np.allclose(solution.at(x[:, None], ["k*u_x"])["k*u_x"], flux, atol=1e-8)


@pytest.mark.parametrize("ratio", [10, 1000])
def test_an_inclusion_bends_the_field_as_maxwell_says(ratio: int) -> None:
    text = INCLUSION.replace("K: 10", f"K: {ratio}").replace("*sin(2*x + y)", "*0")
    solution = solve(spec(text, "training.stop.error=1e-9", *THREAD))
    assert solution.errors()["u"].relative_l2 < 1e-9


def test_fields_are_put_together_and_stored_whole() -> None:
    solution = solve(spec(CUT, "training.stop.error=1e-9", "output.grid=[11, 11]", *THREAD))
    result = solution.tabulate()
    x, y = np.meshgrid(*result.axes.values(), indexing="ij")
    coin = (x - 1) ** 2 + y**2 < 0.2499
    away = (np.abs(x) > 1e-9) & (np.abs((x - 1) ** 2 + y**2 - 0.25) > 1e-3)
    expected = np.sin(x + 2 * y) + np.where(coin, 3, np.where(x < 0, 0, 1))
    assert np.abs(result.fields["u"].values - expected)[away].max() < 1e-9
    assert np.isnan(result.fields["residual_west"].values[x > 1e-9]).all()
    assert np.isfinite(result.fields["residual_west"].values[x < 0]).all()
    assert np.isfinite(result.fields["residual_coin"].values[coin]).all()
    points = np.array([[-0.5, 0.2], [0.3, 0.1], [0.9, 0.1]])
    again = restored(result)
    assert np.array_equal(again.at(points, ["u", "u_x"])["u_x"], solution.at(points, ["u_x"])["u_x"])
