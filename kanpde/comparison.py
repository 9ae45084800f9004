"""How far a result is from another one or from a reference."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Callable, Mapping

import numpy as np

from kanpde.errors import ResultError
from kanpde.references import Samples
from kanpde.result import Result

Evaluate = Callable[[np.ndarray], Mapping[str, np.ndarray]]  # points [number, coordinate] to fields, by name
STENCIL = 4  # points per axis: cubic interpolation
CHUNK = 100_000  # points interpolated at once
SMALL = 1e-9  # of an axis' length: points this far outside still count as inside


@dataclass(frozen=True)
class Difference:
    """How far one field is from the same field elsewhere, over the points where both are known."""

    relative_l2: float
    maximum: float
    points: int
    certified: float = 0.0


@dataclass(frozen=True)
class Comparison:
    """The differences by field, against what, and how the values at its points were found."""

    against: str
    how: str
    differences: Mapping[str, Difference]


def samples_of(result: Result, source: str) -> Samples:
    """The unknowns of a result on its own grid."""
    fields = {field.of or name: field.values for name, field in result.fields.items() if field.kind == "solution"}
    return Samples(source, result.axes, fields)


def compare(result: Result, reference: Samples, evaluate: Evaluate | None = None) -> Comparison:
    """The differences of `result` from `reference` at the reference's points.

    With `evaluate`, the network itself is asked at these points; without, its values on the grid are interpolated
    where the grids differ.
    """
    own = samples_of(result, result.title)
    pairs = paired(own, reference)
    if set(reference.axes) != set(result.axes):
        raise ResultError(f"{reference.source}: its coordinates are {', '.join(reference.axes)}; "
                          f"those of the result are {', '.join(result.axes)}")
    if evaluate is not None:
        found, how = evaluate(reference.points(tuple(result.axes))), "the network at the reference's points"
    elif same_grid(own, reference):
        turn = [list(own.axes).index(name) for name in reference.axes]
        found, how = {name: array.transpose(turn) for name, array in own.fields.items()}, "the same grid"
    else:
        found, how = interpolated(own, reference.points(tuple(result.axes))), "cubic interpolation of the result's grid"
    differences = {
        name: difference(np.asarray(found[name]).ravel(), reference.fields[other].ravel(),
                         reference.certified.get(other, 0.0))
        for name, other in pairs.items()
    }
    return Comparison(reference.source, how, differences)


def paired(own: Samples, reference: Samples) -> dict[str, str]:
    """Which field of the reference each unknown is compared with: of the same name, or the only ones there are."""
    pairs = {name: name for name in own.fields if name in reference.fields}
    if not pairs and len(own.fields) == len(reference.fields) == 1:
        pairs = dict(zip(own.fields, reference.fields, strict=True))
    if not pairs:
        raise ResultError(f"{reference.source}: its fields are {', '.join(reference.fields) or 'none'}; "
                          f"those of the result are {', '.join(own.fields) or 'none'}")
    return pairs


def same_grid(one: Samples, other: Samples) -> bool:
    """Whether both lie on the same grid, to rounding."""
    return not other.scattered and all(
        axis.shape == other.axes[name].shape and np.allclose(axis, other.axes[name], rtol=0, atol=1e-13 * span(axis))
        for name, axis in one.axes.items()
    )


def span(axis: np.ndarray) -> float:
    """The length of an axis and the size of its numbers, whichever is more."""
    return float(max(np.ptp(axis), np.abs(axis).max()))


def difference(values: np.ndarray, reference: np.ndarray, certified: float = 0.0) -> Difference:
    """How far `values` are from `reference` where both are finite."""
    both = np.isfinite(values) & np.isfinite(reference)
    if not both.any():
        raise ResultError("the result and the reference have no point in common")
    error, size = values[both] - reference[both], np.linalg.norm(reference[both])
    distance = float(np.linalg.norm(error))
    relative = distance / size if size else (np.inf if distance else 0.0)
    return Difference(float(relative), float(np.abs(error).max()), int(both.sum()), certified)


def interpolated(grid: Samples, points: np.ndarray) -> dict[str, np.ndarray]:
    """The fields of a grid at any points, cubic along each axis; NaN outside."""
    starts = range(0, len(points), CHUNK)
    parts = [interpolated_chunk(grid, points[start:start + CHUNK]) for start in starts]
    return {name: np.concatenate([part[name] for part in parts]) for name in grid.fields}


def interpolated_chunk(grid: Samples, points: np.ndarray) -> dict[str, np.ndarray]:
    """The fields at a few points: sums over the corners of the stencil, those of no weight left out."""
    stencils = [stencil(axis, points[:, number]) for number, axis in enumerate(grid.axes.values())]
    found = {name: np.zeros(len(points)) for name in grid.fields}
    for corner in product(*(range(weights.shape[1]) for _, weights in stencils)):
        index = tuple(first + offset for (first, _), offset in zip(stencils, corner, strict=True))
        weight = np.prod([weights[:, offset] for (_, weights), offset in zip(stencils, corner, strict=True)], axis=0)
        for name, values in grid.fields.items():
            found[name] += np.where(weight == 0, 0.0, weight * values[index])
    return found


def stencil(axis: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first of the grid points around each x, and the weights of Lagrange's polynomial through them."""
    count = min(STENCIL, len(axis))
    first = np.clip(np.searchsorted(axis, x, side="right") - count // 2, 0, len(axis) - count)
    nodes = axis[first[:, None] + np.arange(count)]
    weights = np.ones((len(x), count))
    for own, other in product(range(count), repeat=2):
        if own != other:
            weights[:, own] *= (x - nodes[:, other]) / (nodes[:, own] - nodes[:, other])
    slack = SMALL * span(axis)
    weights[(x < axis[0] - slack) | (x > axis[-1] + slack)] = np.nan
    return first, weights
