"""Shorter forms of exact expressions."""

from __future__ import annotations

import sympy

LONGEST = 150  # operations in an expression for which all forms are tried


def simplest(expression: sympy.Expr) -> sympy.Expr:
    """The form with the fewest operations among a few."""
    if sympy.count_ops(expression) > LONGEST:
        return expression
    forms = [expression]
    for change in (sympy.factor_terms, sympy.factor, sympy.trigsimp, sympy.powsimp):
        made = change(expression)
        forms += [made, sympy.factor_terms(made)]
    return min(forms, key=lambda form: (sympy.count_ops(form), len(str(form))))
