"""Constants fitted where solutions are sharp: splines solve the equations for every guess of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import inf, nan, sqrt
from typing import Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from kanpde.build import assemble
from kanpde.clock import ENDLESS, Clock, State
from kanpde.doubts import judged, undetermined
from kanpde.elimination import bounded
from kanpde.estimates import Estimates, Scatter
from kanpde.problem import Problem
from kanpde.quantiles import chi_square_tail, student_quantile
from kanpde.separation import enforced, reached, separates, state_of
from kanpde.spec import Spec
from kanpde.tree import Number
from kanpde.uncertainty import root_of_inverse
from kanpde.weighing import deviation, deviations, measures

TOLERANCES = (1e-4, 1e-7)  # of the splines: to come near, and to end with
STEPS = 12  # of Gauss-Newton with each
ASIDE = {1e-4: 0.03, 1e-7: 1e-3}  # of a constant: what derivatives by it are taken over
SHARE = 0.02  # of a standard error: a smaller step ends the iteration
COARSE = 0.3  # the same with the first tolerance
SHORTEST = 1e-3  # of a step that lowers nothing
LEFT = 0.3  # of a constant, at least, after a step
DRAWS = 3  # solutions that the readings allow as well
ROUGH = 1e-5  # tolerance of those
FINEST = 1e-14  # of the readings: less is rounding


@dataclass(frozen=True)
class Shot:
    """The solution for some values [F] of the constants, with all gaps [R] to the readings, row by row."""

    values: Tensor
    problem: Problem
    theta: Tensor
    gaps: Mapping[str, Tensor]

    def misfit(self, sigmas: Mapping[str, float]) -> float:
        """The sum of squares, in units of the readings' deviations."""
        return float(scaled(self.gaps, sigmas).square().sum())


def shoots(spec: Spec) -> bool:
    """Whether only constants are fitted, to readings, in a problem that splines can solve."""
    constants = bool(spec.fitted) and not any(quantity.of for quantity in spec.fitted.values())
    return constants and bool(spec.data) and not spec.constraints and separates(known(spec, starts(spec)))


def starts(spec: Spec) -> Tensor:
    """The first guesses [F]."""
    return torch.tensor([quantity.start for quantity in spec.fitted.values()], dtype=torch.float64)


def known(spec: Spec, values: Tensor) -> Spec:
    """The problem with the constants [F] known."""
    constants = {name: Number(value) for name, value in zip(spec.fitted, values.tolist())}
    exact = {name: tree for name, tree in spec.exact.items() if name in spec.unknowns}
    return replace(spec, fitted={}, data=(), definitions={**constants, **spec.definitions}, exact=exact)


def shot(spec: Spec, values: Tensor, tolerance: float, clock: Clock) -> Shot | None:
    """The solution for some values; None where splines find none, or there is no time for it."""
    found = reached(known(spec, values), tolerance, clock)
    if found is None:
        return None
    (branch, *_), theta = found[0].trial.branches, torch.cat([found[1], values])
    problem = assemble(replace(spec, enforce=enforced(spec)), [(branch.network, spec.unknowns)])
    gaps = {}
    for block in (block for block in problem.blocks if measures(block)):
        ground = block.face.ground  # type: ignore[union-attr]
        with torch.no_grad():
            for row, values_there in zip(block.rows, problem.residuals(block, theta, ground)):
                gaps[row.name] = values_there.detach()
    return Shot(values, problem, theta, gaps)


def scaled(gaps: Mapping[str, Tensor], sigmas: Mapping[str, float]) -> Tensor:
    """All gaps in units of the readings' deviations, one row after another."""
    return torch.cat([gap / sigmas.get(name, 1.0) for name, gap in gaps.items()])


def slopes(spec: Spec, here: Shot, sigmas: Mapping[str, float], tolerance: float, clock: Clock) -> Tensor | None:
    """The derivatives [R, F] of the scaled gaps by the constants, by differences."""
    columns = []
    for k, quantity in enumerate(spec.fitted.values()):
        low, high = quantity.range or (-inf, inf)
        size = abs(float(here.values[k])) or abs(quantity.start) or 1.0
        aside = ASIDE[tolerance] * (size if here.values[k] + ASIDE[tolerance] * size <= high else -size)
        there = here.values.clone()
        there[k] = max(there[k] + aside, low)
        other = shot(spec, there, tolerance, clock)
        if other is None:
            return None
        columns.append((scaled(other.gaps, sigmas) - scaled(here.gaps, sigmas)) / (there[k] - here.values[k]))
    return torch.stack(columns, dim=1)


def scatter_of(here: Shot, sigmas: Mapping[str, float]) -> dict[str, Scatter]:
    """The scatter of each row of readings; degrees of freedom are taken from all of them evenly."""
    total, found = sum(len(gap) for gap in here.gaps.values()), {}
    given = {row.name: deviation(b) for b in here.problem.blocks if measures(b) for row in b.rows}
    for name, gap in here.gaps.items():
        free = max(len(gap) * (1 - len(here.values) / total), 1e-3)
        squares = float(gap.square().sum())
        if name in sigmas:
            sigma = max(sqrt(squares / free), FINEST * sigmas[name])
            found[name] = Scatter(len(gap), free, sigma, True, sqrt(squares / len(gap)))
        else:
            found[name] = Scatter(len(gap), free, given[name], False, sqrt(squares / len(gap)) * given[name])
    return found


def told_of(spec: Spec, here: Shot, spread: Tensor, sigmas: Mapping[str, float], settled: bool) -> Estimates:
    """What the readings say of the constants."""
    scatter, covariance = scatter_of(here, sigmas), spread @ spread.T
    known_ones = [one for one in scatter.values() if not one.estimated]
    loose = sum(one.freedom for one in scatter.values() if one.estimated)
    chi_square = sum(one.readings * one.residual**2 / one.sigma**2 for one in known_ones) if known_ones else nan
    freedom = sum(one.freedom for one in known_ones)
    sigma, values, factor = covariance.diagonal().sqrt().numpy(), here.values.numpy(), student_quantile(loose or inf)
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance.numpy() / sigma[:, None] / sigma
    told = Estimates(
        tuple(spec.fitted), values, sigma, values - factor * sigma, values + factor * sigma, correlation,
        chi_square, freedom, chi_square_tail(chi_square, freedom) if known_ones else nan, scatter,
    )  # fmt: skip
    told = judged(told, tuple(undetermined(told, spec)), settled, spec)
    if spec.training.intervals == "linear":
        return told
    other = f"intervals are linear ones: {spec.training.intervals} is for ramps"
    return replace(told, warnings=(*told.warnings, other))


def shooting(spec: Spec, clock: Clock) -> Iterator[State]:
    """Gauss–Newton steps of the constants towards the readings; nothing where the equations cannot be solved."""
    problem = assemble(replace(spec, enforce=enforced(spec)), [])
    sigmas = deviations(problem, spec)
    here: Shot | None = None
    values = starts(spec)
    for tolerance in TOLERANCES:
        here = shot(spec, values, tolerance, clock)
        if here is None:
            return
        for _ in range(STEPS):
            sigmas = {name: one.sigma for name, one in scatter_of(here, sigmas).items() if one.estimated}
            matrix = slopes(spec, here, sigmas, tolerance, clock)
            if matrix is None:
                return
            spread = root_of_inverse(matrix)
            low, high = ends(spec)
            change = bounded(matrix, -scaled(here.gaps, sigmas), low - here.values, high - here.values)
            errors = (spread @ spread.T).diagonal().sqrt()
            small = bool((change.abs() <= (SHARE if tolerance == TOLERANCES[-1] else COARSE) * errors).all())
            yield state(spec, here, spread, sigmas, small, tolerance)
            if small or clock.left() <= 0:
                break
            ahead = stepped(spec, here, change, sigmas, tolerance, clock)
            if ahead is None:
                break
            here = ahead
        values = here.values


def ends(spec: Spec) -> tuple[Tensor, Tensor]:
    """The bounds [F] of all constants."""
    pairs = [quantity.range or (-inf, inf) for quantity in spec.fitted.values()]
    low, high = torch.tensor(pairs, dtype=torch.float64).T
    return low, high


def stepped(
    spec: Spec, here: Shot, change: Tensor, sigmas: Mapping[str, float], tolerance: float, clock: Clock
) -> Shot | None:
    """The solution after a step, shortened until it lowers the misfit; None where none does."""
    share = gentle(spec, here.values, change)
    while share >= SHORTEST and clock.left() > 0:
        ahead = shot(spec, here.values + share * change, tolerance, clock)
        if ahead is not None and ahead.misfit(sigmas) < here.misfit(sigmas):
            return ahead
        share /= 4
    return None


def gentle(spec: Spec, values: Tensor, change: Tensor) -> float:
    """The share of a step after which no constant that keeps its sign is less than a part of what it was.

    Solutions grow sharp, and dear, as such constants vanish, and a first step often goes too far.
    """
    low, high = ends(spec)
    signed = (low >= 0) | (high <= 0)
    falls = -change / values.where(values != 0, torch.ones_like(values))
    most = float(falls[signed & (values != 0)].max()) if bool((signed & (values != 0)).any()) else 0.0
    return min(1.0, (1 - LEFT) / most) if most > 0 else 1.0


def state(
    spec: Spec, here: Shot, spread: Tensor, sigmas: Mapping[str, float], settled: bool, tolerance: float
) -> State:
    """A guess as a state of the training."""
    told = told_of(spec, here, spread, sigmas, settled)
    found = state_of(here.problem, here.theta, f"constants by Gauss-Newton, splines to {tolerance:g}", spec)
    return replace(found, estimates=told, settled=settled, replicas=partial(drawn, spec, here, spread))


def drawn(spec: Spec, here: Shot, spread: Tensor) -> Iterator[tuple[Problem, Tensor]]:
    """Solutions for other values that the readings allow as well."""
    generator, (low, high) = torch.Generator().manual_seed(spec.training.seed), ends(spec)
    for _ in range(DRAWS):
        other = here.values + spread @ torch.randn(len(spread), generator=generator, dtype=spread.dtype)
        found = shot(spec, torch.minimum(torch.maximum(other, low), high), ROUGH, ENDLESS)
        if found is not None:
            yield found.problem, found.theta
