"""Errors fall at the rates that approximation theory gives, against grid and degree."""

from __future__ import annotations

from math import log2
from pathlib import Path

import pytest
import torch

from kanpde.bases import BSpline, Chebyshev, Legendre
from kanpde.bases.base import Basis
from kanpde.build import assemble
from kanpde.evaluation import Ground
from kanpde.network import KanLayer, Network
from kanpde.objective import residuals_of, sample
from kanpde.optimisers.least_squares import least_squares
from kanpde.problem import everything
from kanpde.solution import unknown_values
from kanpde.spec import read_spec_text

TEXT = """
unknowns: [u]
domain: {x: [0, 1]}
equations: {poisson: -u_xx = (4*pi)^2*sin(4*pi*x)}
boundary: {all: u = 0}
"""


def error(basis: Basis) -> float:
    """The largest error of least squares for -u'' = f with one learnable edge."""
    spec = read_spec_text(TEXT, "slope.yaml", Path("."), ())
    problem = assemble(spec, [(Network((KanLayer(basis, 1, 1),)), ("u",))])
    points = torch.linspace(0, 1, 40 * basis.size + 1, dtype=torch.float64)[None]
    theta = torch.zeros(problem.trial.size, dtype=torch.float64)
    marks = everything(problem.trial)
    target = residuals_of(problem, [sample(problem.blocks[0], Ground(points), [1.0], 1024)], theta, marks)
    theta = -least_squares(target.triangle(theta))
    found = unknown_values(problem, theta, ("u",), points)["u"]
    return float((found - (4 * torch.pi * points[0]).sin()).abs().max())


@pytest.mark.parametrize("degree", [3, 4, 5, 6])
def test_errors_of_splines_fall_with_the_grid_at_the_order_of_the_second_derivative(degree: int) -> None:
    # The residual is of order h^(p-1), and for least squares in the residual the error follows it, or is better.
    errors = [error(BSpline(degree, grid)) for grid in (20, 40)]
    assert log2(errors[0] / errors[1]) > degree - 1 - 0.5


@pytest.mark.parametrize("kind", [Chebyshev, Legendre])
def test_errors_of_polynomials_fall_faster_than_any_power_of_the_degree(kind: type[Basis]) -> None:
    # sin 4πx is entire: Chebyshev coefficients J_n(2π) fall by more than 30 for each two degrees beyond n = 16.
    errors = [error(kind(degree=degree)) for degree in (16, 18, 20, 22)]  # type: ignore[call-arg]
    assert all(after < before / 10 for before, after in zip(errors, errors[1:]))
    assert errors[-1] < 1e-8
