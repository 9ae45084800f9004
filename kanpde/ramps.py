"""Ramps first: a wide layer of fixed random slopes, whose sine edges are then fitted by least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi
from typing import Iterator, Mapping

import torch
from torch import Tensor

from kanpde.bases import Sine
from kanpde.build import assemble
from kanpde.enrichment import enrichment
from kanpde.evaluation import Ground
from kanpde.network import DenseLayer, KanLayer, Network
from kanpde.objective import Residuals, residuals_of
from kanpde.optimisers.least_squares import least_squares, triangle
from kanpde.optimisers.orthogonal import Orthogonal
from kanpde.points import balance, counts, row_sizes, samples
from kanpde.problem import Block, Problem, Row, read_outs
from kanpde.relative import relative_residual
from kanpde.samplers import sobol
from kanpde.spec import Spec
from kanpde.tree import Name
from kanpde.trial import Branch


@dataclass(frozen=True)
class Ramps:
    """A number of ridges and the standard deviation of their slopes along each (mapped) coordinate."""

    width: int
    slopes: tuple[float, ...]


def ramps_problem(spec: Spec, width: int) -> Problem:
    """The problem with a network [d, width, unknowns]: affine ramps, then one sine per edge; and singular functions."""
    network = Network((DenseLayer(len(spec.box), width), KanLayer(Sine(1), width, len(spec.unknowns))))
    return assemble(spec, [(network, spec.unknowns), *enrichment(spec)])


def widened(problem: Problem, width: int) -> Problem:
    """The same problem with another number of ridges."""
    branch, *others = problem.trial.branches
    first, last = branch.network.layers
    network = Network((replace(first, outputs=width), replace(last, inputs=width)))
    return replace(problem, trial=replace(problem.trial, branches=(Branch(network, branch.unknowns), *others)))


def start(problem: Problem, ramps: Ramps, seed: int) -> Tensor:
    """Normally distributed slopes (by a Sobol sequence), uniform phases, zero read-outs, and one constant ridge.

    All else is as it starts.

    Along periodic coordinates the slopes are rounded to multiples of π, so that every ridge closes up.
    """
    generator = torch.Generator().manual_seed(seed)
    uniform = sobol(len(ramps.slopes), ramps.width, generator).clamp(1e-9, 1 - 1e-9)
    slopes = torch.special.ndtri(uniform) * torch.tensor(ramps.slopes, dtype=torch.float64)[:, None]
    for axis in problem.trial.periodic:
        slopes[axis] = pi * (slopes[axis] / pi).round()
    slopes[:, 0] = 0.0
    phases = 2 * pi * torch.rand(ramps.width, generator=generator, dtype=torch.float64)
    phases[0] = 0.0
    first = torch.cat([slopes, phases[None]]).flatten()
    rest = [torch.full((branch.network.size,), branch.start) for branch in problem.trial.branches[1:]]
    zeros = torch.zeros(problem.trial.branches[0].network.size - len(first))
    return torch.cat([part.double() for part in (first, zeros, *rest)])


@dataclass(frozen=True)
class Fit:
    """Ridges with their objective, the read-outs found, and the residual on fresh points relative to its terms."""

    problem: Problem
    ramps: Ramps
    objective: Residuals
    weights: Mapping[str, float]
    theta: Tensor
    loss: float
    held_out: float


def setting(
    base: Problem, spec: Spec, ramps: Ramps, ratio: float = 2.0
) -> tuple[Problem, Tensor, Residuals, dict[str, float]]:
    """Everything for a fit: the widened problem, its start, the objective over the read-outs and its weights."""
    problem = widened(base, ramps.width)
    theta = start(problem, ramps, spec.training.seed).to(
        device=spec.training.device, dtype=getattr(torch, spec.training.precision)
    )
    generator = torch.Generator().manual_seed(spec.training.seed + 1)
    weights = balance(problem, row_sizes(problem, theta, read_outs(problem.trial), generator))
    number = counts(spec.sampling, len(spec.box), ramps.width, ratio)
    drawn = samples(problem, number, weights, generator, theta, adapt=False)
    return problem, theta, residuals_of(problem, drawn, theta, read_outs(problem.trial)), weights


def linear_fit(base: Problem, spec: Spec, ramps: Ramps, near: Fit | None = None) -> Fit:
    """The least-squares read-outs of a linear problem, by one QR factorisation."""
    problem, theta, objective, weights = setting(base, spec, ramps)
    folded = objective.triangle(theta[objective.mask])
    part = -least_squares(folded)
    loss = float((folded[:, :-1] @ part + folded[:, -1]).square().sum())
    theta = objective.whole(part)
    return Fit(problem, ramps, objective, weights, theta, loss, relative_residual(problem, theta, spec.training.seed))


def nonlinear_fit(base: Problem, spec: Spec, ramps: Ramps, near: Fit | None = None, steps: int = 30) -> Fit:
    """The read-outs of a nonlinear problem by damped Gauss–Newton steps, from a fit nearby if there is one."""
    problem, theta, objective, weights = setting(base, spec, ramps)
    part, losses = theta[objective.mask], [float("inf")]
    if near is not None:
        part = projected(problem, theta, objective, near)
    for number, step in enumerate(
        Orthogonal(damping=1e-6 if near else 1e-2, falls=1e-2).iterate(lambda: objective, part, {}), start=1
    ):
        part = step.theta
        losses.append(step.loss)
        slow = number > 6 and step.loss > 0.5 * losses[-4]
        if number >= steps or not step.moved or slow:
            break
    theta = objective.whole(part)
    return Fit(
        problem, ramps, objective, weights, theta, losses[-1], relative_residual(problem, theta, spec.training.seed)
    )


def projected(problem: Problem, theta: Tensor, objective: Residuals, near: Fit) -> Tensor:
    """The read-outs whose fields are nearest to another fit's, in least squares over the interior points."""
    zero = frozenset({(0,) * len(problem.trial.box)})
    names = problem.trial.scope.unknowns
    block = Block("values", None, tuple(Row(name, Name(name)) for name in names), dict.fromkeys(names, zero))

    def pieces() -> Iterator[tuple[Tensor, Tensor]]:
        for ground in objective.samples[0].chunks:
            aims = near.problem.residuals(block, near.theta, Ground(ground.points))
            found = problem.rows_and_jacobian(block, theta, ground, read_outs(problem.trial))
            for (value, jacobian), aim in zip(found, aims):
                yield value - aim.detach(), jacobian

    return theta[objective.mask] - least_squares(triangle(pieces()))
