"""The values of formulas of known constants."""

from __future__ import annotations

import math
from typing import Callable, Mapping

from kanpde.tokens import ExpressionError
from kanpde.tree import Binary, Call, Name, Negative, Number, Tree
from kanpde.vocabulary import FUNCTIONS

_ARITHMETIC: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": math.pow,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}


def constant(tree: Tree, names: Mapping[str, float]) -> float:
    """The value of an expression of known constants."""
    match tree:
        case Number(value=value):
            return value
        case Name(name=name) if name in names:
            return names[name]
        case Negative(argument=argument):
            return -constant(argument, names)
        case Binary(operator=symbol, left=left, right=right):
            return _finite(tree, _ARITHMETIC[symbol], constant(left, names), constant(right, names))
        case Call(function=function, arguments=arguments, keywords=()) if function in FUNCTIONS:
            if len(arguments) == FUNCTIONS[function].arguments:
                return _finite(tree, FUNCTIONS[function].scalar, *(constant(part, names) for part in arguments))
    word = {Name: "name", Call: "function"}.get(type(tree))
    what = f"'{getattr(tree, word)}'" if word else "this"
    raise ExpressionError(f"{what} is not a constant", tree.column)


def _finite(tree: Tree, apply: Callable[..., float], *values: float) -> float:
    try:
        value = float(apply(*values))
    except ZeroDivisionError:
        raise ExpressionError("division by zero", tree.column) from None
    except OverflowError:
        raise ExpressionError("the value is too large to compute", tree.column) from None
    except ValueError:
        raise ExpressionError("the value is not a real number", tree.column) from None
    if not math.isfinite(value):
        raise ExpressionError("the value is too large to compute", tree.column)
    return value
