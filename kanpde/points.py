"""How many points, where, and how much each condition weighs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

import torch
from torch import Tensor

from kanpde.domain import Fixed, Joined
from kanpde.evaluation import Ground
from kanpde.objective import Sample, sample
from kanpde.problem import Block, Problem
from kanpde.samplers import Draw, chosen_by_residual, sobol
from kanpde.spec import SamplingSpec

CHUNK = 1024  # points at a time that a processor's cache holds
FILLING = 2**27  # entries of the Jacobian that keep another device busy: 1 GiB
CANDIDATES = 4  # drawn per point that is kept
SIDES, LEAST = 4, 8  # several pieces in one have the points of so many, and so many on each


@dataclass(frozen=True)
class Counts:
    """The number of points in the interior and on each face."""

    interior: int
    face: int
    initial: int

    def of(self, block: Block, time: int | None) -> int:
        """The number of points of a block; `time` is the axis of t."""
        if block.inside:
            return self.interior
        if isinstance(block.face, Fixed):
            return block.face.ground.count
        if isinstance(block.face, Joined):
            return max(SIDES * self.face, LEAST * len(block.face.pieces))
        return self.initial if isinstance(block.face, tuple) and block.face[0] == time else self.face


def counts(asked: SamplingSpec, dimensions: int, coefficients: int, ratio: float) -> Counts:
    """As asked, else in proportion to the coefficients."""
    interior = asked.interior or max(500, int(ratio * coefficients))
    spread = min(4 * interior ** (1 - 1 / dimensions), 2 * interior / dimensions)  # on all faces, 4 times the interior
    face = asked.boundary or (1 if dimensions == 1 else max(100, int(spread)))
    return Counts(interior, face, asked.initial or face)


def draw(problem: Problem, block: Block, count: int, generator: torch.Generator, sampler: Draw = sobol) -> Ground:
    """Points of one block, evenly spread; one point where its place is a point."""
    return problem.domain.draw(block.face, count, generator, sampler)


def chunk(theta: Tensor) -> int:
    """The number of points taken at once, on the device of the coefficients."""
    return CHUNK if theta.device.type == "cpu" else max(CHUNK, FILLING // max(len(theta), CHUNK))


def rows_at(problem: Problem, block: Block, theta: Tensor, ground: Ground) -> list[Tensor]:
    """Each row's residual at points, chunk by chunk, without a graph."""
    with torch.no_grad() if problem.derivatives == "taylor" else torch.enable_grad():
        found = [problem.residuals(block, theta, part) for part in ground.to(theta).split(chunk(theta))]
    return [torch.cat([row.detach() for row in parts]) for parts in zip(*found)]


def samples(
    problem: Problem,
    number: Counts,
    weights: Mapping[str, float],
    generator: torch.Generator,
    theta: Tensor,
    adapt: bool,
    sampler: Draw = sobol,
) -> tuple[Sample, ...]:
    """Points for every block, of theta's kind; with `adapt` those of the interior are chosen by the residual there."""
    time = problem.trial.scope.coordinates.index("t") if "t" in problem.trial.scope.coordinates else None
    found = []
    for block in problem.blocks:
        count = number.of(block, time)
        if adapt and block.inside:
            ground = draw(problem, block, CANDIDATES * count, generator)
            ground = ground.chosen(chosen_by_residual(rows_at(problem, block, theta, ground), count, generator))
        else:
            ground = draw(problem, block, count, generator, sampler)
        found.append(sample(block, ground.to(theta), [weights[row.name] for row in block.rows], chunk(theta)))
    return tuple(found)


def row_sizes(
    problem: Problem, theta: Tensor, trained: Sequence[Sequence[bool]], generator: torch.Generator
) -> dict[str, float]:
    """The root mean square of each row's gradient with respect to the trained coefficients."""
    sizes: dict[str, float] = {}
    for block in problem.blocks:
        ground = draw(problem, block, 128, generator).to(theta)
        for row, (_, jacobian) in zip(block.rows, problem.rows_and_jacobian(block, theta, ground, trained)):
            squares = jacobian.square().sum(0)
            sizes[row.name] = float(squares[squares.isfinite()].mean().nan_to_num(0.0).sqrt()) or 1.0
    return sizes


def balance(problem: Problem, sizes: Mapping[str, float], emphasis: float = 0.0) -> dict[str, float]:
    """Weights that make all rows' gradients alike (cf. Wang, Yu & Perdikaris 2022).

    With an `emphasis`, a condition weighs at least that much, times the square root of what would make it alike:
    half-way between equal weights and equal gradients.
    """
    inside = [sizes[row.name] for block in problem.blocks if block.inside for row in block.rows]
    typical = (sum(s * s for s in inside) / len(inside)) ** 0.5
    alike = {row.name: typical / sizes[row.name] for block in problem.blocks for row in block.rows}
    conditions = {row.name for block in problem.blocks if not block.inside for row in block.rows}
    return {name: emphasis * max(w, 1.0) ** 0.5 if emphasis and name in conditions else w for name, w in alike.items()}
