"""L-BFGS."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Iterator

import torch
from torch import Tensor

from kanpde.optimisers.base import Objective, Step, copied


@dataclass(frozen=True)
class LBFGS:
    """Limited-memory quasi-Newton steps with a strong Wolfe line search (Nocedal & Wright 2006, ch. 7)."""

    rate: float = 1.0
    history: int = 50
    trials: int = 25  # of a line search

    def iterate(self, objectives: Callable[[], Objective], theta: Tensor, memory: dict[str, object]) -> Iterator[Step]:
        """Steps from `theta` on; a new objective starts a new history.

        A memory is of the objective that has the loss in it.
        """
        leaf = theta.detach().clone().requires_grad_()
        objective, machine = None, self.machine(leaf)
        while True:
            fresh = objectives()
            if fresh is not objective:
                objective, machine = fresh, self.machine(leaf)
                if memory and memory["loss"] == loss_of(objective, leaf):
                    machine.state[leaf].update(copied(memory["history"]))
                memory = {}
            before = leaf.detach().clone()

            def closure() -> Tensor:
                loss, leaf.grad = objective.loss_and_gradient(leaf)  # noqa: B023 — called before the next turn
                return torch.tensor(loss, dtype=leaf.dtype)

            machine.step(closure)
            loss = loss_of(objective, leaf)
            moved = bool((leaf.detach() != before).any())
            history = copied(machine.state[leaf])
            yield Step(leaf.detach().clone(), loss, {"loss": loss, "history": history}, moved)

    def damped(self) -> LBFGS:
        """A tenth of the first length that is tried."""
        return replace(self, rate=0.1 * self.rate)

    def machine(self, leaf: Tensor) -> torch.optim.LBFGS:
        """A line search of its own per step."""
        return torch.optim.LBFGS(
            [leaf], lr=self.rate, max_iter=1, max_eval=1 + self.trials, history_size=self.history,
            line_search_fn="strong_wolfe", tolerance_grad=0.0, tolerance_change=0.0,
        )


def loss_of(objective: Objective, theta: Tensor) -> float:
    """The sum of squares."""
    return float(objective.residuals(theta.detach()).square().sum())
