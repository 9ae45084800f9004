"""Expressions in other notations."""

from __future__ import annotations

from typing import Callable, Mapping

import sympy
from sympy.printing.c import C99CodePrinter
from sympy.printing.pycode import PythonCodePrinter
from sympy.printing.str import StrPrinter


class _FilePrinter(StrPrinter):
    """Names as problem files have them."""

    def _print_Exp1(self, expression: sympy.Expr) -> str:
        return "e"

    def _print_Abs(self, expression: sympy.Expr) -> str:
        return f"abs({self._print(expression.args[0])})"


def text(expression: sympy.Expr) -> str:
    """An expression as problem files write it."""
    return _FilePrinter().doprint(expression).replace("**", "^")


def c(expression: sympy.Expr) -> str:
    """An expression in C99, in double precision."""
    return C99CodePrinter().doprint(expression)


def python(expression: sympy.Expr) -> str:
    """An expression in Python, with the module math."""
    return PythonCodePrinter().doprint(expression)


def latex(expression: sympy.Expr) -> str:
    """An expression in LaTeX."""
    return sympy.latex(expression, inv_trig_style="full")


def complexity(expression: sympy.Expr) -> int:
    """The number of nodes of an expression."""
    return sum(1 for _ in sympy.preorder_traversal(expression))


def decimal(value: float) -> str:
    """A measured number to six digits."""
    return f"{round(value, 12):.6g}" if abs(value) > 1e-12 else "0"


NOTATIONS: Mapping[str, Callable[[sympy.Expr], str]] = {
    "text": text,
    "latex": latex,
    "sympy": sympy.srepr,
    "python": python,
    "c": c,
}
