"""Covariances, intervals and tests of what is fitted, from the triangle that is left of it."""

from __future__ import annotations

from dataclasses import replace
from math import inf, nan, sqrt

import numpy as np
import torch
from torch import Tensor

from kanpde.domain import Fixed
from kanpde.elimination import leverages
from kanpde.estimates import Estimates, Scatter
from kanpde.extras import DEVIATION
from kanpde.fitting import Found, Sought
from kanpde.objective import Residuals
from kanpde.problem import Block, Problem, Row
from kanpde.quantiles import chi_square_tail, student_quantile
from kanpde.spec import Spec

FINEST = 1e-14  # of the readings: less is rounding


def estimates(
    problem: Problem, spec: Spec, objective: Residuals, found: Found, sought: Sought, sigmas: dict[str, float]
) -> tuple[Estimates, Found]:
    """All that the readings say of what is fitted, and the fit with its read-outs in place."""
    change = torch.zeros_like(sought.low)
    found = replace(found, theta=found.theta + found.elimination.step(change))
    scatter = scattered(objective, found, sought, sigmas)
    spread = spread_of(found) if sought.noisy else None
    values = found.theta[sought.inner :]
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
        spread={one.name: spread[one.where].numpy() for one in sought.functions} if spread is not None else {},
    )
    return told, found


def spread_of(found: Found) -> Tensor:
    """L [F, F] with the covariance L Lᵀ = (RᵀR + penalties)⁻¹ of all fitted coefficients."""
    upper = torch.linalg.qr(torch.cat([found.elimination.reduced, found.penalty]), mode="r").R
    sides = upper.diagonal()
    upper = upper + torch.diag(torch.where(sides.abs() < 1e-150, 1e-150 - sides, torch.zeros_like(sides)))
    return torch.linalg.solve_triangular(upper, torch.eye(len(upper), dtype=upper.dtype), upper=True)


def scattered(
    objective: Residuals, found: Found, sought: Sought, sigmas: dict[str, float]
) -> dict[str, Scatter]:
    """The scatter of each row of readings; its degrees of freedom are the readings less what the fit follows."""
    if not sought.noisy:
        return {}
    residuals = objective.residuals(found.theta)
    followed = leverages(objective, found.theta, sought.inner, found.penalty)
    told, start = {}, 0
    for part, ground, factors in objective.pieces():
        size = ground.count // ground.group
        for row, factor in zip(part.block.rows, factors):
            here, start = slice(start, start + size), start + size
            if isinstance(part.block.face, Fixed):
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


def deviation(block: Block) -> float:
    """The root mean square of the standard deviations given for a data set's readings, 1 where there are none."""
    assert isinstance(block.face, Fixed)
    given = block.face.ground.attached.get(f"{block.name}{DEVIATION}")
    return 1.0 if given is None else float(given.square().mean().sqrt())


def root_mean_square(block: Block, row: Row) -> float:
    """The size of the readings of a row."""
    assert isinstance(block.face, Fixed)
    name = row.name if row.name in block.face.ground.attached else None
    values = [v for k, v in block.face.ground.attached.items() if k == name or (name is None and DEVIATION not in k)]
    return float(values[0].square().mean().sqrt())
