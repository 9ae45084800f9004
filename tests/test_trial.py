"""What is built into a trial solution holds exactly, whatever its coefficients."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from small import NAMES, each, gallery, ground, pairs, random_theta, small_problem
from torch import Tensor

from kanpde.build import assemble
from kanpde.evaluation import Ground, as_jet, evaluate
from kanpde.jet import Index, closure, raised
from kanpde.network import Network
from kanpde.points import draw
from kanpde.problem import Block, Problem
from kanpde.trial import Datum, hermite, no_unknowns

HARD = [name for name in NAMES if small_problem(gallery(name), "chebyshev").trial.built_in]
PERIODIC = [name for name in NAMES if gallery(name).periodic]
seeds = pytest.mark.parametrize("seed", range(3))


def face_points(problem: Problem, datum: Datum, seed: int) -> Ground:
    """Points on a side of the box, its corners and edges among them."""
    block = Block("side", (datum.axis, datum.side), (), {})
    inside = draw(problem, block, 20, torch.Generator().manual_seed(seed))
    ends = [list(box) for box in problem.trial.box]
    ends[datum.axis] = [problem.trial.box[datum.axis][datum.side]]
    return Ground(torch.cat([inside.points, torch.tensor(list(product(*ends)), dtype=torch.float64).T], dim=1))


@pairs(HARD)
@seeds
def test_data_built_in_are_met_exactly(name: str, kind: str, seed: int) -> None:
    # 1e-12 of the largest of the data and of the network's own values, which the distance multiplies by zero.
    problem = small_problem(gallery(name), kind)
    theta = random_theta(problem, seed)
    zero = (0,) * len(problem.trial.box)
    for unknown, data in problem.trial.built_in.items():
        for datum in data:
            side = face_points(problem, datum, seed)
            wanted = raised(zero, datum.axis, datum.order)
            fields, _ = problem.trial.fields(theta, side, {unknown: closure(frozenset({wanted}))})
            zeroth = frozenset({zero})
            expected = as_jet(evaluate(datum.data, zeroth, problem.trial.scope, side, no_unknowns), zeroth, side).value
            scale = 1 + torch.as_tensor(expected).abs().max()
            assert (fields[unknown][wanted] - expected).abs().max() < 1e-12 * scale, (unknown, datum.axis, datum.side)


def test_the_gallery_builds_in_values_slopes_and_first_times() -> None:
    """The table above holds what it should: values, normal derivatives and initial data, alone and together."""
    found = [small_problem(gallery(name), "sine").trial.built_in for name in HARD]
    assert len(HARD) >= 12 and {d.order for built_in in found for data in built_in.values() for d in data} >= {0, 1}


@each(HARD)
def test_conditions_built_in_are_no_residuals(name: str) -> None:
    spec = gallery(name)
    hard, soft = small_problem(spec, "sine", "auto"), small_problem(spec, "sine", "soft")
    rows = [sum(len(block.rows) for block in problem.blocks) for problem in (hard, soft)]
    assert rows[0] + sum(map(len, hard.trial.built_in.values())) == rows[1]
    assert not soft.trial.built_in


@pairs(HARD)
def test_the_trial_solution_still_varies_inside(name: str, kind: str) -> None:
    problem = small_problem(gallery(name), kind)
    zero = frozenset({(0,) * len(problem.trial.box)})
    here = ground(problem, problem.blocks[0], 20)
    wanted = dict.fromkeys(gallery(name).unknowns, zero)
    fields = [problem.trial.fields(random_theta(problem, seed), here, wanted)[0] for seed in (0, 1)]
    values = [torch.stack([jet.value for jet in found.values()]) for found in fields]
    assert (values[0] - values[1]).abs().amax(1).min() > 1e-6


@pairs(PERIODIC)
@pytest.mark.parametrize("enforce", ["soft", "auto"])
@seeds
def test_what_coefficients_add_is_exactly_periodic(name: str, kind: str, enforce: str, seed: int) -> None:
    # Beside the lift of the data, which are the user's. The ends differ by the rounding of 2π (2e-16 in the angle)
    # times the largest slope of that derivative.
    problem = small_problem(gallery(name), kind, enforce)
    theta = random_theta(problem, seed)
    others = (0,) * (len(problem.trial.box) - 2)
    wanted = closure(frozenset({(2, 1 if others else 2, *others), (3, 0, *others)}))
    for axis, unknown, alpha in product(problem.trial.periodic, gallery(name).unknowns, wanted):
        left, right = (added(problem, theta, unknown, alpha, (axis, side), seed) for side in (0, 1))
        assert (left - right).abs().max() <= 1e-12 * max(1.0, float(left.abs().max())), alpha


def added(problem: Problem, theta: Tensor, unknown: str, alpha: Index, side: tuple[int, int], seed: int) -> Tensor:
    """What the coefficients add to a derivative on one of the two sides that are one."""
    here = draw(problem, Block("side", side, (), {}), 16, torch.Generator().manual_seed(seed))
    wanted = {unknown: closure(frozenset({alpha}))}
    whole, bare = (problem.trial.fields(part, here, wanted)[0][unknown] for part in (theta, torch.zeros_like(theta)))
    return torch.as_tensor(whole[alpha] - bare[alpha])


@pytest.mark.parametrize("name", PERIODIC)
def test_ramps_wind_around_periodic_coordinates(name: str) -> None:
    problem = small_problem(gallery(name), "ramps")
    theta = random_theta(problem)
    first: Network = problem.trial.branches[0].network
    slopes = next(iter(first.split(theta)))[1][0, :-1]
    turns = slopes[list(problem.trial.periodic)] / torch.pi
    assert (turns - turns.round()).abs().max() < 1e-14
    assert problem.trial.branches[0].winds(len(problem.trial.box))


VALUES, SLOPES = ((0, 0), (1, 0)), ((0, 1), (1, 1))


@pytest.mark.parametrize("conditions", [VALUES[:1], VALUES[1:], VALUES, (*VALUES[:1], *SLOPES[:1]), (*VALUES, *SLOPES)])
def test_hermite_polynomials_are_dual_to_their_conditions(conditions: tuple[tuple[int, int], ...]) -> None:
    for number, weights in enumerate(hermite(conditions)):
        for other, (side, order) in enumerate(conditions):
            polynomial = torch.tensor(weights, dtype=torch.float64)
            for _ in range(order):
                polynomial = polynomial[1:] * torch.arange(1, len(polynomial))
            value = float(polynomial.sum() if side else polynomial[0])
            assert value == pytest.approx(float(number == other), abs=1e-14)


def test_the_same_networks_give_the_same_problem() -> None:
    """Assembling twice changes nothing, so that a stored network can be evaluated again."""
    spec = gallery("flow_2d_kovasznay")
    first = small_problem(spec, "chebyshev", spec.enforce)
    again = assemble(spec, [(branch.network, branch.unknowns) for branch in first.trial.branches])
    theta = random_theta(first)
    for one, two in zip(first.blocks, again.blocks):
        rows = zip(first.residuals(one, theta, ground(first, one)), again.residuals(two, theta, ground(again, two)))
        assert one.name == two.name and all(torch.equal(a, b) for a, b in rows)
