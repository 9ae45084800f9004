"""Regions as text: plate - (hole + slot)."""

from __future__ import annotations

import re

from kanpde.formulas import Log
from kanpde.geometries import Join, Leaf
from kanpde.names import suggestion
from kanpde.reading import Scalar
from kanpde.tokens import ExpressionError

MOST_SHAPES = 200
DEEPEST = 50
_TOKEN = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*|[-+&()])")
_TIGHTNESS = {"+": 1, "-": 1, "&": 2}
_SIGNS = "+-&)"

Tree = Leaf | Join


def read_join(node: Scalar, names: tuple[str, ...], log: Log) -> Tree | None:
    """The region that an expression over the names of shapes describes, or None after a mistake."""
    try:
        return _Reader(_tokens(node.text), names).whole()
    except ExpressionError as error:
        log.say_at(node, error.column, error.message)
        return None


def leaves(tree: Tree) -> tuple[str, ...]:
    """The names of the shapes in a region, from left to right."""
    return (tree.name,) if isinstance(tree, Leaf) else (*leaves(tree.left), *leaves(tree.right))


def _tokens(text: str) -> list[tuple[str, int]]:
    """The words and signs of a region with their columns; the last is empty."""
    found, position = [], 0
    while position < len(text.rstrip()):
        match = _TOKEN.match(text, position)
        if match is None:
            column = len(text) - len(text[position:].lstrip())
            raise ExpressionError(
                f"'{text[column]}' has no meaning in a region; shapes are joined by +, - and &", column
            )
        found.append((match[1], match.start(1)))
        position = match.end()
    return [*found, ("", len(text.rstrip()))]


class _Reader:
    """A parser of expressions over shapes; & binds tighter than + and -."""

    def __init__(self, tokens: list[tuple[str, int]], names: tuple[str, ...]) -> None:
        self._tokens = tokens
        self._names = names
        self._next = 0
        self._count = 0

    def whole(self) -> Tree:
        tree = self._expression(0, 0)
        word, column = self._tokens[self._next]
        if word:
            raise ExpressionError(_unexpected(word), column)
        return tree

    def _expression(self, tightness: int, depth: int) -> Tree:
        left = self._operand(depth)
        while (found := _TIGHTNESS.get(self._tokens[self._next][0], 0)) > tightness:
            sign = self._tokens[self._next][0]
            self._next += 1
            left = Join(sign, left, self._expression(found, depth))
        return left

    def _operand(self, depth: int) -> Tree:
        word, column = self._tokens[self._next]
        if word == "(":
            return self._group(depth + 1)
        if not word:
            raise ExpressionError("the region ends too early", column)
        if word in _SIGNS:
            raise ExpressionError(f"a shape is missing before '{word}'", column)
        if word not in self._names:
            hint = suggestion(word, self._names) or f"; the shapes are {', '.join(self._names)}"
            raise ExpressionError(f"there is no shape '{word}'{hint}", column)
        self._next += 1
        self._count += 1
        if self._count > MOST_SHAPES:
            raise ExpressionError(f"more than {MOST_SHAPES} shapes are joined", column)
        return Leaf(word)

    def _group(self, depth: int) -> Tree:
        opened = self._tokens[self._next][1]
        if depth > DEEPEST:
            raise ExpressionError(f"nested more than {DEEPEST} deep", opened)
        self._next += 1
        tree = self._expression(0, depth)
        word, column = self._tokens[self._next]
        if word != ")":
            raise ExpressionError(_unexpected(word) if word else "this '(' is never closed", column if word else opened)
        self._next += 1
        return tree


def _unexpected(word: str) -> str:
    """What to say of a word after a complete expression."""
    return "this ')' has no matching '('" if word == ")" else f"+, - or & is missing before '{word}'"
