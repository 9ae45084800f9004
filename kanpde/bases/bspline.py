"""B-splines beside a smooth base function: the edges of the original KAN."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Mapping

import torch
from torch import Tensor

from kanpde.bases.base import Basis
from kanpde.functions import UNIVARIATE


@dataclass(frozen=True, eq=False)
class BSpline(Basis):
    """silu and the B-splines of a degree on a grid per input (Liu et al. 2024; Cox–de Boor recurrence).

    `knots` [I or 1, grid + 2·degree + 1] are ascending; the functions beyond the grid's ends vanish.
    """

    degree: int = 5
    grid: int = 8
    knots: Tensor = field(default=None)  # type: ignore[assignment]
    bound: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        if self.knots is None:
            object.__setattr__(
                self, "knots", uniform_knots(torch.tensor([[-1.0, 1.0]]).double(), self.grid, self.degree)
            )

    @property
    def size(self) -> int:
        return self.grid + self.degree + 1

    def table(self, x: Tensor, order: int) -> Tensor:
        knots = self.knots.to(x)
        splines = [self.derivative(x, knots, m) for m in range(order + 1)]
        base = [b + torch.zeros_like(x) for b in UNIVARIATE["silu"].derivatives(x, order)]
        return torch.stack([torch.cat([b[:, None], s], dim=1) for b, s in zip(base, splines)])

    def derivative(self, x: Tensor, knots: Tensor, order: int) -> Tensor:
        """The derivatives of one order of all splines, [I, grid + degree, N] (de Boor 2001, X.15)."""
        if order > self.degree:
            return x.new_zeros(x.shape[0], self.grid + self.degree, x.shape[1])
        found = splines(x, knots, self.degree - order)
        for degree in range(self.degree - order + 1, self.degree + 1):
            span = (knots[:, degree:] - knots[:, :-degree])[..., None]
            found = degree * (found[:, :-1] / span[:, :-1] - found[:, 1:] / span[:, 1:])
        return found

    def arrays(self) -> Mapping[str, Any]:
        return {"degree": self.degree, "grid": self.grid, "knots": self.knots}


def splines(x: Tensor, knots: Tensor, degree: int) -> Tensor:
    """All B-splines of a degree at x [I, N] by the Cox–de Boor recurrence."""
    t, z = knots[..., None], x[:, None, :]
    last = torch.arange(knots.shape[1] - 1, device=x.device)[:, None] == knots.shape[1] - 2
    found = ((z >= t[:, :-1]) & ((z < t[:, 1:]) | (last & (z == t[:, 1:])))).to(x.dtype)
    for k in range(1, degree + 1):
        rising = (z - t[:, : -k - 1]) / (t[:, k:-1] - t[:, : -k - 1])
        falling = (t[:, k + 1 :] - z) / (t[:, k + 1 :] - t[:, 1:-k])
        found = rising * found[:, :-1] + falling * found[:, 1:]
    return found


def uniform_knots(ranges: Tensor, grid: int, degree: int) -> Tensor:
    """Evenly spaced knots on ranges [I, 2], continued `degree` steps beyond either end."""
    steps = torch.arange(-degree, grid + degree + 1, dtype=ranges.dtype, device=ranges.device)
    low, high = ranges[:, :1], ranges[:, 1:]
    return low + (high - low) / grid * steps


def adapted_knots(values: Tensor, grid: int, degree: int, evenness: float = 0.5, margin: float = 0.05) -> Tensor:
    """Knots between evenly spaced and quantiles of the values [I, N], with a margin at the ends."""
    ordered = values.sort(dim=1).values
    low, high = ordered[:, :1], ordered[:, -1:]
    slack = margin * (high - low).clamp_min(1e-6)
    even = (low - slack) + (high - low + 2 * slack) * torch.linspace(0, 1, grid + 1).to(values)
    places = torch.linspace(0, values.shape[1] - 1, grid + 1, device=values.device).long()
    quantiles = ordered[:, places]
    inner = evenness * even + (1 - evenness) * torch.cat([even[:, :1], quantiles[:, 1:-1], even[:, -1:]], dim=1)
    step = (inner[:, -1:] - inner[:, :1]) / grid
    beyond = torch.arange(1, degree + 1).to(values)
    return torch.cat([inner[:, :1] - step * beyond.flip(0), inner, inner[:, -1:] + step * beyond], dim=1)
