"""Expressions over named sets: `plate - (hole + slot)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Leaf:
    """A shape, by its name."""

    name: str


@dataclass(frozen=True)
class Join:
    """Two sets made one: union `+`, difference `-` or intersection `&`."""

    sign: str
    left: Tree
    right: Tree

    def __post_init__(self) -> None:
        if self.sign not in SIGNS:
            raise ValueError(f"regions are joined by + - &, not by {self.sign}")


Tree = Leaf | Join

SIGNS: Mapping[str, Callable[[Flags, Flags], Flags]] = {
    "+": lambda left, right: left | right,
    "-": lambda left, right: left & ~right,
    "&": lambda left, right: left & right,
}


def names(tree: Tree) -> tuple[str, ...]:
    """The names in a tree, from left to right, each once."""
    if isinstance(tree, Leaf):
        return (tree.name,)
    return tuple(dict.fromkeys((*names(tree.left), *names(tree.right))))


def holds(tree: Tree, wide: Mapping[str, Flags], narrow: Mapping[str, Flags]) -> Flags:
    """Which points belong to the tree's set: `wide` and `narrow` say which belong to each shape with and without its
    boundary; what is taken away is taken without where the rest is with."""
    if isinstance(tree, Leaf):
        return wide[tree.name]
    swap = (narrow, wide) if tree.sign == "-" else (wide, narrow)
    return SIGNS[tree.sign](holds(tree.left, wide, narrow), holds(tree.right, *swap))
