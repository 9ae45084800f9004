"""Exact expressions at points to many digits, with the size of the terms that they are sums of."""

from __future__ import annotations

from typing import Any, Callable, Mapping

import mpmath
import sympy

from kanpde.insight.symbolic import Unprovable

FUNCTIONS: Mapping[Any, Callable[..., Any]] = {
    sympy.sin: mpmath.sin,
    sympy.cos: mpmath.cos,
    sympy.tan: mpmath.tan,
    sympy.asin: mpmath.asin,
    sympy.acos: mpmath.acos,
    sympy.atan: mpmath.atan,
    sympy.sinh: mpmath.sinh,
    sympy.cosh: mpmath.cosh,
    sympy.tanh: mpmath.tanh,
    sympy.exp: mpmath.exp,
    sympy.log: mpmath.log,
    sympy.erf: mpmath.erf,
    sympy.Abs: mpmath.fabs,
}
CONSTANTS = {sympy.pi: lambda: +mpmath.pi, sympy.E: lambda: +mpmath.e}


def value(expression: sympy.Expr, at: Mapping[sympy.Symbol, Any], known: dict[Any, Any]) -> Any:
    """An expression at a point, in the precision that is set."""
    if expression in known:
        return known[expression]
    if expression in at:
        found = at[expression]
    elif expression in CONSTANTS:
        found = CONSTANTS[expression]()
    elif expression.is_Rational:
        found = mpmath.mpf(int(expression.p)) / int(expression.q)
    elif expression.is_Float:
        found = mpmath.mpf(str(expression))
    else:
        parts = [value(part, at, known) for part in expression.args]
        if expression.is_Add:
            found = mpmath.fsum(parts)
        elif expression.is_Mul:
            found = mpmath.fprod(parts)
        elif expression.is_Pow:
            found = parts[0] ** (int(expression.exp) if expression.exp.is_Integer else parts[1])
        elif expression.func in FUNCTIONS:
            found = FUNCTIONS[expression.func](*parts)
        else:
            raise Unprovable(f"no value of {expression.func}")
    known[expression] = found
    return found


def size(expression: sympy.Expr, at: Mapping[sympy.Symbol, Any], known: dict[Any, Any]) -> Any:
    """The magnitude that an expression would have if no terms of its sums cancelled."""
    if expression.is_Add:
        return max(size(part, at, known) for part in expression.args)
    if expression.is_Mul:
        return mpmath.fprod(size(part, at, known) for part in expression.args)
    return mpmath.fabs(value(expression, at, known))
