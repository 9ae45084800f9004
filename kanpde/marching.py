"""Marching in time: a separable network fitted to one interval of time after another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb
from typing import Iterator, Sequence

import torch
from torch import Tensor

from kanpde.patch import Patch
from kanpde.problem import Block, Problem
from kanpde.splines import Spline, refined

TIME = 8  # degree of the polynomials in t
SMOOTHEST = 3  # differences in time that an extrapolation goes by
WINDOWS = 32  # at the start
SHORTEST = 1e-6  # of all time
GROWTH = (0.2, 2.0)  # bounds of the next window's length over the last one's


@dataclass(frozen=True)
class March:
    """What all windows share: the problem, the axis of t, each unknown's initial conditions, and the tolerance."""

    problem: Problem
    time: int
    given: tuple[int, ...]
    tolerance: float

    @property
    def ends(self) -> tuple[float, float]:
        """The first and the last time."""
        return self.problem.trial.box[self.time]

    def blocks(self, initial: bool) -> list[Block]:
        """The blocks on the first time, or all others."""
        return [b for b in self.problem.blocks if (b.face == (self.time, 0)) == initial]

    def settled(self, first: bool) -> Tensor:
        """Which coefficients [TIME + 1, O] are known from what came before: by initial data, or by continuity."""
        counts = torch.tensor([n if first else max(n, 1) for n in self.given])
        return torch.arange(TIME + 1)[:, None] < counts

    def window(self, start: float, end: float, space: Spline, cube: Tensor) -> Patch:
        """A patch that lasts from one time to another."""
        box = list(self.problem.trial.box)
        box[self.time] = (start, end)
        return Patch(self.problem, tuple(box), 1 - self.time, space, polynomials(), cube)

    def first(self, end: float, space: Spline) -> Patch:
        """The first window before the equations are looked at: initial data, continued evenly."""
        blank = torch.zeros(space.size, TIME + 1, len(self.given), dtype=torch.float64)
        begun = self.window(self.ends[0], end, space, blank)
        found = begun.fitted(self.blocks(True), self.settled(True), self.tolerance)
        cube = (found[0] if found else begun).cube.clone()
        for o, count in enumerate(self.given):
            slope = cube[:, 1, o] - cube[:, 0, o] if count > 1 else 0.0 * cube[:, 0, o]
            for k in range(max(count, 1), TIME + 1):
                cube[:, k, o] = cube[:, 0, o] + k * slope
        return replace(begun, cube=cube)

    def following(self, before: Patch, end: float, space: Spline) -> Patch:
        """The next window before the equations are looked at: Bernstein coefficients by the last ones' differences."""
        start, stop = before.box[self.time]
        ratio = (end - stop) / (stop - start)
        differences = [before.moved(space, before.across).cube.flip(1)]
        for _ in range(SMOOTHEST):
            differences.append(differences[-1][:, :-1] - differences[-1][:, 1:])
        parts = [
            sum(comb(k, j) * ratio**j * differences[j][:, 0] for j in range(min(k, SMOOTHEST) + 1))
            for k in range(TIME + 1)
        ]
        return self.window(stop, end, space, torch.stack(parts, dim=1))

    def until(self, start: float, length: float) -> float:
        """Where a window of about this length ends, so that no splinter remains."""
        left = self.ends[1] - start
        if left <= 1.01 * length:
            return self.ends[1]
        return start + (length if left > 2 * length else left / 2)


def polynomials() -> Spline:
    """The Bernstein polynomials of one window."""
    return Spline(TIME, torch.tensor([-1.0, 1.0], dtype=torch.float64), 0)


def windows(march: March, space: Spline) -> Iterator[tuple[Patch, float]]:
    """Window after window with the norm of its residuals, of lengths and on splines of x such that what is cut off
    stays below the tolerance.

    Ends early where no window is short enough.
    """
    low, high = march.ends
    length, before, scale = (high - low) / WINDOWS, None, torch.zeros(len(march.given), dtype=torch.float64)
    start = low
    while start < high:
        end = march.until(start, length)
        guess = march.first(end, space) if before is None else march.following(before, end, space)
        size = torch.maximum(scale, guess.cube.abs().amax(dim=(0, 1))) + 1e-300
        if before is None and (finer := refined(space, guess.cube[:, :1], size, march.tolerance)) is not space:
            space = finer
            continue
        fit = guess.fitted(march.blocks(False), ~march.settled(before is None), march.tolerance)
        late = march.tolerance * 1e6
        if fit is not None:
            size = torch.maximum(size, fit[0].cube.abs().amax(dim=(0, 1)))
            late = float((cut_off_in_time(fit[0]) / size).max())
        least, most = GROWTH
        change = min(max(0.9 * (march.tolerance / max(late, 1e-300)) ** (1 / TIME), least), most)
        if late > 2 * march.tolerance and (fit is None or end - start > SHORTEST * (high - low)):
            length = (end - start) * change
            if length < 0.01 * SHORTEST * (high - low):
                return
            continue
        if (finer := refined(space, fit[0].cube, size, march.tolerance)) is not space:  # type: ignore[index]
            space = finer
            continue
        before, scale, start, length = fit[0], size, end, (end - start) * change  # type: ignore[index]
        yield fit  # type: ignore[misc]


def cut_off_in_time(window: Patch) -> Tensor:
    """The root mean square [O] over x of the highest Chebyshev coefficient in time."""
    highest = window.cube.diff(n=TIME, dim=1)[:, 0] / 2 ** (2 * TIME - 1)
    return (window.along.widths @ highest.square()).sqrt()


def joined(march: March, found: Sequence[Patch]) -> tuple[Problem, Tensor]:
    """One network over all windows; after the last one the solution stands still."""
    low, high = march.ends
    space = found[-1].along
    cubes = [window.moved(space, window.across).cube for window in found]
    ends = [window.box[march.time][1] for window in found]
    if ends[-1] < high:
        cubes.append(cubes[-1][:, -1:].expand_as(cubes[-1]))
        ends.append(high)
    breaks = 2 * (torch.tensor([low, *ends], dtype=torch.float64) - low) / (high - low) - 1
    cube = torch.cat([cubes[0][:, :1], *(c[:, 1:] for c in cubes)], dim=1)
    whole = replace(found[-1], box=march.problem.trial.box, across=Spline(TIME, breaks, 0), along=space, cube=cube)
    return whole.placed, whole.theta
