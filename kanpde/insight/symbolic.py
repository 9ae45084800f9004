"""Trees as expressions of sympy, built node by node; nothing is read from text by sympy."""

from __future__ import annotations

from typing import Callable, Mapping

import sympy

from kanpde.tree import Binary, Call, Derivative, Name, Negative, Number, Tree

COORDINATE = {"real": True}


class Unprovable(Exception):
    """What cannot be said in exact expressions."""


FUNCTIONS: Mapping[str, Callable[[sympy.Expr], sympy.Expr]] = {
    "sin": sympy.sin,
    "cos": sympy.cos,
    "tan": sympy.tan,
    "asin": sympy.asin,
    "acos": sympy.acos,
    "atan": sympy.atan,
    "sinh": sympy.sinh,
    "cosh": sympy.cosh,
    "tanh": sympy.tanh,
    "exp": sympy.exp,
    "log": sympy.log,
    "sqrt": sympy.sqrt,
    "erf": sympy.erf,
    "abs": sympy.Abs,
}
ARITHMETIC: Mapping[str, Callable[[sympy.Expr, sympy.Expr], sympy.Expr]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": lambda a, b: a**b,
}
CONSTANTS = {"pi": sympy.pi, "e": sympy.E}


def exact_number(value: float) -> sympy.Rational:
    """The shortest decimal number that reads as this double, as a fraction: 0.1 is one tenth."""
    return sympy.Rational(repr(float(value)))


def symbol(name: str) -> sympy.Symbol:
    """A coordinate."""
    return sympy.Symbol(name, real=True)


def expression(tree: Tree, names: Mapping[str, sympy.Expr], definitions: Mapping[str, Tree]) -> sympy.Expr:
    """A tree with expressions for names; raises Unprovable for what is not smooth."""
    match tree:
        case Number(value=value):
            return exact_number(value)
        case Name(name=name):
            if name in names:
                return names[name]
            if name in definitions:
                return expression(definitions[name], names, definitions)
            if name in CONSTANTS:
                return CONSTANTS[name]
        case Negative(argument=argument):
            return -expression(argument, names, definitions)
        case Binary(operator=operator, left=left, right=right) if operator in ARITHMETIC:
            sides = (expression(side, names, definitions) for side in (left, right))
            return ARITHMETIC[operator](*sides)
        case Call(function=function, arguments=(argument,)) if function in FUNCTIONS:
            return FUNCTIONS[function](expression(argument, names, definitions))
        case Derivative(argument=argument, axes=axes):
            return sympy.diff(expression(argument, names, definitions), *map(symbol, axes))
    raise Unprovable("a formula that is not smooth, or known at points only")
