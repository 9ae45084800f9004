"""Splines on a rectangle resolve solutions that are singular at corners, and resolve smooth ones beside them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
import torch

from kanpde.patch import Patch
from kanpde.separation import first_patch
from kanpde.solution import unknown_values
from kanpde.spec import Spec, read_spec, read_spec_text
from kanpde.steady import refinements
from kanpde.truth import truth_of

# Slow flow in a corner between a wall and a lid that stretches: r^2 times a function of the angle, whose fourth
# derivatives, like r^-2, have no square integral.
LID = """
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations: {e: biharm(u) = 0}
definitions: {angle: "atan2(y, x)", U: pi*y^2 - 2*angle*(x^2 + y^2) - 2*x*y}
boundary:
  left: [u = 0, u_x = 0]
  bottom: [u = 0, u_y = -4*x]
  right: [u = U, u_x = -4*angle*x]
  top: [u = U, u_y = 4*((pi/2 - angle)*y - x)]
exact: {u: U}
"""


def error_of(spec: Spec, patch: Patch) -> float:
    """The largest relative L2 error of an unknown."""
    truth = truth_of(spec)
    assert truth is not None
    found = unknown_values(patch.placed, patch.theta, tuple(truth.values), truth.points)
    return max(error.relative_l2 for error in truth.errors(found).values())


def coarse(spec: Spec, number: int) -> list[Patch]:
    """The first few patches."""
    return [patch for patch, _ in islice(refinements(first_patch(spec), 1e-12), number)]


@pytest.fixture(scope="module")
def weighed() -> list[Patch]:
    """Six refinements of the flow under a lid."""
    return coarse(read_spec_text(LID, "lid.yaml", Path(".")), 6)


def test_weights_at_corners_let_the_error_fall_although_the_residual_grows(
    weighed: list[Patch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lid: 9e-9 with 25 x 28 intervals; 2e-6 with more coefficients, where all residuals count alike."""
    spec = read_spec_text(LID, "lid.yaml", Path("."))
    monkeypatch.setattr(Patch, "by_corners", lambda patch, block, x, y: 1.0)
    alike = coarse(spec, 5)
    errors = [error_of(spec, patch) for patch in weighed]
    assert all(after < before / 3 for before, after in zip(errors, errors[1:]))
    assert alike[-1].cube.numel() >= weighed[-1].cube.numel()
    assert errors[-1] < error_of(spec, alike[-1]) / 100


def test_knots_are_graded_to_the_corner(weighed: list[Patch]) -> None:
    last = weighed[-1]
    for spline in (last.along, last.across):
        steps = spline.breaks.diff()
        assert steps.argmin() == 0 and steps[0] < steps.max() / 8


@pytest.mark.slow
def test_every_refinement_of_a_smooth_flow_and_its_pressure_is_better() -> None:
    """With two points even in the first and last interval the pressure on uneven knots was off by 3e-4."""
    spec = read_spec(Path(__file__).parent.parent / "problems" / "flow_2d_kovasznay.yaml")
    errors = [error_of(spec, patch) for patch in coarse(spec, 3)]
    assert errors[1] < errors[0] / 100 and errors[2] < errors[1] / 10


def test_residuals_count_less_at_corners_only() -> None:
    spec = read_spec_text(LID, "lid.yaml", Path("."))
    patch = first_patch(spec)
    ends = torch.tensor([0.0, 0.5, 1.0], dtype=torch.float64)
    found = patch.by_corners(patch.problem.blocks[0], ends[None], ends)
    assert isinstance(found, torch.Tensor)
    assert found.view(3, 3).tolist() == [[0, 1, 0], [1, 1, 1], [0, 1, 0]]
