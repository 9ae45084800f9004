"""Formulas as text, cut into tokens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from kanpde.errors import KanpdeError

LONGEST = 10_000

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<symbol>\*\*|<=|>=|==|!=|[-+*/^<>=(),])"
    r"|(?P<space>[ \t\r\n]+)"
)

_MEANT = {
    "²": "^2",
    "³": "^3",
    "∂": "u_x or d(u, x)",
    "∇": "grad, div or lap",
    "Δ": "lap",
    "∆": "lap",
    "·": "*",
    "⋅": "*",
    "×": "*",
    "÷": "/",
    "−": "-",
    "–": "-",
    "√": "sqrt",
    "≤": "<=",
    "≥": ">=",
    "≠": "!=",
    "∞": "a finite number",
    "∫": "integral(…), in constraints",
    "[": "( and )",
    "]": "( and )",
    "{": "( and )",
    "}": "( and )",
    "|": "abs( )",
    "&": "where( ) inside where( )",
}


class ExpressionError(KanpdeError):
    """A formula that cannot be read or evaluated: what is wrong, and at which column (from 0) of its text."""

    exit_code = 2

    def __init__(self, message: str, column: int = 0) -> None:
        self.message = message
        self.column = column
        super().__init__(message)


@dataclass(frozen=True)
class Token:
    """A piece of a formula: number, name, symbol or end, its text, and its column from 0."""

    kind: str
    text: str
    column: int


def tokenise(text: str) -> tuple[Token, ...]:
    """The tokens of a formula, the last of kind `end`."""
    if len(text) > LONGEST:
        raise ExpressionError(f"the expression has {len(text)} characters; at most {LONGEST} are read")
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(_stranger(text[position]), position)
        if match.lastgroup != "space":
            found.append(Token(str(match.lastgroup), match.group(), position))
        position = match.end()
    return (*found, Token("end", "", len(text.rstrip())))


def _stranger(character: str) -> str:
    if character in _MEANT:
        return f"'{character}' is not part of the language; write {_MEANT[character]}"
    name = unicodedata.name(character, "")
    if name.startswith("GREEK"):
        return f"'{character}' is not part of the language; write its name, {name.split()[-1].lower()}"
    if not character.isprintable():
        return f"the character U+{ord(character):04X} has no meaning in an expression"
    return f"'{character}' has no meaning in an expression"
