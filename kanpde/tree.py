"""The tree of a formula."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Callable, Iterator, Union


@dataclass(frozen=True)
class Number:
    """A number as written."""

    value: float
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Name:
    """A coordinate, unknown, definition or constant."""

    name: str
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Negative:
    """Minus one operand."""

    argument: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Binary:
    """`left operator right` with one of + - * / ^ < <= > >= == !=."""

    operator: str
    left: Tree
    right: Tree
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Call:
    """A function or operator applied to arguments, `p(x=0, y=0)` with keywords."""

    function: str
    arguments: tuple[Tree, ...]
    keywords: tuple[tuple[str, Tree], ...] = ()
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Derivative:
    """The partial derivative of an expression along the named axes: u_xy, d(k*u_x, x), dt(u)."""

    argument: Tree
    axes: tuple[str, ...]
    column: int = field(default=0, compare=False)


@dataclass(frozen=True)
class Vector:
    """Components side by side: (u, v)."""

    components: tuple[Tree, ...]
    column: int = field(default=0, compare=False)


Tree = Union[Number, Name, Negative, Binary, Call, Derivative, Vector]


def children(tree: Tree) -> tuple[Tree, ...]:
    """The subtrees directly below the root."""
    match tree:
        case Negative(argument=argument) | Derivative(argument=argument):
            return (argument,)
        case Binary(left=left, right=right):
            return (left, right)
        case Call(arguments=arguments, keywords=keywords):
            return (*arguments, *(value for _, value in keywords))
        case Vector(components=components):
            return components
    return ()


def rebuilt(tree: Tree, change: Callable[[Tree], Tree]) -> Tree:
    """The same tree with the subtrees directly below the root changed."""
    match tree:
        case Negative(argument=argument) | Derivative(argument=argument):
            return replace(tree, argument=change(argument))
        case Binary(left=left, right=right):
            return replace(tree, left=change(left), right=change(right))
        case Call(arguments=arguments, keywords=keywords):
            given = tuple((name, change(value)) for name, value in keywords)
            return replace(tree, arguments=tuple(map(change, arguments)), keywords=given)
        case Vector(components=components):
            return replace(tree, components=tuple(map(change, components)))
    return tree


def walk(tree: Tree) -> Iterator[Tree]:
    """Every subtree, from the root down, left to right."""
    waiting = [tree]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def free_names(tree: Tree) -> frozenset[str]:
    """All names that stand for a value."""
    return frozenset(part.name for part in walk(tree) if isinstance(part, Name))
