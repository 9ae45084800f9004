"""Nodes of a problem file read as formulas and equations, with every fault at its column."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Callable, Mapping, TypeVar

from kanpde.analysis import nested_order, too_nested
from kanpde.errors import Mistake
from kanpde.expression import ExpressionError, Tree, parse, parse_equation
from kanpde.names import HIGHEST_ORDER
from kanpde.reading import Node, Scalar, Sequence, Table, mistake
from kanpde.resolution import NUMBER, UNSURE, Scope, Shape, resolve
from kanpde.statement import Equation
from kanpde.vocabulary import MATHEMATICAL_NAMES

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LONGEST_NAME = 60

T = TypeVar("T")


@dataclass(frozen=True)
class Log:
    """The mistakes found so far."""

    mistakes: list[Mistake] = field(default_factory=list)

    def say(self, node: Node, message: str) -> None:
        """Note a mistake at a node."""
        self.mistakes.append(mistake(node, message))

    def say_at(self, node: Scalar, column: int, message: str) -> None:
        """Note a mistake at one column (from 0) of a text."""
        self.mistakes.append(Mistake(node.at(column), node.path, message))


def scalar(node: Node, expected: str, log: Log) -> Scalar | None:
    """The node if it is a text, else a mistake that says what was expected."""
    if isinstance(node, Scalar) and node.text.strip():
        return node
    found = {Sequence: ", not a list", Table: ", not a table"}.get(type(node), " here")
    log.say(node, f"{expected} is expected{found}")
    return None


def table(node: Node | None, expected: str, log: Log) -> Table | None:
    """The node if it is a table, else a mistake that says what was expected."""
    if node is None or isinstance(node, Table):
        return node
    log.say(node, f"entries '{expected}' are expected here")
    return None


def _parsed(node: Scalar, read: Callable[[str], T], log: Log) -> T | None:
    try:
        return read(node.text)
    except ExpressionError as error:
        log.say_at(node, error.column, error.message)
        return None


def read_syntax(node: Node, log: Log) -> Tree | None:
    """The tree of an expression whose names are not looked up yet."""
    text = scalar(node, "an expression", log)
    return _parsed(text, parse, log) if text else None


def resolved(node: Scalar, tree: Tree, scope: Scope, log: Log) -> tuple[Tree, Shape]:
    """The tree with its names looked up, and no more derivatives of one another than allowed."""
    found = resolve(tree, scope)
    faults = found.faults or nested_faults(found.tree, scope.orders)
    for column, message in faults:
        log.say_at(node, column, message)
    return found.tree, UNSURE if faults else found.shape


def nested_faults(tree: Tree, orders: Mapping[str, int]) -> tuple[tuple[int, str], ...]:
    """What is wrong with derivatives of derivatives, known data included: their work grows exponentially."""
    part = too_nested(tree, orders, HIGHEST_ORDER)
    if part is None:
        return ()
    return ((part.column, f"derivatives of order {nested_order(part, orders)}; at most {HIGHEST_ORDER}"),)


def read_formula(node: Node, scope: Scope, log: Log) -> Tree | None:
    """An expression that is a number, or None after a mistake."""
    syntax = read_syntax(node, log)
    if syntax is None or not isinstance(node, Scalar):
        return None
    tree, shape = resolved(node, syntax, scope, log)
    if shape not in (NUMBER, UNSURE):
        log.say(node, f"a number is expected, not {shape}")
        return None
    return tree if shape == NUMBER else None


def read_equation(node: Node, name: str, scope: Scope, log: Log) -> Equation | None:
    """An equation between numbers, or None after a mistake."""
    sides = read_sides(node, log)
    return equation_of(node, name, sides, scope, log) if sides and isinstance(node, Scalar) else None


def read_sides(node: Node, log: Log) -> tuple[Tree, Tree] | None:
    """The two sides of an equation whose names are not looked up yet."""
    text = scalar(node, "an equation 'left = right'", log)
    return _parsed(text, parse_equation, log) if text else None


def equation_of(text: Scalar, name: str, sides: tuple[Tree, Tree], scope: Scope, log: Log) -> Equation | None:
    """The equation between two sides if they are numbers, or None after a mistake."""
    (left, first), (right, second) = (resolved(text, side, scope, log) for side in sides)
    if UNSURE in (first, second):
        return None
    if NUMBER != first or NUMBER != second:
        worse = first if first != NUMBER else second
        log.say(text, f"an equation is between numbers, and one side is {worse}; write one equation per component")
        return None
    return Equation(name, left, right, text.text, text.place)


def declare(key: Scalar, what: str, taken: dict[str, str], log: Log) -> bool:
    """Whether a new name can be used; notes it as taken."""
    name = key.text
    if not _IDENTIFIER.fullmatch(name) or len(name) > LONGEST_NAME:
        log.say(key, f"'{name[:LONGEST_NAME]}' cannot name {what}; use letters, digits and '_', a letter first")
    elif name in MATHEMATICAL_NAMES:
        log.say(key, f"'{name}' has a meaning of its own and cannot name {what}")
    elif name in taken:
        log.say(key, f"'{name}' is already {taken[name]}")
    else:
        taken[name] = what
        return True
    return False
