"""Shorter forms of exact expressions."""

from __future__ import annotations

import sympy

from kanpde.insight.patience import OutOfTime, within

LONGEST = 150  # operations in an expression for which all forms are tried
SECONDS = 5.0  # for each form


def simplest(expression: sympy.Expr) -> sympy.Expr:
    """The form with the fewest operations among a few, of those that take little time to find."""
    if sympy.count_ops(expression) > LONGEST:
        return expression
    forms = [expression]
    for change in (sympy.factor_terms, sympy.factor, sympy.trigsimp, sympy.powsimp):
        try:
            with within(SECONDS):
                made = change(expression)
                forms += [made, sympy.factor_terms(made)]
        except OutOfTime:
            continue
    return min(forms, key=lambda form: (sympy.count_ops(form), len(str(form))))
