"""What an optimiser minimises, and what it hands out at every step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, Protocol

from torch import Tensor


@dataclass(frozen=True)
class Normal:
    """Gauss–Newton's quantities at a point: JᵀJ [P, P], Jᵀr [P], the residuals r and the loss ‖r‖²."""

    matrix: Tensor
    gradient: Tensor
    residuals: Tensor
    loss: float


class Objective(Protocol):
    """A sum of squares over a flat vector; nothing in it knows of equations or networks."""

    def residuals(self, theta: Tensor) -> Tensor:
        """The weighted residuals [R]."""

    def normal(self, theta: Tensor) -> Normal:
        """JᵀJ and Jᵀr, assembled in chunks."""

    def pullback(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Jᵀw for weights [R]."""

    def jacobian(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The whole transposed Jacobian [P, R] beside the residuals [R]."""

    def triangle(self, theta: Tensor) -> Tensor:
        """The triangle [P + 1, P + 1] of the Jacobian with the residuals beside it, folded in chunks."""

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """‖r‖² and its gradient."""


@dataclass(frozen=True)
class Step:
    """The state after one step: coefficients, loss, and what the optimiser remembers.

    That is numbers, tensors, and lists of them by name, none of which change later.
    """

    theta: Tensor
    loss: float
    memory: dict[str, object]
    moved: bool = True


def copied(memory: Any) -> Any:
    """What is remembered, in tensors of its own."""
    if isinstance(memory, Tensor):
        return memory.detach().clone()
    if isinstance(memory, Mapping):
        return {name: copied(value) for name, value in memory.items()}
    return [copied(value) for value in memory] if isinstance(memory, list) else memory


class Optimiser(Protocol):
    """Anything that yields steps; `objectives` gives the objective to use next."""

    def iterate(self, objectives: Callable[[], Objective], theta: Tensor, memory: dict[str, object]) -> Iterator[Step]:
        """Steps from `theta` on, for as long as the caller asks; with the memory of a step, those after it."""

    def damped(self) -> Optimiser:
        """The same with shorter steps, for where they have led to what is not finite."""
