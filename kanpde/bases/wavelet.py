"""Mexican hats of several widths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Iterator, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis
from kanpde.bases.rbf import gaussian


@dataclass(frozen=True)
class Wavelet(Basis):
    """(1 − t²) exp(−t²/2), t = (x − c) / h, on even grids of [−1, 1]: Wav-KAN (Bozorgasl & Chen 2024).

    The grids have `grid`, ⌊grid/2⌋, … 1 intervals; steps h as wide as the hats make a nearly tight frame
    (Daubechies 1992, table 3.1).
    """

    grid: int = 4
    bound: ClassVar[str | None] = "tanh"

    @property
    def size(self) -> int:
        return sum(intervals + 1 for intervals in halved(self.grid))

    def table(self, x: Tensor, order: int) -> Tensor:
        kind = dict(dtype=x.dtype, device=x.device)
        centres = torch.cat([torch.linspace(-1, 1, n + 1, **kind) for n in halved(self.grid)])[:, None]
        scales = torch.cat([torch.full((n + 1,), n / 2, **kind) for n in halved(self.grid)])[:, None]
        found = gaussian(scales * (x[..., None, :] - centres), order + 2)[2:]
        return torch.stack([-f * scales**m for m, f in enumerate(found)])

    def arrays(self) -> Mapping[str, Any]:
        return {"grid": self.grid}


def halved(number: int) -> Iterator[int]:
    """A number, its half, … down to 1."""
    while number:
        yield number
        number //= 2
