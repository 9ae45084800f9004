"""Formulas as text, read into a tree without running any code."""

from __future__ import annotations

import math
from itertools import accumulate

from kanpde.constants import constant
from kanpde.tokens import ExpressionError, Token, tokenise
from kanpde.tree import (
    Binary,
    Call,
    Derivative,
    Name,
    Negative,
    Number,
    Tree,
    Vector,
    children,
    free_names,
    walk,
)

__all__ = [
    "Binary",
    "Call",
    "Derivative",
    "ExpressionError",
    "Name",
    "Negative",
    "Number",
    "Tree",
    "Vector",
    "children",
    "constant",
    "free_names",
    "parse",
    "parse_equation",
    "show",
    "walk",
]

DEEPEST = 100
LONGEST_CHAIN = 200
COMPARISONS = frozenset({"<", "<=", ">", ">=", "==", "!="})

# How tightly each operator binds; a minus sign in front binds looser than ^ and tighter than *.
BINDING = {**dict.fromkeys(COMPARISONS, 1), "+": 2, "-": 2, "*": 3, "/": 3, "^": 5}
MINUS = 4


def parse(text: str) -> Tree:
    """The tree of one expression."""
    tokens = tokenise(text)
    for token in _outside_brackets(tokens):
        if token.text == "=":
            raise ExpressionError("an expression without '=' is expected here", token.column)
    return _Parser(tokens).whole()


def parse_equation(text: str) -> tuple[Tree, Tree]:
    """The trees left and right of the one `=` of an equation."""
    tokens = tokenise(text)
    if len(tokens) == 1:
        raise ExpressionError("the equation is empty")
    top = [token for token in _outside_brackets(tokens) if token.text in ("=", "==")]
    for token in top:
        if token.text == "==":
            raise ExpressionError("an equation is written with one '=', not '=='", token.column)
    if not top:
        _refuse_unclosed(tokens)
        raise ExpressionError("an equation needs one '=', as in 'lap(u) = f'", tokens[0].column)
    if len(top) > 1:
        raise ExpressionError("an equation has exactly one '='; this is the second", top[1].column)
    cut = tokens.index(top[0])
    left = _Parser((*tokens[:cut], Token("end", "=", top[0].column))).whole()
    return left, _Parser(tokens[cut + 1 :]).whole()


def _outside_brackets(tokens: tuple[Token, ...]) -> list[Token]:
    depths = accumulate((token.text == "(") - (token.text == ")") for token in tokens)
    return [token for token, depth in zip(tokens, depths) if depth == 0]


def _refuse_unclosed(tokens: tuple[Token, ...]) -> None:
    """Blame a bracket that hides the '='."""
    opened: list[Token] = []
    for token in tokens:
        if token.text == "(":
            opened.append(token)
        elif token.text == ")" and opened:
            opened.pop()
    if opened:
        raise ExpressionError("this '(' is never closed", opened[-1].column)


class _Parser:
    """A Pratt parser over the tokens of one expression."""

    def __init__(self, tokens: tuple[Token, ...]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Tree:
        if self._peek().kind == "end":
            side = " on one side of '='" if self._peek().text == "=" else ""
            raise ExpressionError(f"the expression is empty{side}", self._peek().column)
        tree = self._expression(0)
        self._refuse_leftover(self._peek())
        _refuse_long_chain(tree)
        return tree

    def _peek(self) -> Token:
        return self._tokens[self._next]

    def _take(self) -> Token:
        token = self._tokens[self._next]
        self._next += token.kind != "end"
        return token

    def _expression(self, binding: int) -> Tree:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"nested more than {DEEPEST} deep; use definitions", self._peek().column)
        left = self._operand()
        while (found := BINDING.get(_plain(self._peek()), 0)) > binding:
            token = self._take()
            right = self._expression(found - 1 if token.text in ("^", "**") else found)
            left = Binary(_plain(token), left, right, token.column)
            if found == 1 and self._peek().text in COMPARISONS:
                raise ExpressionError("comparisons cannot be chained", self._peek().column)
        self._depth -= 1
        return left

    def _operand(self) -> Tree:
        token = self._take()
        if token.kind == "number":
            return self._number(token)
        if token.kind == "name":
            return self._call(token) if self._peek().text == "(" else Name(token.text, token.column)
        if token.text == "-":
            return Negative(self._expression(MINUS), token.column)
        if token.text == "+":
            return self._expression(MINUS)
        if token.text == "(":
            return self._group(token)
        raise ExpressionError(_unexpected(token), token.column)

    def _number(self, token: Token) -> Number:
        value = float(token.text)
        if not math.isfinite(value):
            raise ExpressionError(f"{token.text} is too large", token.column)
        return Number(value, token.column)

    def _group(self, opening: Token) -> Tree:
        items = self._items(opening)
        if not items:
            raise ExpressionError("nothing between '(' and ')'", opening.column)
        if any(name for name, _ in items):
            raise ExpressionError("a '=' inside these parentheses has no meaning", opening.column)
        if len(items) == 1:
            return items[0][1]
        return Vector(tuple(tree for _, tree in items), opening.column)

    def _call(self, name: Token) -> Call:
        items = self._items(self._take())
        keywords = tuple((keyword, tree) for keyword, tree in items if keyword)
        return Call(name.text, tuple(tree for keyword, tree in items if not keyword), keywords, name.column)

    def _items(self, opening: Token) -> list[tuple[str, Tree]]:
        """The comma-separated entries up to the closing parenthesis, each with its keyword or ''."""
        items: list[tuple[str, Tree]] = []
        while self._peek().text != ")":
            keyword = self._keyword()
            items.append((keyword, self._expression(0)))
            if self._peek().text == ",":
                self._take()
            elif self._peek().kind == "end":
                raise ExpressionError("this '(' is never closed", opening.column)
            elif self._peek().text != ")":
                self._refuse_leftover(self._peek())
        self._take()
        return items

    def _keyword(self) -> str:
        name = self._peek()
        if name.kind == "name" and self._tokens[self._next + 1].text == "=":
            self._next += 2
            return name.text
        return ""

    def _refuse_leftover(self, token: Token) -> None:
        """Say what is wrong with a token that follows a complete expression."""
        if token.kind == "end":
            return
        if token.kind in ("number", "name") or token.text == "(":
            raise ExpressionError(
                f"an operator is missing before '{token.text}'; write '*' for a product", token.column
            )
        raise ExpressionError(_unexpected(token), token.column)


def _plain(token: Token) -> str:
    return "^" if token.text == "**" else token.text


def _unexpected(token: Token) -> str:
    messages = {
        "": "the expression ends too early",
        ")": "this ')' has no matching '('",
        "=": "a '=' has no meaning here",
        ",": "a ',' has no meaning here",
    }
    if token.kind == "end":
        return messages[""]
    return messages.get(token.text, f"something is missing before '{token.text}'")


def _refuse_long_chain(tree: Tree) -> None:
    level = [tree]
    for _ in range(LONGEST_CHAIN):
        level = [child for parent in level for child in children(parent)]
        if not level:
            return
    raise ExpressionError(f"more than {LONGEST_CHAIN} operations in a row; use definitions", tree.column)


def show(tree: Tree) -> str:
    """The text of a tree, which reads back as the same tree."""
    return _show(tree, 0)


def _show(tree: Tree, binding: int) -> str:
    match tree:
        case Number(value=value):
            text = str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
            return _bracket(text, value < 0 and MINUS < binding)
        case Name(name=name):
            return name
        case Negative(argument=argument):
            return _bracket(f"-{_show(argument, MINUS)}", MINUS < binding)
        case Binary(operator=symbol):
            return _show_binary(tree, BINDING[symbol], binding)
        case Call(function=function, arguments=arguments, keywords=keywords):
            listed = [show(argument) for argument in arguments]
            return f"{function}({', '.join(listed + [f'{name}={show(value)}' for name, value in keywords])})"
        case Derivative(argument=Name(name=name), axes=axes) if all(len(axis) == 1 for axis in axes):
            return f"{name}_{''.join(axes)}"
        case Derivative(argument=argument, axes=axes):
            return f"d({show(argument)}, {', '.join(axes)})"
        case Vector(components=components):
            return f"({', '.join(show(part) for part in components)})"


def _show_binary(tree: Binary, own: int, binding: int) -> str:
    power = tree.operator == "^"
    left = _show(tree.left, own + 1 if power or own == 1 else own)
    right = _show(tree.right, MINUS if power else own + 1)
    spaced = tree.operator if own > 2 else f" {tree.operator} "
    return _bracket(f"{left}{spaced}{right}", own < binding)


def _bracket(text: str, needed: bool) -> str:
    return f"({text})" if needed else text
