"""Intervals by the bootstrap: what is fitted to readings drawn anew from the fit scatters as the estimates do."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable

import numpy as np
import torch

from kanpde.estimates import Estimates
from kanpde.evaluation import Ground
from kanpde.extras import DEVIATION
from kanpde.fitting import Found, Sought, fitted
from kanpde.objective import Residuals, Sample
from kanpde.quantiles import CONFIDENCE
from kanpde.weighing import measures

DRAWS, LEAST = 400, 100  # of all readings; with fewer than the least in the time there is, intervals stay what they are


def bootstrapped(
    told: Estimates, objective: Residuals, found: Found, sought: Sought, seed: int, over: Callable[[], bool]
) -> Estimates:
    """The estimates with quantiles of fits to drawn readings as ends of intervals (Efron & Tibshirani 1993, ch. 13).

    Fitted functions keep the strength of their penalties; fits that do not settle do not count.
    """
    firm, generator = replace(sought, functions=()), torch.Generator().manual_seed(seed)
    constants = [where.start for where in sought.blocks if where not in [one.where for one in sought.functions]]
    values = []
    for _ in range(DRAWS):
        if over():
            break
        again = fitted(drawn(told, objective, found, generator), found.theta, firm, penalty=found.penalty)
        if again.settled and bool(again.theta.isfinite().all()):
            values.append(again.theta[sought.order.inner :][constants].numpy())
    if len(values) < LEAST:
        return told
    low, high = np.quantile(np.array(values), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], axis=0)
    return replace(told, low=low, high=high, method="bootstrap")


def drawn(told: Estimates, objective: Residuals, found: Found, generator: torch.Generator) -> Residuals:
    """The same problem with the fit's values as readings, and noise of the readings' deviation on them."""
    whole = objective.whole(found.theta)
    samples = tuple(
        replace(part, chunks=tuple(reread(told, objective, part, ground, whole, generator) for ground in part.chunks))
        if measures(part.block) else part
        for part in objective.samples
    )  # fmt: skip
    return replace(objective, samples=samples)


def reread(
    told: Estimates, objective: Residuals, part: Sample, ground: Ground, whole: torch.Tensor, generator: torch.Generator
) -> Ground:
    """The same points with other readings; rows of readings of known deviation are in units of it."""
    attached = dict(ground.attached)
    known = attached.get(f"{part.block.name}{DEVIATION}")
    with torch.no_grad():
        gaps = objective.problem.residuals(part.block, whole, ground)
    for row, gap in zip(part.block.rows, gaps):
        unit = torch.ones_like(gap) if known is None else known
        sigma = told.scatter[row.name].sigma * unit if known is None else known
        readings = (row.formula if known is None else row.formula.left).right.name  # type: ignore[union-attr]
        noise = torch.randn(len(gap), generator=generator, dtype=torch.float64)
        attached[readings] = attached[readings] + unit * gap + sigma * noise
    return replace(ground, attached=attached, found={})
