"""Ramps whose read-outs are fitted together with unknown constants and functions: inverse and eigenvalue problems."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import sqrt
from typing import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from kanpde.bootstrap import bootstrapped
from kanpde.clock import ENDLESS, Clock, State, losses_of, points_of
from kanpde.doubts import doubted, resolved
from kanpde.elimination import eliminated
from kanpde.estimates import Estimates
from kanpde.fitting import Found, Sought, fitted
from kanpde.journal import Content
from kanpde.objective import Residuals
from kanpde.orientation import oriented
from kanpde.points import row_sizes
from kanpde.problem import Problem, read_outs
from kanpde.profile import profiled
from kanpde.ramps import Fit, Ramps, layout, projected, ramps_problem, setting
from kanpde.relative import relative_residual
from kanpde.replica import reseeded, richer
from kanpde.search import Aim, search
from kanpde.spec import Spec
from kanpde.starts import awake, still, tried
from kanpde.task import task
from kanpde.uncertainty import borrowed, draws, estimates
from kanpde.weighing import (
    adjusted,
    deviations,
    heavy,
    measures,
    ordered,
    reweighed,
    root_mean_square,
    weighed,
)

ROUNDS = 6  # of estimates of the readings' standard deviation
STEADY = 1e-3  # relative change of such an estimate that ends the rounds
BORROWED = 0.05  # of what is known of functions: what equations that ramps cannot follow may feign
RELIEF = 0.3  # of the heaviness of a row: larger changes call for another round
DRAWS = 8  # of what the readings allow
SHARE = 1e-2  # of the statistical error: what equations may leave
LEAST, MOST = 1e-12, 1e-4  # relative residual that is asked for, at most and at least


@dataclass(frozen=True)
class Inverse:
    """A fit of everything on some ramps, as the search for ramps sees it, with its estimates."""

    fit: Fit
    sought: Sought
    found: Found
    estimates: Estimates
    heaviness: Mapping[str, float]
    enough: float

    @property
    def ramps(self) -> Ramps:
        """The ramps."""
        return self.fit.ramps

    @property
    def held_out(self) -> float:
        """The relative residual of equations, conditions and constraints on fresh points."""
        return self.fit.held_out


def inverse(spec: Spec, clock: Clock) -> Iterator[State]:
    """Better and better ramps, with all that is fitted on each of them."""
    base, dimensions = ramps_problem(spec, 2), len(spec.box)
    aim = Aim(enough=LEAST)
    if spec.network.width is not None:
        aim = replace(aim, first=spec.network.width, last=spec.network.width)

    def attempt(ramps: Ramps, near: Inverse | None) -> Inverse:
        scale = spec.network.scale
        ramps = ramps if scale is None else Ramps(ramps.width, (scale,) * dimensions)
        return on_ramps(base, spec, ramps, near, clock)

    def state(found: Inverse) -> State:
        return replace(state_of(finished(found, spec, clock), spec), replicas=partial(replicas, base, spec, found))

    if spec.network.scale is not None and spec.network.width is not None:
        yield state(attempt(Ramps(aim.first, (1.0,) * dimensions), None))
        return
    for candidate in search(attempt, dimensions, aim, clock):
        yield state(candidate.fit)
        if candidate.residual <= candidate.fit.enough:
            return


def on_ramps(base: Problem, spec: Spec, ramps: Ramps, near: Inverse | None, clock: Clock) -> Inverse:
    """All that is fitted, on given ramps; readings of unknown deviation are weighed by what they scatter, in rounds."""
    problem, theta, objective, _ = setting(base, spec, ramps)
    objective, alone = ordered(objective, spec.unknowns)
    sought = task(problem, spec, theta, sum(alone.values()))
    sigmas = deviations(problem, spec)
    part = theta[objective.mask]
    if near is not None:
        inner = projected(problem, theta, objective, near.fit)[: sought.order.inner]
        part = torch.cat([inner, near.found.theta[near.sought.order.inner :]])
        sigmas = {name: near.estimates.scatter[name].sigma for name in sigmas}
    elif still(objective, part, sought):
        part = awake(part, sought, spec.training.seed)
    sizes = row_sizes(problem, objective.whole(part), read_outs(problem.trial), torch.Generator().manual_seed(1))
    heaviness = near.heaviness if near else heavy(objective)
    for number in range(ROUNDS):
        weights = weighed(objective, sizes, sigmas, heaviness)
        current = reweighed(objective, weights)
        if number == 0 and near is None:
            fit = partial(tried, current, part, sought, spec, clock.over)
        else:
            fit = partial(fitted, current, part, sought, clock.over)
        found = remembered(current, sought, clock, fit)
        told, found = estimates(spec, current, found, sought, sigmas)
        other = adjusted(heaviness, found.elimination, alone, bool(sought.functions))
        same = all(abs(told.scatter[name].sigma / sigmas[name] - 1) <= STEADY for name in sigmas)
        same = same and all(RELIEF < other[name] / heaviness[name] < 1 / RELIEF for name in heaviness)
        if same or clock.left() <= 0:
            break
        part, heaviness, sigmas = found.theta, other, {name: told.scatter[name].sigma for name in sigmas}
    told = doubted(told, found, sought, spec)
    if not sought.noisy:
        found = replace(found, theta=oriented(current, found.theta, spec.unknowns))
    whole = current.whole(found.theta)
    limit = enough(problem, told)
    residual = relative_residual(problem, whole, spec.training.seed)
    held_out = max(residual, limit * borrowed(found, sought) / BORROWED)
    told = resolved(told, residual, limit)
    loss = float(current.residuals(found.theta).square().sum())
    fit = Fit(problem, ramps, current, weights, whole, loss, held_out)
    return Inverse(fit, sought, found, told, heaviness, limit)


def remembered(objective: Residuals, sought: Sought, clock: Clock, fit: Callable[[], Found]) -> Found:
    """A fit, or what a journal kept of it; the elimination follows from the coefficients."""

    def restored(kept: Content) -> Found:
        theta, penalty = kept["theta"], kept["penalty"]
        elimination = eliminated(objective, theta, sought.order)
        return Found(theta, elimination, penalty, int(kept["steps"]), bool(kept["settled"]))

    return clock.journal.once(fit, kept, restored)


def kept(found: Found) -> Content:
    """What a journal keeps of a fit."""
    return {name: getattr(found, name) for name in ("theta", "penalty", "steps", "settled")}


def replicas(base: Problem, spec: Spec, found: Inverse) -> Iterator[tuple[Problem, Tensor]]:
    """Solutions that the readings allow as well; without any, one on other ramps."""
    if found.sought.noisy:
        for theta in draws(found.found, DRAWS, spec.training.seed):
            yield found.fit.problem, found.fit.objective.whole(theta)
    else:
        other = on_ramps(base, reseeded(spec), richer(found.ramps), found, ENDLESS)
        yield other.fit.problem, other.fit.theta


def finished(found: Inverse, spec: Spec, clock: Clock) -> Inverse:
    """The fit with the intervals that are asked for."""
    told = found.estimates
    if spec.training.intervals == "linear" or not found.sought.noisy or told.verdict:
        return found
    parts = told, found.fit.objective, found.found, found.sought
    ways = {
        "profile": lambda: profiled(*parts),
        "bootstrap": lambda: bootstrapped(*parts, spec.training.seed, clock.over),
    }
    low, high = clock.journal.once(
        lambda: ends(ways[spec.training.intervals]()), unpack=lambda both: tuple(end.numpy() for end in both)
    )
    changed = not (np.array_equal(low, told.low) and np.array_equal(high, told.high))
    method = spec.training.intervals if changed else told.method
    return replace(found, estimates=replace(told, low=low, high=high, method=method))


def ends(told: Estimates) -> tuple[np.ndarray, np.ndarray]:
    """The ends of the intervals."""
    return told.low, told.high


def first_weights(problem: Problem, objective: Residuals, theta: Tensor, spec: Spec) -> dict[str, float]:
    """The weights of all rows as a fit begins."""
    sizes = row_sizes(problem, theta, read_outs(problem.trial), torch.Generator().manual_seed(1))
    return weighed(objective, sizes, deviations(problem, spec), heavy(objective))


def enough(problem: Problem, told: Estimates) -> float:
    """The relative residual that disturbs nothing: a small part of what readings leave open."""
    blocks = [block for block in problem.blocks if measures(block)]
    rows: Sequence[float] = [
        told.scatter[row.name].sigma / (root_mean_square(block, row) or 1.0) for block in blocks for row in block.rows
    ]
    if not rows:
        return LEAST
    readings = sum(one.readings for one in told.scatter.values())
    return min(max(SHARE * min(rows) / sqrt(readings), LEAST), MOST)


def state_of(found: Inverse, spec: Spec) -> State:
    """A fit as a state of the training."""
    fit = found.fit
    slopes = ", ".join(f"{s:.3g}" for s in fit.ramps.slopes)
    note = f"{layout(fit.problem)}, slopes {slopes}"
    losses = losses_of(fit.objective, found.found.theta)
    stage = "fit by Gauss-Newton"
    return State(
        fit.problem, fit.theta, stage, fit.loss, losses, fit.weights, spec.enforce, note,
        settled=True, estimates=found.estimates, points=points_of(fit.objective),
    )  # fmt: skip
