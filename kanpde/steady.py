"""Separable networks on the whole of a rectangle, on splines that become finer where the solution asks for it."""

from __future__ import annotations

from typing import Iterator

import torch

from kanpde.patch import Patch
from kanpde.splines import refined

MOST = 12_000  # coefficients
LOOSE = 1e-4  # tolerance on coarse splines, which cut off more than that


def refinements(patch: Patch, tolerance: float) -> Iterator[tuple[Patch, float]]:
    """Patches and the norms of their residuals, each on finer splines than the one before.

    Ends when what the splines cut off is below the tolerance, where the iteration does not settle, or at the largest
    size.
    """
    outputs, blocks = patch.cube.shape[2], patch.problem.blocks
    aim = LOOSE
    while patch.cube.numel() <= MOST:
        everything = torch.ones(patch.across.size, outputs, dtype=torch.bool)
        found = patch.fitted(blocks, everything, aim)
        if found is None:
            return
        patch, norm = found
        yield patch, norm
        size = patch.size()
        along = refined(patch.along, patch.cube, size, tolerance)
        across = refined(patch.across, patch.cube.transpose(0, 1), size, tolerance)
        if along is patch.along and across is patch.across:
            if aim == tolerance:
                return
            aim = tolerance
            continue
        cut_off = (patch.along.truncation(patch.cube) / size).max()
        aim = min(max(0.01 * float(cut_off), tolerance), LOOSE)
        patch = patch.moved(along, across)
