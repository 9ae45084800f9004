"""Components of the outward normal in formulas of conditions."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from small import small_problem

from kanpde.check import kind
from kanpde.points import draw, rows_at
from kanpde.proof import exact_residuals
from kanpde.spec import Spec, read_spec_text

DOMAINS = {
    "interval": "domain: {x: [0, 2]}",
    "box": "domain: {x: [0, 2], y: [-1, 1]}",
    "box in time": "domain: {x: [0, 2], y: [-1, 1], t: [0, 1]}\ninitial: {u: 0}",
    "disc": "domain: {shapes: {body: 'disc(center=[0, 1], radius=2)'}}",
    "annulus": "domain: {shapes: {body: 'annulus(center=[0, 1], inner=1, outer=2)'}}",
    "ball with a gap": (
        "domain: {shapes: {body: 'ball(center=[0, 1, 0], radius=2)', gap: 'box(x=[-3, 3], y=[1, 3], z=[0, 1])'}, "
        "region: body - gap}"
    ),
}


def read(domain: str, condition: str, equation: str = "lap(u) = 0") -> Spec:
    """A problem of one condition."""
    equation = equation.replace("=", "= u_t +") if "t:" in domain else equation
    text = f"unknowns: [u]\n{domain}\nequations: {{e: '{equation}'}}\nboundary: {{all: '{condition}'}}\n"
    return read_spec_text(text, "test.yaml", Path("."))


@pytest.mark.parametrize("name", DOMAINS)
def test_they_make_the_normal_derivative(name: str) -> None:
    dimensions = 1 if name == "interval" else 3 if "ball" in name else 2
    slope = " + ".join(f"n_{axis}*u_{axis}" for axis in "xyz"[:dimensions])
    ours, plain = (
        small_problem(read(DOMAINS[name], f"{left} = x^2"), "chebyshev", "soft") for left in (slope, "dn(u)")
    )
    theta = ours.trial.initial(torch.Generator().manual_seed(0))
    pairs = [
        pair for pair in zip(ours.blocks, plain.blocks) if pair[0].rows[0].name.split(".")[0] not in ("e", "t_min")
    ]
    assert pairs
    for one, other in pairs:
        points = draw(ours, one, 50, torch.Generator().manual_seed(1))
        (found,), (expected,) = (rows_at(p, b, theta, points) for p, b in ((ours, one), (plain, other)))
        assert torch.allclose(found, expected, rtol=1e-13, atol=1e-13), one.name


@pytest.mark.parametrize("name", DOMAINS)
def test_they_have_length_one(name: str) -> None:
    dimensions = 1 if name == "interval" else 3 if "ball" in name else 2
    square = " + ".join(f"n_{axis}^2" for axis in "xyz"[:dimensions])
    problem = small_problem(read(DOMAINS[name], f"u = 1 - ({square})"), "chebyshev", "soft")
    for block in problem.blocks:
        if not block.inside:
            points = draw(problem, block, 50, torch.Generator().manual_seed(1))
            theta = torch.zeros(problem.trial.size, dtype=torch.float64)
            assert all(row.abs().max() < 1e-12 for row in rows_at(problem, block, theta, points))


def test_values_by_the_normal_are_known_exactly() -> None:
    text = (
        "unknowns: [u]\ndomain: {shapes: {body: 'disc(center=[0, 0], radius=2)'}}\n"
        "equations: {e: lap(u) = 0}\nboundary: {all: u = n_x*n_y}\nexact: {u: x*y/4}\n"
    )
    assert max(part.relative for part in exact_residuals(read_spec_text(text, "test.yaml", Path(".")))) < 1e-12


def test_a_slope_of_an_unknown_called_n_is_that() -> None:
    text = "unknowns: [n]\ndomain: {x: [0, 1]}\nequations: {e: n_xx = n_x}\nboundary: {left: n = 0, right: n_x = 1}\n"
    spec = read_spec_text(text, "test.yaml", Path("."))
    assert [kind(condition, spec).type for condition in spec.boundary] == ["dirichlet", "neumann"]
