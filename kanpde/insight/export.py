"""Expressions in other notations."""

from __future__ import annotations

from typing import Callable, Mapping

import sympy
from sympy.printing.c import C99CodePrinter
from sympy.printing.pycode import PythonCodePrinter


def text(expression: sympy.Expr) -> str:
    """An expression as problem files write it."""
    return str(expression).replace("**", "^").replace("Abs(", "abs(")


def c(expression: sympy.Expr) -> str:
    """An expression in C99, in double precision."""
    return C99CodePrinter().doprint(expression)


def python(expression: sympy.Expr) -> str:
    """An expression in Python, with the module math."""
    return PythonCodePrinter().doprint(expression)


def complexity(expression: sympy.Expr) -> int:
    """The number of nodes of an expression."""
    return sum(1 for _ in sympy.preorder_traversal(expression))


NOTATIONS: Mapping[str, Callable[[sympy.Expr], str]] = {
    "text": text,
    "latex": sympy.latex,
    "sympy": sympy.srepr,
    "python": python,
    "c": c,
}
