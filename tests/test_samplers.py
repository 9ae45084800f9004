"""Points lie where they should, and a seed decides all of them."""

from __future__ import annotations

import pytest
import torch
from small import NAMES, gallery, random_theta, small_problem

from kanpde.points import counts, draw, samples
from kanpde.samplers import SAMPLERS, Draw, chosen_by_residual, place
from kanpde.spec import Piece, SamplingSpec

every_sampler = pytest.mark.parametrize("draw_", SAMPLERS.values(), ids=SAMPLERS)
BOX = ((-1.0, 1.0), (0.5, 2.5), (3.0, 3.25))


def seeded(seed: int) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


@every_sampler
@pytest.mark.parametrize("dimensions", [1, 2, 5])
def test_points_fill_the_cube(draw_: Draw, dimensions: int) -> None:
    unit = draw_(dimensions, 512, seeded(0))
    assert unit.shape == (dimensions, 512) and unit.dtype == torch.float64
    assert unit.min() >= 0 and unit.max() <= 1
    # The mean of 512 independent points has a standard deviation of 0.0128; five of them.
    assert (unit.mean(1) - 0.5).abs().max() < 5 * (1 / 12 / 512) ** 0.5
    assert all(((row * 8).long().bincount(minlength=8) > 512 / 8 / 2).all() for row in unit)


@every_sampler
def test_the_seed_decides_the_points(draw_: Draw) -> None:
    first, again, other = (draw_(3, 20, seeded(seed)) for seed in (7, 7, 8))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@every_sampler
def test_the_next_draw_is_another(draw_: Draw) -> None:
    generator = seeded(0)
    assert not torch.equal(draw_(2, 10, generator), draw_(2, 10, generator))


def test_evenly_spread_points_are_spread_more_evenly_than_independent_ones() -> None:
    # The error of a mean of products is about log(N)²/N instead of N^-1/2: 1e-3 instead of 1e-2.
    even = SAMPLERS["sobol"](2, 1024, seeded(0)).prod(0).mean()
    assert abs(float(even) - 0.25) < 2e-3


@every_sampler
def test_points_are_placed_in_the_box(draw_: Draw) -> None:
    points = place(draw_(3, 64, seeded(1)), BOX, None)
    for row, (low, high) in zip(points, BOX):
        assert row.min() >= low and row.max() <= high and row.max() - row.min() > 0.9 * (high - low)


@pytest.mark.parametrize("axis", range(3))
@pytest.mark.parametrize("side", [0, 1])
def test_points_of_a_face_lie_on_it(axis: int, side: int) -> None:
    points = place(SAMPLERS["sobol"](3, 64, seeded(1)), BOX, (axis, side))
    assert (points[axis] == BOX[axis][side]).all()
    others = [k for k in range(3) if k != axis]
    assert all(points[k].unique().numel() == 64 for k in others)


@pytest.mark.parametrize("name", NAMES)
def test_points_of_every_block_lie_in_it(name: str) -> None:
    problem = small_problem(gallery(name), "sine", "soft")
    for block in problem.blocks:
        points = draw(problem, block, 50, seeded(0)).points
        for axis, (low, high) in enumerate(problem.trial.box):
            assert points[axis].min() >= low and points[axis].max() <= high
        if isinstance(block.face, Piece) and problem.domain.region is not None:
            space = points[: len(problem.domain.region.axes)].numpy()
            assert problem.domain.region.inside(space).all()
            between = block.face.between is not None  # two regions, inside of their whole
            assert (problem.domain.region.inside(space, closed=False) == between).all()
        if isinstance(block.face, tuple):
            assert (points[block.face[0]] == problem.trial.box[block.face[0]][block.face[1]]).all()
            assert points.shape[1] == (1 if len(problem.trial.box) == 1 else 50)


def test_candidates_with_large_residuals_are_preferred() -> None:
    # Weights 1 + r/mean r: a tenth of the candidates with all the residual is drawn 11 times as often as the others.
    residual = torch.zeros(4000, dtype=torch.float64)
    residual[:400] = 1.0
    chosen = chosen_by_residual([residual], 400, seeded(0))
    assert len(chosen.unique()) == 400
    share = float((chosen < 400).double().mean())
    assert 0.4 < share < 0.6
    even = chosen_by_residual([torch.ones(4000, dtype=torch.float64)], 400, seeded(0))
    assert float((even < 400).double().mean()) < 0.15


def test_rows_count_alike_whatever_their_scale() -> None:
    left, right = torch.zeros(2, 1000, dtype=torch.float64)
    left[:100], right[900:] = 1.0, 1e-9
    chosen = chosen_by_residual([left, right], 200, seeded(0))
    assert 0.5 < float((chosen < 100).sum()) / float((chosen >= 900).sum()) < 2.0


def test_residuals_that_vanish_choose_evenly() -> None:
    chosen = chosen_by_residual([torch.zeros(100, dtype=torch.float64)], 100, seeded(0))
    assert sorted(chosen.tolist()) == list(range(100))


def test_adaptive_samples_are_a_function_of_the_seed() -> None:
    problem = small_problem(gallery("parabolic_1d_burgers"), "chebyshev", "soft")
    theta = random_theta(problem)
    weights = {row.name: 1.0 for block in problem.blocks for row in block.rows}
    number = counts(SamplingSpec(interior=40, boundary=10), 2, 100, 2.0)
    first, again = (samples(problem, number, weights, seeded(3), theta, adapt=True) for _ in range(2))
    plain = samples(problem, number, weights, seeded(3), theta, adapt=False)
    for one, two, block in zip(first, again, problem.blocks):
        assert one.count == (40 if block.face is None else 10)
        assert all(torch.equal(a.points, b.points) for a, b in zip(one.chunks, two.chunks))
    assert not torch.equal(first[0].chunks[0].points, plain[0].chunks[0].points)


def test_what_is_asked_for_is_drawn() -> None:
    found = counts(SamplingSpec(interior=7, boundary=5, initial=3), 2, 1000, 2.0)
    assert (found.interior, found.face, found.initial) == (7, 5, 3)
    automatic = counts(SamplingSpec(), 2, 1000, 2.0)
    assert automatic.interior == 2000 and automatic.initial == automatic.face
