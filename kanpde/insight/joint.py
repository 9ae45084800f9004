"""Formulas for all fields side by side, and the best of many for one."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Mapping, Sequence

import numpy as np
import sympy

from kanpde.insight.export import text
from kanpde.insight.fields import Candidate
from kanpde.insight.formula import PREFIX, moved
from kanpde.insight.symbolic import expression, symbol
from kanpde.tree import Name, Tree, walk

WORTH = 3e-2  # error above which a formula is none


@dataclass(frozen=True)
class Joint:
    """Formulas for all fields with their constants in one vector."""

    trees: Mapping[str, Tree]
    values: np.ndarray


def joined(names: Sequence[str], chosen: Sequence[Candidate]) -> Joint:
    """Formulas side by side, their constants in one vector."""
    trees, values = {}, []
    for name, one in zip(names, chosen):
        trees[name] = moved(one.formula.tree, len(values))
        values += one.formula.values
    return Joint(trees, np.array(values, dtype=float))


def best(candidates: Sequence[Candidate]) -> Candidate | None:
    """The shortest candidate whose error is within three times the least, if that is worth anything."""
    least = min((one.error for one in candidates), default=inf)
    usable = [one for one in candidates if one.error <= max(3 * least, 1e-12)]
    return min(usable, key=lambda one: one.formula.complexity) if least <= WORTH else None


def shown(candidate: Candidate) -> str:
    """A candidate as text, its constants to a few digits."""
    given = {f"{PREFIX}{k}": sympy.Float(v, 6) for k, v in enumerate(candidate.formula.values)}
    tree = candidate.formula.tree
    names = {part.name: symbol(part.name) for part in walk(tree) if isinstance(part, Name)}
    return text(expression(tree, {**names, **given}, {}))
