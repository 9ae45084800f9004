"""What to do with a problem when the user does not say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Iterable, Iterator

import torch

from kanpde.build import is_linear
from kanpde.clock import Clock, State, losses_of, points_of
from kanpde.enrichment import enrichment
from kanpde.errors import KanpdeError
from kanpde.inverse import inverse
from kanpde.nonfinite import finite, trouble_of
from kanpde.problem import Problem
from kanpde.ramps import Fit, Ramps, layout, linear_fit, nonlinear_fit, ramps_problem
from kanpde.regional import families
from kanpde.relative import relative_residual
from kanpde.replica import on_other_ramps, with_ramps_beside
from kanpde.search import UNRESOLVED, Aim, search
from kanpde.separation import separated, separates
from kanpde.shooting import shooting, shoots
from kanpde.sparing import sparing
from kanpde.spec import NetworkSpec, Spec
from kanpde.succession import follows, windowed
from kanpde.task import linear_without_fits
from kanpde.training import deep, staged

GOOD = 1e-9  # relative residual above which ramps are followed by splines where both can serve
ACCEPTED = 1e-4  # relative residual above which another method is tried
PACE = 4.0  # growing ramps twice should gain as much where another method can follow
NEARLY = 1e-4  # relative residual at first above which singular functions at corners have not been what was missing
AT_ONCE = 1e-6  # relative residual of ramps over all time above which windows of time are tried
PLAIN = 4  # coordinates up to which ramps over all time that tell nothing at first are given up for windows of time
FAILED = 0.3  # relative residual above which splines have failed; less may stem from a corner where data clash
SHARE = 0.35  # of the time, at most, on the ramps of a problem that is not linear, or that may take windows of time


def states(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """The training as a stream of states: the user's stages, else what suits the problem."""
    refuse_other_networks(spec)
    if spec.training.stages:
        yield from doubled(staged(spec, generator, clock), spec)
    elif spec.training.sparsify is not None:
        yield from doubled(sparing(spec, generator, clock), spec)
    elif spec.network.basis == "separable":
        yield from alone(spec, clock)
    elif asks_for_depth(spec.network) or spec.training.derivatives == "autograd":
        yield from doubled(deep(spec, generator, clock), spec)
    else:
        yield from automatic(spec, generator, clock)


def alone(spec: Spec, clock: Clock) -> Iterator[State]:
    """Splines and nothing else; raises KanpdeError where their first fit does not settle."""
    found = None
    for found in separated(spec, clock):
        yield found
    if found is None:
        raise KanpdeError("network.basis: separable: Gauss-Newton steps do not settle; leave out 'basis', or shorten t")


def doubled(states: Iterable[State], spec: Spec) -> Iterator[State]:
    """States of deep networks, with ramps to estimate their errors by."""
    for state in states:
        yield replace(state, replicas=partial(with_ramps_beside, state.problem, state.theta, spec))


def refuse_other_networks(spec: Spec) -> None:
    """Raises KanpdeError where a fit is to be made with anything but ramps."""
    if spec.fitted and fixed_otherwise(spec):
        raise KanpdeError("fit: only ramps are fitted with it; "
                          "leave out training.stages, sparsify, and network but for width")  # fmt: skip


def fixed_otherwise(spec: Spec) -> bool:
    """Whether the user chose another network, or how to train it."""
    chosen = spec.training.stages or spec.training.sparsify
    return bool(chosen) or asks_for_depth(spec.network) or spec.training.derivatives == "autograd"


def asks_for_depth(network: NetworkSpec) -> bool:
    """Whether the network that the user describes is not a layer of ramps with sine edges."""
    return network.basis not in ("auto", "sine") or network.depth not in (None, 1) or bool(network.unknowns)


@dataclass(frozen=True)
class Method:
    """A way to train, why it is tried, and the relative residual above which it is worth its time."""

    why: str
    states: Iterator[State]
    above: float = inf


def automatic(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """The methods that suit the problem, one after another while the residual is too large; the best one stands.

    A method that leads to what is not finite gives way to the next.
    """
    best, reached, lost = None, inf, None
    for method in methods(spec, generator, clock):
        if clock.left() <= 0 or (best is not None and reached <= method.above):
            continue
        found = None
        for state in method.states:
            state = replace(state, why=method.why, rival=best, trouble=state.trouble or (lost.trouble if lost else ""))
            if not finite(state):
                lost = replace(state, trouble=state.trouble or trouble_of(state))
                break
            found = state
            yield found
        if found is not None:
            residual = relative_residual(found.problem, found.theta, spec.training.seed)
            best, reached = (found, residual) if best is None or residual < reached else (best, reached)
    if lost is not None and best is None:
        yield lost


def methods(spec: Spec, generator: torch.Generator, clock: Clock) -> list[Method]:
    """What to try, in order."""
    if spec.fitted:
        return fits(spec, clock)
    linear, rectangle = is_linear(spec), open_to_splines(spec)
    evolving = not rectangle and follows(spec)
    narrow = replace(spec, network=replace(spec.network, width=None, scale=None))  # those asked for are of ramps
    depth = Method("no other method made the residual small", doubled(deep(narrow, generator, clock), spec), ACCEPTED)
    cornered = linear and spec.region is None and spec.enforce == "auto" and has_corners(spec)
    shorter = clock if linear and not evolving else clock.within(SHARE * clock.left())
    if linear:
        far = UNRESOLVED if evolving and len(spec.box) <= PLAIN else inf
        aim = Aim(pace=PACE if cornered or rectangle or evolving else 1.0, hopeless=far)
        first = [Method("linear: the read-outs are one least-squares problem", ramps(spec, shorter, aim))]
    else:
        first = [
            Method(
                "nonlinear: smooth solutions are found by Gauss-Newton on ramps",
                ramps(spec, shorter, Aim(enough=1e-9, hopeless=0.1)),
            )
        ]
    if cornered:
        why = "singular at corners: functions for them join the ramps, conditions are penalised"
        corners = Method(why, ramps(replace(spec, enforce="soft"), clock, Aim(hopeless=NEARLY)), GOOD)
        if spec.network.width is None:  # many plain ramps are made only where corners are not what was missing
            look = replace(first[0], states=ramps(spec, shorter, replace(aim, last=aim.first)))
            first = [look, corners, replace(first[0], above=aim.enough)]
        else:
            first.append(corners)
    if not rectangle:
        why = "too much at once: windows of time, each from the end of the one before"
        longer = Method(why, windowed(spec, clock), AT_ONCE)
        return [*first, *([longer] if evolving else []), depth]
    depth = replace(depth, above=FAILED)
    if splines_first(spec):
        march = Method("nonlinear in time and one coordinate: marched in windows of time", separated(spec, clock))
        return [march, replace(first[0], above=ACCEPTED), depth]
    return [*first, Method("too sharp for ramps: splines, finer where needed", separated(spec, clock), GOOD), depth]


def fits(spec: Spec, clock: Clock) -> list[Method]:
    """What to try with fits: where constants are fitted in problems that may be too sharp for ramps, splines too."""
    together = Method("fits: what is unknown and the read-outs together, by Gauss-Newton", inverse(spec, clock))
    if not shoots(spec):
        return [together]
    apart = Method("fits: splines solve the equations for each guess of the constants", shooting(spec, clock))
    if splines_fit_first(spec):
        return [apart, replace(together, above=ACCEPTED)]
    return [together, replace(apart, above=ACCEPTED)]


def splines_fit_first(spec: Spec) -> bool:
    """Whether constants are sought by splines first: in nonlinear problems that can be marched in time."""
    return "t" in spec.box and not linear_without_fits(spec)


def has_corners(spec: Spec) -> bool:
    """Whether the domain has corners at which the solution may be singular."""
    return bool(enrichment(replace(spec, enforce="soft")))


def open_to_splines(spec: Spec) -> bool:
    """Whether splines may be chosen: the problem separates and the user describes no other network."""
    return separates(spec) and spec.network.width is None and spec.network.basis == "auto"


def splines_first(spec: Spec) -> bool:
    """Whether splines come before ramps: for nonlinear problems that can be marched in time."""
    return "t" in spec.box and open_to_splines(spec) and not is_linear(spec)


def ramps(spec: Spec, clock: Clock, aim: Aim) -> Iterator[State]:
    """The search over ramps with fitted read-outs; where the first fit is hopeless it is given up at once."""
    linear = is_linear(spec)
    base = ramps_problem(spec, 2)
    fit = linear_fit if linear else nonlinear_fit
    aim = aim.shared(len(families(spec)))
    if spec.network.width is not None:
        aim = replace(aim, first=spec.network.width, last=spec.network.width)

    def attempt(shape: Ramps, near: Fit | None) -> Fit:
        return fit(base, spec, fixed(shape, spec), near, clock.journal)

    for candidate in search(attempt, len(spec.box), aim, clock):
        yield state_of(candidate.fit, base, spec)


def fixed(shape: Ramps, spec: Spec) -> Ramps:
    """The ramps with the user's slope scale, if there is one."""
    scale = spec.network.scale
    return shape if scale is None else replace(shape, slopes=(scale,) * len(shape.slopes))


def state_of(fit: Fit, base: Problem, spec: Spec) -> State:
    """A fit as a state of the training."""
    slopes = ", ".join(f"{s:.3g}" for s in fit.ramps.slopes)
    note = f"{layout(fit.problem)}, slopes {slopes}"
    stage = "read-out least squares" if base.linear else "read-out Gauss-Newton"
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
        replicas=partial(on_other_ramps, base, spec, fit),
        settled=True,
        points=points_of(fit.objective),
    )
