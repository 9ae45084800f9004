"""Damped Gauss–Newton by orthogonal factorisation, for the last digits."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Callable, Iterator

import torch
from torch import Tensor

from kanpde.optimisers.base import Objective, Step
from kanpde.optimisers.least_squares import lengths
from kanpde.optimisers.levenberg_marquardt import sum_of_squares


@dataclass(frozen=True)
class Orthogonal:
    """Levenberg–Marquardt on column-scaled QR factors, which do not square the condition number.

    One factorisation per step serves every damping tried (Moré 1978). `undamped` tries a plain Gauss–Newton step
    first, which solves a linear problem at once.
    """

    damping: float = 1e-2
    least: float = 1e-28
    falls: float = 1e-2
    undamped: bool = False

    def iterate(self, objectives: Callable[[], Objective], theta: Tensor, memory: dict[str, object]) -> Iterator[Step]:
        """Steps from `theta` on; a step that lowers no loss leaves `theta`."""
        damping = float(memory.get("damping", 0.0 if self.undamped else self.damping))  # type: ignore[arg-type]
        while True:
            objective = objectives()
            triangle = objective.triangle(theta)
            if not triangle.isfinite().all():
                yield Step(theta, inf, {"damping": damping}, False)
                continue
            scale, projected = lengths(triangle), triangle[:-1, -1]
            r = triangle[:-1, :-1] / scale
            start = loss = sum_of_squares(objective.residuals(theta))
            moved, growth = False, 4.0
            for _ in range(12):
                step = damped(r, projected, damping)
                candidate = theta - step / scale
                reached = sum_of_squares(objective.residuals(candidate))
                if reached < start:
                    promised = float(projected.square().sum() - (projected - r @ step).square().sum())
                    good = start - reached > 0.5 * promised
                    theta, loss, moved = candidate, reached, True
                    damping = max(self.least, damping * self.falls) if good else damping
                    break
                damping, growth = min(max(damping, self.least) * growth, 1e8), 2 * growth
            yield Step(theta, loss, {"damping": damping}, moved)

    def damped(self) -> Orthogonal:
        """A hundredfold damping at the start."""
        return replace(self, damping=min(100 * self.damping, 1e8), undamped=False)


def damped(r: Tensor, projected: Tensor, damping: float) -> Tensor:
    """The least-squares solution of R x = Qᵀb with √damping·I below it."""
    if damping == 0.0:
        return torch.linalg.solve_triangular(r, projected[:, None], upper=True)[:, 0]
    below = damping**0.5 * torch.eye(r.shape[1], dtype=r.dtype, device=r.device)
    stacked = torch.cat([r, below])
    right = torch.cat([projected, projected.new_zeros(r.shape[1])])
    return torch.linalg.lstsq(stacked, right[:, None], driver="gels").solution[:, 0]
