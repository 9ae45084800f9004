"""The same problem solved once more, on other ramps: an independent solution whose difference tells of the error."""

from __future__ import annotations

from dataclasses import replace
from math import ceil
from typing import Iterator

import torch
from torch import Tensor

from kanpde.objective import residuals_of
from kanpde.optimisers.least_squares import least_squares
from kanpde.points import counts, samples
from kanpde.problem import Problem, read_outs
from kanpde.ramps import Fit, Ramps, linear_fit, nonlinear_fit, ramped, ramps_problem, start, widened
from kanpde.relative import relative_residual
from kanpde.search import SPREADS
from kanpde.spec import Spec

RICHER = 1.25  # times as many ridges as the first solution has
ANOTHER = 7919  # added to the seed

STEPS = 2  # of Gauss-Newton from the first solution, more than enough so near
WIDTH = 600  # ridges for the error of a deep network

Solved = tuple[Problem, Tensor]


def on_other_ramps(base: Problem, spec: Spec, fit: Fit) -> Iterator[Solved]:
    """Another draw of ridges and points, by the same least squares."""
    other, ramps = reseeded(spec), richer(fit.ramps)
    found = linear_fit(base, other, ramps) if base.linear else nonlinear_fit(base, other, ramps, fit, steps=STEPS)
    yield found.problem, found.theta


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
