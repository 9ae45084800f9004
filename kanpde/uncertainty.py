"""Covariances, intervals and tests of what is fitted, from the triangle that is left of it."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan, sqrt
from typing import Iterator

import numpy as np
import torch
from torch import Tensor

from kanpde.elimination import leverages
from kanpde.estimates import Estimates, Scatter
from kanpde.fitting import Found, Sought
from kanpde.objective import Residuals
from kanpde.quantiles import chi_square_tail, student_quantile
from kanpde.spec import Spec
from kanpde.weighing import deviation, measures

FINEST = 1e-14  # of the readings: less is rounding


def estimates(
    spec: Spec, objective: Residuals, found: Found, sought: Sought, sigmas: dict[str, float]
) -> tuple[Estimates, Found]:
    """All that the readings say of what is fitted, and the fit with its read-outs in place."""
    change = torch.zeros_like(sought.low)
    found = replace(found, theta=found.theta + found.elimination.step(change))
    scatter = scattered(objective, found, sought, sigmas)
    spread = spread_of(found) if sought.noisy else None
    values = found.theta[sought.order.inner :]
    constants = [name for name, quantity in spec.fitted.items() if not quantity.of]
    places = [where.start for where, quantity in zip(sought.blocks, spec.fitted.values()) if not quantity.of]
    known = [one for one in scatter.values() if not one.estimated]
    loose = sum(one.freedom for one in scatter.values() if one.estimated)
    chi_square = sum(one.readings * one.residual**2 / one.sigma**2 for one in known) if known else nan
    if spread is None:
        covariance = torch.full((len(places), len(places)), nan, dtype=torch.float64)
    else:
        covariance = spread[places] @ spread[places].T
    sigma = covariance.diagonal().sqrt().numpy()
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation = covariance.numpy() / sigma[:, None] / sigma
    factor = student_quantile(loose or inf) if sought.noisy else nan
    here = values[places].numpy()
    told = Estimates(
        names=tuple(constants),
        values=here,
        sigma=sigma,
        low=here - factor * sigma,
        high=here + factor * sigma,
        correlation=correlation,
        chi_square=chi_square,
        freedom=sum(one.freedom for one in known),
        chance=chi_square_tail(chi_square, sum(one.freedom for one in known)) if known else nan,
        scatter=scatter,
        smoothing=effective(found, sought, spread),
        spread={one.name: spread[one.where].numpy() for one in sought.functions} if spread is not None else {},
    )
    return told, found


def spread_of(found: Found) -> Tensor:
    """L [F, F] with the covariance L Lᵀ = (RᵀR + penalties)⁻¹ of all fitted coefficients."""
    return root_of_inverse(torch.cat([found.elimination.reduced, found.penalty]))


def root_of_inverse(rows: Tensor) -> Tensor:
    """L [F, F] with L Lᵀ = (RᵀR)⁻¹ for rows R [N, F], huge where they leave something open."""
    upper = torch.linalg.qr(rows, mode="r").R
    sides = upper.diagonal()
    upper = upper + torch.diag(torch.where(sides.abs() < 1e-150, 1e-150 - sides, torch.zeros_like(sides)))
    return torch.linalg.solve_triangular(upper, torch.eye(len(upper), dtype=upper.dtype), upper=True)


def draws(found: Found, count: int, seed: int) -> Iterator[Tensor]:
    """All coefficients [P], as what is fitted may be as well, given the readings; the read-outs follow it."""
    generator, spread = torch.Generator().manual_seed(seed), spread_of(found)
    still = found.elimination.step(torch.zeros(len(spread), dtype=spread.dtype))
    for _ in range(count):
        change = spread @ torch.randn(len(spread), generator=generator, dtype=spread.dtype)
        yield found.theta + found.elimination.step(change) - still


def effective(found: Found, sought: Sought, spread: Tensor | None) -> dict[str, float]:
    """How many coefficients of each function the readings determine: its part of the trace of L Lᵀ RᵀR."""
    if spread is None:
        return {one.name: float(len(one.rows)) for one in sought.functions}
    share = (spread * (found.elimination.reduced.T @ (found.elimination.reduced @ spread))).sum(1)
    return {one.name: float(share[one.where].sum()) for one in sought.functions}


def borrowed(found: Found, sought: Sought) -> float:
    """How much of what is known of the fitted functions comes from equations that the ramps cannot follow.

    Equations of which readings determine what is fitted should leave it free. The trace of LLᵀRᵀR for their part R,
    beside that for all.
    """
    if not (sought.noisy and sought.functions):
        return 0.0
    spread, lengths = spread_of(found), found.elimination.lengths[sought.order.inner :]
    taken = float(((found.elimination.equations[:-1, :-1] * lengths) @ spread).square().sum())
    return taken / max(float((found.elimination.reduced @ spread).square().sum()), 1e-300)


def scattered(
    objective: Residuals, found: Found, sought: Sought, sigmas: dict[str, float]
) -> dict[str, Scatter]:
    """The scatter of each row of readings; its degrees of freedom are the readings less what the fit follows."""
    if not sought.noisy:
        return {}
    residuals = objective.residuals(found.theta)
    followed = leverages(objective, found.theta, sought.order.inner, found.penalty)
    told, start = {}, 0
    for part, ground, factors in objective.pieces():
        size = ground.count // ground.group
        for row, factor in zip(part.block.rows, factors):
            here, start = slice(start, start + size), start + size
            if measures(part.block):
                own = told.setdefault(row.name, [0.0, 0.0, 0, deviation(part.block)])
                own[0] += float((residuals[here] / factor).square().sum())
                own[1] += float(followed[here].sum())
                own[2] += size
    scatter = {}
    for name, (squares, fits, count, given) in told.items():
        free = max(count - fits, 1e-3)
        if name in sigmas:
            sigma = max(sqrt(squares / free), FINEST * sigmas[name])
            scatter[name] = Scatter(count, free, sigma, True, sqrt(squares / count))
        else:
            scatter[name] = Scatter(count, free, given, False, sqrt(squares / count) * given)
    return scatter
