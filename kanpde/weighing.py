"""How much rows weigh in a fit: readings by their scatter, all else so much that it holds."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Mapping, Sequence

from kanpde.domain import Fixed
from kanpde.elimination import Elimination
from kanpde.extras import DEVIATION
from kanpde.objective import Residuals
from kanpde.problem import Block, Problem, Row, needed_derivatives
from kanpde.spec import Spec

HEAVY = 1e6  # equations and conditions beside readings: what is fitted is biased by a millionth of its error or less
HEAVY_FUNCTIONS = 1e3  # as ramps cannot follow every function, and what they cannot follow counts as known
FIRST = 1e3  # to begin with, lest what is fitted be driven to where ramps are best
LEAST = 30.0  # where they cannot be fulfilled better
UNNOTICED = 0.01  # of a unit of χ²: what rows that cannot be fulfilled may add to the sum of squares


def deviations(problem: Problem, spec: Spec) -> dict[str, float]:
    """The standard deviations of rows of readings that must be estimated, the size of the readings to begin with."""
    unknown = {data.name for data in spec.data if data.sigma is None}
    return {
        row.name: root_mean_square(block, row) or 1.0
        for block in problem.blocks
        if measures(block) and block.name in unknown
        for row in block.rows
    }


def weighed(
    objective: Residuals, sizes: Mapping[str, float], sigmas: Mapping[str, float], heaviness: Mapping[str, float]
) -> dict[str, float]:
    """Weights by which readings have unit variance, and gradients of all other rows are so much larger than theirs.

    Beside the sum over N readings, a row of heaviness κ is as if it were known to 1/(κ √N) of a reading's deviation.
    """
    data = {row.name: part.count for part in objective.samples if measures(part.block) for row in part.block.rows}
    level = 1.0
    if data:
        level = sqrt(sum(data.values())) * max(sizes[name] / sigmas.get(name, 1.0) for name in data)
    return {
        name: sqrt(data[name]) / sigmas.get(name, 1.0) if name in data else level * heaviness.get(name, 1.0) / size
        for name, size in sizes.items()
    }


def heavy(objective: Residuals) -> dict[str, float]:
    """The heaviness of all rows but readings, to begin with; none where there are no readings."""
    blocks = [part.block for part in objective.samples]
    if not any(map(measures, blocks)):
        return {}
    return {row.name: FIRST for block in blocks if not measures(block) for row in block.rows}


def adjusted(
    heaviness: Mapping[str, float], found: Elimination, alone: Mapping[str, int], functions: bool
) -> dict[str, float]:
    """As much heaviness as goes without notice; less where rows cannot be fulfilled, lest they outvote readings.

    What cannot be fulfilled is what remains if the read-outs, or what is fitted, follow such rows without readings.
    """
    most = HEAVY_FUNCTIONS if functions else HEAVY
    misfits = {False: float(found.equations[:, -1].square().sum()), True: float(found.held[-1, -1] ** 2)}
    factors = {kind: sqrt(UNNOTICED / max(misfit, 1e-300)) for kind, misfit in misfits.items()}
    return {name: min(max(size * factors[name in alone], LEAST), most) for name, size in heaviness.items()}


def ordered(objective: Residuals, unknowns: Sequence[str]) -> tuple[Residuals, dict[str, int]]:
    """The rows of unknowns first, then those of what is fitted alone, then readings; and the numbers of the second."""
    first, second, last, alone = [], [], [], {}
    for part in objective.samples:
        if measures(part.block):
            last.append(part)
            continue
        for row, weight in zip(part.block.rows, part.weights):
            needed = needed_derivatives(objective.problem.trial, (row,))
            single = replace(part, block=replace(part.block, rows=(row,), needed=needed), weights=(weight,))
            if set(needed) & set(unknowns):
                first.append(single)
            else:
                second.append(single)
                alone[row.name] = part.count
    return replace(objective, samples=(*first, *second, *last)), alone


def measures(block: Block) -> bool:
    """Whether the rows of a block are readings."""
    return isinstance(block.face, Fixed)


def reweighed(objective: Residuals, weights: Mapping[str, float]) -> Residuals:
    """The same rows at the same points with other weights."""
    samples = tuple(
        replace(part, weights=tuple(weights[row.name] for row in part.block.rows)) for part in objective.samples
    )
    return replace(objective, samples=samples)


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
