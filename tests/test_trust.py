"""Estimated errors beside true ones, and problems made to fool a solver, each of which must end with the truth."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch

from kanpde.architecture import deep_networks
from kanpde.build import assemble
from kanpde.growth import grows
from kanpde.result import Outcome
from kanpde.solution import Solution
from kanpde.solve import solve
from kanpde.spec import read_spec, read_spec_text

PROBLEMS = Path(__file__).parent.parent / "problems"
THREAD = ("training.threads=1",)


def solved(text: str, *overrides: str) -> Solution:
    return solve(read_spec_text(text, "trap.yaml", Path("."), (*THREAD, *overrides)))


@pytest.mark.parametrize(
    "name, overrides",
    [
        ("elliptic_1d_poisson", ()),
        ("elliptic_1d_beam", ()),
        ("elliptic_2d_poisson", ("network.width=100",)),
        ("elliptic_2d_poisson", ()),
        ("elliptic_2d_nonlinear_poisson", ()),
        ("parabolic_1d_heat", ()),
        ("hyperbolic_1d_klein_gordon", ("training.stop.error=1e-5",)),
        ("inverse_1d_heat", ()),
    ],
)
def test_estimates_are_within_a_factor_of_three_of_the_true_errors(name: str, overrides: tuple[str, ...]) -> None:
    solution = solve(read_spec(PROBLEMS / f"{name}.yaml", (*THREAD, *overrides)))
    for field in solution.spec.unknowns:
        ratio = solution.estimated_errors[field].relative_l2 / solution.errors()[field].relative_l2
        assert 1 / 3 <= ratio <= 3


SIDES = 'unknowns: [u]\ndomain: {x: [0, 1], y: [0, 1]}\nequations: {pde: "%s"}\nboundary: {%s}\n'
ZERO = '"left, right, bottom, top": "u = 0"'
BACKWARDS = """unknowns: [u]
domain: {x: [0, 1], t: [0, 0.2]}
equations: {heat: u_t = -u_xx}
initial: {u: x*(1 - x)*exp(x)}
boundary: {"left, right": u = 0}
network: {width: 100}
"""
FRONT = """unknowns: [u]
domain: {x: [-1, 1], t: [0, 1]}
equations: {burgers: "u_t + u*u_x = 0.01/pi*u_xx"}
initial: {u: -sin(pi*x)}
boundary: {"left, right": "u = 0"}
network: {basis: chebyshev, width: 8, depth: 2, degree: 5}
sampling: {interior: 300, adapt: false}
training: {stages: [{optimiser: levenberg-marquardt, steps: 60, adapt: false}]}
"""
TRAPS = {
    "a solution that nothing determines up to a mode": (SIDES % ("lap(u) + 5*pi^2*u = 1", ZERO), Outcome.SUSPICIOUS),
    "a missing condition": (SIDES % ("-lap(u) = 1", '"left, right": "u = 0", "bottom, top": free'), Outcome.SUSPICIOUS),
    "nothing solves it as well": (SIDES % ("lap(u) + 5*pi^2*u = 0", ZERO), Outcome.SUSPICIOUS),
    "a nonlinear equation with a trivial solution": (SIDES % ("0.01*lap(u) = u^3 - u", ZERO), Outcome.SUSPICIOUS),
    "heat that flows backwards": (BACKWARDS, Outcome.SUSPICIOUS),
    "heat that flows backwards, as a system": (
        BACKWARDS.replace("[u]", "[u, q]").replace("{heat: u_t = -u_xx}", "{heat: u_t = -q_x, flux: q = u_x}"),
        Outcome.SUSPICIOUS,
    ),
    "sources that no flux takes away": (
        SIDES % ("-lap(u) = 1", '"left, right, bottom, top": "dn(u) = 0"'), Outcome.UNRESOLVED,
    ),
    "conditions that contradict each other": (
        SIDES % ("u_xx + u_yy = 0", '"left, bottom, top": "u = 0", right: ["u = y*(1-y)", "u_x = 7"]'),
        Outcome.UNRESOLVED,
    ),
    "oscillations finer than the network": (
        SIDES % ("lap(u) + 30000*u = exp(-200*((x-0.4)^2+(y-0.6)^2))", ZERO) + "network: {width: 200}\n",
        Outcome.UNRESOLVED,
    ),
    "a front between the points": (FRONT, Outcome.SUSPICIOUS),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_traps_end_with_the_truth(name: str) -> None:
    text, outcome = TRAPS[name]
    steps = 60 if text is FRONT else 4  # and not seconds, in which a busy machine comes less far
    solution = solved(text, "training.stop.time=300", f"training.stop.steps={steps}")
    assert solution.outcome == outcome and solution.outcome.exit_code == 3 and solution.summary["why"]


def test_a_field_up_to_a_constant_is_one_and_said_to_be() -> None:
    closed = SIDES % ("-lap(u) = cos(pi*x)", '"left, right, bottom, top": "dn(u) = 0"')
    solution = solved(closed, "training.stop.time=8")
    assert solution.outcome.exit_code == 0 and "u is determined up to a constant only" in solution.summary["why"]
    assert solution.estimated_errors["u"].relative_l2 < 1e-6 and "constant" in solution.estimated_errors["u"].against


EQUATIONS = {  # of one, two or three unknowns, with their initial data, and whether short waves grow without bound
    "u_t = u_xx": ("u: 0", False),
    "u_t = -u_xx": ("u: 0", True),
    "u_t = -u_xx - u_xxxx": ("u: 0", False),
    "u_t + u*u_x + u_xxx = 0": ("u: 0", False),
    "u_t + 3*u_x = 0": ("u: 0", False),
    "u_tt = u_xx": ("u: 0, u_t: 0", False),
    "u_tt = -u_xx": ("u: 0, u_t: 0", True),
    "u_tt = -u_xxxx": ("u: 0, u_t: 0", False),
    "u_t + u_x = d(u_xx, t)": ("u: 0", False),
    "u_t = d((u - 2)*u_x, x)": ("u: 0", True),
    "u_t = d((u + 9)*u_x, x)": ("u: 0", False),
    "u_t = v_x; v = u_x": ("u: 0", False),
    "u_t = v_x; v = -u_x": ("u: 0", True),
    "u_t = v_x; v_t = u_x": ("u: 0, v: 0", False),
    "u_t = v_x; v_t = -u_x": ("u: 0, v: 0", True),
    "u_t = v_x; v_t = u": ("u: 0, v: 0", True),
    "u_t = v_x; v_t = (u - 2)*u_x": ("u: 0, v: 0", True),
    "u_t = u_xx + 3*v_xx; v_t = 3*u_xx + v_xx": ("u: 0, v: 0", True),
    "u_t = u_xx + v_xx/2; v_t = u_xx/2 + v_xx": ("u: 0, v: 0", False),
    "u_t = u_xx/100 + u - v; v_t = v_xx + 3*u - 2*v": ("u: 0, v: 0", False),
    "u_t = u_xx + u - u^3 - v; v_t = u/10": ("u: 0, v: 0", False),
    "u_t = -v_xx - (u^2 + v^2)*v; v_t = u_xx + (u^2 + v^2)*u": ("u: 0, v: 0", False),
    "u_t = v_xx; v = -u - u_xx": ("u: 0", False),
    "u_t + p_x = lap(u); v_t + p_y = lap(v); u_x + v_y = 0": ("u: 0, v: 0", False),
    "u_t + p_x = -lap(u); v_t + p_y = -lap(v); u_x + v_y = 0": ("u: 0, v: 0", True),
    "u_t + (1 + u)*u_x + v*u_y + p_x = 0; v_t + (1 + u)*v_x + v*v_y + p_y = 0; u_x + v_y = 0": ("u: 0, v: 0", False),
}


@pytest.mark.parametrize("equations", EQUATIONS)
def test_equations_that_amplify_short_waves_without_bound_are_found(equations: str) -> None:
    (initial, wrong), parts = EQUATIONS[equations], equations.split("; ")
    space = "xy" if len(parts) > 2 else "x"
    text = (
        f"unknowns: [{', '.join('uvp'[: len(parts)])}]\ninitial: {{{initial}}}\n"
        f"domain: {{{', '.join(f'{name}: [0, 1]' for name in (*space, 't'))}}}\n"
        f"boundary: {{{', '.join(f'{name}: periodic' for name in space)}}}\nequations:\n"
    )
    text += "".join(f"  e{number}: '{part}'\n" for number, part in enumerate(parts))
    spec = read_spec_text(text, "trap.yaml", Path("."), ())
    problem = assemble(spec, deep_networks(spec))
    theta = 0.01 * problem.trial.initial(torch.Generator().manual_seed(1))
    assert grows(problem, theta, 0) == wrong


SMOOTH = 'unknowns: [u]\ndomain: {x: [0, 1]}\nequations: {pde: u_xx = exp(x)}\nboundary: {"left, right": u = 0}\n'


def test_without_a_known_solution_the_estimate_decides_whether_the_accuracy_asked_for_is_reached() -> None:
    reached = solved(SMOOTH, "training.stop.error=1e-6")
    assert reached.outcome == Outcome.CONVERGED and reached.estimated_errors["u"].relative_l2 <= 1e-6
    missed = solved(SMOOTH, "training.stop.error=1e-20")
    assert missed.outcome == Outcome.STAGNATED and missed.outcome.exit_code == 4
    assert "asked 1e-20" in missed.summary["why"]


def test_another_solution_of_a_state_is_made_once(monkeypatch: pytest.MonkeyPatch) -> None:
    training, asked = import_module("kanpde.solve"), []
    made = training.replicas
    monkeypatch.setattr(training, "replicas", lambda state: asked.append(state.theta) or made(state))
    assert solved(SMOOTH, "training.stop.error=1e-6").outcome == Outcome.CONVERGED
    assert asked and len({id(theta) for theta in asked}) == len(asked)


def test_the_estimate_is_a_field_on_the_grid_and_is_not_asked_for_after_an_interrupt() -> None:
    result = solved(SMOOTH, "output.grid=[9]").tabulate()
    field = result.fields["u_estimate"]
    assert field.kind == "estimate" and np.isfinite(field.values).all() and (field.values >= 0).all()
    assert result.estimated["u"].against == "estimate" and not result.errors
