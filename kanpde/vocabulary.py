"""The words of the language: functions, operators, constants and the names of the numerical choices."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Callable, Mapping


@dataclass(frozen=True)
class Function:
    """A function of numbers: how many arguments, what it means, and its value for plain numbers."""

    arguments: int
    meaning: str
    scalar: Callable[..., float]


@dataclass(frozen=True)
class Operator:
    """An operator: fewest and most arguments (None: any), what it means, and where alone it stands."""

    least: int
    most: int | None
    meaning: str
    only: str = ""


@dataclass(frozen=True)
class Family:
    """A family of functions on edges: what it is, and which settings of the network shape it."""

    meaning: str
    settings: tuple[str, ...] = ()


def _sign(x: float) -> float:
    return float((x > 0) - (x < 0))


def _heaviside(x: float) -> float:
    return 0.5 * (1.0 + _sign(x))


def _modulo(x: float, y: float) -> float:
    return x - y * math.floor(x / y)


def _where(condition: float, yes: float, no: float) -> float:
    return yes if condition else no


FUNCTIONS: Mapping[str, Function] = {
    "sin": Function(1, "sine", math.sin),
    "cos": Function(1, "cosine", math.cos),
    "tan": Function(1, "tangent", math.tan),
    "asin": Function(1, "inverse sine", math.asin),
    "acos": Function(1, "inverse cosine", math.acos),
    "atan": Function(1, "inverse tangent", math.atan),
    "atan2": Function(2, "angle of the point (x, y), written atan2(y, x)", math.atan2),
    "sinh": Function(1, "hyperbolic sine", math.sinh),
    "cosh": Function(1, "hyperbolic cosine", math.cosh),
    "tanh": Function(1, "hyperbolic tangent", math.tanh),
    "exp": Function(1, "exponential", math.exp),
    "log": Function(1, "natural logarithm", math.log),
    "sqrt": Function(1, "square root", math.sqrt),
    "abs": Function(1, "absolute value", math.fabs),
    "sign": Function(1, "-1, 0 or 1", _sign),
    "min": Function(2, "the smaller of two", min),
    "max": Function(2, "the greater of two", max),
    "mod": Function(2, "remainder with the sign of the divisor", _modulo),
    "erf": Function(1, "error function", math.erf),
    "heaviside": Function(1, "0 below zero, 1 above, 1/2 at zero", _heaviside),
    "where": Function(3, "where(condition, a, b): a where the condition holds, else b", _where),
}

OPERATORS: Mapping[str, Operator] = {
    "d": Operator(2, None, "d(f, x, y): derivative along the coordinates named"),
    "lap": Operator(1, 1, "Laplacian over the coordinates other than t"),
    "grad": Operator(1, 1, "gradient over the coordinates other than t, a vector"),
    "div": Operator(1, None, "divergence of a vector, or of as many components as coordinates"),
    "dot": Operator(2, 2, "scalar product of two vectors"),
    "curl": Operator(1, None, "curl of a vector: a number in 2-D, a vector in 3-D"),
    "biharm": Operator(1, 1, "Laplacian of the Laplacian"),
    "dn": Operator(1, 1, "derivative along the outward normal, in boundary conditions", only="boundary conditions"),
    "jump": Operator(
        1,
        1,
        "value on the outer side of a shape minus that on the inner side, in conditions between two regions",
        only="conditions between two regions",
    ),
    "integral": Operator(1, 1, "integral over the coordinates other than t, in constraints", only="constraints"),
    "mean": Operator(1, 1, "mean over the coordinates other than t, in constraints", only="constraints"),
}

CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e}

BASES: Mapping[str, Family] = {
    "auto": Family("chosen for the problem", ("degree",)),
    "bspline": Family("B-splines, the original KAN", ("degree", "grid")),
    "chebyshev": Family("Chebyshev polynomials", ("degree",)),
    "legendre": Family("Legendre polynomials", ("degree",)),
    "jacobi": Family("Jacobi polynomials", ("degree", "exponents")),
    "sine": Family("sines of increasing frequency", ("degree",)),
    "fourier": Family("a constant, cosines and sines", ("degree",)),
    "rbf": Family("Gaussian bumps", ("grid",)),
    "wavelet": Family("Mexican hats of several widths", ("grid",)),
    "relu-power": Family("bumps made of powers of rectifiers", ("degree", "grid")),
    "separable": Family("products of splines, one factor per coordinate", ("degree", "grid")),
    "mlp": Family("affine maps and tanh, the baseline"),
}

OPTIMISERS: Mapping[str, str] = {
    "orthogonal": "damped Gauss-Newton by QR factors, for the last digits of small networks",
    "levenberg-marquardt": "damped Gauss-Newton on all coefficients",
    "self-scaled-broyden": "quasi-Newton with a full matrix, scaled before each update",
    "l-bfgs": "limited-memory quasi-Newton",
    "adam": "first-order stochastic descent",
}

FORMATS: Mapping[str, str] = {
    "h5": "HDF5 with dimension scales",
    "png": "pictures of fields and history",
}

MATHEMATICAL_NAMES = frozenset(FUNCTIONS) | frozenset(OPERATORS) | frozenset(CONSTANTS)
