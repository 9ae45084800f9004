"""Least squares whose columns depend on one another, whose numbers are no numbers, or that are cut short."""

from __future__ import annotations

from pathlib import Path
from sys import modules

import pytest
import torch

from kanpde.ramps import scaled_least_squares
from kanpde.result import Outcome
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec_text

STOKES = """
unknowns: [u, v, p]
domain: {x: [0, 1], y: [0, 1]}
equations:
  mx: -lap(u) + p_x = 0
  my: -lap(v) + d(p, y) = 0
  c: div(u, v) = 0
boundary:
  all: [u = y*(1-y), v = 0]
training: {threads: 1}
"""
LINE = """
unknowns: [u]
domain: {x: [0, 1]}
equations: {line: u_x = 1}
boundary: {left: u = 0, right: free}
network: {width: 20}
training: {threads: 1}
"""


def spec_of(text: str, *overrides: str) -> Spec:
    """A problem without a file."""
    return read_spec_text(text, "problem.yaml", Path("."), overrides)


@pytest.mark.parametrize("dependent", ["a zero column", "two equal columns", "fewer rows than columns"])
def test_dependent_columns_leave_the_least_residual_and_bounded_coefficients(dependent: str) -> None:
    generator = torch.Generator().manual_seed(0)
    matrix = torch.randn(60, 8, generator=generator, dtype=torch.float64)
    if dependent == "a zero column":
        matrix[:, 3] = 0
    if dependent == "two equal columns":
        matrix[:, 3] = matrix[:, 5]
    if dependent == "fewer rows than columns":
        matrix = matrix[:5]
    right = torch.randn(len(matrix), generator=generator, dtype=torch.float64)
    found, best = scaled_least_squares(matrix.T, right), torch.linalg.pinv(matrix) @ right
    # The light rows weigh ε^⅔ = 4e-11, and the part of the solution that no residual decides is at most ε / ε^(4/3) of
    # it, 2e5, whose own rounding in the residual is 4e-11 again.
    assert float((matrix @ found - right).norm() - (matrix @ best - right).norm()) < 1e-10
    assert float(found.abs().max()) < 2e5 * float(best.abs().max())


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_what_is_not_finite_gives_no_numbers(bad: float) -> None:
    matrix, right = torch.eye(4, 6, dtype=torch.float64), torch.ones(6, dtype=torch.float64)
    assert scaled_least_squares(torch.full_like(matrix, bad), right).isnan().all()
    assert scaled_least_squares(matrix, bad * right).isnan().all()


def test_a_pressure_up_to_a_constant_is_solved() -> None:
    solution = solve(spec_of(STOKES))
    assert solution.outcome is Outcome.FINISHED and solution.summary["relative_residual"] < 1e-8
    assert solution.summary["method"] == "read-out least squares"
    points = torch.rand(50, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).numpy()
    found = solution.at(points, ["u", "v", "p_x", "p_y"])
    y = points[:, 1]
    for name, expected in {"u": y * (1 - y), "v": 0 * y, "p_x": -2 + 0 * y, "p_y": 0 * y}.items():
        assert abs(found[name] - expected).max() < 1e-8, name


def test_numbers_beyond_the_range_end_as_diverged() -> None:
    solution = solve(spec_of(LINE, "training.precision=float32", "equations.line=1e30*u_x^3 = 1e38"))
    assert solution.outcome is Outcome.DIVERGED


def test_an_interrupt_during_the_first_measurement_keeps_the_first_step(monkeypatch: pytest.MonkeyPatch) -> None:
    module = modules["kanpde.solve"]
    measured, calls = module.measured, []

    def interrupted(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) == 1:
            raise KeyboardInterrupt
        return measured(*arguments)

    monkeypatch.setattr(module, "measured", interrupted)
    solution = solve(spec_of(LINE))
    assert solution.outcome is Outcome.INTERRUPTED and len(solution.history["step"]) == 1
    assert solution.summary["built_in"] == "1 condition on u"
