"""From the unit cube to a box and its faces."""

from __future__ import annotations

from typing import Protocol, Sequence

import torch
from torch import Tensor


class Draw(Protocol):
    """Points in the unit cube."""

    def __call__(self, dimensions: int, count: int, generator: torch.Generator) -> Tensor:
        """Points [dimensions, count] in [0, 1], a function of the generator's state alone."""


def place(unit: Tensor, box: Sequence[tuple[float, float]], face: tuple[int, int] | None) -> Tensor:
    """Points [d, N] of the unit cube moved into the box, or onto one face (axis, side) of it."""
    low, high = (torch.tensor(ends, dtype=unit.dtype)[:, None] for ends in zip(*box))
    points = low + (high - low) * unit
    if face is not None:
        points[face[0]] = box[face[0]][face[1]]
    return points
