"""Time and steps spent, and the state of a training between steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from time import monotonic
from typing import Callable, Iterable, Mapping

import torch
from torch import Tensor

from kanpde.estimates import Estimates
from kanpde.journal import Journal
from kanpde.objective import Residuals
from kanpde.problem import Problem
from kanpde.team import TEAM

SHOWN = 1000  # points of each block, at most, in a picture of them


@dataclass(frozen=True)
class Clock:
    """Seconds since the start, and how many there are; what a method reads of them is in the journal."""

    start: float
    seconds: float = inf
    journal: Journal = field(default_factory=Journal)
    limit: float = inf  # of the whole run

    def now(self) -> float:
        """Seconds since the start, for those who only watch; in a team the first process's."""
        return TEAM.first(monotonic() - self.start + self.journal.shift)

    def over(self) -> bool:
        """Whether no time remains, for those who only watch."""
        return self.now() >= self.seconds

    def elapsed(self) -> float:
        """Seconds since the start."""
        now = self.now()
        return self.journal.reading(now, now >= self.limit)

    def left(self) -> float:
        """Seconds that remain."""
        now = self.now()
        return self.journal.reading(self.seconds - now, now >= self.limit)

    def within(self, seconds: float | None) -> Clock:
        """The same clock, ending `seconds` from now if that is earlier."""
        return self if seconds is None else replace(self, seconds=min(self.seconds, self.elapsed() + seconds))


ENDLESS = Clock(0.0)


@dataclass(frozen=True)
class State:
    """A training after one step: the problem, its coefficients, and what they were fitted to."""

    problem: Problem
    theta: Tensor
    stage: str
    loss: float
    losses: Callable[[], Mapping[str, float]]
    weights: Mapping[str, float]
    enforce: str
    note: str = ""
    why: str = ""  # this method
    steps: int | None = None
    estimates: Estimates | None = None
    replicas: Callable[[], Iterable[tuple[Problem, Tensor]]] = tuple  # independent solutions, made when asked for
    settled: bool = False  # worth a line of its own in the log
    trouble: str = ""  # what was not finite, and where
    rival: State | None = None  # the best of the methods before this one
    points: Callable[[], Mapping[str, Tensor]] = dict  # [d, N] of each block, some of those it was fitted at


def losses_of(objective: Residuals, theta: Tensor) -> Callable[[], Mapping[str, float]]:
    """Each row's mean square, computed when asked for."""
    return lambda: objective.losses(theta)


def points_of(objective: Residuals) -> Callable[[], Mapping[str, Tensor]]:
    """The points [d, N] of each block, every so many of them, found when asked for."""

    def points() -> Mapping[str, Tensor]:
        whole = {one.block.name: torch.cat([part.points for part in one.chunks], dim=1) for one in objective.samples}
        return {name: found[:, :: -(-found.shape[1] // SHOWN)].detach().cpu() for name, found in whole.items()}

    return points
