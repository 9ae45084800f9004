"""What to do with a problem when the user does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterator

import torch

from kanpde.architecture import described
from kanpde.build import is_linear
from kanpde.clock import Clock, State, losses_of
from kanpde.ramps import Fit, Ramps, linear_fit, nonlinear_fit, ramps_problem
from kanpde.search import Aim, Candidate, search
from kanpde.spec import NetworkSpec, Spec
from kanpde.training import deep, staged

ACCEPTED = 1e-4  # relative residual of ramps above which a deep network is trained instead
SHARE = 0.35  # of the time, at most, on the ramps of a nonlinear problem


def states(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """The training as a stream of states: the user's stages, else ramps first and a deep network where they fail."""
    if spec.training.stages:
        yield from staged(spec, generator, clock)
    elif asks_for_depth(spec.network) or spec.training.derivatives == "autograd":
        yield from deep(spec, generator, clock)
    else:
        yield from automatic(spec, generator, clock)


def asks_for_depth(network: NetworkSpec) -> bool:
    """Whether the network that the user describes is not a layer of ramps with sine edges."""
    return network.basis not in ("auto", "sine") or network.depth not in (None, 1) or bool(network.unknowns)


def automatic(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """Ramps with fitted read-outs; then, if their residual stays large, Levenberg–Marquardt on a deep network."""
    reached = float("inf")
    linear = is_linear(spec)
    for candidate in ramps(spec, linear, clock if linear else clock.within(SHARE * clock.left())):
        reached = candidate.residual
        yield state_of(candidate.fit, spec, linear)
    if not reached <= ACCEPTED and clock.left() > 0:
        yield from deep(spec, generator, clock)


def ramps(spec: Spec, linear: bool, clock: Clock) -> Iterator[Candidate]:
    """The search over ramps; a nonlinear problem whose first fit is poor is given up at once."""
    width = spec.network.width
    base = ramps_problem(spec, 2)
    fit = linear_fit if linear else nonlinear_fit
    aim = Aim() if linear else Aim(enough=1e-9, hopeless=0.1)
    if width is not None:
        aim = replace(aim, first=width, last=width)
    return search(lambda shape, near: fit(base, spec, fixed(shape, spec), near), len(spec.box), aim, clock)


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
    return State(fit.problem, fit.theta, stage, fit.loss, losses_of(fit.objective, part), fit.weights, spec.enforce, note, settled=True)
