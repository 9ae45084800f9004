"""Self-scaled Broyden steps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Callable, Iterator

import torch
from torch import Tensor

from kanpde.optimisers.base import Objective, Step

Found = tuple[float, Tensor]  # a loss and its gradient
DECREASE, CURVATURE = 1e-4, 0.9  # of the slope: Armijo's and Wolfe's constants


@dataclass(frozen=True)
class SelfScaledBroyden:
    """Quasi-Newton steps from Broyden's family, the inverse Hessian scaled before each update.

    Al-Baali & Khalfan (2005) choose the scale and the member of the family; Urban, Stefanou & Pons (2025) apply it to
    differential equations. The inverse Hessian [P, P] is kept where points move.
    """

    rate: float = 1.0
    trials: int = 25  # of a line search

    def iterate(self, objectives: Callable[[], Objective], theta: Tensor, memory: dict[str, object]) -> Iterator[Step]:
        """Steps from `theta` on; where the line search fails, the next one follows the gradient."""
        theta, inverse = theta.detach(), memory.get("inverse")
        objective, at = None, (inf, theta)
        while True:
            fresh = objectives()
            if fresh is not objective:
                objective, at = fresh, fresh.loss_and_gradient(theta)
            direction = -at[1] if inverse is None else -(inverse @ at[1])  # type: ignore[operator]
            first = min(1.0, 1 / float(at[1].abs().sum() + 1e-300)) if inverse is None else 1.0
            share, after = self.line_search(objective, theta, at, direction, self.rate * first)
            moved = after[0] < at[0]
            step, change = share * direction, after[1] - at[1]
            if moved and float(step @ change) > 0:
                inverse = updated(inverse, step, change, -share * float(step @ at[1]))  # type: ignore[arg-type]
            if moved:
                theta, at = theta + step, after
            else:
                inverse = None
            yield Step(theta, at[0], {} if inverse is None else {"inverse": inverse}, moved)

    def damped(self) -> SelfScaledBroyden:
        """A tenth of the first length that is tried."""
        return replace(self, rate=0.1 * self.rate)

    def line_search(
        self, objective: Objective, theta: Tensor, at: Found, direction: Tensor, share: float
    ) -> tuple[float, Found]:
        """A share of the direction with Wolfe's weak conditions, by bisection (Lewis & Overton 2013), if one is found.

        Else the last share tried that lowers the loss, or the start.
        """
        slope, low, high, best = float(at[1] @ direction), 0.0, inf, (0.0, at)
        for _ in range(self.trials if slope < 0 else 0):
            loss, gradient = objective.loss_and_gradient(theta + share * direction)
            if not loss <= at[0] + DECREASE * share * slope:
                high = share
            else:
                low, best = share, (share, (loss, gradient))
                if float(gradient @ direction) >= CURVATURE * slope:
                    break
            share = 2 * low if high == inf else (low + high) / 2
        return best


def updated(inverse: Tensor | None, s: Tensor, y: Tensor, bent: float) -> Tensor:
    """The next inverse Hessian, for a step s and a change y of the gradient, where `bent` is s·H⁻¹s.

    H⁺ = (H − Hy yᵀH / yᵀHy + φ v vᵀ) / τ + s sᵀ / yᵀs, v = √(yᵀHy) (s / yᵀs − Hy / yᵀHy).
    """
    curvature = float(y @ s)
    if inverse is None:
        size = curvature / float(y @ y)
        inverse, bent = size * torch.eye(len(s), dtype=s.dtype, device=s.device), float(s @ s) / size
    turned = inverse @ y
    along = float(y @ turned)
    scale, member = scaling(bent / curvature, along / curvature, len(s))
    v = sqrt(along) * (s / curvature - turned / along)
    found = torch.addr(inverse, turned, turned, alpha=-1 / along)
    return found.addr_(v, v, alpha=member).div_(scale).addr_(s, s, alpha=1 / curvature)


def scaling(b: float, h: float, size: int) -> tuple[float, float]:
    """The scale τ and the member φ, from b = s·H⁻¹s / y·s and h = y·Hy / y·s (Urban, Stefanou & Pons 2025, 2.2)."""
    a = max(h * b - 1, 1e-300)
    rho = min(1.0, h * (1 - sqrt(a / (1 + a))))
    theta = max((rho - 1) / a, min(1 / rho, (1 - b) / b))
    sigma, least = 1 + theta * a, min(1.0, 1 / b)
    spread = sigma ** (-1 / max(size - 1, 1))
    scale = least * min(spread, 1 / theta) if theta > 0 else min(least * spread, sigma)
    return scale, (1 - theta) / (1 + a * theta)
