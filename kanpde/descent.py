"""The steps of an optimiser on points that move: journaled, and rolled back from where residuals are not finite."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any, Iterator, Protocol

import torch
from torch import Tensor

from kanpde.journal import Journal, unfit
from kanpde.nonfinite import trouble
from kanpde.objective import Residuals
from kanpde.optimisers import Optimiser, Step

RETREATS = 8  # one after another, each to shorter steps, before it is given up
LATEST = 64  # losses kept
TRAIL = 32  # steps to whose starts a retreat may lead, each twice as far back as the one before it


class Drawing(Protocol):
    """What gives an objective on new points, by a generator."""

    @property
    def generator(self) -> torch.Generator:
        """The generator of all points."""

    def objective(self, theta: Tensor, adapt: bool, factor: int) -> Residuals:
        """A new draw of points, which may follow the residual at some coefficients."""


class Source:
    """Gives an optimiser its objective: a new draw after every few steps, at the latest coefficients."""

    def __init__(self, setting: Drawing, adapt: bool, every: int, theta: Tensor, factor: int = 1) -> None:
        self.setting, self.adapt, self.every, self.factor = setting, adapt, every, factor
        self.theta, self.count = theta, 0
        self.drawn, self.before = theta, setting.generator.get_state()
        self.objective: Residuals | None = None

    def next(self) -> Residuals:
        """The objective of the next step."""
        if self.objective is None or (self.adapt and self.count % self.every == 0):
            self.draw(self.theta)
        self.count += 1
        return self.current()

    def draw(self, theta: Tensor) -> None:
        """New points."""
        self.drawn, self.before = theta, self.setting.generator.get_state()
        self.objective = self.setting.objective(theta, self.adapt, self.factor)

    def current(self) -> Residuals:
        """The objective of the last step."""
        assert self.objective is not None
        return self.objective

    def follow(self, theta: Tensor) -> None:
        """Draw at these coefficients next time."""
        self.theta = theta

    def retreat(self, theta: Tensor) -> None:
        """Draw at these coefficients at once."""
        self.theta, self.objective = theta, None

    def content(self) -> dict[str, Any]:
        """All that is needed to draw the last points again."""
        return {"count": self.count, "drawn": self.drawn, "before": self.before}

    def restore(self, content: dict[str, Any], theta: Tensor) -> None:
        """The points of the last step once more."""
        self.theta, self.count = theta, int(content["count"])
        self.setting.generator.set_state(content["before"])
        self.draw(content["drawn"].to(theta))


@dataclass(frozen=True)
class Turn:
    """A step with its number and objective, the first and the latest losses, and what has not been finite before.

    Where that could not be mended, the loss is not finite, and theta the last one with which it was.
    """

    number: int
    step: Step
    objective: Residuals
    losses: list[float]
    trouble: str = ""


def descent(optimiser: Optimiser, source: Source, theta: Tensor, journal: Journal) -> Iterator[Turn]:
    """Steps from `theta` on; from one that leads to what is not finite back to the start of earlier ones, and shorter.

    A resumed run begins with the last step of before.
    """
    loop, losses = journal.loop(), list[float]()
    trail, memory, number, retreats, told = [theta], dict[str, Any](), 0, 0, ""
    if loop.content is not None:
        now = loop.content
        if any(one.shape != theta.shape for one in (now["theta"], *now["trail"])):
            raise unfit(f"other coefficients than the {len(theta)} of its network")
        trail, memory = [one.to(theta) for one in now["trail"]], now["memory"]
        theta = now["theta"].to(theta)
        number, losses = int(now["number"]), now["losses"].tolist()
        retreats, told = int(now["retreats"]), str(now["trouble"])
        source.restore(now["source"], theta)
        yield Turn(number, Step(theta, losses[-1], memory, bool(now["moved"])), source.current(), losses, told)
    vain = 0  # retreats without a step between
    while vain <= RETREATS:
        for step in shortened(optimiser, retreats).iterate(source.next, theta, memory):
            if not (isfinite(step.loss) and bool(torch.isfinite(step.theta).all())):
                break
            trail, losses = [*trail[1 - TRAIL :], theta], [*losses[:1], *losses[1:][1 - LATEST :], step.loss]
            theta, number, vain = step.theta, number + 1, 0
            source.follow(theta)
            loop.turned({
                "theta": step.theta, "moved": step.moved, "memory": step.memory, "trail": trail,
                "number": number, "losses": torch.tensor(losses, dtype=torch.float64), "source": source.content(),
                "retreats": retreats, "trouble": told,
            })  # fmt: skip
            yield Turn(number, step, source.current(), losses, told)
        objective = source.current()
        told = f"{named(objective, theta, step.theta)}, after step {number} of {type(optimiser).__name__}"
        theta = trail[-min(2**vain, len(trail))]
        vain, retreats, memory = vain + 1, retreats + 1, {}
        source.retreat(theta)
    yield Turn(number, Step(theta, torch.nan, {}, False), objective, losses, told)


def shortened(optimiser: Optimiser, times: int) -> Optimiser:
    """The optimiser with shorter steps, damped so many times."""
    return shortened(optimiser.damped(), times - 1) if times else optimiser


def named(objective: Residuals, *thetas: Tensor) -> str:
    """What is not finite, at the first of some coefficients at which something is not."""
    return next(filter(None, (trouble(objective, theta) for theta in thetas)), "the loss is not finite")
