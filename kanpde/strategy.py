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

GOOD = 1e-9  # relative residual above which ramps are followed by splines where both can serve
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
    """The methods that suit the problem, one after another while the residual is too large; the best one stands."""
    best = last = None
    reached = inf
    for above, method in methods(spec, generator, clock):
        if reached <= above or clock.left() <= 0:
            continue
        found = None
        for found in method:
            yield found
        if found is not None:
            last, residual = found, relative_residual(found.problem, found.theta, spec.training.seed)
            best, reached = (found, residual) if residual < reached else (best, reached)
    if best is not last and best is not None:
        yield replace(best, settled=True)


def methods(spec: Spec, generator: torch.Generator, clock: Clock) -> list[tuple[float, Iterator[State]]]:
    """What to try in order, each with the relative residual above which it is worth its time.

    Linear problems are one least-squares solve on ramps. Nonlinear ones march where there is time to march in; smooth
    ones are found by Gauss-Newton on ramps. Rectangles are left to splines where ramps do not do, the rest to depth.
    """
    linear, rectangle = is_linear(spec), separates(spec) and spec.network.width is None and spec.network.basis == "auto"
    first = Aim(hopeless=UNRESOLVED if rectangle else inf) if linear else Aim(enough=1e-9, hopeless=0.1)
    wide = (inf, ramps(spec, clock if linear else clock.within(SHARE * clock.left()), first))
    splines = [(GOOD, separated(spec, clock))] if rectangle else []
    rest = (ACCEPTED, deep(spec, generator, clock))
    if not linear and rectangle and "t" in spec.box:
        return [*splines, (ACCEPTED, wide[1]), rest]
    return [wide, *splines, rest]


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
