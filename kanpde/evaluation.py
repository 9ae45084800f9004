"""Formulas evaluated on jets: only the derivatives that are wanted, and what is known once only once."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Callable, Mapping, Union

import torch
from torch import Tensor

from kanpde.expression import Binary, Call, Derivative, Name, Negative, Number, Tree
from kanpde.functions import MULTIVARIATE, UNIVARIATE, where
from kanpde.jet import Index, Indices, Jet, closure, constant, raised, variable
from kanpde.vocabulary import CONSTANTS, FUNCTIONS

Value = Union[Jet, float]
WEIGHTS = "quadrature.weights"


@dataclass(frozen=True)
class Scope:
    """What the names of a formula mean: coordinates in order, and definitions in partial derivatives only.

    Memberships tell where points lie, 1 or 0.
    """

    coordinates: tuple[str, ...]
    unknowns: tuple[str, ...]
    definitions: Mapping[str, Tree]
    memberships: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)  # functions of points [d, N]
    known: dict[int, bool] = field(default_factory=dict)  # id of a tree -> free of unknowns

    def free_of_unknowns(self, tree: Tree) -> bool:
        """Whether the formula's value depends on the coordinates alone."""
        if id(tree) not in self.known:
            if isinstance(tree, Name):
                found = tree.name not in self.unknowns
                if found and tree.name in self.definitions:
                    found = self.free_of_unknowns(self.definitions[tree.name])
            else:
                found = all(self.free_of_unknowns(part) for part in parts(tree))
            self.known[id(tree)] = found
        return self.known[id(tree)]


@dataclass(frozen=True)
class Ground:
    """Points [d, N] on which formulas are evaluated, with what was found for them already.

    `pinned` names the coordinates that are held fixed: nothing varies along them. `attached` are values [N] known at
    these points and nowhere else, by the names that formulas call them. Of `group` points after one another each, a
    residual is the sum with the weights attached as WEIGHTS.
    """

    points: Tensor
    pinned: frozenset[int] = frozenset()
    attached: Mapping[str, Tensor] = field(default_factory=dict)
    group: int = 1
    found: dict[tuple[int, Indices], Value] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """The number of points."""
        return self.points.shape[1]

    def chosen(self, index: Tensor) -> Ground:
        """Some of the points."""
        return self.each(lambda values: values[..., index].contiguous())

    def to(self, like: Tensor) -> Ground:
        """The same points in another tensor's precision, on its device."""
        return self.each(lambda values: values.to(like))

    def split(self, size: int) -> tuple[Ground, ...]:
        """The points in chunks of at most `size`, whole groups each."""
        whole = max(size // self.group, 1) * self.group
        return tuple(self.chosen(index) for index in torch.arange(self.count).split(whole))

    def gathered(self, rows: Tensor) -> Tensor:
        """The residuals [..., R] of values [..., N] at the points."""
        if WEIGHTS not in self.attached:
            return rows
        return (rows * self.attached[WEIGHTS]).unflatten(-1, (-1, self.group)).sum(-1)

    def each(self, change: Callable[[Tensor], Tensor]) -> Ground:
        """The points and all that is attached to them, changed alike."""
        attached = {name: change(values) for name, values in self.attached.items()}
        return Ground(change(self.points), self.pinned, attached, self.group)

    def coordinate(self, axis: int, wanted: Indices) -> Jet:
        """A coordinate as a jet."""
        if axis in self.pinned:
            return constant(self.points[axis], wanted)
        return variable(self.points[axis], axis, self.points.shape[0], wanted)


Unknowns = Callable[[str, Indices], Jet]


def parts(tree: Tree) -> tuple[Tree, ...]:
    """The formulas of which a formula is directly made."""
    if isinstance(tree, Binary):
        return (tree.left, tree.right)
    if isinstance(tree, (Negative, Derivative)):
        return (tree.argument,)
    return tree.arguments if isinstance(tree, Call) else ()


def evaluate(tree: Tree, wanted: Indices, scope: Scope, ground: Ground, unknowns: Unknowns) -> Value:
    """The formula's derivatives `wanted` at the ground's points; a plain number where it is one."""
    if not scope.free_of_unknowns(tree):
        return RULES[type(tree)](tree, wanted, scope, ground, unknowns)
    key = (id(tree), wanted)
    if key not in ground.found:
        ground.found[key] = RULES[type(tree)](tree, wanted, scope, ground, unknowns)
    return ground.found[key]


def of_name(tree: Name, wanted: Indices, scope: Scope, ground: Ground, unknowns: Unknowns) -> Value:
    """A coordinate, unknown, definition or constant."""
    if tree.name in scope.unknowns:
        return unknowns(tree.name, wanted)
    if tree.name in scope.coordinates:
        return ground.coordinate(scope.coordinates.index(tree.name), wanted)
    if tree.name in scope.definitions:
        return evaluate(scope.definitions[tree.name], wanted, scope, ground, unknowns)
    if tree.name in ground.attached:
        return constant(ground.attached[tree.name], wanted)
    return CONSTANTS[tree.name]


def of_derivative(tree: Derivative, wanted: Indices, scope: Scope, ground: Ground, unknowns: Unknowns) -> Value:
    """A partial derivative, by asking for higher ones of the argument."""
    shift = [scope.coordinates.index(name) for name in tree.axes]

    def higher(alpha: Index) -> Index:
        for axis in shift:
            alpha = raised(alpha, axis)
        return alpha

    inside = evaluate(tree.argument, frozenset(higher(a) for a in wanted), scope, ground, unknowns)
    if not isinstance(inside, Jet):
        return 0.0
    return Jet({a: inside.terms[higher(a)] for a in wanted if higher(a) in inside.terms}, wanted)


def of_binary(tree: Binary, wanted: Indices, scope: Scope, ground: Ground, unknowns: Unknowns) -> Value:
    """Arithmetic; products, quotients and powers need the lower derivatives too."""
    wanted = wanted if tree.operator in "+-" else closure(wanted)
    left = evaluate(tree.left, wanted, scope, ground, unknowns)
    right = evaluate(tree.right, wanted, scope, ground, unknowns)
    return ARITHMETIC[tree.operator](left, right)


def power(base: Value, exponent: Value) -> Value:
    """base^exponent; a variable exponent needs a positive base."""
    if not isinstance(exponent, Jet):
        return base**exponent
    if not isinstance(base, Jet):
        base = constant(exponent.value * 0.0 + base, exponent.indices)
    return UNIVARIATE["exp"](exponent * UNIVARIATE["log"](base))


def of_call(tree: Call, wanted: Indices, scope: Scope, ground: Ground, unknowns: Unknowns) -> Value:
    """A function of one or more arguments."""
    wanted = closure(wanted)
    if tree.function in scope.memberships:
        return constant(scope.memberships[tree.function](ground.points), wanted)
    if tree.function == "where":
        condition, *branches = tree.arguments
        holds = compare(condition, scope, decisive(tree, ground), unknowns)
        yes, no = (evaluate(b, wanted, scope, ground, unknowns) for b in branches)
        return where(holds, as_jet(yes, wanted, ground), as_jet(no, wanted, ground))
    values = [evaluate(a, wanted, scope, ground, unknowns) for a in tree.arguments]
    if not any(isinstance(v, Jet) for v in values):
        return FUNCTIONS[tree.function].scalar(*values)
    if len(values) == 1:
        return UNIVARIATE[tree.function](values[0])
    return MULTIVARIATE[tree.function](*(as_jet(v, wanted, ground) for v in values))


def decisive(tree: Call, ground: Ground) -> Ground:
    """The points at which a choice is made: those themselves, or others that are attached to them."""
    other = [ground.attached[name.name] for _, name in tree.keywords if name.name in ground.attached]  # type: ignore[union-attr]
    return Ground(other[0], ground.pinned) if other else ground


def compare(tree: Tree, scope: Scope, ground: Ground, unknowns: Unknowns) -> Tensor:
    """Where a comparison holds, as 0 and 1 [N]."""
    assert isinstance(tree, Binary)
    zero = frozenset({(0,) * len(scope.coordinates)})
    sides = [as_jet(evaluate(s, zero, scope, ground, unknowns), zero, ground).value for s in (tree.left, tree.right)]
    return COMPARISONS[tree.operator](*sides)


def as_jet(value: Value, wanted: Indices, ground: Ground) -> Jet:
    """A number as a jet on the ground's points, its value of full length."""
    zeros = ground.points[0] * 0.0
    jet = value if isinstance(value, Jet) else constant(value, wanted)
    zero = (0,) * ground.points.shape[0]
    return Jet({**jet.terms, zero: jet.terms.get(zero, 0.0) + zeros}, jet.indices) if zero in jet.indices else jet


ARITHMETIC: Mapping[str, Callable[[Value, Value], Value]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "^": power,
}

COMPARISONS: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
}

RULES: Mapping[type, Callable[..., Value]] = {
    Number: lambda tree, *rest: tree.value,
    Name: of_name,
    Negative: lambda tree, wanted, *rest: -evaluate(tree.argument, wanted, *rest),
    Binary: of_binary,
    Call: of_call,
    Derivative: of_derivative,
}
