"""Networks that are small from the start: edges have a price, and those that are not worth it are cut off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from typing import Iterator

import torch
from torch import Tensor

from kanpde.active import Edges, coefficients, reaching, total, whole, without_idle_nodes
from kanpde.architecture import described
from kanpde.build import assemble
from kanpde.clock import Clock, State
from kanpde.descent import Source, descent
from kanpde.network import DenseLayer, KanLayer, Layer
from kanpde.objective import Residuals
from kanpde.optimisers import LevenbergMarquardt
from kanpde.optimisers.base import Normal
from kanpde.points import counts
from kanpde.problem import Problem
from kanpde.spec import Spec
from kanpde.training import RATIO, Setting, deep_setting, polish

STEPS = 60  # with prices
SHARE = 0.4  # of the time, at most, with prices
FAINT = 1e-2  # of the largest edge of a layer: smaller ones hardly matter, and are cut off
SAMPLES = 257  # of an argument, over which the size of an edge is a mean


@dataclass(frozen=True)
class Priced(Residuals):
    """A sum of squares with a price on the square of every coefficient, as further residuals √price · θ."""

    own: Residuals
    prices: Tensor  # [P]

    def residuals(self, theta: Tensor) -> Tensor:
        """The weighted residuals, and what the coefficients cost."""
        return torch.cat([self.own.residuals(theta), self.prices.sqrt() * theta])

    def normal(self, theta: Tensor) -> Normal:
        """JᵀJ and Jᵀr; prices are on the diagonal."""
        found = self.own.normal(theta)
        found.matrix.diagonal().add_(self.prices)
        residuals = torch.cat([found.residuals, self.prices.sqrt() * theta])
        return Normal(
            found.matrix, found.gradient + self.prices * theta, residuals, float(residuals.square().sum())
        )

    def scaled_rows(self, theta: Tensor, room: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """The rows of the sum, and those of the prices."""
        yield from self.own.scaled_rows(theta, room)
        yield self.prices.sqrt() * theta, torch.diag(self.prices.sqrt())

    def pullback(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Jᵀw for weights [R + P]."""
        own, further = weights.split([len(weights) - len(theta), len(theta)])
        return self.own.pullback(theta, own) + self.prices.sqrt() * further

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """‖r‖² and its gradient."""
        loss, gradient = self.own.loss_and_gradient(theta)
        return loss + float((self.prices * theta.square()).sum()), gradient + 2 * self.prices * theta


@dataclass(frozen=True)
class Held(Residuals):
    """A sum of squares of which some coefficients do not move."""

    own: Residuals
    moving: Tensor  # [P]

    def residuals(self, theta: Tensor) -> Tensor:
        """The weighted residuals [R]."""
        return self.own.residuals(theta)

    def normal(self, theta: Tensor) -> Normal:
        """JᵀJ and Jᵀr; those that do not move have a diagonal like that of the others, and no gradient."""
        found = self.own.normal(theta)
        usual = found.matrix.diagonal()[self.moving].mean()
        matrix = found.matrix * (self.moving[:, None] & self.moving)
        matrix.diagonal().add_(torch.where(self.moving, 0.0, usual))
        return Normal(matrix, found.gradient * self.moving, found.residuals, found.loss)

    def scaled_rows(self, theta: Tensor, room: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Rows without slopes by what does not move."""
        for residual, jacobian in self.own.scaled_rows(theta, room):
            yield residual, jacobian * self.moving[:, None]

    def pullback(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Jᵀw for weights [R]."""
        return self.own.pullback(theta, weights) * self.moving

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """‖r‖² and its gradient."""
        loss, gradient = self.own.loss_and_gradient(theta)
        return loss, gradient * self.moving


def priced(level: float, objective: Residuals, theta: Tensor) -> Residuals:
    """An objective with prices."""
    same = objective.problem, objective.samples, objective.theta, objective.trained, objective.mask
    return Priced(*same, objective, prices(objective.problem, theta, level))


def held(moving: Tensor, objective: Residuals, theta: Tensor) -> Residuals:
    """An objective of which only some coefficients move."""
    same = objective.problem, objective.samples, objective.theta, objective.trained, objective.mask
    return Held(*same, objective, moving)


def sparing(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """Steps with prices on edges, then the network without those that became faint, trained on without prices."""
    setting, theta = deep_setting(spec, generator)
    adapt, asked = spec.sampling.adapt is not False, spec.training.sparsify
    assert asked is not None
    level = asked * worth(setting, theta)
    dear = replace(setting, made=partial(priced, level))
    source, until = Source(dear, adapt, 1, theta), clock.elapsed() + SHARE * clock.left()
    for turn in descent(LevenbergMarquardt(), source, theta, clock.journal):
        theta = turn.step.theta
        yield setting.state(turn, "levenberg-marquardt, edges at a price")
        if turn.number >= STEPS or clock.elapsed() > until:
            break
    setting, theta = smaller(setting, spec, theta)
    yield from polish(setting, theta, adapt, clock)


def worth(setting: Setting, theta: Tensor) -> float:
    """The loss of a solution that is nothing, or at the start where that one cannot be told."""
    before = setting.generator.get_state()
    objective = setting.unshared(theta, False)
    setting.generator.set_state(before)
    nothing = objective.loss(torch.zeros_like(theta))
    return nothing if isfinite(nothing) and nothing > 0 else objective.loss(theta)


def prices(problem: Problem, theta: Tensor, level: float) -> Tensor:
    """What the square of each coefficient [P] costs, so that an edge of any size but a faint one costs as much.

    The sum of log(|φ|² + ε²) over the edges, ε being a hundredth of the largest in its layer, has at the coefficients
    at hand the slopes of the sum of |φ|² / (|φ|² + ε²) with a constant denominator (Candès, Wakin & Boyd 2008).
    """
    found, count = [], total(whole(problem))
    start = 0
    for branch in problem.trial.branches:
        part = theta[start : start + branch.network.size]
        start += branch.network.size
        for layer, own in branch.network.split(part):
            squares = sizes(layer, own).square()
            floor = (FAINT**2 * squares.max()).clamp_min(torch.finfo(squares.dtype).tiny)
            edge = level / count / (squares + floor)
            found.append((edge[:, None, :] * means(layer).to(edge)[:, :, None]).expand(layer.inputs, -1, -1).reshape(-1)
                         if isinstance(layer, KanLayer) else torch.cat([edge, 0 * edge[:1]]).reshape(-1))
    return torch.cat(found)


def sizes(layer: Layer, own: Tensor) -> Tensor:
    """The size [I, O] of each edge: the root of the mean squares of its functions, or of a weight its magnitude."""
    if isinstance(layer, DenseLayer):
        return own[0, :-1].abs()
    return (own.square() * means(layer).to(own)[:, :, None]).sum(1).sqrt()


def means(layer: KanLayer) -> Tensor:
    """The mean squares [I, K] of a layer's functions on [-1, 1]."""
    x = torch.linspace(-1, 1, SAMPLES, dtype=torch.float64).expand(layer.inputs, -1)
    return layer.basis.table(x, 0)[0].square().mean(-1)


def left(problem: Problem, theta: Tensor) -> Edges:
    """The edges that are not faint and lie on a way from a coordinate to an unknown; every unknown is reached."""
    found, start = [], 0
    for branch in problem.trial.branches:
        part = theta[start : start + branch.network.size]
        start += branch.network.size
        layers, faint, ways = [sizes(*pair) for pair in branch.network.split(part)], FAINT, None
        while ways is None:
            ways = reaching([(own > faint * own.max()).cpu() if own.numel() else own > 0 for own in layers])
            faint = faint / 10 if faint > 1e-12 else -1.0
        found.append(tuple(ways))
    return tuple(found)


def smaller(setting: Setting, spec: Spec, theta: Tensor) -> tuple[Setting, Tensor]:
    """The setting with networks of the edges left, which alone move, and their coefficients."""
    problem = setting.problem
    edges = left(problem, theta)
    networks, theta, kept = without_idle_nodes(problem, theta, edges)
    found = assemble(replace(spec, enforce=setting.enforce), networks)
    moving = coefficients(found, kept).to(theta.device)
    note = "; ".join(described(network) for network, _ in networks)
    return replace(
        setting,
        problem=found,
        number=counts(spec.sampling, len(spec.box), int(moving.sum()), RATIO),
        note=f"{note}, {total(kept)} of {total(whole(problem))} edges",
        made=partial(held, moving),
    ), theta


__all__ = ["sparing"]
