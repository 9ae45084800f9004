"""Signs of solutions that may have either: eigenfunctions are made positive where coordinates are small."""

from __future__ import annotations

import torch
from torch import Tensor

from kanpde.objective import Residuals
from kanpde.problem import Block, Row, needed_derivatives
from kanpde.tree import Name

ALIKE = 1e3  # times the sum of squares: with no more, the other sign is a solution as well
ROUNDING = 1e-20


def oriented(objective: Residuals, part: Tensor, unknowns: tuple[str, ...]) -> Tensor:
    """The trained coefficients with the sign of each unknown that makes ∫ u exp(−Σ xₖ) positive, if it is free.

    The coordinates xₖ are mapped to [−1, 1].
    """
    loss = float(objective.residuals(part).square().sum())
    for name in unknowns:
        turned = torch.where(owned(objective, name), -part, part)
        other = float(objective.residuals(turned).square().sum())
        if other <= ALIKE * loss + ROUNDING and moment(objective, part, name) < 0:
            part = turned
    return part


def owned(objective: Residuals, name: str) -> Tensor:
    """Which of the trained coefficients [P] belong to an unknown."""
    found = []
    for branch, marks in zip(objective.problem.trial.branches, objective.trained):
        for layer, mark in zip(branch.network.layers, marks):
            if mark:
                own = torch.tensor([unknown == name for unknown in branch.unknowns])
                found.append(own.expand(layer.shape).flatten())
    return torch.cat(found)


def moment(objective: Residuals, part: Tensor, name: str) -> float:
    """The mean of u exp(−Σ xₖ) over the points inside."""
    problem, total = objective.problem, 0.0
    rows = (Row(name, Name(name)),)
    block = Block("value", None, rows, needed_derivatives(problem.trial, rows))
    for ground in objective.samples[0].chunks:
        scaled = [(x - low) * 2 / (high - low) - 1 for x, (low, high) in zip(ground.points, problem.trial.box)]
        (values,) = problem.residuals(block, objective.whole(part), ground)
        total += float((values.detach() * torch.exp(-sum(scaled))).sum())
    return total
