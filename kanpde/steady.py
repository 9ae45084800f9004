"""Separable networks on the whole of a rectangle, on splines that become finer where the solution asks for it."""

from __future__ import annotations

from typing import Iterator

import torch

from kanpde.clock import ENDLESS, Clock
from kanpde.patch import Patch
from kanpde.splines import cut_off, refined

MOST = 12_000  # coefficients
LOOSE = 1e-4  # tolerance on coarse splines, which cut off more than that
WORST = 0.1  # of the most that an interval cuts off: the least for which others are halved with it


def refinements(patch: Patch, tolerance: float, clock: Clock = ENDLESS) -> Iterator[tuple[Patch, float]]:
    """Patches and the norms of their residuals, each on finer splines than the one before.

    Ends when what the splines cut off is below the tolerance, where the iteration does not settle, or at the largest
    size.
    """
    outputs, blocks = patch.cube.shape[2], patch.problem.blocks
    aim = LOOSE
    while patch.cube.numel() <= MOST:
        everything = torch.ones(patch.across.size, outputs, dtype=torch.bool)
        found = patch.remembered(blocks, everything, aim, clock.journal)
        if found is None:
            return
        patch, norm = found
        yield patch, norm
        size, turned = patch.size(), patch.cube.transpose(0, 1)
        most = float(max(cut_off(patch.along, patch.cube, size).max(), cut_off(patch.across, turned, size).max()))
        bound = max(tolerance, WORST * most)
        along = refined(patch.along, patch.cube, size, bound)
        across = refined(patch.across, turned, size, bound)
        if along is patch.along and across is patch.across:
            if aim == tolerance:
                return
            aim = tolerance
            continue
        aim = min(max(0.01 * most, tolerance), LOOSE)
        patch = patch.moved(along, across)
