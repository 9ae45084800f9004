"""The same problem solved once more, on other ramps: an independent solution whose difference tells of the error."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Iterator

import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.objective import Residuals, residuals_of
from kanpde.optimisers.least_squares import least_squares
from kanpde.optimisers.least_squares import lengths as column_lengths
from kanpde.points import counts, samples
from kanpde.problem import Problem, read_outs
from kanpde.ramps import Fit, Ramps, nonlinear_fit, ramped, ramps_problem, setting, start, values_of, widened
from kanpde.relative import relative_residual
from kanpde.search import SPREADS
from kanpde.spec import Spec

RICHER = 1.1  # times as many ridges as the first solution; with as many, estimates came to 3.5 times the error
ANOTHER = 7919  # added to the seed
OPEN = 1e6  # times the relative change of the equations: a change of the solution that shows it is not determined
LOOKS = 20  # points at which such a change is looked for
STEPS = 2  # of Gauss-Newton from the first solution, more than enough so near
WIDTH = 600  # ridges for the error of a deep network

Solved = tuple[Problem, Tensor]


def on_other_ramps(base: Problem, spec: Spec, fit: Fit) -> Iterator[Solved]:
    """Another draw of ridges and points, by the same least squares; of linear problems, with what they leave free."""
    if not base.linear:
        found = nonlinear_fit(base, reseeded(spec), richer(fit.ramps), fit, steps=STEPS)
        yield found.problem, found.theta
        return
    problem, theta, objective, _ = setting(base, reseeded(spec), richer(fit.ramps))
    folded = objective.triangle(theta[objective.mask])
    part = -least_squares(folded)
    yield problem, objective.whole(part + open_mode(objective, folded, part))


def open_mode(objective: Residuals, folded: Tensor, part: Tensor) -> Tensor:
    """Read-outs [P] of fields as large as the solution that hardly change a residual; zero where there are none.

    With the triangle R of the equations a value g·c changes by ‖R⁻ᵀg‖ for a unit of residual, and R⁻¹R⁻ᵀg changes it
    most; g are fields at some points. Light rows keep rounding from counting as such modes.
    """
    known, right, lengths = size(values(objective, part)) or 1.0, float(folded[:, -1].norm()), column_lengths(folded)
    upper, looks = folded[: len(part), :-1] / lengths, looked_at(objective, part) / lengths[:, None]
    if not changed(upper, looks).max() * right > OPEN * known:
        return torch.zeros_like(part)
    light = torch.finfo(part.dtype).eps ** (2 / 3) * torch.eye(len(part)).to(part)
    upper = torch.linalg.qr(torch.cat([upper, light]), mode="r").R
    effects = changed(upper, looks)
    if not effects.max() * right > OPEN * known:
        return torch.zeros_like(part)
    worst = looks[:, [int(effects.argmax())]]
    half = torch.linalg.solve_triangular(upper.T, worst, upper=False)
    change = torch.linalg.solve_triangular(upper, half, upper=True)[:, 0] / lengths
    return known / size(values(objective, part + change) - values(objective, part)) * change


def changed(upper: Tensor, looks: Tensor) -> Tensor:
    """How much values, linear in the read-outs by columns [P, N], may change for a unit of residual."""
    return torch.linalg.solve_triangular(upper.T, looks, upper=False).norm(dim=0)


def looked_at(objective: Residuals, part: Tensor) -> Tensor:
    """The derivatives [P, N] of all fields at a few points by the read-outs."""
    found = []
    for sample in (one for one in objective.samples if one.block.inside):
        ground = Ground(sample.chunks[0].points[:, :LOOKS])
        block, whole = values_of(objective.problem, sample.block), objective.whole(part)
        found += [rows for _, rows in objective.problem.rows_and_jacobian(block, whole, ground, objective.trained)]
    return torch.cat(found, dim=1)


def values(objective: Residuals, part: Tensor) -> Tensor:
    """All fields at all points inside."""
    found = []
    for sample in objective.samples:
        block = values_of(objective.problem, sample.block)
        for ground in sample.chunks if sample.block.inside else ():
            found += objective.problem.residuals(block, objective.whole(part), Ground(ground.points))
    return torch.cat([row.detach() for row in found])


def size(fields: Tensor) -> float:
    """The root mean square."""
    return float(fields.square().mean().sqrt())


def reseeded(spec: Spec) -> Spec:
    """The problem with another seed."""
    return replace(spec, training=replace(spec.training, seed=spec.training.seed + ANOTHER))


def richer(ramps: Ramps) -> Ramps:
    """More ridges, as steep beside their number."""
    factor = RICHER ** (1 / len(ramps.slopes))
    return Ramps(ceil(RICHER * ramps.width), tuple(factor * slope for slope in ramps.slopes))


def with_ramps_beside(problem: Problem, theta: Tensor, spec: Spec) -> Iterator[Solved]:
    """A trained network as it is with ramps beside it, fitted to the equations linearised about it."""
    spec, dimensions = reseeded(spec), len(spec.box)
    generator, found = torch.Generator().manual_seed(spec.training.seed), []
    ramps = [branch for branch in widened(ramps_problem(spec, 2), WIDTH).trial.branches if ramped(branch)]
    beside = replace(problem, trial=replace(problem.trial, branches=tuple(ramps)))
    both = replace(problem, trial=replace(problem.trial, branches=(*problem.trial.branches, *ramps)))
    still = tuple((False,) * len(branch.network.layers) for branch in problem.trial.branches)
    weights = dict.fromkeys((row.name for block in both.blocks for row in block.rows), 1.0)
    number = counts(spec.sampling, dimensions, WIDTH, 2.0)
    for spread in SPREADS[1:]:
        slopes = (spread * WIDTH ** (1 / dimensions),) * dimensions
        whole = torch.cat([theta, start(beside, Ramps(WIDTH, slopes), spec.training.seed).to(theta)])
        drawn = samples(both, number, weights, generator, whole, adapt=False)
        objective = residuals_of(both, drawn, whole, (*still, *read_outs(beside.trial)))
        found.append(objective.whole(-least_squares(objective.triangle(whole[objective.mask]))))
    yield both, min(found, key=lambda one: relative_residual(both, one, spec.training.seed))
