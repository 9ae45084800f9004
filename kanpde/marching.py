"""Marching in time: a separable network fitted to one interval of time after another."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import comb, inf
from typing import Iterator, Sequence

import torch
from torch import Tensor

from kanpde.clock import ENDLESS, Clock
from kanpde.dispersion import Dispersion, Phase, lasting, longest, summed, waves
from kanpde.evaluation import Ground
from kanpde.patch import Beside, Patch
from kanpde.problem import Block, Problem, Row
from kanpde.splines import MOST_INTERVALS, Spline, dense, refined, widened
from kanpde.splines import SHORTEST as NARROWEST

TIME = 8  # degree of the polynomials in t
SMOOTHEST = 3  # differences in time that an extrapolation goes by
WINDOWS = 32  # at the start
SHORTEST = 1e-6  # of all time
GROWTH = (0.2, 2.0)  # bounds of the next window's length over the last one's
QUIET = 1e-3  # of the largest unknown's size: what is smaller need not be as exact relative to itself
LOOKS = 10  # at the initial data of each interval
LOOSE = 10.0  # what initial data may be missed by, in tolerances
ROUGH = 1.0  # tolerance of the fit from which waves beside the splines are known: a last step of a hundredth
ROUNDS = 3  # of initial data and the waves that they send out


@dataclass(frozen=True)
class March:
    """What all windows share: the problem, the axis of t, each unknown's initial conditions, and the tolerance."""

    problem: Problem
    time: int
    given: tuple[int, ...]
    tolerance: float
    waves: Dispersion | None = None
    beside: Beside | None = None  # of all windows, where it is known before

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
        return Patch(self.problem, tuple(box), 1 - self.time, space, polynomials(), cube, self.beside)

    def first(self, end: float, space: Spline) -> tuple[Patch, Phase | None]:
        """The first window before the equations are looked at: initial data, continued evenly, and their waves."""
        blank = torch.zeros(space.size, TIME + 1, len(self.given), dtype=torch.float64)
        begun, phase = self.continued(self.window(self.ends[0], end, space, blank)), None
        for _ in range(ROUNDS if self.waves else 0):
            beside, phase, _ = waves(self.waves, begun, None, self.tolerance)  # type: ignore[arg-type]
            begun = self.continued(replace(begun, beside=beside))
        return begun, phase

    def continued(self, begun: Patch) -> Patch:
        """A window with initial data, and beyond the first time what goes on evenly."""
        found = begun.fitted(self.blocks(True), self.settled(True), self.tolerance)
        cube = (found[0] if found else begun).cube.clone()
        for o, count in enumerate(self.given):
            slope = cube[:, 1, o] - cube[:, 0, o] if count > 1 else 0.0 * cube[:, 0, o]
            for k in range(max(count, 1), TIME + 1):
                cube[:, k, o] = cube[:, 0, o] + k * slope
        return replace(begun, cube=cube)

    def fit(
        self, guess: Patch, phase: Phase | None, active: Tensor, clock: Clock
    ) -> tuple[tuple[Patch, float] | None, Phase | None]:
        """A window's fit with the norm of its residuals, and the waves' phase at its end: they follow a rough fit."""
        if self.waves is None:
            return guess.remembered(self.blocks(False), active, self.tolerance, clock.journal), None
        for tolerance in (max(ROUGH, self.tolerance), self.tolerance):
            beside, _, after = waves(self.waves, guess, phase, self.tolerance)
            found = replace(guess, beside=beside).remembered(self.blocks(False), active, tolerance, clock.journal)
            if found is None:
                return None, after
            guess = found[0]
        return found, after

    def between(self, window: Patch) -> Ground:
        """Points at the first time, evenly spaced in each interval."""
        low, high = window.box[1 - self.time]
        breaks, shares = window.along.breaks, (torch.arange(LOOKS, dtype=torch.float64) + 0.5) / LOOKS
        x = low + (breaks[:-1, None] + breaks.diff()[:, None] * shares + 1).flatten() * (high - low) / 2
        return Ground(torch.stack(window.ordered(x, torch.full_like(x, self.ends[0]))))

    def sizes(self, window: Patch) -> Tensor:
        """The sizes [O] of the unknowns at the first time, with what is built in."""
        names, zero = window.placed.trial.scope.unknowns, frozenset({(0, 0)})
        fields, _ = window.placed.trial.fields(window.theta, self.between(window), dict.fromkeys(names, zero))
        return torch.stack([torch.as_tensor(fields[name].value).abs().max() for name in names])

    def seen(self, window: Patch) -> Spline:
        """The splines of x, finer where a window misses initial data between the points at which it was fitted."""
        lengths, ground = window.along.breaks.diff(), self.between(window)
        missed = torch.zeros_like(lengths)
        for block in self.blocks(True):
            data = replace(block, rows=tuple(Row(row.name, row.formula.right) for row in block.rows))  # type: ignore[union-attr]
            pairs = zip(*(window.placed.residuals(b, window.theta, ground) for b in (block, data)))
            for row, asked in pairs:
                gap = row.view(-1, LOOKS).square().mean(1).sqrt() / (asked.abs().max() + 1e-300)
                missed = torch.maximum(missed, torch.where(asked.any(), gap, 0.0))
        share = (lengths * len(lengths) / 2).sqrt().clamp_max(1.0)  # as in `refined`
        wrong = (missed * share > LOOSE * self.tolerance) & (lengths > 2 * NARROWEST)
        if not wrong.any() or window.along.intervals >= MOST_INTERVALS:
            return window.along
        return window.along.divided(widened(wrong))

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

    def reached(self, found: Sequence[Patch]) -> float:
        """The time at which the last window ends."""
        return found[-1].box[self.time][1]

    def until(self, start: float, length: float) -> float:
        """Where a window of about this length ends, so that no splinter remains."""
        left = self.ends[1] - start
        if left <= 1.01 * length:
            return self.ends[1]
        return start + (length if left > 2 * length else left / 2)


def polynomials() -> Spline:
    """The Bernstein polynomials of one window."""
    return Spline(TIME, torch.tensor([-1.0, 1.0], dtype=torch.float64), 0)


def windows(march: March, space: Spline, clock: Clock = ENDLESS) -> Iterator[tuple[Patch, float]]:
    """Window after window with the norm of its residuals, of lengths and on splines of x such that what is cut off
    stays below the tolerance.

    Ends early where no window is short enough, or with the window at hand when the time is over.
    """
    low, high = march.ends
    length, before, scale = (high - low) / WINDOWS, None, torch.zeros(len(march.given), dtype=torch.float64)
    start, phase, most = low, None, inf
    while start < high:
        end = march.until(start, min(length, most))
        if before is None:
            guess, phase = march.first(end, space)
            most = longest(march.waves, guess, phase) if march.waves and phase else inf
        else:
            guess = march.following(before, end, space)
        scale = march.sizes(guess) if before is None else scale
        size, over = larger(scale, guess), clock.left() <= 0
        if before is None and not over:
            finer = refined(space, guess.cube[:, :1], size, march.tolerance)
            finer = march.seen(guess) if finer is space else finer
            if finer is not space:
                space = finer
                continue
        if end - start > 1.01 * most:
            continue
        active = ~march.settled(before is None)
        fit, after = march.fit(guess, phase, active, clock)
        if over:
            yield from [fit] if fit else []
            return
        late = march.tolerance * 1e6
        if fit is not None:
            size = larger(size, fit[0])
            late = float((cut_off_in_time(fit[0]) / size).max())
        change = 0.9 * (march.tolerance / max(late, 1e-300)) ** (1 / TIME)
        change = min(max(change, GROWTH[0]), GROWTH[1])
        if late > 2 * march.tolerance and (fit is None or end - start > SHORTEST * (high - low)):
            length = (end - start) * change
            if length < 0.01 * SHORTEST * (high - low):
                return
            continue
        cube = at_nodes(fit[0]) if march.waves else fit[0].cube  # type: ignore[index]
        if (finer := refined(space, cube, size, march.tolerance)) is not space:
            space = finer
            continue
        before, scale, start, length = fit[0], size, end, (end - start) * change  # type: ignore[index]
        phase = after
        yield fit  # type: ignore[misc]


def larger(size: Tensor, window: Patch) -> Tensor:
    """The sizes [O] of the unknowns, where a window's coefficients are larger than what they were."""
    found = torch.maximum(size, window.cube.abs().amax(dim=(0, 1)))
    return torch.maximum(found, QUIET * found.max()) + 1e-300


def at_nodes(window: Patch) -> Tensor:
    """The coefficients [K, TIME + 1, O] at a window's times.

    Those of its polynomials exaggerate what turns too fast for them, as the least of the waves do.
    """
    across = window.across
    return torch.einsum("st,kto->kso", dense(across, across.interpolation_points()), window.cube)


def cut_off_in_time(window: Patch) -> Tensor:
    """The root mean square [O] over x of the highest Chebyshev coefficient in time."""
    highest = window.cube.diff(n=TIME, dim=1)[:, 0] / 2 ** (2 * TIME - 1)
    return (window.along.widths @ highest.square()).sqrt()


def joined(march: March, found: Sequence[Patch]) -> tuple[Problem, Tensor]:
    """One network over all windows; after the last one the solution stands still."""
    low, high = march.ends
    ends = [march.reached([window]) for window in found]
    ends += [high] if ends[-1] < high else []
    breaks = 2 * (torch.tensor([low, *ends], dtype=torch.float64) - low) / (high - low) - 1
    across, box = Spline(TIME, breaks, 0), march.problem.trial.box
    whole = replace(found[-1], box=box, across=across, cube=in_a_row(found, len(ends)))
    if march.waves is not None:
        others = [replace(one, cube=one.beside.cube) for one in found]  # type: ignore[union-attr]
        whole = replace(whole, beside=lasting(whole, in_a_row(others, len(ends))))
    elif march.beside is not None:
        whole = replace(whole, beside=summed(march.beside))
    return whole.placed, whole.theta


def in_a_row(found: Sequence[Patch], count: int) -> Tensor:
    """The coefficients of windows one after another, on the last one's splines; then the last values for what lacks."""
    cubes = [window.moved(found[-1].along, window.across).cube for window in found]
    cubes += [cubes[-1][:, -1:].expand_as(cubes[-1])] * (count - len(cubes))
    return torch.cat([cubes[0][:, :1], *(c[:, 1:] for c in cubes)], dim=1)
