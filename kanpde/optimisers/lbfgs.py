"""L-BFGS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator

import torch
from torch import Tensor

from kanpde.optimisers.base import Objective, Step


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory quasi-Newton steps with a strong Wolfe line search (Nocedal & Wright 2006, ch. 7)."""

    rate: float = 1.0
    history: int = 50
    trials: int = 25  # of a line search

    def iterate(self, objectives: Callable[[], Objective], theta: Tensor, memory: dict[str, object]) -> Iterator[Step]:
        """Steps from `theta` on; a new objective starts a new history."""
        leaf = theta.detach().clone().requires_grad_()
        objective, machine = None, self.machine(leaf)
        while True:
            fresh = objectives()
            if fresh is not objective:
                objective, machine = fresh, self.machine(leaf)
            before = leaf.detach().clone()

            def closure() -> Tensor:
                loss, leaf.grad = objective.loss_and_gradient(leaf)  # noqa: B023 — called before the next turn
                return torch.tensor(loss, dtype=leaf.dtype)

            machine.step(closure)
            loss = float(objective.residuals(leaf.detach()).square().sum())
            moved = bool((leaf.detach() != before).any())
            yield Step(leaf.detach().clone(), loss, {}, moved)

    def machine(self, leaf: Tensor) -> torch.optim.LBFGS:
        """A line search of its own per step."""
        return torch.optim.LBFGS(
            [leaf], lr=self.rate, max_iter=1, max_eval=1 + self.trials, history_size=self.history,
            line_search_fn="strong_wolfe", tolerance_grad=0.0, tolerance_change=0.0,
        )
