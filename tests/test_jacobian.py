"""The Jacobian by taps is the Jacobian: against finite differences, reverse mode, and itself in other chunks."""

from __future__ import annotations

import pytest
import torch
from small import NAMES, each, gallery, pairs, random_theta, small_problem
from torch import Tensor

from kanpde.objective import Residuals, residuals_of, sample
from kanpde.points import draw
from kanpde.problem import Problem, everything, read_outs

every_problem = each(NAMES)
every_pair = pairs(NAMES)


def objective(problem: Problem, theta: Tensor, trained: str = "everything", chunk: int = 1000) -> Residuals:
    """Weighted residuals at eleven points of every block."""
    marks = {"everything": everything, "read-outs": read_outs}[trained](problem.trial)
    drawn = []
    for number, block in enumerate(problem.blocks):
        points = draw(problem, block, 11, torch.Generator().manual_seed(number))
        drawn.append(sample(block, points, [1.0 + 0.5 * k + number for k in range(len(block.rows))], chunk))
    return residuals_of(problem, drawn, theta, marks)


def gap(found: Tensor, expected: Tensor) -> float:
    """The largest difference relative to the largest entry."""
    return float((found - expected).abs().max() / expected.abs().max())


@every_pair
@pytest.mark.parametrize("trained", ["everything", "read-outs"])
def test_jacobian_is_the_slope_of_the_residuals(name: str, kind: str, trained: str) -> None:
    # Central differences along a random direction v: with h = 1e-4 the error is h² r''' / 6 and rounding / h,
    # both a few 1e-8 of the largest entry at most; fields with fourth derivatives lose two digits more.
    problem = small_problem(gallery(name), kind, "soft")
    theta = random_theta(problem)
    target = objective(problem, theta, trained)
    part = theta[target.mask]
    transposed, residuals = target.jacobian(part)
    assert transposed.shape == (len(part), len(residuals))
    assert torch.equal(residuals, target.residuals(part)) or gap(residuals, target.residuals(part)) < 1e-13
    for seed in range(2):
        v = torch.randn(len(part), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
        v, h = v / v.norm(), 1e-4
        slope = (target.residuals(part + h * v) - target.residuals(part - h * v)) / (2 * h)
        assert gap(transposed.T @ v, slope) < 1e-5


@every_pair
@pytest.mark.parametrize("enforce", ["soft", "auto"])
def test_products_with_the_jacobian_are_what_they_say(name: str, kind: str, enforce: str) -> None:
    problem = small_problem(gallery(name), kind, enforce)
    theta = random_theta(problem)
    target = objective(problem, theta)
    transposed, residuals = target.jacobian(theta)
    weights = torch.randn(len(residuals), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    normal = target.normal(theta)
    loss, gradient = target.loss_and_gradient(theta)
    assert gap(target.pullback(theta, weights), transposed @ weights) < 1e-12
    assert gap(normal.matrix, transposed @ transposed.T) < 1e-13
    assert gap(normal.gradient, transposed @ residuals) < 1e-12
    assert gap(gradient, 2 * transposed @ residuals) < 1e-12
    assert torch.equal(normal.residuals, residuals)
    assert loss == pytest.approx(float(residuals.square().sum()), rel=1e-13) == normal.loss


@every_problem
def test_chunks_do_not_change_the_sums(name: str) -> None:
    problem = small_problem(gallery(name), "chebyshev")
    theta = random_theta(problem)
    whole, cut = (objective(problem, theta, chunk=chunk).normal(theta) for chunk in (1000, 3))
    assert gap(cut.matrix, whole.matrix) < 1e-13
    assert gap(cut.gradient, whole.gradient) < 1e-12
    assert cut.loss == pytest.approx(whole.loss, rel=1e-13)


@every_problem
@pytest.mark.parametrize("kind", ["chebyshev", "ramps"])
def test_the_jacobian_of_read_outs_is_a_part_of_the_whole(name: str, kind: str) -> None:
    problem = small_problem(gallery(name), kind)
    theta = random_theta(problem)
    whole, part = (objective(problem, theta, trained) for trained in ("everything", "read-outs"))
    mask = part.mask
    assert int(mask.sum()) == sum(b.network.read_out.stop - b.network.read_out.start for b in problem.trial.branches)
    assert gap(part.jacobian(theta[mask])[0], whole.jacobian(theta)[0][mask]) < 1e-13


@every_problem
def test_losses_by_name_add_up_to_the_loss(name: str) -> None:
    problem = small_problem(gallery(name), "sine", "soft")
    theta = random_theta(problem)
    target = objective(problem, theta)
    named = target.losses(theta)
    weights = {row.name: w for part in target.samples for row, w in zip(part.block.rows, part.weights)}
    assert list(named) == list(weights) and len(named) == sum(len(block.rows) for block in problem.blocks)
    total = sum(weights[row] ** 2 * value for row, value in named.items())
    assert total == pytest.approx(target.loss_and_gradient(theta)[0], rel=1e-12)


@each([n for n in NAMES if small_problem(gallery(n), "ramps").linear])
@pytest.mark.parametrize("enforce", ["soft", "auto"])
def test_residuals_of_linear_problems_are_affine_in_the_read_outs(name: str, enforce: str) -> None:
    problem = small_problem(gallery(name), "ramps", enforce)
    theta = random_theta(problem)
    target = objective(problem, theta, "read-outs")
    zero = torch.zeros(int(target.mask.sum()), dtype=torch.float64)
    transposed, residuals = target.jacobian(zero)
    part = 10 * torch.randn(len(zero), generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    assert gap(residuals + transposed.T @ part, target.residuals(part)) < 1e-13
