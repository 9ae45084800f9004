"""What a numerical check refuses and warns of: wrong files beside the exact text that the user sees.

KANPDE_UPDATE_GOLDEN=1 writes the texts anew.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from time import thread_time

import pytest
from click.testing import CliRunner, Result

from kanpde.cli import main
from kanpde.errors import SpecError
from kanpde.plan import plan, stated
from kanpde.portrait import portrait
from kanpde.proof import prove
from kanpde.spec import Spec, read_spec, read_spec_text

FOLDER = Path(__file__).parent / "mistakes_numerical"
FILES = sorted(FOLDER.glob("*.yaml"))
PROBLEMS = Path(__file__).parent.parent / "problems"
every_mistake = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def run(*arguments: str) -> Result:
    """One call of the program."""
    return CliRunner().invoke(main, list(arguments))


def heat(**changed: str) -> Spec:
    """A heat equation with some entries replaced."""
    entries = {"x": "[0, 1]", "heat": "u_t = u_xx", "u": "sin(pi*x)", "boundary": "{all: u = 0}"} | changed
    text = """
unknowns: [u]
domain: {{x: {x}, t: [0, 1]}}
equations: {{heat: "{heat}"}}
initial: {{u: "{u}"}}
boundary: {boundary}
""".format(**entries)
    return read_spec_text(text, "heat.yaml", FOLDER)


@every_mistake
def test_every_mistake_is_shown_as_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    text = str(SpecError(prove(read_spec(path.name)).mistakes)) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("KANPDE_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_recorded_text_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in FILES}
    assert len(FILES) >= 12


@every_mistake
def test_every_mistake_ends_with_2_unless_formulas_are_not_evaluated(path: Path) -> None:
    refused, passed = run("check", str(path)), run("check", "--fast", str(path))
    assert refused.exit_code == 2 and str(path) in refused.stderr and not refused.stdout
    assert passed.exit_code == 0 and not passed.stderr


def test_json_has_the_mistakes_of_the_formulas() -> None:
    document, = json.loads(run("check", "--json", str(FOLDER / "wrong_sign.yaml")).stdout)
    mistake, = document["mistakes"]
    assert mistake["line"] == 5 and mistake["path"] == "equations.poisson" and not document["ok"]


@pytest.mark.parametrize(
    ("spec", "warning"),
    [
        (heat(u="cos(pi*x)"), "t_min.u and x_min.u disagree by 1 at x = 0, t = 0"),
        (heat(u="x*(1 - x)", boundary="{left: dn(u) = 0, right: u = 0}"), "on the slope of u by 1 at x = 0, t = 0"),
        (heat(boundary="{x: periodic}"), "its slope at x = 0 and 1 differs by 6.28"),
        (heat(u="x", boundary="{x: periodic}"), "its value at x = 0 and 1 differs by 1"),
        (heat(heat="u_t = 1e-6*u_xx"), "differ in size"),
        (heat(heat="u_t = u_xx + 1/x"), "1/x in equations.heat is not a finite number at x = 0, t = 0"),
        (heat(x="[-1, 1]", heat="u_t = u_xx + log(abs(x))*u"), "is not a finite number at x = 0"),
    ],
)  # fmt: skip
def test_what_is_odd_is_told(spec: Spec, warning: str) -> None:
    proof = prove(spec)
    assert not proof.mistakes and any(warning in found for found in proof.warnings), proof.warnings


@pytest.mark.parametrize(
    "spec",
    [
        heat(),
        heat(u="cos(pi*x)", boundary="{all: dn(u) = 0}"),
        heat(u="cos(2*pi*x)", boundary="{x: periodic}"),
        heat(heat="u_t = u_xx + u_x/x"),
        heat(heat="u_t = u_xx + where(x > 0.5, sqrt(x), 0)"),
    ],
)
def test_what_is_sound_raises_no_warning(spec: Spec) -> None:
    assert prove(spec).warnings == prove(spec).mistakes == ()


@pytest.mark.parametrize("name", ["flow_2d_kovasznay", "elliptic_3d_poisson", "dispersive_1d_kdv_two_soliton"])
def test_a_proof_takes_less_than_a_third_of_a_second(name: str) -> None:
    spec = read_spec(PROBLEMS / f"{name}.yaml")
    start = thread_time()  # other programs do not count
    prove(spec)
    assert thread_time() - start < 0.3


@pytest.mark.parametrize("override", ["network.width=50", "network.basis=chebyshev", "training.derivatives=autograd"])
def test_a_plan_accounts_for_every_condition(override: str) -> None:
    for name in ("elliptic_1d_beam", "flow_2d_kovasznay", "parabolic_2d_heat"):
        spec = read_spec(PROBLEMS / f"{name}.yaml", [override])
        found = plan(spec)
        assert sorted((*found.built_in, *found.penalised)) == sorted(c.name for c in (*spec.initial, *spec.boundary))
        assert set(found.penalised) < set(found.weights) and found.memory > 0 and "network" in stated(found)
        assert {b: points.shape[1] for b, points in found.samples(10**9).items()} == found.points


@pytest.mark.parametrize("name", ["elliptic_1d_beam", "parabolic_1d_allen_cahn", "parabolic_2d_heat"])
def test_a_domain_of_any_dimension_is_drawn(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("check", "--plot", str(PROBLEMS / f"{name}.yaml"))
    assert result.exit_code == 0 and f"{name}-domain.png" in result.stdout
    assert (tmp_path / f"{name}-domain.png").read_bytes().startswith(b"\x89PNG")


def test_four_coordinates_are_drawn_by_the_first_three() -> None:
    text = """
unknowns: [u]
domain: {x: [0, 1], y: [0, 2], z: [0, 9], t: [0, 1]}
equations: {heat: u_t = lap(u)}
initial: {u: 0}
boundary: {all: u = 0}
"""
    spec = read_spec_text(text, "heat.yaml", FOLDER)
    assert portrait(spec, plan(spec)).startswith(b"\x89PNG")
