"""What every basis is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar, Mapping

from torch import Tensor


class Basis(ABC):
    """The univariate functions B_1 … B_K of which every edge of a layer is a sum.

    `bound` names the function that maps a hidden layer's values into the interval where the basis is good, or is
    None where it is good on the whole line.
    """

    bound: ClassVar[str | None]

    @property
    @abstractmethod
    def size(self) -> int:
        """The number K of functions."""

    @abstractmethod
    def table(self, x: Tensor, order: int) -> Tensor:
        """The functions and their derivatives up to `order` at x [I, N]: a tensor [order+1, I, K, N]."""

    @abstractmethod
    def arrays(self) -> Mapping[str, Any]:
        """Numbers and arrays from which the same basis is built again, as keyword arguments."""
