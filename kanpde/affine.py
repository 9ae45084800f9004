"""Residuals split into coefficients of the unknowns' values and derivatives, and a rest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from kanpde.analysis import Ground, degree_in_unknowns
from kanpde.expression import ExpressionError, constant
from kanpde.tree import Binary, Derivative, Name, Negative, Number, Tree
from kanpde.vocabulary import CONSTANTS

ZERO, ONE = Number(0.0), Number(1.0)


@dataclass(frozen=True)
class Affine:
    """Σ coefficient * atom + rest, where an atom is `u`, `u_x`, `dn(u)` or an operator of unknowns."""

    coefficients: Mapping[Tree, Tree]
    rest: Tree


def affine(tree: Tree, ground: Ground, definitions: Mapping[str, Tree]) -> Affine | None:
    """The formula as coefficients and rest; None if it is not plainly affine in the unknowns."""
    degree = degree_in_unknowns(tree, ground)
    if degree == 0:
        return Affine({}, tree)
    if degree > 1:
        return None
    match tree:
        case Name(name=name) if name in definitions:
            return affine(definitions[name], ground, definitions)
        case Negative(argument=argument):
            inside = affine(argument, ground, definitions)
            return inside and scaled(inside, Number(-1.0))
        case Binary(operator=symbol, left=left, right=right) if symbol in "+-*/":
            return _of_binary(symbol, left, right, ground, definitions)
        case Derivative(argument=inner, axes=axes):
            return _derivative(tree, inner, axes, definitions)
    return Affine({tree: ONE}, ZERO)


def _derivative(tree: Derivative, inner: Tree, axes: tuple[str, ...], definitions: Mapping[str, Tree]) -> Affine:
    while isinstance(inner, Derivative):
        inner, axes = inner.argument, inner.axes + axes
    return Affine({Derivative(inner, axes): ONE}, ZERO)


def _of_binary(symbol: str, left: Tree, right: Tree, ground: Ground, definitions: Mapping[str, Tree]) -> Affine | None:
    first, second = affine(left, ground, definitions), affine(right, ground, definitions)
    if first is None or second is None:
        return None
    if symbol in "+-":
        return summed(first, second if symbol == "+" else scaled(second, Number(-1.0)))
    if symbol == "/":
        return scaled(first, quotient(ONE, right))
    return scaled(first, right) if not second.coefficients else scaled(second, left)


def summed(first: Affine, second: Affine) -> Affine:
    """The sum of two affine forms."""
    atoms = {**first.coefficients, **second.coefficients}
    joint = {atom: plus(first.coefficients.get(atom, ZERO), second.coefficients.get(atom, ZERO)) for atom in atoms}
    return Affine({a: c for a, c in joint.items() if value_of(c) != 0}, plus(first.rest, second.rest))


def scaled(form: Affine, factor: Tree) -> Affine:
    """An affine form times a factor without unknowns."""
    return Affine({a: times(factor, c) for a, c in form.coefficients.items()}, times(factor, form.rest))


def value_of(tree: Tree) -> float | None:
    """The value of a formula of plain numbers, None for anything else."""
    try:
        return constant(tree, CONSTANTS)
    except ExpressionError:
        return None


def plus(left: Tree, right: Tree) -> Tree:
    """left + right, without zeros."""
    if left == ZERO:
        return right
    return left if right == ZERO else Binary("+", left, right)


def times(left: Tree, right: Tree) -> Tree:
    """left * right, without ones, zeros and double minus signs."""
    if ZERO in (left, right):
        return ZERO
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value * right.value)
    if left == ONE or right == ONE:
        return right if left == ONE else left
    if left == Number(-1.0):
        return right.argument if isinstance(right, Negative) else Negative(right)
    return Binary("*", left, right)


def quotient(left: Tree, right: Tree) -> Tree:
    """left / right, without ones."""
    return left if right == ONE else Binary("/", left, right)
