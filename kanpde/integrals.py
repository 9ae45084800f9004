"""Constraints on integrals of the solution over the coordinates other than time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Iterator

from kanpde.errors import Place
from kanpde.expression import ExpressionError, constant
from kanpde.formulas import Log, resolved
from kanpde.known import Facts
from kanpde.reading import Scalar
from kanpde.resolution import NUMBER, UNSURE
from kanpde.tree import Binary, Call, Negative, Number, Tree, walk

INTEGRALS = ("integral", "mean")
REST = ""


@dataclass(frozen=True)
class IntegralConstraint:
    """∫ integrand + (∫ mean_integrand) / volume = constant, at every time and for every value of the parameters."""

    name: str
    integrand: Tree | None
    mean_integrand: Tree | None
    constant: float
    text: str
    place: Place

    @property
    def formulas(self) -> tuple[Tree, ...]:
        """What it says, in formulas of the unknowns."""
        return tuple(tree for tree in (self.integrand, self.mean_integrand) if tree is not None)


@dataclass(frozen=True)
class _Term:
    """A factor times an integral or mean of a formula; with REST, the factor alone."""

    kind: str
    factor: Tree
    argument: Tree


def read_integrals(
    text: Scalar, name: str, sides: tuple[Tree, Tree], facts: Facts, log: Log
) -> IntegralConstraint | None:
    """An equation between sums of multiples of integrals; raises ExpressionError where it is something else."""
    terms = [_resolved(text, term, facts, log) for term in _terms(Binary("-", *sides), Number(1.0))]
    sound = [term for term in terms if term is not None]
    if len(sound) < len(terms):
        return None
    left, gathered = 0.0, {"integral": list[Tree](), "mean": list[Tree]()}
    for term in sound:
        if term.kind != REST:
            gathered[term.kind].append(_product(term.factor, term.argument))
        elif facts.fixed(term.factor):
            left += constant(term.factor, facts.constants)
        else:
            gathered["mean"].append(term.factor)  # the same everywhere in space: its own mean
    integrand, mean = (_sum(gathered[kind]) for kind in INTEGRALS)
    return IntegralConstraint(name, integrand, mean, 0.0 - left, text.text, text.place)


def _terms(tree: Tree, factor: Tree) -> Iterator[_Term]:
    """The terms of a sum, each times the factor."""
    if not gathers(tree) and not (isinstance(tree, Binary) and tree.operator in "+-"):
        yield _Term(REST, _product(factor, tree), tree)
        return
    match tree:
        case Negative(argument=argument):
            yield from _terms(argument, _product(factor, Number(-1.0)))
        case Binary(operator="+" | "-" as sign, left=left, right=right):
            yield from _terms(left, factor)
            yield from _terms(right, factor if sign == "+" else _product(factor, Number(-1.0)))
        case Binary(operator="*", left=left, right=right):
            if gathers(left) and gathers(right):
                raise ExpressionError("integrals cannot be multiplied with one another", tree.column)
            inside, other = (left, right) if gathers(left) else (right, left)
            yield from _terms(inside, _product(factor, other))
        case Binary(operator="/", left=left, right=right) if not gathers(right):
            yield from _terms(left, Binary("/", factor, right))
        case Call(function=function) if function in INTEGRALS:
            yield _Term(function, factor, _argument(tree))
        case _:
            raise ExpressionError(f"an integral cannot stand {_where(tree)}; {_FORM}", _first(tree).column)


_FORM = "a constraint is a sum of integrals times numbers"


def _where(tree: Tree) -> str:
    if isinstance(tree, Call):
        return f"inside '{tree.function}'"
    places = {"/": "in a divisor", "^": "in a power"}
    return places.get(tree.operator, "in a comparison") if isinstance(tree, Binary) else "in a vector"


def gathers(tree: Tree) -> bool:
    """Whether there is an integral in a formula."""
    return any(isinstance(part, Call) and part.function in INTEGRALS for part in walk(tree))


def _first(tree: Tree) -> Tree:
    return next(part for part in walk(tree) if isinstance(part, Call) and part.function in INTEGRALS)


def _argument(call: Call) -> Tree:
    if call.keywords or len(call.arguments) != 1:
        raise ExpressionError(f"'{call.function}' takes 1 argument, the formula to integrate", call.column)
    if gathers(call.arguments[0]):
        raise ExpressionError(f"an integral cannot stand inside another; {_FORM}", _first(call.arguments[0]).column)
    return call.arguments[0]


def _resolved(text: Scalar, term: _Term, facts: Facts, log: Log) -> _Term | None:
    """The term with its names looked up, its factor the same everywhere in space; None after a mistake."""
    (factor, first), (argument, second) = (resolved(text, t, facts.scope, log) for t in _parts(term))
    if UNSURE in (first, second):
        return None
    if strange := next((shape for shape in (first, second) if shape != NUMBER), None):
        raise ExpressionError(f"a number is expected, not {strange}", term.argument.column)
    if name := facts.varying(factor, facts.scope.spatial):
        message = f"'{name}' varies in space; only what does not stands outside of the integrals"
        raise ExpressionError(message, term.factor.column)
    return _Term(term.kind, factor, argument)


def _parts(term: _Term) -> tuple[Tree, Tree]:
    return term.factor, Number(1.0) if term.kind == REST else term.argument


def _product(factor: Tree, tree: Tree) -> Tree:
    """The product, without ones and double minus signs."""
    if factor == Number(1.0):
        return tree
    if tree == Number(1.0):
        return factor
    if isinstance(factor, Number) and isinstance(tree, Number):
        return Number(factor.value * tree.value, tree.column)
    if factor == Number(-1.0):
        return tree.argument if isinstance(tree, Negative) else Negative(tree, tree.column)
    return Binary("*", factor, tree, tree.column)


def _sum(trees: list[Tree]) -> Tree | None:
    return reduce(lambda a, b: Binary("+", a, b), trees) if trees else None
