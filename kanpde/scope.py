"""The names that a formula may use, and what kind of value each has."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Mapping

from kanpde.names import splits
from kanpde.vocabulary import CONSTANTS


@dataclass(frozen=True)
class Shape:
    """What kind of value a formula has; `size` counts the components of a vector."""

    kind: str
    size: int = 1

    def __str__(self) -> str:
        return f"a vector with {self.size} components" if self.kind == "vector" else f"a {self.kind}"


NUMBER = Shape("number")
COMPARISON = Shape("comparison")
UNSURE = Shape("formula with a mistake")


@dataclass(frozen=True)
class Scope:
    """The names that a formula may use; `barred` gives the reason for names that exist but not here."""

    coordinates: tuple[str, ...]
    unknowns: tuple[str, ...]
    definitions: Mapping[str, Shape]
    orders: Mapping[str, int] = field(default_factory=dict)  # derivatives taken of one another in a definition
    barred: Mapping[str, str] = field(default_factory=dict)
    on_face: bool = False
    between: bool = False  # two regions with a solution each
    zones: tuple[str, ...] = ()  # the regions in which different equations hold, none where there is only one
    parameters: tuple[str, ...] = ()  # the last of the coordinates
    fitted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # the coordinates each is a function of

    @property
    def spatial(self) -> tuple[str, ...]:
        """The coordinates other than time and parameters."""
        return tuple(name for name in self.coordinates if name != "t" and name not in self.parameters)

    @property
    def normals(self) -> Mapping[str, str]:
        """The names of the components of a normal, each with its coordinate."""
        return {f"n_{axis}": axis for axis in self.spatial}

    def values(self) -> tuple[str, ...]:
        """All names that stand for a value."""
        return (*self.unknowns, *self.fitted, *self.definitions, *self.coordinates, *CONSTANTS)


def likely(name: str, scope: Scope) -> tuple[str, ...]:
    """Names that could have been meant, among them those with the same subscript."""
    _, bar, subscript = name.rpartition("_")
    if not bar or not splits(subscript, scope.coordinates):
        return scope.values()
    return tuple(f"{value}_{subscript}" for value in (*scope.unknowns, *scope.fitted, *scope.definitions))
