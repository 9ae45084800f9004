"""Ramps in windows of time: one field over all time, as exact as its windows, chosen where one fit is not enough."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
import torch
from program import run

from kanpde.build import assemble
from kanpde.clock import Clock
from kanpde.errors import ResultError
from kanpde.evaluation import Ground
from kanpde.jet import closure
from kanpde.points import draw
from kanpde.problem import everything, fields_by_autograd, read_outs
from kanpde.ramps import Fit, Ramps
from kanpde.solution import restored, unknown_values
from kanpde.spec import Spec, read_spec_text
from kanpde.stored import network_arrays, stored_networks, stored_spans
from kanpde.strategy import methods
from kanpde.succession import Pace, begun, during, ended, enforced, fitted, follows, joined, replicas, windows
from kanpde.truth import truth_of
from kanpde.writers import read

TEXTS = {
    "heat": """
domain: {x: [0, 1], y: [0, 1], t: [0, 1]}
equations: {e: u_t = lap(u)/10 + f}
definitions: {U: exp(-t)*sin(x + y)*x, f: "d(U, t) - lap(U)/10"}
initial: {u: U}
boundary: {left: u = U, right: dn(u) = dn(U), rest: u = U}
exact: {u: U}""",
    "wave": """
domain: {x: [0, 1], y: [0, 1], t: [0, 1]}
equations: {e: u_tt = lap(u)}
definitions: {U: sin(pi*x)*sin(pi*y)*cos(sqrt(2)*pi*t)}
initial: {u: U, u_t: 0}
boundary: {all: u = 0}
exact: {u: U}""",
    "nonlinear": """
domain: {x: [0, 1], y: [0, 1], t: [0, 1]}
equations: {e: u_t + u*(u_x + u_y) = lap(u)/2}
definitions: {U: 1/(1 + exp(x + y - t))}
initial: {u: U}
boundary: {all: u = U}
exact: {u: U}""",
    "disc": """
domain: {shapes: {body: 'disc(center=[0, 0], radius=1)'}, region: body, t: [0, 1]}
equations: {e: u_t = lap(u) + f}
definitions: {U: exp(-t)*sin(x)*y, f: "d(U, t) - lap(U)"}
initial: {u: U}
boundary: {all: u = U}
exact: {u: U}""",
    "periodic": """
domain: {x: [0, 2*pi], y: [0, 2*pi], t: [0, 1]}
equations: {e: u_t + u_x + u_y/2 = 0}
definitions: {U: sin(x - t)*cos(y - t/2)}
initial: {u: U}
boundary: {x: periodic, y: periodic}
exact: {u: U}""",
}


def spec_of(name: str) -> Spec:
    """A problem with a known solution."""
    return read_spec_text(f"unknowns: [u]{TEXTS[name]}", f"{name}.yaml", Path())


def marched(spec: Spec, ends: tuple[float, ...] = (0.0, 0.5, 1.0), width: int = 150, slope: float = 1.5) -> list[Fit]:
    """One fit after another on given windows."""
    found: list[Fit] = []
    shape = Ramps(width, (slope,) * len(spec.box))
    for span in zip(ends, ends[1:]):
        before = found[-1] if found else None
        here = during(spec, span)
        found.append(fitted(begun(spec, span, before), here, shape, None, before, Clock(monotonic())))
    return found


def error_of(spec: Spec, found: list[Fit]) -> float:
    """The relative error of all windows together."""
    truth = truth_of(spec)
    assert truth is not None
    return truth.errors(unknown_values(*joined(spec, found), ("u",), truth.points))["u"].relative_l2


@pytest.mark.parametrize("name", TEXTS)
def test_windows_together_solve_the_problem(name: str) -> None:
    spec = spec_of(name)
    found = marched(spec, width=200, slope=3.0 if name == "periodic" else 1.5)
    assert error_of(spec, found) < 1e-4
    assert max(fit.held_out for fit in found) < 1e-2


def test_a_window_begins_where_the_one_before_ends() -> None:
    """To the residual of its initial data, values and slopes in time alike."""
    spec = spec_of("wave")
    first, second = marched(spec)
    points = draw(first.problem, first.problem.blocks[0], 50, torch.Generator().manual_seed(0)).points
    points[2] = 0.5
    rows = next(block for block in second.problem.blocks if block.face == (2, 0)).rows
    assert [row.name for row in rows] == ["t_min.u", "t_min.u_t"]
    for row in rows:
        field = (row.__class__(row.name, row.formula.left),)  # type: ignore[union-attr]
        (before,) = ended(first, field, points)
        here = unknown_values(second.problem, second.theta, ("u",), points)["u"] if row.name == "t_min.u" else None
        if here is not None:
            assert float((before - here).abs().max()) < 1e-3


def test_networks_count_in_their_time_alone() -> None:
    """Values and derivatives are those of the window, with taps, without, and by automatic differentiation."""
    spec = spec_of("heat")
    found = marched(spec, width=40)
    problem, theta = joined(spec, found)
    points = draw(problem, problem.blocks[0], 60, torch.Generator().manual_seed(1)).points
    points[2, :3] = torch.tensor([0.0, 0.5, 1.0])
    needed = {"u": closure(frozenset({(2, 0, 0), (0, 0, 1)}))}
    whole = problem.trial.fields(theta, Ground(points), needed)[0]["u"]
    tapped = problem.trial.fields(theta, Ground(points), needed, everything(problem.trial))[0]["u"]
    other = fields_by_autograd(problem.trial, theta, Ground(points), needed, ())[0]["u"]
    for fit, mask in zip(found, (points[2] < 0.5, points[2] >= 0.5)):
        own = fit.problem.trial.fields(fit.theta, Ground(points[:, mask]), needed)[0]["u"]
        for alpha, value in own.terms.items():
            np.testing.assert_allclose(whole[alpha][mask], value, rtol=1e-12, atol=1e-12)
    for alpha, value in whole.terms.items():
        np.testing.assert_allclose(tapped[alpha].detach(), value, rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(other[alpha].detach(), value, rtol=1e-9, atol=1e-9)


def test_the_jacobian_of_all_windows_is_that_of_differences() -> None:
    spec = spec_of("heat")
    problem, theta = joined(spec, marched(spec, width=6))
    block = problem.blocks[0]
    ground = draw(problem, block, 20, torch.Generator().manual_seed(1))
    (values, jacobian), *_ = problem.rows_and_jacobian(block, theta, ground, read_outs(problem.trial))
    mask = torch.cat([torch.arange(b.network.size) >= b.network.read_out.start for b in problem.trial.branches])
    change = torch.randn(int(mask.sum()), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    moved = theta.clone()
    moved[mask] += change
    np.testing.assert_allclose(problem.residuals(block, moved, ground)[0] - values, jacobian.T @ change, atol=1e-8)


def test_windows_are_short_enough_for_the_tolerance() -> None:
    spec = spec_of("periodic")
    found = list(windows(spec, 1e-5, Pace(0.5, Ramps(150, (1.5,) * 3)), Clock(monotonic())))
    assert all(fit.held_out <= 1e-5 for fit in found)
    spans = [fit.problem.trial.box[2] for fit in found]
    assert spans[0][0] == 0 and spans[-1][1] == 1 and all(a[1] == b[0] for a, b in zip(spans, spans[1:]))
    assert error_of(spec, found) < 1e-5


@pytest.mark.parametrize("name", ["heat", "nonlinear"])
def test_another_succession_tells_the_error(name: str) -> None:
    spec = spec_of(name)
    found = marched(spec, width=100)
    truth = truth_of(spec)
    assert truth is not None
    (other,) = replicas(spec, found)
    gap = truth.errors(unknown_values(*other, ("u",), truth.points))["u"].relative_l2
    mine = unknown_values(*joined(spec, found), ("u",), truth.points)["u"]
    theirs = unknown_values(*other, ("u",), truth.points)["u"]
    told = float((mine - theirs).norm() / mine.norm())
    assert 1 / 3 < told / max(error_of(spec, found), gap) < 3


@pytest.mark.parametrize(
    "change",
    [
        ("boundary", "constraints: {c: 'u(x=0, y=0, t=0) = 0'}\nboundary"),
        ("initial: {u: U}", "enforce: hard\ninitial: {u: U}"),
    ],
)
def test_problems_without_initial_data_of_their_own_are_left_alone(change: tuple[str, str]) -> None:
    text = f"unknowns: [u]{TEXTS['heat']}"
    assert follows(read_spec_text(text, "heat.yaml", Path()))
    assert not follows(read_spec_text(text.replace(*change), "heat.yaml", Path()))


def test_windows_are_tried_where_time_is_not_alone_with_one_coordinate() -> None:
    found = methods(spec_of("disc"), torch.Generator(), Clock(monotonic(), inf))
    assert any("windows of time" in method.why for method in found)


def test_a_stored_succession_is_the_same_again() -> None:
    spec = spec_of("periodic")
    problem, theta = joined(spec, marched(spec, width=20))
    arrays = network_arrays(problem, theta, enforced(spec))
    networks, kept = stored_networks(arrays)
    again = assemble(replace(spec, enforce=arrays["enforce"]), networks)
    again = replace(again, trial=again.trial.spanned(stored_spans(arrays)))
    points = draw(problem, problem.blocks[0], 50, torch.Generator().manual_seed(1)).points
    before, after = (unknown_values(*one, ("u",), points)["u"] for one in ((problem, theta), (again, kept)))
    assert torch.equal(before, after)


@pytest.mark.slow
def test_what_one_fit_cannot_follow_is_solved_in_windows(tmp_path: Path) -> None:
    """From the file to the stored solution: a field carried over many periods, with narrow layers."""
    text = f"""unknowns: [u]{TEXTS["periodic"].replace("t: [0, 1]", "t: [0, 30]")}
network: {{width: 150}}
output: {{grid: [9, 9], times: 5, save: [h5]}}
training: {{stop: {{time: 300, error: 1e-3}}}}
"""
    (tmp_path / "turns.yaml").write_text(text)
    ended_with = run("solve", str(tmp_path / "turns.yaml"), "--out", str(tmp_path / "run"), "--quiet")
    assert ended_with.exit_code == 0, ended_with.output
    result = read(tmp_path / "run" / "solution.h5")
    assert "windows of time" in result.summary["network"]
    assert result.errors["u"].relative_l2 < 1e-3
    solution = restored(result)
    points = np.stack([m.ravel() for m in np.meshgrid(*result.axes.values(), indexing="ij")], axis=1)
    np.testing.assert_allclose(solution.at(points)["u"], result.fields["u"].values.ravel(), atol=1e-12)


def test_spans_that_end_before_they_begin_are_refused() -> None:
    with pytest.raises(ResultError, match="a span of time has a beginning and a later end"):
        stored_spans({"branches": {"0": {"span": np.array([1.0, 0.0])}}})
