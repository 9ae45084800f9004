"""Where a fit starts: read-outs that solve the equations with what is fitted held, and other guesses of that."""

from __future__ import annotations

from dataclasses import replace
from math import inf, sqrt
from typing import Callable, Iterator

import torch
from torch import Tensor

from kanpde.elimination import eliminated
from kanpde.fitting import Found, Sought, fitted
from kanpde.objective import Residuals
from kanpde.optimisers.orthogonal import Orthogonal
from kanpde.spec import Spec

TRIES = 8  # other starts, if the first does not settle
INVERSE = 6  # steps of inverse iteration, two in one
COLD = 30  # damped steps of the read-outs before anything is fitted, where equations are nonlinear in them
FACTOR = 30.0  # around a start without a range


def still(objective: Residuals, part: Tensor, sought: Sought) -> bool:
    """Whether some row knows no way from the start, as a norm at zero does."""
    for sample, ground, _ in objective.pieces():
        if ground is not sample.chunks[0]:
            continue
        whole = objective.whole(part)
        for residual, jacobian in objective.problem.rows_and_jacobian(sample.block, whole, ground, objective.trained):
            if float(residual.abs().max()) > 0 and not float(jacobian.abs().max()) > 0:
                return True
    return False


def awake(part: Tensor, sought: Sought, seed: int) -> Tensor:
    """Random read-outs, with fields of size one."""
    generator = torch.Generator().manual_seed(seed)
    found, inner = part.clone(), sought.order.inner
    found[:inner] = torch.randn(inner, generator=generator, dtype=torch.float64) / sqrt(inner)
    return found


def begun(objective: Residuals, part: Tensor, sought: Sought) -> Tensor:
    """The read-outs with what is fitted held at its start: damped steps, or inverse iteration from random ones.

    With a norm linearised about the last field, a Gauss-Newton step of the read-outs of an eigenvalue problem is two
    steps of inverse iteration (Ipsen 1997).
    """
    still = torch.zeros_like(sought.low)
    if sought.follows:
        return part + eliminated(objective, part, sought.order).step(still)
    if float(part[: sought.order.inner].abs().max()) > 0:
        for _ in range(INVERSE):
            part = part + eliminated(objective, part, sought.order).step(still)
        return part
    marks = tuple(
        mark if branch.unknowns[0] not in objective.problem.trial.scope.unknowns[-len(sought.blocks) :] else (False,)
        for branch, mark in zip(objective.problem.trial.branches, objective.trained)
    )
    mask = objective.mask.clone()
    mask[objective.mask.nonzero()[sought.order.inner :, 0]] = False
    frozen = replace(objective, theta=objective.whole(part), trained=marks, mask=mask)
    inner, losses = part[: sought.order.inner], [inf]
    for number, step in enumerate(Orthogonal().iterate(lambda: frozen, inner, {}), start=1):
        inner = step.theta
        losses.append(step.loss)
        if number >= COLD or not step.moved or (number > 6 and step.loss > 0.5 * losses[-4]):
            break
    return torch.cat([inner, part[sought.order.inner :]])


def tried(objective: Residuals, part: Tensor, sought: Sought, spec: Spec, late: Callable[[], bool]) -> Found:
    """The fit from the user's start; from others too, if it does not settle."""
    part = begun(objective, part, sought)
    best = fitted(objective, part, sought, late)
    for start in others(spec, sought):
        if best.settled or late():
            break
        found = fitted(objective, torch.cat([part[: sought.order.inner], start]), sought, late)
        if (found.settled, -found.loss) > (best.settled, -best.loss):
            best = found
    return best


def others(spec: Spec, sought: Sought) -> Iterator[Tensor]:
    """Other starts: evenly spread in the ranges, geometrically where these are positive; functions constant."""
    points = torch.quasirandom.SobolEngine(len(spec.fitted), scramble=True, seed=spec.training.seed).draw(TRIES)
    for point in points.double().tolist():
        found = torch.zeros_like(sought.low)
        for where, quantity, share in zip(sought.blocks, spec.fitted.values(), point):
            found[where] = between(quantity.range, quantity.start, share)
        yield found


def between(interval: tuple[float, float] | None, start: float, share: float) -> float:
    """A value in a range, or within a factor of the start."""
    if interval is None:
        return start * FACTOR ** (2 * share - 1)
    low, high = interval
    return low * (high / low) ** share if low > 0 else low + share * (high - low)


