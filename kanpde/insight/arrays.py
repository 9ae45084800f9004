"""Exact expressions at many points in double precision."""

from __future__ import annotations

from functools import reduce
from typing import Any, Callable, Mapping, Sequence

import numpy as np
import sympy
import torch

from kanpde.insight.symbolic import Unprovable, symbol

FUNCTIONS: Mapping[Any, Callable[[np.ndarray], np.ndarray]] = {
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tan: np.tan,
    sympy.asin: np.arcsin,
    sympy.acos: np.arccos,
    sympy.atan: np.arctan,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.tanh: np.tanh,
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.erf: lambda x: torch.erf(torch.as_tensor(x)).numpy(),
    sympy.Abs: np.abs,
}


def numbers(made: sympy.Expr, coordinates: Sequence[str], points: np.ndarray) -> np.ndarray:
    """The values [M] of an expression at points [d, M], NaN where they are not real."""
    at = dict(zip(map(symbol, coordinates), points))
    with np.errstate(all="ignore"):
        return np.broadcast_to(np.asarray(found(made, at), dtype=float), points.shape[1:]).copy()


def found(made: sympy.Expr, at: Mapping[sympy.Symbol, np.ndarray]) -> Any:
    """The values of an expression: a number where it is constant."""
    if made in at:
        return at[made]
    if made.is_number:
        return float(made) if made.is_real else float("nan")
    parts = [found(part, at) for part in made.args]
    if made.is_Add:
        return reduce(np.add, parts)
    if made.is_Mul:
        return reduce(np.multiply, parts)
    if made.is_Pow:
        return np.power(parts[0], float(parts[1]) if made.exp.is_number else parts[1])
    if made.func in FUNCTIONS:
        return FUNCTIONS[made.func](np.asarray(parts[0], dtype=float))
    raise Unprovable(f"no value of {made.func}")
