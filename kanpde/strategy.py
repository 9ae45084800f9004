"""What to do with a problem when the user does not say."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from typing import Iterator

import torch

from kanpde.architecture import described
from kanpde.build import is_linear
from kanpde.clock import Clock, State, losses_of
from kanpde.ramps import Fit, Ramps, linear_fit, nonlinear_fit, ramps_problem
from kanpde.relative import relative_residual
from kanpde.search import UNRESOLVED, Aim, search
from kanpde.separation import separated, separates
from kanpde.spec import NetworkSpec, Spec
from kanpde.training import deep, staged

ACCEPTED = 1e-4  # relative residual above which another method is tried
SHARE = 0.35  # of the time, at most, on the ramps of a nonlinear problem


def states(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """The training as a stream of states: the user's stages, else what suits the problem."""
    if spec.training.stages:
        yield from staged(spec, generator, clock)
    elif spec.network.basis == "separable":
        yield from separated(spec, clock)
    elif asks_for_depth(spec.network) or spec.training.derivatives == "autograd":
        yield from deep(spec, generator, clock)
    else:
        yield from automatic(spec, generator, clock)


def asks_for_depth(network: NetworkSpec) -> bool:
    """Whether the network that the user describes is not a layer of ramps with sine edges."""
    return network.basis not in ("auto", "sine") or network.depth not in (None, 1) or bool(network.unknowns)


def automatic(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """The methods that suit the problem, one after another until the residual is small; the best one stands."""
    best, reached = None, inf
    for method in methods(spec, generator, clock):
        last = None
        for last in method:
            yield last
        if last is None:
            continue
        residual = relative_residual(last.problem, last.theta, spec.training.seed)
        if residual < reached:
            best, reached = last, residual
        if reached <= ACCEPTED or clock.left() <= 0:
            break
    if best is not None and best is not last:
        yield replace(best, settled=True)


def methods(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[Iterator[State]]:
    """Ramps for linear problems, separable splines on rectangles, ramps for the other nonlinear ones, deep networks."""
    linear, own = is_linear(spec), spec.network.basis == "auto" and spec.network.width is None
    rectangle = separates(spec) and own
    if linear:
        yield ramps(spec, clock, Aim(hopeless=UNRESOLVED) if rectangle else Aim())
    if rectangle:
        yield separated(spec, clock)
    if not linear:
        yield ramps(spec, clock.within(SHARE * clock.left()), Aim(enough=1e-9, hopeless=0.1))
    yield deep(spec, generator, clock)


def ramps(spec: Spec, clock: Clock, aim: Aim) -> Iterator[State]:
    """The search over ramps with fitted read-outs; where the first fit is hopeless it is given up at once."""
    linear = is_linear(spec)
    base = ramps_problem(spec, 2)
    fit = linear_fit if linear else nonlinear_fit
    if spec.network.width is not None:
        aim = replace(aim, first=spec.network.width, last=spec.network.width)
    for candidate in search(lambda shape, near: fit(base, spec, fixed(shape, spec), near), len(spec.box), aim, clock):
        yield state_of(candidate.fit, spec, linear)


def fixed(shape: Ramps, spec: Spec) -> Ramps:
    """The ramps with the user's slope scale, if there is one."""
    scale = spec.network.scale
    return shape if scale is None else replace(shape, slopes=(scale,) * len(shape.slopes))


def state_of(fit: Fit, spec: Spec, linear: bool) -> State:
    """A fit as a state of the training."""
    slopes = ", ".join(f"{s:.3g}" for s in fit.ramps.slopes)
    note = f"{described(fit.problem.trial.branches[0].network)}, slopes {slopes}"
    stage = "read-out least squares" if linear else "read-out Gauss-Newton"
    part = fit.theta[fit.objective.mask]
    return State(
        fit.problem,
        fit.theta,
        stage,
        fit.loss,
        losses_of(fit.objective, part),
        fit.weights,
        spec.enforce,
        note,
        settled=True,
    )
