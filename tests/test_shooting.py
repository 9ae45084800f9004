"""Constants of sharp problems: solved by splines for each guess, they are those of the exact solution."""

from __future__ import annotations

from dataclasses import replace
from math import pi
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
import torch
from numpy.polynomial.hermite import hermgauss

from kanpde.clock import Clock, State
from kanpde.estimates import Estimates
from kanpde.shooting import gentle, shooting, shoots
from kanpde.spec import Spec, read_spec_text
from kanpde.strategy import methods

NU, SIGMA, READINGS = 0.05, 0.01, 60
BURGERS = """\
unknowns: [u]
fit: {nu: {start: 0.1, range: [0.001, 1]}}
domain: {x: [-1, 1], t: [0, 0.6]}
equations: {burgers: u_t + u*u_x = nu*u_xx}
initial: {u: -sin(pi*x)}
boundary: {'left, right': u = 0}
data: {probe: {file: probe.csv, sigma: 0.01}}
exact: {nu: 0.05}
"""


def places() -> tuple[np.ndarray, np.ndarray]:
    """Where the readings are taken, in x and t."""
    random = np.random.default_rng(1)
    return random.uniform(-1, 1, READINGS), random.uniform(0.1, 0.6, READINGS)


def exact(nu: float) -> np.ndarray:
    """The solution there, by Cole (1951) and Hopf (1950)."""
    x, time = places()
    nodes, weights = hermgauss(200)
    y = x[:, None] - np.sqrt(4 * nu * time)[:, None] * nodes
    exponents = -np.cos(pi * y) / (2 * pi * nu)
    heights = np.exp(exponents - exponents.max(1, keepdims=True)) * weights
    return -(np.sin(pi * y) * heights).sum(1) / heights.sum(1)


def spec_of(text: str, folder: Path, seed: int | None = None, nu: float = NU) -> Spec:
    """The problem with readings, with noise where there is a seed."""
    noise = 0.0 if seed is None else SIGMA * np.random.default_rng(seed).normal(size=READINGS)
    rows = np.stack([*places(), exact(nu) + noise], 1)
    np.savetxt(folder / "probe.csv", rows, "%.17g", ",", header="x,t,u", comments="")
    return read_spec_text(text, "probe.yaml", folder)


def last(spec: Spec, seconds: float = 300.0) -> tuple[State, Estimates]:
    """The last state and what it tells."""
    *_, state = shooting(spec, Clock(monotonic(), seconds))
    assert state.estimates is not None
    return state, state.estimates


def test_a_constant_of_a_steep_problem_is_that_of_the_exact_solution(tmp_path: Path) -> None:
    spec = spec_of(BURGERS, tmp_path)
    state, told = last(spec)
    slope = (exact(NU + 1e-5) - exact(NU - 1e-5)) / 2e-5
    assert told.verdict == "" and state.settled
    assert float(told.values[0]) == pytest.approx(NU, abs=0.03 * float(told.sigma[0]))
    assert float(told.sigma[0]) == pytest.approx(SIGMA / np.linalg.norm(slope), rel=0.01)
    assert told.high[0] - told.low[0] == pytest.approx(2 * 1.959964 * told.sigma[0], rel=1e-6)
    assert told.scatter["probe"].freedom == READINGS - 1


@pytest.mark.slow
def test_deviations_that_are_not_given_are_estimated(tmp_path: Path) -> None:
    _, told = last(spec_of(BURGERS.replace(", sigma: 0.01}", "}").replace("start: 0.1", "start: 0.05"), tmp_path, 3))
    assert told.scatter["probe"].estimated
    assert told.scatter["probe"].sigma == pytest.approx(SIGMA, rel=0.3)
    assert told.low[0] <= NU <= told.high[0]


@pytest.mark.slow
def test_intervals_cover_the_truth(tmp_path: Path) -> None:
    """Of 40 intervals of 95 %, 34 or more hold the truth with a probability of 0.998; the seeds are fixed."""
    text, covered = BURGERS.replace("start: 0.1", "start: 0.06"), 0
    for seed in range(40):
        _, told = last(spec_of(text, tmp_path, 100 + seed))
        covered += bool(told.low[0] <= NU <= told.high[0])
    assert covered >= 34


@pytest.mark.slow
def test_a_front_fifteen_times_as_steep_is_fitted_too(tmp_path: Path) -> None:
    nu = 0.01 / pi
    _, told = last(spec_of(BURGERS, tmp_path, 5, nu), 450.0)
    assert told.verdict == "" and told.low[0] <= nu <= told.high[0]


@pytest.mark.slow
def test_a_wrong_model_is_told(tmp_path: Path) -> None:
    """Readings of another problem: χ² says so, whatever the constant."""
    text = BURGERS.replace("u*u_x =", "u =").replace("start: 0.1", "start: 0.05")
    _, told = last(spec_of(text, tmp_path, 0))
    assert told.verdict in ("misfit", "unsettled") and told.warnings


def test_what_cannot_be_solved_gives_no_state(tmp_path: Path) -> None:
    assert list(shooting(spec_of(BURGERS, tmp_path), Clock(monotonic(), 0.0))) == []


@pytest.mark.parametrize(("change", "share"), [(-0.099, 0.7 / 0.99), (-0.01, 1.0), (5.0, 1.0)])
def test_a_step_leaves_a_part_of_what_keeps_its_sign(change: float, share: float, tmp_path: Path) -> None:
    spec, one = spec_of(BURGERS, tmp_path), torch.tensor([0.1], dtype=torch.float64)
    assert gentle(spec, one, change * one / 0.1) == pytest.approx(share)
    free = spec_of(BURGERS.replace(", range: [0.001, 1]", ""), tmp_path)
    assert gentle(free, one, change * one / 0.1) == 1.0


def test_splines_serve_constants_only(tmp_path: Path) -> None:
    spec = spec_of(BURGERS, tmp_path)
    assert shoots(spec)
    assert not shoots(replace(spec, data=()))
    function = spec_of(BURGERS.replace("{start: 0.1, range: [0.001, 1]}", "{of: [x], start: 0.1}"), tmp_path)
    assert not shoots(function)
    first, *_ = methods(spec, torch.Generator(), Clock(monotonic()))
    assert "splines" in first.why
