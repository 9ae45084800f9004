"""Least squares in pieces, with columns that depend on one another, with numbers that are none, or cut short."""

from __future__ import annotations

from pathlib import Path
from sys import modules

import pytest
import torch
from torch import Tensor

from kanpde.optimisers.least_squares import least_squares, triangle
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


def random(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def in_pieces(matrix: Tensor, right: Tensor, size: int) -> Tensor:
    """The triangle of rows that come so many at a time."""
    return triangle(zip(right.split(size), matrix.T.split(size, dim=1)))


def dependent(kind: str, matrix: Tensor) -> Tensor:
    """The same matrix with columns that depend on one another, or that are met late."""
    matrix = matrix.clone()
    if kind == "a zero column":
        matrix[:, 3] = 0
    if kind == "a column that begins late":
        matrix[:-5, 3] = 0
    if kind == "two equal columns":
        matrix[:, 3] = matrix[:, 5]
    return matrix[:5] if kind == "fewer rows than columns" else matrix


every_piece = pytest.mark.parametrize("size", [1, 7, 60, 1000])
every_dependence = pytest.mark.parametrize("kind", ["a zero column", "two equal columns", "fewer rows than columns"])


@every_piece
@pytest.mark.parametrize("kind", ["independent", "a column that begins late"])
@pytest.mark.parametrize("decades", [0, 8])
def test_rows_in_pieces_are_solved_as_the_whole(size: int, kind: str, decades: float) -> None:
    # Householder's factorisation is stable column by column (Higham 2002, 19.4), so that lengths of columns from 1 to
    # 1e-8 cost nothing; a well-conditioned matrix leaves some roundings.
    lengths = torch.logspace(0, -decades, 8, dtype=torch.float64)
    matrix, right = dependent(kind, random(400, 8)) * lengths, random(400, seed=1)
    found = in_pieces(matrix, right, size)
    expected = torch.linalg.lstsq(matrix / lengths, right[:, None], driver="gelsd").solution[:, 0]
    assert (least_squares(found) * lengths - expected).abs().max() < 1e-13 * expected.abs().max()
    whole, part = torch.cat([matrix, right[:, None]], dim=1), found.T @ found
    scale = whole.norm(dim=0)
    assert ((part - whole.T @ whole) / (scale * scale[:, None])).abs().max() < 1e-14
    rest = (matrix @ (expected / lengths) - right).norm()
    assert float(found[-1, -1].abs()) == pytest.approx(float(rest), rel=1e-13)


@every_piece
@every_dependence
def test_dependent_columns_leave_the_least_residual_and_bounded_coefficients(kind: str, size: int) -> None:
    matrix = dependent(kind, random(60, 8))
    right = random(len(matrix), seed=1)
    found, best = least_squares(in_pieces(matrix, right, size)), torch.linalg.pinv(matrix) @ right
    # The light rows weigh ε^⅔ = 4e-11, and the part of the solution that no residual decides is at most ε / ε^(4/3) of
    # it, 2e5, whose own rounding in the residual is 4e-11 again.
    assert float((matrix @ found - right).norm() - (matrix @ best - right).norm()) < 1e-10
    assert float(found.abs().max()) < 2e5 * float(best.abs().max())


@every_piece
def test_a_coefficient_in_no_row_vanishes_and_changes_no_other(size: int) -> None:
    matrix, right = dependent("a zero column", random(400, 8)), random(400, seed=1)
    others = torch.arange(8) != 3
    found, without = (least_squares(in_pieces(part, right, size)) for part in (matrix, matrix[:, others]))
    assert found[3] == 0 and (found[others] - without).abs().max() < 1e-14


@every_piece
@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
@pytest.mark.parametrize("row", [0, 200, 399])
def test_what_is_not_finite_gives_no_numbers(bad: float, row: int, size: int) -> None:
    matrix, right = random(400, 8), random(400, seed=1)
    for part in (matrix[row, 3:4], right[row : row + 1]):
        kept = part.clone()
        part.fill_(bad)
        assert least_squares(in_pieces(matrix, right, size)).isnan().all()
        part.copy_(kept)


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
    small = "network={basis: chebyshev, width: 4, depth: 1}"
    solution = solve(spec_of(LINE, small, "training.precision=float32", "equations.line=1e30*u_x^3 = 1e38"))
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
