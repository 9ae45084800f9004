"""The search for width and slopes of the ramps, by the residual on fresh points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import product
from math import prod
from typing import Callable, Iterator, Mapping, Sequence

from kanpde.clock import Clock
from kanpde.ramps import Fit, Ramps

SPREADS = (0.06, 0.12, 0.24, 0.48, 0.96)  # slopes relative to width^(1/d)
UNRESOLVED = 0.3  # relative residual above which the choice of slopes tells nothing
SLOW = 0.3  # of the residual: more ridges that leave more call for other slopes
STEEP = 0.01  # of the residual: more ridges that leave no more pay better than other slopes

Fitting = Callable[[Ramps, "Fit | None"], Fit]


@dataclass(frozen=True)
class Aim:
    """Widths to try, the relative residual that is enough, and the one above which growing is hopeless.

    Growing twice must make it `pace` times smaller once it tells anything: where solutions are not smooth it does not.
    """

    first: int = 300
    last: int = 3000
    growth: float = 1.6
    enough: float = 1e-12
    hopeless: float = float("inf")
    pace: float = 1.0

    def shared(self, layers: int) -> Aim:
        """The aim for several layers of ramps that are fitted together: as many ramps in all, and more rounding."""
        return replace(self, last=max(self.first, self.last // layers), enough=self.enough * layers**2)


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
    """Better and better candidates: slopes by scan and descent, then more ridges, again and again.

    While more ridges pay, slopes are only tried a little smaller, as wide layers want them (relative to the width);
    where they do not, all slopes are tried again: what suits a narrow layer may lead a wide one nowhere.
    """
    width, steep = aim.first, False
    best = scan(fitting, (1.0,) * dimensions, width, None, aim, clock)
    yield best
    history = [best.residual]
    if best.residual > aim.hopeless:
        return
    while best.residual > aim.enough and width < aim.last and clock.left() > 0:
        if best.residual <= UNRESOLVED and best.fit.ramps.width == width:
            factors = [1 / 1.41] if steep else [2.0, 0.5] if len(history) < 2 else [1.41, 1 / 1.41]
            for better in descend(fitting, best, factors, aim, clock):
                best = better
                yield best
            if best.residual <= aim.enough:
                return
        width = min(int(width * aim.growth), aim.last)
        known = best.residual <= UNRESOLVED
        grown = attempt(fitting, best.spreads, width, best.fit) if known else None
        if grown is None or grown.residual > SLOW * best.residual:
            size = prod(best.spreads) ** (1 / dimensions)
            other = scan(fitting, tuple(s / size for s in best.spreads), width, best.fit if known else None, aim, clock)
            grown = other if grown is None or other.residual < grown.residual else grown
        steep = grown.residual < STEEP * best.residual <= STEEP * UNRESOLVED
        history.append(min(grown.residual, best.residual))
        if grown.residual < best.residual:
            best = grown
            yield best
        if len(history) > 2 and UNRESOLVED >= history[-3] and history[-1] * aim.pace > history[-3]:
            return
        if len(history) > 3 and history[-1] > 0.3 * history[-3] and history[-1] < 1e-6:
            return


def attempt(fitting: Fitting, spreads: tuple[float, ...], width: int, near: Fit | None) -> Candidate:
    """One fit."""
    slopes = tuple(s * width ** (1 / len(spreads)) for s in spreads)
    return Candidate(fitting(Ramps(width, slopes), near), spreads)


def scan(fitting: Fitting, shape: tuple[float, ...], width: int, near: Fit | None, aim: Aim, clock: Clock) -> Candidate:
    """The best of a few multiples of some spreads."""
    found: dict[float, Candidate] = {}
    for spread in (SPREADS[2], SPREADS[3], SPREADS[1], SPREADS[4], SPREADS[0]):
        if found and (clock.left() <= 0 or min(c.residual for c in found.values()) < aim.enough):
            break
        if not passed_over(spread, found):
            found[spread] = attempt(fitting, tuple(spread * s for s in shape), width, near)
    return min(found.values(), key=lambda c: c.residual)


def passed_over(spread: float, found: Mapping[float, Candidate]) -> bool:
    """Whether the residual, where it tells something, already rises from the best spread towards this one."""
    if not found:
        return False
    best = min(found, key=lambda s: found[s].residual)
    between = [s for s in found if min(spread, best) < s < max(spread, best)]
    return found[best].residual <= UNRESOLVED and bool(between)


def descend(fitting: Fitting, best: Candidate, factors: Sequence[float], aim: Aim, clock: Clock) -> Iterator[Candidate]:
    """Better spreads: those of all coordinates changed together, then, with two factors, of one after another.

    A single factor is tried once.
    """
    every = tuple(range(len(best.spreads)))
    single = [(axis,) for axis in every] if len(factors) > 1 and len(every) > 1 else []
    seen = {best.spreads}
    for axes, change in product([every, *single], factors):
        while best.residual > aim.enough and clock.left() > 0:
            tried = tuple(min(max(s * change, 0.02), 2.0) if k in axes else s for k, s in enumerate(best.spreads))
            if tried in seen:
                break
            seen.add(tried)
            found = attempt(fitting, tried, best.fit.ramps.width, best.fit)
            if not found.residual < 0.7 * best.residual:
                break
            best = found
            yield best
            if len(factors) == 1:
                return
