"""Ramps: waves that close up along every coordinate, and a start from which every condition knows a way."""

from __future__ import annotations

from collections import Counter
from math import pi
from pathlib import Path

import pytest
import torch

from kanpde.problem import Problem
from kanpde.ramps import Fit, Ramps, linear_fit, nonlinear_fit, ramps_problem, ridges
from kanpde.solution import unknown_values
from kanpde.spec import Spec, read_spec_text
from kanpde.truth import truth_of

AWAKE = """\
unknowns: [u]
domain: {x: [0, 1]}
equations: {growth: u_xx = u}
boundary: {left: u^3 = 1, right: u*dn(u) = exp(2)}
exact: {u: exp(x)}
"""
PERIODIC = """\
unknowns: [u]
domain: {x: [0, 1], y: [0, 2]}
equations: {screened: -lap(u) + u = -lap(g) + g}
definitions: {g: sin(2*pi*x)*exp(cos(pi*y))}
boundary: {x: periodic, y: periodic}
exact: {u: g}
"""


def spec(text: str) -> Spec:
    return read_spec_text(text, "test.yaml", Path("."))


def error(fit: Fit, problem: Spec) -> float:
    """The relative error of a fit."""
    truth = truth_of(problem)
    assert truth is not None
    return truth.errors(unknown_values(fit.problem, fit.theta, ("u",), truth.points))["u"].relative_l2


@pytest.mark.parametrize(("width", "slopes"), [(1, (2.0,)), (8, (0.1,)), (101, (2.0, 3.0)), (60, (0.3, 5.0, 0.3))])
def test_waves_that_close_up_come_in_two_phases_and_none_twice(width: int, slopes: tuple[float, ...]) -> None:
    dimensions = len(slopes)
    found = ridges(Ramps(width, slopes), range(dimensions), torch.Generator().manual_seed(0)).view(dimensions + 1, -1)
    turns = (found[:-1] / pi).T
    assert found.shape[1] == width and (turns - turns.round()).abs().max() < 1e-12
    waves = [tuple(turn) for turn in turns.round().long().tolist()]
    assert not any(waves[0]) and not {tuple(-k for k in wave) for wave in waves[1:]} & set(waves)
    assert sorted(Counter(waves[1:]).values(), reverse=True) == [2] * ((width - 1) // 2) + [1] * ((width - 1) % 2)


def test_errors_of_entire_periodic_solutions_fall_faster_than_powers() -> None:
    """Here than the eighth, while width is what is squared along each coordinate."""
    problem = spec(PERIODIC)
    base: Problem = ramps_problem(problem, 100)
    few, many = (error(linear_fit(base, problem, Ramps(width, (2.0, 2.0))), problem) for width in (100, 400))
    assert many < few / 4**8


def test_conditions_that_know_no_way_from_zero_are_met() -> None:
    problem = spec(AWAKE)
    fit = nonlinear_fit(ramps_problem(problem, 40), problem, Ramps(40, (2.0,)))
    assert error(fit, problem) < 1e-8
