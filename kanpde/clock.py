"""Time and steps spent, and the state of a training between steps."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from time import monotonic
from typing import Callable, Mapping

from torch import Tensor

from kanpde.estimates import Estimates
from kanpde.objective import Residuals
from kanpde.problem import Problem


@dataclass(frozen=True)
class Clock:
    """Seconds since the start, and how many there are."""

    start: float
    seconds: float = inf

    def elapsed(self) -> float:
        """Seconds since the start."""
        return monotonic() - self.start

    def left(self) -> float:
        """Seconds that remain."""
        return self.seconds - self.elapsed()

    def within(self, seconds: float | None) -> Clock:
        """The same clock, ending `seconds` from now if that is earlier."""
        return self if seconds is None else Clock(self.start, min(self.seconds, self.elapsed() + seconds))


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
    settled: bool = False  # worth a line of its own in the log
    rival: State | None = None  # the best of the methods before this one


def losses_of(objective: Residuals, theta: Tensor) -> Callable[[], Mapping[str, float]]:
    """Each row's mean square, computed when asked for."""
    return lambda: objective.losses(theta)
