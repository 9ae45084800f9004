"""Formulas with free constants: trees in which the name `p.3` stands for the fourth of a vector of numbers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Iterable, Mapping

import numpy as np
import torch
from torch import Tensor

from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.tree import Binary, Call, Name, Number, Tree, rebuilt, walk
from kanpde.trial import no_unknowns

PREFIX = "p."  # no name in a problem file has a dot


@dataclass(frozen=True)
class Formula:
    """A tree in the coordinates and the values of its free constants."""

    tree: Tree
    values: tuple[float, ...]

    @property
    def complexity(self) -> int:
        """The number of nodes of the tree."""
        return sum(1 for _ in walk(self.tree))


def constant(number: int) -> Name:
    """A free constant."""
    return Name(f"{PREFIX}{number}")


def call(function: str, argument: Tree) -> Tree:
    """A function of one argument."""
    return Call(function, (argument,))


def product(factors: Iterable[Tree]) -> Tree:
    """The product of factors, without those that are 1."""
    kept = [factor for factor in factors if factor != Number(1.0)]
    return reduce(lambda a, b: Binary("*", a, b), kept) if kept else Number(1.0)


def total(terms: Iterable[Tree]) -> Tree:
    """The sum of terms."""
    return reduce(lambda a, b: Binary("+", a, b), terms)


def power(base: Tree, exponent: int) -> Tree:
    """A whole power."""
    if exponent in (0, 1):
        return base if exponent else Number(1.0)
    return Binary("^", base, Number(float(exponent)))


def divided(numerator: float, denominator: Tree) -> Tree:
    """A number divided by a tree."""
    return Binary("/", Number(numerator), denominator)


def moved(tree: Tree, by: int) -> Tree:
    """The same tree with its constants counted from `by` on."""
    if isinstance(tree, Name) and tree.name.startswith(PREFIX):
        return constant(int(tree.name.removeprefix(PREFIX)) + by)
    return rebuilt(tree, lambda part: moved(part, by))


def replaced(tree: Tree, given: Mapping[str, Tree]) -> Tree:
    """The same tree with trees in place of some names."""
    if isinstance(tree, Name):
        return given.get(tree.name, tree)
    return rebuilt(tree, lambda part: replaced(part, given))


def attached(values: np.ndarray, ground: Ground) -> Ground:
    """The points, without anything found at them before, at which constants have these values."""
    full = {f"{PREFIX}{k}": torch.full_like(ground.points[0], float(value)) for k, value in enumerate(values)}
    return Ground(ground.points, ground.pinned, {**ground.attached, **full}, ground.group)


def field_values(tree: Tree, values: np.ndarray, scope: Scope, points: Tensor) -> np.ndarray:
    """A formula at points [d, M]."""
    zero = frozenset({(0,) * points.shape[0]})
    ground = attached(values, Ground(points))
    found = evaluate(tree, zero, scope, ground, no_unknowns)
    return torch.as_tensor(as_jet(found, zero, ground).value).numpy()
