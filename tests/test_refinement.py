"""Spline grids follow their inputs and grow, and the function on them stays."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from small import KINDS, NAMES, each, gallery, random_theta, small_problem
from torch import Tensor

from kanpde.bases import BSpline
from kanpde.bases.bspline import uniform_knots
from kanpde.errors import KanpdeError
from kanpde.evaluation import Ground
from kanpde.jet import closure, variable
from kanpde.network import KanLayer, Network
from kanpde.problem import Block, Problem, Row
from kanpde.refinement import (
    divided_knots,
    grid_fits,
    need_splines,
    on_grid,
    refined,
    refined_network,
    refitted,
    samples,
)
from kanpde.samplers import place
from kanpde.tree import Name
from kanpde.trial import stacked

DEGREES = pytest.mark.parametrize("degree", [2, 3, 5, 7])


def seeded(seed: int = 0) -> torch.Generator:
    """A generator with a seed."""
    return torch.Generator().manual_seed(seed)


def inputs(width: float = 1.0, count: int = 400) -> Tensor:
    """Points of a square."""
    return width * (2 * torch.rand(2, count, generator=seeded(4), dtype=torch.float64) - 1)


def network(degree: int, grid: int, ranges: float = 1.0) -> tuple[Network, Tensor]:
    """Two layers with random, rough edges on evenly spaced grids."""
    ends = torch.tensor([[-ranges, ranges]], dtype=torch.float64)
    basis = BSpline(degree, grid, uniform_knots(ends, grid, degree))
    found = Network((KanLayer(basis, 2, 3), KanLayer(basis, 3, 2)))
    return found, found.initial(seeded(1))


def smooth_edges(basis: BSpline, inside: Tensor) -> Tensor:
    """Coefficients [2, K, 1] with which edges are nearly sin 2x, by Schoenberg's choice of sites."""
    sites = torch.stack([inside[k + 1 : k + 1 + basis.degree].mean() for k in range(basis.size - 1)])
    column = torch.cat([torch.zeros(1, dtype=torch.float64), torch.sin(2 * sites)])
    return column[None, :, None].expand(2, -1, 1).contiguous()


def gap(found: Tensor, expected: Tensor) -> float:
    """The largest difference relative to the largest value."""
    return float((found - expected).abs().max() / expected.abs().max())


@DEGREES
@pytest.mark.parametrize("pieces", [2, 3])
def test_dividing_a_grid_keeps_the_function(degree: int, pieces: int) -> None:
    # Splines on a grid are splines on a finer one, so nothing but rounding is lost: 1e-16 times the condition number
    # of B-splines, which doubles with each degree, and what the ridge takes.
    wide = 6.0  # hidden values stay inside
    before, theta = network(degree, 4, wide)
    x = torch.cat([inputs(wide), torch.tensor([[-wide, wide], [wide, -wide]]).double()], dim=1)
    coefficients = next(iter(before.split(theta)))[1]
    old = before.layers[0].basis
    new = BSpline(degree, 4 * pieces, divided_knots(old, pieces))
    fitted = refitted(old, new, coefficients, x)
    edges = [torch.einsum("ikn,iko->on", b.table(x, 0)[0], c) for b, c in ((old, coefficients), (new, fitted))]
    assert gap(edges[1], edges[0]) < 1e-10


@each(NAMES)
def test_doubling_grids_keeps_the_solution_of_every_problem(name: str) -> None:
    # Where the grids fit, which is sure at the points they were chosen by: of other points some may leave a grid.
    start = small_problem(gallery(name), "bspline")
    fitted, theta = refined(start, random_theta(start), seeded(0))
    doubled, more = refined(fitted, theta, seeded(0), 8)
    layers = [layer for branch in doubled.trial.branches for layer in branch.network.layers]
    grids = [layer.basis.grid for layer in layers if on_grid(layer)]
    assert grids and all(grid == 8 for grid in grids)
    assert len(more) > len(theta)
    for branch in (branch for branch in start.trial.branches if any(map(on_grid, branch.network.layers))):
        points = place(samples(len(start.trial.box), seeded(0)), branch.box or start.trial.box, None)
        found, before = (values(*pair, points, branch.unknowns) for pair in ((doubled, more), (fitted, theta)))
        assert gap(found, before) < 1e-10


def values(problem: Problem, theta: Tensor, points: Tensor, names: tuple[str, ...] = ()) -> Tensor:
    """The unknowns, or some of them, at points [d, N]."""
    zero = frozenset({(0,) * len(problem.trial.box)})
    names = names or problem.trial.scope.unknowns
    block = Block("values", None, tuple(Row(name, Name(name)) for name in names), dict.fromkeys(names, zero))
    return torch.stack(problem.residuals(block, theta, Ground(points)))


@pytest.mark.parametrize("degree", [5, 7])
def test_moving_knots_keeps_smooth_functions(degree: int) -> None:
    # The error of a spline of degree 5 on a twentieth of four units, 0.2⁶ / 6! · 2⁶ = 6e-6, and of degree 7 less.
    basis = BSpline(degree, 20, uniform_knots(torch.tensor([[-2.0, 2.0]]).double(), 20, degree))
    layer = KanLayer(basis, 2, 1)
    coefficients = smooth_edges(basis, basis.knots[0])
    before, x = Network((layer,)), inputs(0.7)
    after, theta = refined_network(before, coefficients.reshape(-1), x)
    assert not torch.equal(after.layers[0].basis.knots, basis.knots)
    assert after.size == before.size
    assert gap(after.value(x, theta), before.value(x, coefficients.reshape(-1))) < 1e-6


def test_new_grids_hold_all_inputs() -> None:
    before, theta = network(3, 5, 0.4)
    x = inputs(3.0)
    after, theta = refined_network(before, theta, x)
    for layer, coefficients in after.split(theta):
        assert grid_fits(layer.basis, x)
        x = layer.value(x, coefficients)


def test_grids_that_fit_stay_as_they_are() -> None:
    before, theta = network(5, 6)
    once, first = refined_network(before, theta, inputs())
    again, second = refined_network(once, first, inputs())
    assert all(a.basis is b.basis for a, b in zip(once.layers, again.layers))
    assert torch.equal(first, second)
    assert once.layers[0].basis is before.layers[0].basis


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bspline"])
def test_networks_without_grids_stay_as_they_are(kind: str) -> None:
    problem = small_problem(gallery("elliptic_2d_poisson"), kind)
    theta, generator = random_theta(problem), seeded()
    found, same = refined(problem, theta, generator)
    assert found is problem and same is theta
    assert torch.equal(generator.get_state(), seeded().get_state())  # no random number spent
    with pytest.raises(KanpdeError, match="bspline"):
        need_splines(problem)


def test_the_base_function_keeps_its_coefficients() -> None:
    before, theta = network(3, 4, 6.0)
    after, more = refined_network(before, theta, inputs(6.0), 8)
    pairs = zip(before.split(theta), after.split(more))
    assert all(torch.equal(old[1][:, 0], new[1][:, 0]) for old, new in pairs)


def test_single_precision_stays_single() -> None:
    problem = small_problem(gallery("elliptic_2d_poisson"), "bspline")
    found, theta = refined(problem, random_theta(problem).float(), seeded(), 8)
    assert theta.dtype == torch.float32 and torch.isfinite(theta).all()
    assert len(theta) == found.trial.size


@DEGREES
def test_inputs_that_leave_the_grid_behave(degree: int) -> None:
    """Beyond the grid all derivatives stay finite and the splines fade into the base function, without a jump."""
    layer = KanLayer(replace(BSpline(degree, 5)), 1, 1)
    indices = closure(frozenset({(degree + 2,)}))
    coefficients = layer.initial(seeded(2))
    far = torch.linspace(-30, 30, 4001, dtype=torch.float64)[None]
    jet, _ = layer.forward(stacked([variable(far[0], 0, 1, indices)], indices, far), coefficients, False)
    assert all(torch.isfinite(value).all() for value in jet.terms.values())
    beyond = far[0].abs() > 1 + 2 / 5 * degree
    silu = torch.nn.functional.silu(far[0]) * coefficients[0, 0, 0]
    assert gap(jet[0,][0, beyond], silu[beyond]) < 1e-15
    edge = torch.tensor([[1 - 1e-9, 1 + 1e-9]], dtype=torch.float64)
    low = closure(frozenset({(degree - 1,)}))
    jet, _ = layer.forward(stacked([variable(edge[0], 0, 1, low)], low, edge), coefficients, False)
    assert all(float((v[0, 1] - v[0, 0]).abs()) < 1e-4 * (1 + float(v.abs().max())) for v in jet.terms.values())
