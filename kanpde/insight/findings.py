"""What may be said of a formula, and what was found."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Any, Mapping, Sequence

import sympy

from kanpde.insight.proof import SYMBOLICALLY, Check


class Outcome(Enum):
    """What may be said of a formula."""

    VERIFIED = "verified exact"
    APPROXIMATE = "approximate"
    NONE = "none found"


@dataclass(frozen=True)
class Found:
    """What was found: expressions by unknown, each statement's check, errors, and the candidates by unknown."""

    outcome: Outcome
    expressions: Mapping[str, sympy.Expr] = field(default_factory=dict)
    checks: Sequence[Check] = ()
    reason: str = ""
    distances: Mapping[str, float] = field(default_factory=dict)  # from the trained solution, relative L2
    errors: Mapping[str, float] = field(default_factory=dict)  # bounds, as far as the run knows its own error
    residual: float = inf
    candidates: Mapping[str, Sequence[tuple[int, float, str]]] = field(default_factory=dict)
    structure: Mapping[str, Sequence[tuple[str, float]]] = field(default_factory=dict)  # and by what each is missed
    edges: Sequence[Mapping[str, Any]] = ()  # the function chosen for each edge of the networks, if they were read

    @property
    def symbolic(self) -> bool:
        """Whether all was seen symbolically."""
        return all(check.how == SYMBOLICALLY for check in self.checks)
