"""One code for every precision and device: a step makes nothing in double precision or on the processor by itself."""

from __future__ import annotations

import pytest
import torch
from small import gallery, random_theta, small_problem

from kanpde.objective import BLOCK, Residuals, add_lower_product, mirrored, residuals_of, sample
from kanpde.optimisers import LevenbergMarquardt
from kanpde.points import draw
from kanpde.problem import everything

PLACES = [
    pytest.param("cpu", torch.float32, id="single"),
    pytest.param("cuda", torch.float64, id="cuda", marks=pytest.mark.skipif(
        not torch.cuda.is_available(), reason="there is no CUDA device"
    )),
]


def objective(name: str, kind: str, device: str, dtype: torch.dtype) -> tuple[Residuals, torch.Tensor]:
    """Eleven points of every block, and random coefficients."""
    problem = small_problem(gallery(name), kind, "soft")
    theta = random_theta(problem).to(device, dtype)
    parts = []
    for number, block in enumerate(problem.blocks):
        points = draw(problem, block, 11, torch.Generator().manual_seed(number)).to(theta)
        parts.append(sample(block, points, [1.0] * len(block.rows), 8))
    return residuals_of(problem, parts, theta, everything(problem.trial)), theta


@pytest.mark.parametrize(("device", "dtype"), PLACES)
@pytest.mark.parametrize("kind", ["chebyshev", "sine", "bspline", "mlp"])
@pytest.mark.parametrize("name", ["flow_2d_kovasznay", "parabolic_1d_allen_cahn"])
def test_steps_stay_where_the_coefficients_are(name: str, kind: str, device: str, dtype: torch.dtype) -> None:
    # Single precision carries 6e-8; second derivatives of degree-5 edges multiply it by some hundreds at most.
    one, theta = objective(name, kind, device, dtype)
    normal, expected = one.normal(theta), objective(name, kind, "cpu", torch.float64)[0]
    right = expected.normal(theta.to("cpu", torch.float64))
    step = next(LevenbergMarquardt().iterate(lambda: one, theta, {}))
    found = [normal.matrix, normal.gradient, normal.residuals, one.residuals(theta), step.theta]
    assert all(part.dtype == dtype and part.device.type == device for part in found)
    for part, aim in zip(found, (right.matrix, right.gradient, right.residuals)):
        assert (part.double().cpu() - aim).abs().max() < 1e-4 * aim.abs().max()


@pytest.mark.parametrize("size", [1, BLOCK, BLOCK + 1, 3 * BLOCK - 5])
def test_half_of_a_symmetric_product_is_the_whole_of_it(size: int) -> None:
    rows = torch.randn(size, 7, generator=torch.Generator().manual_seed(size), dtype=torch.float64)
    matrix = torch.zeros(size, size, dtype=torch.float64)
    add_lower_product(matrix, rows[:, :4])
    add_lower_product(matrix, rows[:, 4:])
    assert (mirrored(matrix) - rows @ rows.T).abs().max() < 1e-13
