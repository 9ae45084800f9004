"""Whether initial data determine a solution: short waves must not grow the faster the shorter they are (Petrowsky)."""

from __future__ import annotations

from math import pi
from typing import Mapping

import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.jet import Index, Jet, closure
from kanpde.points import draw
from kanpde.problem import Block, Problem, residual_rows

POINTS, DIRECTIONS = 100, 16
UPWARD = 0.1  # of a rate of growth: a real part that is no rounding
OFTEN = 0.01  # of the points


def grows(problem: Problem, theta: Tensor, seed: int) -> bool:
    """Whether an equation of one unknown amplifies waves without bound, linearised about the trial solution.

    With u = exp(λt + ik·x) its highest derivatives say c λ^p = −Σ c_α (ik)^α, for some k with Re λ > 0 if it does.
    """
    names = problem.trial.scope.coordinates
    blocks = [block for block in problem.blocks if block.inside]
    if "t" not in names or len(blocks) != 1 or len(blocks[0].rows) != 1 or len(blocks[0].needed) != 1:
        return False
    (wanted,), time = blocks[0].needed.values(), names.index("t")
    times = max(alpha[time] for alpha in wanted)
    plain = [alpha for alpha in wanted if not alpha[time]]
    order = max((sum(alpha) for alpha in plain), default=0)
    if not times or not order or any(alpha[time] and sum(alpha) > alpha[time] for alpha in wanted):
        return False
    ground = draw(problem, blocks[0], POINTS, torch.Generator().manual_seed(seed + 999)).to(theta)
    last = tuple(times if axis == time else 0 for axis in range(len(names)))
    found = coefficients(problem, theta, blocks[0], ground, [last, *(a for a in plain if sum(a) == order)])
    return any(upward(found, last, wave).double().mean() > OFTEN for wave in waves(len(names), time, seed))


def coefficients(
    problem: Problem, theta: Tensor, block: Block, ground: Ground, wanted: list[Index]
) -> dict[Index, Tensor]:
    """The derivatives [N] of an equation by some derivatives of its unknown."""
    fields, _ = problem.trial.fields(theta, ground, {n: closure(w) for n, w in block.needed.items()})
    (name, jet), = fields.items()
    terms = {alpha: torch.as_tensor(value).detach().expand(ground.points.shape[1]).clone().requires_grad_()
             for alpha, value in jet.terms.items()}  # fmt: skip
    row = residual_rows(problem.trial, block, ground, {name: Jet(terms, jet.indices)})[0]
    slopes = torch.autograd.grad(row.sum(), [terms[alpha] for alpha in wanted], allow_unused=True)
    return {alpha: torch.zeros_like(row) if s is None else s for alpha, s in zip(wanted, slopes)}


def waves(dimensions: int, time: int, seed: int) -> Tensor:
    """Directions [16, d] of unit length, along the coordinates of space."""
    found = torch.randn(DIRECTIONS, dimensions, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found[:, time] = 0.0
    return found / found.norm(dim=1, keepdim=True)


def upward(found: Mapping[Index, Tensor], last: Index, wave: Tensor) -> Tensor:
    """Where [N] a root λ has a positive real part."""
    total = torch.zeros_like(found[last]) + 0j
    for alpha, slope in found.items():
        if alpha != last:
            total = total + slope * complex(1j ** sum(alpha)) * float(torch.prod(wave ** torch.tensor(alpha)))
    power, times = -total / found[last], sum(last)
    angles = torch.stack([(power.angle() + 2 * pi * k) / times for k in range(times)])
    sizes = power.abs() ** (1 / times)
    return (sizes > 0) & (angles.cos().amax(0) > UPWARD)
