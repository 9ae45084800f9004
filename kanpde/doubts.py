"""What is doubtful in a fit, in words, and whether it is so doubtful that the fit has failed."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from math import isfinite, isnan
from typing import Iterator

import numpy as np

from kanpde.estimates import Estimates
from kanpde.fits import Fitted
from kanpde.fitting import Found, Sought
from kanpde.spec import Spec

TIED = 0.99  # correlation from which two constants cannot be told apart
DOUBTFUL = 1e-3  # chance below which a χ² is doubted
ABSURD, MANIFOLD = 1e-9, 4.0  # chance of a larger χ², and χ² per degree of freedom, with which a model has failed
HUGE = 100.0  # times its size and that of its start: a standard error of a constant that nothing determines
DEGENERATE = 1e-9  # of its length: a column that the others leave of a fitted coefficient, where there are no readings
BIASED, SPOILT = 10.0, 50.0  # times what is enough: a residual that shows in what is fitted, or decides it
NEAR = 1e-6  # of a range


def doubted(told: Estimates, found: Found, sought: Sought, spec: Spec) -> Estimates:
    """The estimates with their warnings, and the verdict on them."""
    return judged(told, tuple(open_ones(told, found, sought, spec)), found.settled, spec)


def judged(told: Estimates, undetermined: tuple[str, ...], settled: bool, spec: Spec) -> Estimates:
    """The estimates with warnings and a verdict, given what nothing determines and whether the iteration settled."""
    misfit = told.chance < ABSURD and told.chi_square > MANIFOLD * told.freedom
    verdict = "unsettled" if not settled else "undetermined" if undetermined else "misfit" if misfit else ""
    warnings = (*undetermined, *bounds(told, spec), *unsure(told), *ties(told), *agreement(told))
    unsettled = () if settled else ("the iteration did not settle; give other starts, or narrower ranges",)
    return replace(told, warnings=(*unsettled, *warnings), verdict=verdict)


def resolved(told: Estimates, residual: float, enough: float) -> Estimates:
    """The estimates, with a doubt where the relative residual of the equations is above what would be enough."""
    if not told.scatter or residual <= BIASED * enough:
        return told
    text = f"the equations are left with {residual:.1g} of their terms, and {enough:.1g} would not be noticed"
    warnings = (*told.warnings, f"{text}: standard errors take no notice; give more time")
    return replace(told, warnings=warnings, verdict="unresolved" if residual > SPOILT * enough else told.verdict)


def open_ones(told: Estimates, found: Found, sought: Sought, spec: Spec) -> Iterator[str]:
    """A sentence for everything fitted that nothing determines."""
    sides = found.elimination.upper.diagonal()[sought.order.inner :].abs()
    for where, name in zip(sought.blocks, spec.fitted):
        if not sought.noisy:
            if float(sides[where].min()) < DEGENERATE:
                yield f"nothing determines {name}: other values serve the equations and constraints as well"
        elif name in told.names:
            yield from undetermined(told, spec, name)


def undetermined(told: Estimates, spec: Spec, *names: str) -> Iterator[str]:
    """A sentence for each constant, or those named, that the readings do not determine."""
    for name, value, sigma in zip(told.names, told.values, told.sigma):
        if (not names or name in names) and not (isfinite(sigma) and sigma <= widest(spec.fitted[name], value)):
            yield f"the readings do not determine {name}: its standard error is {sigma:.2g}"


def widest(quantity: Fitted, value: float) -> float:
    """The standard error above which a constant is not determined."""
    if quantity.range:
        return quantity.range[1] - quantity.range[0]
    return HUGE * max(abs(value), abs(quantity.start))


def bounds(told: Estimates, spec: Spec) -> Iterator[str]:
    """A sentence for each constant at an end of its range."""
    for name, value in zip(told.names, told.values):
        low, high = spec.fitted[name].range or (-np.inf, np.inf)
        for end in (low, high):
            if abs(value - end) <= NEAR * (high - low) and isfinite(high - low):
                yield f"{name} lies at the end of its range, {end:g}; its interval takes no notice of that"


def unsure(told: Estimates) -> Iterator[str]:
    """A sentence for each constant that may as well be zero."""
    for name, value, sigma in zip(told.names, told.values, told.sigma):
        if sigma > abs(value):
            yield f"{name} is smaller than its standard error"


def ties(told: Estimates) -> Iterator[str]:
    """A sentence for each two constants that can hardly be told apart."""
    for (i, one), (k, other) in combinations(enumerate(told.names), 2):
        if abs(told.correlation[i, k]) >= TIED:
            found = told.correlation[i, k]
            yield f"{one} and {other} can hardly be told apart: their correlation is {found:.4f}"


def agreement(told: Estimates) -> Iterator[str]:
    """A sentence if the readings scatter more, or less, than their standard deviation says."""
    if isnan(told.chi_square):
        return
    ratio = f"χ² is {told.chi_square / told.freedom:.3g} per degree of freedom"
    if told.chance < DOUBTFUL:
        yield f"the readings scatter more than sigma says: {ratio} (chance {told.chance:.1g}); is the model right?"
    elif told.chance > 1 - DOUBTFUL:
        yield f"the readings scatter less than sigma says: {ratio}; is sigma right?"
