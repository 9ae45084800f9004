"""Points that fill the cube evenly."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.quasirandom import SobolEngine


def sobol(dimensions: int, count: int, generator: torch.Generator) -> Tensor:
    """A Sobol sequence, scrambled by Owen's method with a seed from the generator (Owen 1998)."""
    seed = int(torch.randint(2**31 - 1, (1,), generator=generator))
    engine = SobolEngine(dimensions, scramble=True, seed=seed)
    return engine.draw(count, dtype=torch.float64).T.contiguous()
