"""The search for width and slopes of the ramps, by the residual on fresh points."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator

from kanpde.clock import Clock
from kanpde.ramps import Fit, Ramps

SPREADS = (0.06, 0.12, 0.24, 0.48, 0.96)  # slopes relative to width^(1/d)
UNRESOLVED = 0.3  # relative residual above which the choice of slopes tells nothing

Fitting = Callable[[Ramps, "Fit | None"], Fit]


@dataclass(frozen=True)
class Aim:
    """Widths to try, the relative residual that is enough, and the one above which growing is hopeless."""

    first: int = 300
    last: int = 3000
    growth: float = 1.6
    enough: float = 1e-12
    hopeless: float = float("inf")


@dataclass(frozen=True)
class Candidate:
    """A fit and the spreads (slopes / width^(1/d)) it was made with."""

    fit: Fit
    spreads: tuple[float, ...]

    @property
    def residual(self) -> float:
        """The relative residual on fresh points, infinite where it is not a number."""
        return self.fit.held_out if self.fit.held_out == self.fit.held_out else float("inf")


def search(fitting: Fitting, dimensions: int, aim: Aim, clock: Clock) -> Iterator[Candidate]:
    """Better and better candidates: slopes by scan and coordinate descent, then more ridges, again and again."""
    width = aim.first
    best = scan(fitting, dimensions, width, aim, clock)
    yield best
    history = [best.residual]
    if best.residual > aim.hopeless:
        return
    while best.residual > aim.enough and width < aim.last and clock.left() > 0:
        if best.residual <= UNRESOLVED:
            for better in descend(fitting, best, 2.0 if len(history) < 2 else 1.41, aim, clock):
                best = better
                yield best
            if best.residual <= aim.enough:
                return
        width = min(int(width * aim.growth), aim.last)
        if best.residual > UNRESOLVED:
            grown = scan(fitting, dimensions, width, aim, clock)
        else:
            grown = attempt(fitting, best.spreads, width, best.fit)
        history.append(min(grown.residual, best.residual))
        if grown.residual < best.residual:
            best = grown
            yield best
        if len(history) > 3 and history[-1] > 0.3 * history[-3] and history[-1] < 1e-6:
            return


def attempt(fitting: Fitting, spreads: tuple[float, ...], width: int, near: Fit | None) -> Candidate:
    """One fit."""
    slopes = tuple(s * width ** (1 / len(spreads)) for s in spreads)
    return Candidate(fitting(Ramps(width, slopes), near), spreads)


def scan(fitting: Fitting, dimensions: int, width: int, aim: Aim, clock: Clock) -> Candidate:
    """The best of a few equal spreads."""
    found = [attempt(fitting, (SPREADS[2],) * dimensions, width, None)]
    for spread in (SPREADS[3], SPREADS[1], SPREADS[4], SPREADS[0]):
        if clock.left() <= 0 or min(c.residual for c in found) < aim.enough:
            break
        found.append(attempt(fitting, (spread,) * dimensions, width, None))
    return min(found, key=lambda c: c.residual)


def descend(fitting: Fitting, best: Candidate, factor: float, aim: Aim, clock: Clock) -> Iterator[Candidate]:
    """Better spreads, one coordinate after another."""
    for axis in range(len(best.spreads)):
        for change in (factor, 1 / factor):
            while best.residual > aim.enough and clock.left() > 0:
                spread = min(max(best.spreads[axis] * change, 0.02), 2.0)
                if spread == best.spreads[axis]:
                    break
                tried = best.spreads[:axis] + (spread,) + best.spreads[axis + 1 :]
                found = attempt(fitting, tried, best.fit.ramps.width, best.fit)
                if not found.residual < 0.7 * best.residual:
                    break
                best = found
                yield best
