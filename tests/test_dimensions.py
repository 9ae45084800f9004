"""No work grows exponentially with the number of coordinates."""

from __future__ import annotations

import math
from itertools import product
from pathlib import Path
from time import process_time

import numpy as np
import pytest
import torch
from small import gallery, random_theta, small_problem

from kanpde.build import LARGEST_LIFT, PLAIN_LIFT, terms
from kanpde.declarations import MOST_COORDINATES
from kanpde.errors import SpecError
from kanpde.evaluation import Ground
from kanpde.laws import lattice
from kanpde.output_grid import output_axes
from kanpde.points import counts, draw, rows_at
from kanpde.proof import prove
from kanpde.ramps import Ramps, nonlinear_fit, ramps_problem
from kanpde.refinement import samples
from kanpde.result import Outcome
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec_text
from kanpde.truth import measuring_points
from kanpde.writers.views import views

many = pytest.mark.parametrize("count", range(1, MOST_COORDINATES + 1))


def harmonic(count: int, time: bool = False) -> Spec:
    """A linear solution of Laplace's equation, or of the heat equation with time as the last coordinate."""
    names = [f"x{k}" for k in range(1, count + 1 - time)]
    text = f"""
unknowns: [u]
domain: {{{", ".join(f"{name}: [0, 1]" for name in [*names, *["t"] * time])}}}
equations: {{law: "{"u_t = " * time}lap(u){" = 0" * (not time)}"}}
boundary: {{all: "u = U"}}
{"initial: {u: U}" * time}
definitions: {{U: "{" + ".join(f"{k}*{name}" for k, name in enumerate(names, 1))}"}}
exact: {{u: U}}
"""
    return read_spec_text(text, "harmonic.yaml", Path("."))


def entangled(count: int) -> Spec:
    """A problem whose data do not split into functions of fewer coordinates."""
    spec = harmonic(count)
    total = " + ".join(spec.box)
    return read_spec_text(spec.text, "entangled.yaml", Path("."), [f"definitions.U=cos(3*({total}))"])


@many
@pytest.mark.parametrize("time", [False, True])
def test_the_usual_output_is_of_bounded_size_and_can_be_drawn(count: int, time: bool) -> None:
    if count > time:
        axes = output_axes(harmonic(count, time=time))
        assert 400 <= math.prod(map(len, axes.values())) <= 200_000
        assert all(axis[0] == 0 and axis[-1] == 1 for axis in axes.values() if len(axis) > 1)
        assert all(axis[0] == 0.5 for axis in axes.values() if len(axis) == 1)
        shown = views(axes)
        assert shown and all(len(view.title) < 60 and len(axes[view.across]) > 5 for view in shown)


@many
def test_points_to_look_at_are_of_bounded_number_and_in_the_box(count: int) -> None:
    spec = harmonic(count)
    box = tuple(spec.box.values())
    for points in (lattice(spec), measuring_points(box), samples(len(box), torch.Generator().manual_seed(0))):
        assert points.shape[0] == count and points.shape[1] < 35_000
        assert points.min() >= 0 and points.max() <= 1
    corners = {tuple(point) for point in lattice(spec).T.tolist()}
    assert {(0.0,) * count, (0.5,) * count, (1.0,) * count} <= corners
    assert len(corners) == 3**count or count > 6


@many
def test_points_on_all_faces_are_at_most_four_times_those_inside(count: int) -> None:
    number = counts(harmonic(count).sampling, count, 2000, 2.0)
    assert count == 1 or 2 * count * number.face <= 4 * number.interior


@many
def test_data_of_fewer_coordinates_are_all_built_in_at_no_cost(count: int) -> None:
    data = small_problem(harmonic(count), "sine").trial.built_in["u"]
    assert len(data) == 2 * count and terms(data) <= PLAIN_LIFT


@many
def test_data_of_all_coordinates_are_built_in_as_far_as_their_lift_is_affordable(count: int) -> None:
    data = small_problem(entangled(count), "sine").trial.built_in["u"]
    assert len(data) == 2 * min(count, round(math.log(LARGEST_LIFT, 3))) and not any(d.met for d in data)


def test_data_that_others_imply_hold_as_exactly_as_those_built_in() -> None:
    problem = small_problem(harmonic(6), "sine")
    for axis, side in product(range(6), (0, 1)):
        points = torch.rand(6, 50, generator=torch.Generator().manual_seed(axis), dtype=torch.float64)
        points[axis] = side
        fields, _ = problem.trial.fields(random_theta(problem), Ground(points), {"u": frozenset({(0,) * 6})})
        expected = torch.arange(1, 7, dtype=torch.float64) @ points
        assert (fields["u"].value - expected).abs().max() < 1e-12


def test_what_is_too_much_to_be_built_in_is_refused_where_that_is_asked_for() -> None:
    small_problem(harmonic(6), "sine", "hard")
    with pytest.raises(SpecError, match="x6_min"):
        small_problem(entangled(6), "sine", "hard")


@pytest.mark.parametrize("count", [10, MOST_COORDINATES])
def test_a_proof_takes_a_few_seconds(count: int) -> None:
    spec, start = harmonic(count), process_time()
    assert prove(spec).warnings == prove(spec).mistakes == ()
    assert process_time() - start < 5 * count / 10


def test_ten_dimensions_are_solved() -> None:
    spec = gallery("elliptic_10d_laplace")
    solution = solve(spec)
    result = solution.tabulate()
    assert solution.outcome is Outcome.FINISHED and result.errors["u"].relative_l2 < 1e-12
    assert np.abs(result.fields["u_error"].values).max() < 1e-12


def test_fits_in_three_coordinates_are_as_good_between_their_points() -> None:
    """With two points for each ramp, evenly spread, the mean square elsewhere was 26 times that of the fit."""
    spec = gallery("parabolic_1d_burgers_parametric")
    fit = nonlinear_fit(ramps_problem(spec, 2), spec, Ramps(200, (0.7, 0.7, 0.7)))
    (block,) = [block for block in fit.problem.blocks if block.inside]
    ground = draw(fit.problem, block, 2000, torch.Generator().manual_seed(7))
    (elsewhere,) = rows_at(fit.problem, block, fit.theta, ground)
    fitted = fit.objective.losses(fit.theta[fit.objective.mask])[block.rows[0].name]
    assert float(elsewhere.square().mean()) < 4 * fitted
