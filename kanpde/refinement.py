"""Grids of B-splines that follow their inputs, and grow, while the functions on them stay."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from kanpde.bases import BSpline
from kanpde.bases.bspline import adapted_knots
from kanpde.errors import KanpdeError
from kanpde.evaluation import Ground
from kanpde.functions import UNIVARIATE
from kanpde.network import KanLayer, Layer, Network
from kanpde.problem import Problem
from kanpde.samplers import place, sobol

SAMPLES = 512  # inputs looked at, corners of the box beside them
MOST_CORNERS = 512
RIDGE = 1e-10  # relative to the longest column: settles what no sample decides, changes nothing else


def has_splines(problem: Problem) -> bool:
    """Whether any edge is a spline on a grid."""
    return any(on_grid(layer) for branch in problem.trial.branches for layer in branch.network.layers)


def need_splines(problem: Problem) -> None:
    """Raises KanpdeError where no edge has a grid."""
    if not has_splines(problem):
        raise KanpdeError("training.stages: grid: only splines have one; choose network.basis: bspline")


def on_grid(layer: Layer) -> bool:
    """Whether a layer's edges are splines on a grid."""
    return isinstance(layer, KanLayer) and isinstance(layer.basis, BSpline)


def refined(
    problem: Problem, theta: Tensor, generator: torch.Generator, grid: int | None = None
) -> tuple[Problem, Tensor]:
    """The same trial solution on grids that fit their inputs, of `grid` intervals if that is given."""
    if not has_splines(problem):
        return problem, theta
    unit = samples(len(problem.trial.box), generator)
    branches, parts, start = [], [], 0
    for branch in problem.trial.branches:
        part = theta[start : start + branch.network.size].detach().cpu().double()
        start += branch.network.size
        zero = frozenset({(0,) * len(problem.trial.box)})
        ground = Ground(place(unit, branch.box or problem.trial.box, None))
        inputs = problem.trial.inputs(ground, zero, branch).value
        network, part = refined_network(branch.network, part, torch.as_tensor(inputs), grid)
        branches.append(replace(branch, network=network))
        parts.append(part)
    return replace(problem, trial=replace(problem.trial, branches=tuple(branches))), torch.cat(parts).to(theta)


def samples(dimensions: int, generator: torch.Generator) -> Tensor:
    """Points [d, N] that fill the unit cube, its corners among them, or some of these in many dimensions."""
    inside = sobol(dimensions, SAMPLES, generator)
    return torch.cat([inside, corners(dimensions, generator).to(inside)], dim=1)


def corners(dimensions: int, generator: torch.Generator) -> Tensor:
    """Corners of the unit cube [d, N]: all of them, or the first, the last and a random choice."""
    if 2**dimensions <= MOST_CORNERS:
        return torch.cartesian_prod(*[torch.arange(2)] * dimensions).view(-1, dimensions).T
    ends = torch.arange(2).expand(dimensions, 2)
    return torch.cat([ends, torch.randint(2, (dimensions, MOST_CORNERS - 2), generator=generator)], dim=1)


def refined_network(network: Network, theta: Tensor, x: Tensor, grid: int | None = None) -> tuple[Network, Tensor]:
    """The same function of inputs like x [I, N], its spline layers on new grids."""
    layers, parts = [], []
    for layer, coefficients in network.split(theta):
        new, part = layer, coefficients
        if isinstance(layer, KanLayer) and isinstance(layer.basis, BSpline):
            inside = UNIVARIATE[layer.before].value(x) if layer.before else x
            basis = refined_basis(layer.basis, inside, grid or layer.basis.grid)
            if basis is not layer.basis:
                new, part = replace(layer, basis=basis), refitted(layer.basis, basis, coefficients, inside)
        layers.append(new)
        parts.append(part.reshape(-1))
        x = layer.value(x, coefficients)
    return Network(tuple(layers)), torch.cat(parts)


def refined_basis(basis: BSpline, x: Tensor, grid: int) -> BSpline:
    """The basis with `grid` intervals: the old ones where they fit the inputs, divided if need be, else new ones."""
    fits = grid_fits(basis, x)
    if fits and grid == basis.grid:
        return basis
    if fits and grid % basis.grid == 0:
        return BSpline(basis.degree, grid, divided_knots(basis, grid // basis.grid))
    return BSpline(basis.degree, grid, adapted_knots(x, grid, basis.degree))


def grid_fits(basis: BSpline, x: Tensor) -> bool:
    """Whether every input stays on its grid and uses at least half of it."""
    low, high = basis.knots[:, basis.degree], basis.knots[:, basis.degree + basis.grid]
    least, greatest = x.amin(1), x.amax(1)
    slack = 1e-12 * (high - low)
    return bool(((least >= low - slack) & (greatest <= high + slack) & (greatest - least > 0.5 * (high - low))).all())


def divided_knots(basis: BSpline, pieces: int) -> Tensor:
    """Knots that cut each interval into equal pieces, continued evenly beyond the ends."""
    inner = basis.knots[:, basis.degree : basis.degree + basis.grid + 1]
    steps = inner.diff(dim=1)[..., None] / pieces * torch.arange(pieces).to(inner)
    cut = torch.cat([(inner[:, :-1, None] + steps).flatten(1), inner[:, -1:]], dim=1)
    beyond = torch.arange(1, basis.degree + 1).to(inner)
    first, last = cut[:, 1:2] - cut[:, :1], cut[:, -1:] - cut[:, -2:-1]
    return torch.cat([cut[:, :1] - first * beyond.flip(0), cut, cut[:, -1:] + last * beyond], dim=1)


def refitted(old: BSpline, new: BSpline, coefficients: Tensor, x: Tensor) -> Tensor:
    """Coefficients [I, K', O] on the new knots of the functions with coefficients [I, K, O] on the old ones.

    Least squares by QR over the inputs and over points spread evenly on the new grid; the base function, common to
    both, keeps its coefficients.
    """
    ends = new.knots[:, [new.degree, new.degree + new.grid]].expand(x.shape[0], -1)
    even = ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * torch.linspace(0, 1, 8 * new.size).to(x)
    where = torch.cat([x, even], dim=1)
    before, after = old.table(where, 0)[0, :, 1:], new.table(where, 0)[0, :, 1:]
    targets = torch.einsum("ikn,iko->ino", before, coefficients[:, 1:])
    matrix = after.transpose(1, 2)
    ridge = RIDGE * matrix.norm(dim=1).amax() * torch.eye(matrix.shape[2]).to(x).expand(x.shape[0], -1, -1)
    q, r = torch.linalg.qr(torch.cat([matrix, ridge], dim=1))
    right = q[:, : matrix.shape[1]].transpose(1, 2) @ targets
    return torch.cat([coefficients[:, :1], torch.linalg.solve_triangular(r, right, upper=True)], dim=1)
