"""Exact numbers near measured ones: rationals, multiples of powers of pi and of the problem's own constants, roots."""

from __future__ import annotations

from fractions import Fraction
from itertools import product as cartesian
from typing import Iterator, Mapping

import sympy

LARGEST_DENOMINATOR = 48
LARGEST_NUMERATOR = 2000
SMALL = 128  # denominator under a root or beside another number
FEW = 24  # whole numbers in a sum
POWERS_OF_PI = (0, 1, -1, 2, -2, 4, -4)


def recognised(value: float, tolerance: float, constants: Mapping[str, sympy.Expr]) -> sympy.Expr | None:
    """The simplest exact number within a relative tolerance of a value."""
    if abs(value) < tolerance:
        return sympy.Integer(0)
    for exact in candidates(abs(value), tolerance, constants):
        if abs(float(exact) - abs(value)) <= tolerance * max(abs(value), tolerance):
            return exact if value > 0 else -exact
    return None


def candidates(value: float, tolerance: float, constants: Mapping[str, sympy.Expr]) -> Iterator[sympy.Expr]:
    """Exact positive numbers that may be meant, simple ones first."""
    units = [sympy.Integer(1), *own_units(constants)]
    for unit in units:
        for exponent in POWERS_OF_PI if unit == 1 else POWERS_OF_PI[:3]:
            yield from multiples(value, unit * sympy.pi**exponent, 1, exponent == 0 and unit == 1)
    for root in (2, 4):
        for unit in units:
            for exponent in POWERS_OF_PI[:3]:
                yield from multiples(value, unit * sympy.pi**exponent, root, False)
    yield from sums(value, tolerance, units)


def own_units(constants: Mapping[str, sympy.Expr]) -> list[sympy.Expr]:
    """The problem's constants with their squares and reciprocals, where they are not rational."""
    positive = [sympy.Abs(exact) for exact in constants.values() if exact.is_number and exact != 0]
    return [unit for exact in positive if not exact.is_rational for unit in (exact, exact**2, 1 / exact)]


def multiples(value: float, unit: sympy.Expr, root: int, alone: bool) -> Iterator[sympy.Expr]:
    """The root of a rational number times a unit."""
    ratio = value**root / float(unit)
    if not 1e-6 < ratio < 1e6:
        return
    near = Fraction(ratio).limit_denominator(LARGEST_DENOMINATOR if alone else SMALL)
    if 0 < near.numerator <= LARGEST_NUMERATOR:
        yield sympy.root(sympy.Rational(near.numerator, near.denominator) * unit, root)


def sums(value: float, tolerance: float, units: list[sympy.Expr]) -> Iterator[sympy.Expr]:
    """a + b π, a + b π² and roots of these, with small whole a and b over a small denominator."""
    squares = [sympy.pi**2, sympy.pi, *(unit for unit in units[1:])]
    for root, unit, below in cartesian((2, 1), squares, (1, 2, 4)):
        target, size = below * value**root, float(unit)
        for b in range(-FEW, FEW + 1):
            a = round(target - b * size)
            if b and abs(a) <= FEW and abs(a + b * size - target) <= 4 * root * tolerance * abs(target):
                yield sympy.root((a + b * unit) / sympy.Integer(below), root)


__all__ = ["recognised"]
