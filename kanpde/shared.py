"""A sum of squares of which every process of a team computes its share of the points."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.objective import Residuals, Sample
from kanpde.optimisers.base import Normal
from kanpde.optimisers.least_squares import rows_folded, triangle
from kanpde.team import TEAM, Team


@dataclass(frozen=True)
class Shared(Residuals):
    """The whole sum, as each process knows it, with the part of this process, and where its residuals stand.

    What a method returns is the same in all processes, down to the last bit; the sums are made by one all-reduce of
    JᵀJ, Jᵀr and r for each of them.
    """

    own: Residuals
    place: slice
    length: int
    team: Team

    def gathered(self, own: Tensor) -> Tensor:
        """The residuals [R] of all processes, from those of this one."""
        found = own.new_zeros(self.length)
        found[self.place] = own
        return found

    def residuals(self, theta: Tensor) -> Tensor:
        """The weighted residuals [R], process by process."""
        found = self.gathered(self.own.residuals(theta))
        self.team.total(found)
        return found

    def normal(self, theta: Tensor) -> Normal:
        """JᵀJ and Jᵀr; all processes go on from the coefficients of the first, where roundings differ."""
        self.team.follow(theta)
        part = self.own.normal(theta)
        found = self.gathered(part.residuals)
        self.team.total(part.matrix, part.gradient, found)
        return Normal(part.matrix, part.gradient, found, float(found.square().sum()))

    def triangle(self, theta: Tensor) -> Tensor:
        """The triangle [P + 1, P + 1] of the Jacobian with the residuals beside it, from one of each process."""
        folded = self.team.stacked(rows_folded(self.own.scaled_rows(theta)))
        return triangle((part[:, -1], part[:, :-1].T) for part in folded)

    def pullback(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Jᵀw for weights [R]."""
        found = self.own.pullback(theta, weights[self.place])
        self.team.total(found)
        return found

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """‖r‖² and its gradient."""
        loss, gradient = self.own.loss_and_gradient(theta)
        found = torch.cat([gradient, gradient.new_tensor([loss])])
        self.team.total(found)
        return float(found[-1]), found[:-1].clone()


def shared(objective: Residuals, team: Team = TEAM) -> Residuals:
    """The objective, its points dealt out one by one to the processes of a team."""
    if team.count == 1:
        return objective
    lengths = [sum(dealt(part, rank, team.count) * len(part.weights) for part in objective.samples)
               for rank in range(team.count)]
    own = replace(objective, samples=tuple(share(part, team) for part in objective.samples))
    start = sum(lengths[: team.rank])
    return Shared(
        objective.problem, objective.samples, objective.theta, objective.trained, objective.mask,
        own, slice(start, start + lengths[team.rank]), sum(lengths), team,
    )  # fmt: skip


def dealt(part: Sample, rank: int, count: int) -> int:
    """How many of a sample's residuals a process has."""
    return len(range(rank, part.count, count))


def share(part: Sample, team: Team) -> Sample:
    """The part of a sample that belongs to this process; it still counts for what it is of the whole."""
    largest = max(ground.count for ground in part.chunks)
    ground = united(part.chunks)
    groups = torch.arange(ground.count, device=ground.points.device).view(-1, ground.group)[team.rank :: team.count]
    return replace(part, chunks=ground.chosen(groups.flatten()).split(largest) if len(groups) else ())


def united(chunks: tuple[Ground, ...]) -> Ground:
    """Chunks of points as one."""
    first = chunks[0]
    attached = {name: torch.cat([one.attached[name] for one in chunks], dim=-1) for name in first.attached}
    return Ground(torch.cat([one.points for one in chunks], dim=1), first.pinned, attached, first.group)
