"""How coordinates and fields are called, and what they are measured in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping


@dataclass(frozen=True)
class Quantities:
    """Words and units for coordinates, unknowns and further fields, and which unknowns are the components of a vector.

    A vector has as many components as space has coordinates, in their order.
    """

    labels: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    vectors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def named(self, name: str) -> str:
        """What stands beside an axis: the word for it, else its name, with the unit."""
        word = self.labels.get(name, name)
        return f"{word} ({self.units[name]})" if name in self.units else word
