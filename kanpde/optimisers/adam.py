"""Adam."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Iterator

import torch
from torch import Tensor

from kanpde.optimisers.base import Objective, Step, copied


@dataclass(frozen=True)
class Adam:
    """First-order steps with adaptive moments (Kingma & Ba 2015), by `torch.optim.Adam`."""

    rate: float = 1e-3

    def iterate(self, objectives: Callable[[], Objective], theta: Tensor, memory: dict[str, object]) -> Iterator[Step]:
        """Steps from `theta` on; the loss of a step is the one before it."""
        leaf = theta.detach().clone().requires_grad_()
        machine = torch.optim.Adam([leaf], lr=self.rate)
        machine.state[leaf].update(copied(memory))
        while True:
            loss, leaf.grad = objectives().loss_and_gradient(leaf)
            machine.step()
            yield Step(leaf.detach().clone(), loss, copied(machine.state[leaf]))

    def damped(self) -> Adam:
        """A tenth of the rate."""
        return replace(self, rate=0.1 * self.rate)
