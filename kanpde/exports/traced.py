"""The trained solution as a plain PyTorch module: values of the unknowns at points, by ordinary operations."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import torch
from torch import Tensor

from kanpde.errors import KanpdeError
from kanpde.evaluation import Ground
from kanpde.jet import Jet
from kanpde.result import Result
from kanpde.solution import Solution, restored
from kanpde.trial import Trial

SAMPLES = 1000  # points at which an export is checked


class Function(torch.nn.Module):
    """points [M, d] -> values [M, unknowns], both in the problem's order."""

    def __init__(self, solution: Solution) -> None:
        super().__init__()
        self.trial: Trial = solution.problem.trial
        self.unknowns = solution.spec.unknowns
        self.register_buffer("theta", solution.theta.clone())

    def forward(self, points: Tensor) -> Tensor:
        """The values of the unknowns at the points; outside of the domain they mean nothing."""
        ground, zero = Ground(points.T), (0,) * points.shape[1]
        sums: dict[str, Tensor] = {}
        start = 0
        for branch in self.trial.branches:
            part = self.theta[start : start + branch.network.size]
            start += branch.network.size
            output = branch.network.value(self.trial.inputs(ground, frozenset({zero}), branch).value, part)
            for row, name in enumerate(branch.unknowns):
                sums[name] = sums[name] + output[row] if name in sums else output[row]
        jets = [self.trial.constrained(n, Jet({zero: sums[n]}, frozenset({zero})), ground) for n in self.unknowns]
        return torch.stack([jet.value for jet in jets], dim=1)


def solution_in(result: Result) -> Solution:
    """The solution of a result; raises KanpdeError where its unknowns are pieced together from several regions."""
    solution = restored(result)
    if solution.spec.zones is not None:
        raise KanpdeError(
            "with different equations in several regions the solution is not one function; "
            "kanpde eval gives its values at points"
        )
    return solution


def sample(solution: Solution) -> np.ndarray:
    """Points [M, d] all over the domain."""
    low, high = np.array(tuple(solution.spec.box.values())).T
    points = low + (high - low) * np.random.default_rng(0).random((20 * SAMPLES, len(low)))
    return points[solution.inside(points)][:SAMPLES]


def checked(
    solution: Solution, evaluate: Callable[[np.ndarray], np.ndarray], tolerance: float, target: Path
) -> float:
    """The largest difference from the original over the largest value, unknown by unknown.

    Raises KanpdeError, with `target` removed, where it exceeds the tolerance.
    """
    points = sample(solution)
    known = np.stack(list(solution.at(points).values()), axis=1)
    sizes = np.abs(known).max(axis=0)
    gaps = np.abs(evaluate(points) - known).max(axis=0)
    worst = float((gaps / np.where(sizes > 0, sizes, 1.0)).max())
    alone = np.abs(evaluate(points[:1]) - known[:1]).max()  # another number of points
    if not worst <= tolerance or not alone <= tolerance * max(float(sizes.max()), 1e-300):
        target.unlink(missing_ok=True)
        raise KanpdeError(f"{target}: differs from the solution by {worst:.1e}, more than {tolerance:.0e}; not kept")
    return worst
