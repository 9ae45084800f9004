"""Training all layers: points that follow the residual to enter the basin, then a large fixed set."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import isfinite
from typing import Callable, Iterator, Mapping

import torch
from torch import Tensor

from kanpde.architecture import deep_networks, described
from kanpde.build import assemble
from kanpde.clock import Clock, State, losses_of, points_of
from kanpde.descent import Source, Turn, descent
from kanpde.objective import Residuals, residuals_of
from kanpde.optimisers import OPTIMISERS, LevenbergMarquardt
from kanpde.points import Counts, balance, counts, row_sizes, samples
from kanpde.problem import Problem, everything
from kanpde.shared import shared
from kanpde.spec import Spec, Stage

EMPHASIS = 10.0  # of conditions over equations
ENFORCE = "soft"  # conditions of a deep network, unless asked otherwise
BASIN = 0.55  # of the time, at most, on moving points
PATIENCE = 16  # steps over which progress is judged
EVERY = {  # steps on the same points
    "levenberg-marquardt": 1, "orthogonal": 10, "self-scaled-broyden": 200, "l-bfgs": 200, "adam": 20,
}
RATIO = 2.2  # residuals for each coefficient
ENTRANCE = 40  # steps on conditions alone where equations are not finite at the start


def plain(objective: Residuals, theta: Tensor) -> Residuals:
    """An objective as it is."""
    return objective


@dataclass(frozen=True)
class Setting:
    """A problem with its networks, how its residuals are sampled and weighed, and what is made of that sum."""

    problem: Problem
    number: Counts
    weights: Mapping[str, float]
    generator: torch.Generator
    enforce: str
    note: str
    made: Callable[[Residuals, Tensor], Residuals] = plain

    def objective(self, theta: Tensor, adapt: bool, factor: int = 1) -> Residuals:
        """A new draw of points, shared with other processes of this solve."""
        return self.made(shared(self.unshared(theta, adapt, factor)), theta)

    def unshared(self, theta: Tensor, adapt: bool, factor: int = 1) -> Residuals:
        """A new draw of points."""
        number = Counts(self.number.interior * factor, self.number.face * factor, self.number.initial * factor)
        drawn = samples(self.problem, number, self.weights, self.generator, theta, adapt)
        return residuals_of(self.problem, drawn, theta, everything(self.problem.trial))

    def state(self, turn: Turn, stage: str, steps: int | None = None) -> State:
        """The state after a step."""
        theta, losses = turn.step.theta, losses_of(turn.objective, turn.step.theta)
        return State(
            self.problem, theta, stage, turn.step.loss, losses, self.weights, self.enforce, self.note, steps=steps,
            trouble=turn.trouble, points=points_of(turn.objective),
        )  # fmt: skip


def deep_setting(spec: Spec, generator: torch.Generator) -> tuple[Setting, Tensor]:
    """The networks asked for, or three hidden layers of ten, with a random start."""
    spec = replace(spec, enforce=ENFORCE if spec.enforce == "auto" else spec.enforce)
    networks = deep_networks(spec)
    problem = assemble(spec, networks)
    theta = problem.trial.initial(generator).to(
        device=spec.training.device, dtype=getattr(torch, spec.training.precision)
    )
    sizes = row_sizes(problem, theta, everything(problem.trial), generator)
    weights = balance(problem, sizes, EMPHASIS)
    number = counts(spec.sampling, len(spec.box), len(theta), RATIO)
    note = "; ".join(described(network) for network, _ in networks)
    setting = Setting(problem, number, weights, generator, spec.enforce, note)
    return setting, entered(setting, theta)


def entered(setting: Setting, theta: Tensor) -> Tensor:
    """A start at which all rows are finite: where log(u) or 1/u are not, that which conditions lead to by themselves.

    The start as it is where that does not help.
    """
    before = setting.generator.get_state()
    whole = setting.unshared(theta, False)
    setting.generator.set_state(before)
    samples = tuple(part for part in whole.samples if isfinite(replace(whole, samples=(part,)).loss(theta)))
    if len(samples) == len(whole.samples) or not samples:
        return theta
    sound = replace(whole, samples=samples)
    for _, step in zip(range(ENTRANCE), LevenbergMarquardt().iterate(lambda: sound, theta, {})):
        if isfinite(whole.loss(step.theta)):
            return step.theta
    return theta


def staged(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """The stages that the user lists, one after another."""
    setting, theta = deep_setting(spec, generator)
    for stage in spec.training.stages:
        for state in one_stage(setting, theta, stage, spec.sampling.adapt is not False, clock.within(stage.time)):
            theta = state.theta
            yield state


def one_stage(setting: Setting, theta: Tensor, stage: Stage, adapt: bool, clock: Clock) -> Iterator[State]:
    """One optimiser, on points drawn again at every step (`adapt`) or once."""
    optimiser = OPTIMISERS[stage.optimiser](**({"rate": stage.rate} if stage.rate else {}))
    adapt = adapt if stage.adapt is None else stage.adapt
    source = Source(setting, adapt, EVERY[stage.optimiser], theta)
    for turn in descent(optimiser, source, theta, clock.journal):
        yield setting.state(turn, stage.optimiser, steps=stage.steps)
        if clock.left() <= 0 or turn.number == stage.steps:
            return


def deep(spec: Spec, generator: torch.Generator, clock: Clock) -> Iterator[State]:
    """Levenberg–Marquardt on all layers: moving points first, then rounds on large fixed sets."""
    setting, theta = deep_setting(spec, generator)
    adapt = spec.sampling.adapt is not False
    for state in basin(setting, theta, adapt, clock):
        theta = state.theta
        yield state
    yield from polish(setting, theta, adapt, clock)


def basin(setting: Setting, theta: Tensor, adapt: bool, clock: Clock) -> Iterator[State]:
    """Steps on points drawn anew each time, until the loss stops falling."""
    source = Source(setting, adapt, 1, theta)
    until = clock.elapsed() + BASIN * clock.left()
    for turn in descent(LevenbergMarquardt(), source, theta, clock.journal):
        yield setting.state(turn, "levenberg-marquardt")
        if clock.elapsed() > until or (turn.losses[-1] < 1e-4 * turn.losses[0] and levelled(turn.losses)):
            return


def levelled(losses: list[float]) -> bool:
    """Whether the last steps brought less than a factor of two over those before."""
    if len(losses) < 3 * PATIENCE:
        return False
    last, before = sorted(losses[-PATIENCE:]), sorted(losses[-2 * PATIENCE : -PATIENCE])
    return last[PATIENCE // 2] > 0.5 * before[PATIENCE // 2]


def polish(setting: Setting, theta: Tensor, adapt: bool, clock: Clock, factor: int = 3) -> Iterator[State]:
    """Rounds on large fixed sets of points, chosen by the residual, each until it stops paying."""
    reached = float("inf")
    while clock.left() > 0:
        source = Source(setting, adapt, 10**9, theta, factor)
        loss = float("inf")
        for turn in descent(LevenbergMarquardt(damping=1e-6), source, theta, clock.journal):
            theta, loss = turn.step.theta, turn.step.loss
            yield setting.state(turn, "levenberg-marquardt, fixed points")
            slow = turn.number > 8 and loss > 0.8 * turn.losses[-9]
            if clock.left() <= 0 or slow or not turn.step.moved or turn.number >= 60:
                break
        if not loss <= 0.7 * reached:
            return
        reached = loss
