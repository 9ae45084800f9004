"""Levenberg–Marquardt with geodesic acceleration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, isfinite, nan
from typing import Callable, Iterator

import torch
from torch import Tensor

from kanpde.optimisers.base import Normal, Objective, Step


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Damped Gauss–Newton steps, bent along the geodesic of the residuals (Transtrum & Sethna 2012).

    The damping is λI, relative to the mean diagonal entry of JᵀJ; `acceleration` bounds 2‖a‖/‖v‖.
    """

    damping: float = 1e-2
    acceleration: float = 0.75
    probe: float = 0.1
    least: float = 1e-16

    def iterate(self, objectives: Callable[[], Objective], theta: Tensor, memory: dict[str, object]) -> Iterator[Step]:
        """Steps from `theta` on; a step that lowers no loss leaves `theta` and raises the damping."""
        damping = float(memory.get("damping", self.damping))  # type: ignore[arg-type]
        while True:
            objective = objectives()
            normal = objective.normal(theta)
            scale = float(normal.matrix.diagonal().mean())
            moved, loss, growth = False, normal.loss if isfinite(scale) else nan, 2.0
            for _ in range(12):
                candidate, found = self.attempt(objective, normal, theta, damping * scale)
                if found < normal.loss:
                    gain = (normal.loss - found) / normal.loss
                    theta, loss, moved = candidate, found, True
                    damping = max(self.least, damping / (5.0 if gain > 0.3 else 3.0))
                    break
                damping, growth = min(damping * growth, 1e12), growth * 2
            yield Step(theta, loss, {"damping": damping}, moved)

    def damped(self) -> LevenbergMarquardt:
        """A hundredfold damping at the start."""
        return replace(self, damping=min(100 * self.damping, 1e12))

    def attempt(self, objective: Objective, normal: Normal, theta: Tensor, shift: float) -> tuple[Tensor, float]:
        """One damped step, accelerated where that is trustworthy, and the loss it reaches."""
        damped = normal.matrix.clone()
        damped.diagonal().add_(shift)
        factor, failed = torch.linalg.cholesky_ex(damped)
        if failed:
            return theta, inf
        velocity = -torch.cholesky_solve(normal.gradient[:, None], factor)[:, 0]
        bent = velocity
        if self.acceleration > 0:
            bent = velocity + self.bend(objective, normal, theta, velocity, factor)
        loss = sum_of_squares(objective.residuals(theta + bent))
        return theta + bent, loss

    def bend(self, objective: Objective, normal: Normal, theta: Tensor, velocity: Tensor, factor: Tensor) -> Tensor:
        """Half the acceleration of the geodesic, or nothing where it is too large beside the velocity."""
        h = self.probe
        ahead, behind = objective.residuals(theta + h * velocity), objective.residuals(theta - h * velocity)
        curvature = (ahead - 2 * normal.residuals + behind) / h**2
        if not torch.isfinite(curvature).all():
            return torch.zeros_like(velocity)
        turn = -torch.cholesky_solve(objective.pullback(theta, curvature)[:, None], factor)[:, 0]
        trusted = 2 * turn.norm() < self.acceleration * velocity.norm()
        return 0.5 * turn if trusted else torch.zeros_like(velocity)


def sum_of_squares(residuals: Tensor) -> float:
    """‖r‖², infinite where r is not finite."""
    found = float(residuals.square().sum())
    return found if isfinite(found) else inf
