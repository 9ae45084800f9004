"""Jets and nested automatic differentiation give the same residuals and the same Jacobian, for every problem."""

from __future__ import annotations

import pytest
import torch
from small import NAMES, gallery, ground, pairs, random_theta, small_problem
from torch import Tensor

from kanpde.problem import Problem, everything

every_pair = pairs(NAMES)


def evaluated(problem: Problem, theta: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Every row's residual and Jacobian on five points."""
    found = {}
    for block in problem.blocks:
        rows = problem.rows_and_jacobian(block, theta, ground(problem, block, 5), everything(problem.trial))
        found |= {row.name: pair for row, pair in zip(block.rows, rows)}
    return found


def gap(found: Tensor, expected: Tensor) -> float:
    """The largest difference, relative to the largest entry where that is above one."""
    return float((found - expected).abs().max() / expected.abs().max().clamp_min(1.0))


@every_pair
@pytest.mark.parametrize("enforce", ["soft", "auto"])
def test_taylor_and_autograd_agree(name: str, kind: str, enforce: str) -> None:
    # 1e-11: up to four derivatives, each of which multiplies roundings by the basis's slopes (K² or so).
    spec = gallery(name)
    taylor, nested = (small_problem(spec, kind, enforce, how) for how in ("taylor", "autograd"))
    theta = random_theta(taylor)
    by_taylor, by_nested = evaluated(taylor, theta), evaluated(nested, theta)
    assert by_taylor.keys() == by_nested.keys()
    for row, (residual, jacobian) in by_taylor.items():
        assert torch.isfinite(residual).all() and torch.isfinite(jacobian).all()
        assert gap(residual, by_nested[row][0]) < 1e-11, row
        assert gap(jacobian, by_nested[row][1]) < 1e-11, row


@every_pair
def test_residuals_alone_and_beside_their_jacobian_are_the_same(name: str, kind: str) -> None:
    problem = small_problem(gallery(name), kind)
    theta = random_theta(problem)
    for block in problem.blocks:
        points = ground(problem, block)
        beside = [row for row, _ in problem.rows_and_jacobian(block, theta, points, everything(problem.trial))]
        with torch.no_grad():
            alone = problem.residuals(block, theta, points)
        assert max(gap(a, b) for a, b in zip(alone, beside)) < 1e-13
