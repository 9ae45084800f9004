"""What is fitted and the read-outs together, by Gauss–Newton steps that let the read-outs follow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import torch
from torch import Tensor

from kanpde.elimination import Elimination, Order, bounded, eliminated, free_part
from kanpde.optimisers.base import Objective
from kanpde.smoothness import Roughness, prior, strengths

STEPS = 40
FOLLOWING = 6  # steps of the read-outs alone after one of all, where the equations are nonlinear in them
STILL = 1e-11  # of the fitted coefficients: smaller steps end the iteration
IDLE = 1e-12  # of a unit of χ²: steps that promise less end it too
SETTLED = 1e-4  # of the fitted coefficients, or of their standard errors: a last step up to this is no failure


@dataclass(frozen=True)
class Sought:
    """The task: the order of coefficients and rows, bounds [F] of what is fitted, its parts, and which are functions.

    `follows` says that the equations are linear in the read-outs; `free` that the scale of the readings' residuals,
    of unit variance otherwise, is to be found as well.
    """

    order: Order
    low: Tensor
    high: Tensor
    blocks: tuple[slice, ...]
    functions: tuple[Roughness, ...]
    follows: bool
    free: bool

    @property
    def noisy(self) -> bool:
        """Whether there are readings."""
        return self.order.readings > 0


@dataclass(frozen=True)
class Found:
    """Where the iteration ended: all trained coefficients, their elimination, the penalties, and whether it settled."""

    theta: Tensor
    elimination: Elimination
    penalty: Tensor
    steps: int
    settled: bool

    @property
    def loss(self) -> float:
        """The sum of squares with the penalties."""
        return penalised(self.elimination, self.penalty, self.theta[self.elimination.inner :])


def fitted(
    objective: Objective,
    theta: Tensor,
    sought: Sought,
    watch: Callable[[], bool] = lambda: False,
    penalty: Tensor | None = None,
) -> Found:
    """Gauss–Newton steps from `theta`, damped where they do not lower the sum of squares, within bounds.

    `watch` says when there is no more time; a `penalty` [M, F] stays where no functions are sought.
    """
    here = followed(objective, theta, sought)
    theta, found = here
    damping, settled, moved = 0.0, False, 0
    penalty = prior((), (), len(sought.low)) if penalty is None else penalty
    for number in range(1, STEPS + 1):
        penalty = chosen_penalty(found, theta[sought.order.inner :], sought, penalty, number)
        start = penalised(found, penalty, theta[sought.order.inner :])
        change, promised = step(found, theta[sought.order.inner :], penalty, damping, sought)
        size = relative(change, theta[sought.order.inner :], sought)
        trial, ahead = followed(objective, theta + found.step(change), sought)
        reached = penalised(ahead, penalty, trial[sought.order.inner :])
        small = size <= STILL or (sought.noisy and promised <= IDLE * max(1.0, start * 1e-3))
        calm = size <= SETTLED or (sought.noisy and promised <= SETTLED**2)
        if reached <= start + (1e-9 * start if small else 0.0) and torch.isfinite(trial).all():
            theta, found, moved = trial, ahead, number
            damping = 0.0 if damping < 1e-6 else damping / 10
            settled = calm or promised <= 1e-9 * start
            if small or (not sought.functions and promised <= 1e-14 * start):
                break
        else:
            if calm or damping > 1e8:
                settled = calm
                break
            damping = max(10 * damping, 1e-4)
        if watch():
            break
    return Found(theta, found, penalty, moved, settled)


def followed(objective: Objective, theta: Tensor, sought: Sought) -> tuple[Tensor, Elimination]:
    """The coefficients once the read-outs have followed what is fitted, with the elimination there.

    Where equations are linear in the read-outs the elimination itself says where they go.
    """
    found = eliminated(objective, theta, sought.order)
    if sought.follows:
        return theta, found
    for _ in range(FOLLOWING):
        if found.followed <= 1e-3 * found.left:
            break
        trial = theta + found.step(torch.zeros_like(sought.low))
        ahead = eliminated(objective, trial, sought.order)
        if not ahead.left + ahead.followed < found.left + found.followed:
            break
        gained = ahead.left + ahead.followed < 0.9 * (found.left + found.followed)
        theta, found = trial, ahead
        if not gained:
            break
    return theta, found


def chosen_penalty(found: Elimination, now: Tensor, sought: Sought, before: Tensor, number: int) -> Tensor:
    """The penalties on roughness; after a while they stay, so that the iteration can settle."""
    if not sought.functions or number > STEPS // 2:
        return before
    rest = found.rest if sought.free else None
    firm = free_part(found)
    chosen = strengths(found.reduced, found.gap, firm, now, sought.functions, rest, sought.order.readings)
    return prior(sought.functions, chosen, len(now))


def penalised(found: Elimination, penalty: Tensor, now: Tensor) -> float:
    """The sum of squares with the read-outs following, and the penalties."""
    return found.left + float((penalty @ now).square().sum())


def step(
    found: Elimination, now: Tensor, penalty: Tensor, damping: float, sought: Sought
) -> tuple[Tensor, float]:
    """The change [F] that minimises the linearised sum of squares within the bounds, and by how much it falls."""
    reduced = found.reduced
    least = max(damping, 1e-24)
    below = (least**0.5) * torch.diag(reduced.norm(dim=0).clamp_min(1e-300))
    matrix = torch.cat([reduced, penalty, below])
    right = torch.cat([-found.gap, -(penalty @ now), torch.zeros_like(now)])
    change = bounded(matrix, right, sought.low - now, sought.high - now)
    rows = torch.cat([reduced, penalty])
    before, after = right[: len(rows)], right[: len(rows)] - rows @ change
    return change, float(before.square().sum() - after.square().sum())


def relative(change: Tensor, now: Tensor, sought: Sought) -> float:
    """The largest change beside the largest coefficient of the same constant or function."""
    sizes = [
        float(change[part].abs().max()) / max(float(now[part].abs().max()), 1e-12) for part in sought.blocks
    ]
    return max(sizes)
