"""Where a residual is not finite: the first equation or condition, and the point."""

from __future__ import annotations

from math import isfinite

import torch
from torch import Tensor

from kanpde.clock import State
from kanpde.objective import Residuals, residuals_of, sample
from kanpde.points import CHUNK, draw
from kanpde.problem import Problem, everything

POINTS = 1000  # of each block at which a state is looked at


def finite(state: State) -> bool:
    """Whether the loss and all coefficients are finite."""
    return isfinite(state.loss) and bool(torch.isfinite(state.theta).all())


def trouble_of(state: State) -> str:
    """What is not finite in a state, at points of its own."""
    generator = torch.Generator().manual_seed(0)
    drawn = [
        sample(block, draw(state.problem, block, POINTS, generator).to(state.theta), [1.0] * len(block.rows), CHUNK)
        for block in state.problem.blocks
    ]
    theta = torch.where(state.theta.isfinite(), state.theta, 0.0)
    objective = residuals_of(state.problem, drawn, theta, everything(state.problem.trial))
    return trouble(objective, theta) or "the loss is not finite"


def trouble(objective: Residuals, theta: Tensor) -> str:
    """The first residual that is not finite, else the first derivative of one, in words; empty where all are."""
    with torch.no_grad() if objective.problem.derivatives == "taylor" else torch.enable_grad():
        for sample, ground, _ in objective.pieces():
            rows = objective.problem.residuals(sample.block, objective.whole(theta), ground)
            for row, values in zip(sample.block.rows, rows):
                if not bool(torch.isfinite(values).all()):
                    return said(objective.problem, row.name, values.detach(), ground.points)
    for sample, ground, _ in objective.pieces():
        rows = objective.problem.rows_and_jacobian(
            sample.block, objective.whole(theta), ground, objective.trained
        )
        for row, (_, transposed) in zip(sample.block.rows, rows):
            values = transposed.detach().sum(0)
            if not bool(torch.isfinite(values).all()):
                return f"the derivative of {said(objective.problem, row.name, values, ground.points)}"
    return "" if all(map(isfinite, theta.tolist())) else "a coefficient is not finite"


def said(problem: Problem, name: str, values: Tensor, points: Tensor) -> str:
    """The name of a row, its first value that is not finite, and where that is."""
    first = int((~torch.isfinite(values)).nonzero()[0, 0])
    each = points.shape[1] // len(values)  # points of one residual: several for an integral
    coordinates = problem.trial.scope.coordinates
    place = ", ".join(f"{n} = {float(x[first * each]):.6g}" for n, x in zip(coordinates, points))
    return f"{name} is {float(values[first]):g} at {place}"
