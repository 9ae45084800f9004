"""What each name in a formula stands for, and whether the formula is a number or a vector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable, Mapping

from kanpde.expression import COMPARISONS, ExpressionError
from kanpde.names import HIGHEST_ORDER, normal_name, splits, subscripted, suggestion
from kanpde.scope import COMPARISON, NUMBER, UNSURE, Scope, Shape, likely
from kanpde.tree import Binary, Call, Derivative, Name, Negative, Number, Tree, Vector, walk
from kanpde.vocabulary import FUNCTIONS, OPERATORS

__all__ = ["COMPARISON", "NUMBER", "UNSURE", "Resolved", "Scope", "Shape", "resolve"]


@dataclass(frozen=True)
class Resolved:
    """A formula with its names resolved, its shape, and its faults as (column, message)."""

    tree: Tree
    shape: Shape
    faults: tuple[tuple[int, str], ...]


def resolve(tree: Tree, scope: Scope) -> Resolved:
    """The formula with subscripts and d(…) made derivatives, and every name checked."""
    resolver = _Resolver(scope)
    found, shape = resolver.visit(tree)
    return Resolved(found, shape, tuple(resolver.faults))


class _Resolver:
    """One walk over one formula, collecting faults."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.faults: list[tuple[int, str]] = []

    def visit(self, tree: Tree) -> tuple[Tree, Shape]:
        try:
            return _RULES[type(tree)](self, tree)
        except ExpressionError as error:
            self.faults.append((error.column, error.message))
            return tree, UNSURE

    def number(self, tree: Number) -> tuple[Tree, Shape]:
        return tree, NUMBER

    def name(self, tree: Name) -> tuple[Tree, Shape]:
        scope, name = self.scope, tree.name
        if name in scope.barred:
            raise ExpressionError(scope.barred[name], tree.column)
        if name in scope.definitions:
            return tree, scope.definitions[name]
        if name in scope.values():
            return tree, NUMBER
        if name in FUNCTIONS or name in OPERATORS:
            raise ExpressionError(f"'{name}' needs its arguments in parentheses: {name}(…)", tree.column)
        cut = subscripted(name, scope.values())
        if cut is None and name in scope.normals:
            if not scope.on_face:
                what = f"'{name}', a component of the outward normal,"
                raise ExpressionError(f"{what} has a meaning in boundary conditions only", tree.column)
            return Name(normal_name(scope.normals[name]), tree.column), NUMBER
        if cut is None:
            raise ExpressionError(f"unknown name '{name}'{suggestion(name, likely(name, scope))}", tree.column)
        argument, shape = self.visit(Name(cut[0], tree.column))
        axes = self.axes(name, cut[1], tree.column)
        return self.differentiated(argument, axes, tree.column), shape

    def differentiated(self, argument: Tree, axes: tuple[str, ...], column: int) -> Tree:
        """A derivative; that of a number or of a fitted constant is zero."""
        inner = argument
        while isinstance(inner, Derivative):
            inner = inner.argument
        if isinstance(inner, Number):
            return Number(0.0, column)
        if isinstance(inner, Name) and inner.name in self.scope.fitted:
            of = self.scope.fitted[inner.name]
            if not of:
                return Number(0.0, column)
            if strangers := [axis for axis in axes if axis not in of]:
                depends = f"'{inner.name}' is a function of {', '.join(of)}"
                raise ExpressionError(f"{depends}, so it has no derivative along '{strangers[0]}'", column)
        return Derivative(argument, axes, column)

    def axes(self, name: str, subscript: str, column: int) -> tuple[str, ...]:
        ways = splits(subscript, self.scope.coordinates)
        listed = ", ".join(self.scope.coordinates)
        if not ways:
            raise ExpressionError(
                f"'{name}': the subscript '{subscript}' is not made of the coordinates {listed}", column
            )
        if len(ways) > 1:
            first, second = (", ".join(way) for way in ways)
            raise ExpressionError(f"'{name}' can be read in two ways; write d(…, {first}) or d(…, {second})", column)
        return self.bounded(ways[0], column)

    def bounded(self, axes: tuple[str, ...], column: int) -> tuple[str, ...]:
        if len(axes) > HIGHEST_ORDER:
            raise ExpressionError(f"a derivative of order {len(axes)}; at most {HIGHEST_ORDER}", column)
        return axes

    def negative(self, tree: Negative) -> tuple[Tree, Shape]:
        argument, shape = self.visit(tree.argument)
        if shape == COMPARISON:
            raise ExpressionError("a comparison is not a number; use where(condition, a, b)", tree.column)
        return replace(tree, argument=argument), shape

    def binary(self, tree: Binary) -> tuple[Tree, Shape]:
        (left, first), (right, second) = self.visit(tree.left), self.visit(tree.right)
        return replace(tree, left=left, right=right), _combined(tree, first, second)

    def vector(self, tree: Vector) -> tuple[Tree, Shape]:
        parts = [self.visit(part) for part in tree.components]
        if any(shape == UNSURE for _, shape in parts):
            return tree, UNSURE
        for part, shape in parts:
            _need_number(shape, "a component of a vector", part.column)
        return Vector(tuple(part for part, _ in parts), tree.column), Shape("vector", len(parts))

    def derivative(self, tree: Derivative) -> tuple[Tree, Shape]:
        argument, shape = self.visit(tree.argument)
        return replace(tree, argument=argument), shape

    def call(self, tree: Call) -> tuple[Tree, Shape]:
        self.refuse_names_of_values(tree)
        name = tree.function
        if name == "d":
            return self.explicit(tree)
        if name in FUNCTIONS:
            return self.function(tree)
        if name in OPERATORS:
            return self.operator(tree)
        ways = splits(name[1:], self.scope.coordinates) if name.startswith("d") and len(name) > 1 else []
        if len(ways) == 1:
            self.count(tree, 1, 1)
            argument, shape = self.visit(tree.arguments[0])
            return self.differentiated(argument, self.bounded(ways[0], tree.column), tree.column), shape
        known = (*FUNCTIONS, *OPERATORS, *(f"d{axis}" for axis in self.scope.coordinates))
        for argument in tree.arguments:
            self.visit(argument)
        raise ExpressionError(f"unknown function '{name}'{suggestion(name, known)}", tree.column)

    def refuse_names_of_values(self, tree: Call) -> None:
        name = tree.function
        fields = (*self.scope.unknowns, *self.scope.fitted)
        if tree.keywords and (name in fields or subscripted(name, fields)):
            raise ExpressionError(
                f"a value at a point, '{name}({tree.keywords[0][0]}=…)', has a meaning in constraints only", tree.column
            )
        if name in self.scope.values():
            raise ExpressionError(f"'{name}' is not a function; write '{name}*(…)' for a product", tree.column)
        if tree.keywords:
            raise ExpressionError(f"'{name}' takes no named arguments like '{tree.keywords[0][0]}='", tree.column)

    def count(self, tree: Call, least: int, most: int | None) -> None:
        given = len(tree.arguments)
        if given < least or (most is not None and given > most):
            needed = f"{least}" if least == most else f"at least {least}" if most is None else f"{least} to {most}"
            plural = "argument" if needed in ("1", "at least 1") else "arguments"
            raise ExpressionError(f"'{tree.function}' takes {needed} {plural}, not {given}", tree.column)

    def explicit(self, tree: Call) -> tuple[Tree, Shape]:
        self.count(tree, 2, None)
        argument, shape = self.visit(tree.arguments[0])
        axes = []
        for axis in tree.arguments[1:]:
            if not isinstance(axis, Name) or axis.name not in self.scope.coordinates:
                listed = ", ".join(self.scope.coordinates)
                raise ExpressionError(f"'d' takes coordinates after its first argument ({listed})", axis.column)
            axes.append(axis.name)
        return self.differentiated(argument, self.bounded(tuple(axes), tree.column), tree.column), shape

    def function(self, tree: Call) -> tuple[Tree, Shape]:
        arity = FUNCTIONS[tree.function].arguments
        self.count(tree, arity, arity)
        parts = [self.visit(argument) for argument in tree.arguments]
        if tree.function == "where" and parts[0][1] not in (COMPARISON, UNSURE):
            message = "the first argument of 'where' must be a comparison, as in where(x < 0, a, b)"
            raise ExpressionError(message, tree.arguments[0].column)
        for part, shape in parts[tree.function == "where" :]:
            _need_number(shape, f"an argument of '{tree.function}'", part.column)
        return replace(tree, arguments=tuple(part for part, _ in parts)), NUMBER

    def operator(self, tree: Call) -> tuple[Tree, Shape]:
        entry = OPERATORS[tree.function]
        self.count(tree, entry.least, entry.most)
        if entry.only and not {"dn": self.scope.on_face, "jump": self.scope.between}.get(tree.function):
            raise ExpressionError(f"'{tree.function}' has a meaning in {entry.only} only", tree.column)
        if not self.scope.spatial and tree.function != "dot":
            raise ExpressionError(
                f"'{tree.function}' acts on the coordinates other than t, and there are none", tree.column
            )
        inner = [part for part in walk(tree) if isinstance(part, Call) and part.function == tree.function]
        if tree.function == "jump" and len(inner) > 1:
            raise ExpressionError("a jump cannot stand inside another", tree.column)
        parts = [self.visit(argument) for argument in tree.arguments]
        if any(shape == UNSURE for _, shape in parts):
            return tree, UNSURE
        if tree.function in ("div", "curl") and all(shape == NUMBER for _, shape in parts):
            gathered = Vector(tuple(part for part, _ in parts), tree.column)
            parts = [(gathered, Shape("vector", len(parts)))]
        shape = _SHAPES[tree.function](tree, [shape for _, shape in parts], len(self.scope.spatial))
        return replace(tree, arguments=tuple(part for part, _ in parts)), shape


def _need_number(shape: Shape, what: str, column: int) -> None:
    if shape not in (NUMBER, UNSURE):
        raise ExpressionError(f"{what} must be a number, not {shape}", column)


def _combined(tree: Binary, first: Shape, second: Shape) -> Shape:
    """The shape of a sum, product, power or comparison."""
    symbol = tree.operator
    if UNSURE in (first, second):
        return UNSURE
    if COMPARISON in (first, second):
        raise ExpressionError("a comparison is not a number; use where(condition, a, b)", tree.column)
    if first == second == NUMBER:
        return COMPARISON if symbol in COMPARISONS else NUMBER
    if symbol in "+-" and first == second:
        return first
    if (symbol == "*" and NUMBER in (first, second)) or (symbol == "/" and second == NUMBER):
        return first if second == NUMBER else second
    hint = "; use dot(a, b)" if symbol == "*" else ""
    raise ExpressionError(f"'{symbol}' cannot join {first} and {second}{hint}", tree.column)


def _of_number(result: Callable[[int], Shape]) -> Callable[[Call, list[Shape], int], Shape]:
    def shape(tree: Call, shapes: list[Shape], size: int) -> Shape:
        _need_number(shapes[0], f"the argument of '{tree.function}'", tree.arguments[0].column)
        return result(size)

    return shape


def _of_field(tree: Call, shapes: list[Shape], size: int) -> Shape:
    if shapes[0] == COMPARISON:
        _need_number(shapes[0], f"the argument of '{tree.function}'", tree.arguments[0].column)
    return shapes[0]


def _of_vector(result: Mapping[int, Shape] | None) -> Callable[[Call, list[Shape], int], Shape]:
    def shape(tree: Call, shapes: list[Shape], size: int) -> Shape:
        if len(shapes) > 1 or shapes[0] != Shape("vector", size):
            plural = "components" if size > 1 else "component"
            raise ExpressionError(f"'{tree.function}' needs a vector with {size} {plural} here", tree.column)
        if result is not None and size not in result:
            raise ExpressionError(f"'{tree.function}' needs two or three coordinates other than t", tree.column)
        return NUMBER if result is None else result[size]

    return shape


def _dot(tree: Call, shapes: list[Shape], size: int) -> Shape:
    if shapes[0] != shapes[1] or shapes[0].kind != "vector":
        raise ExpressionError(f"'dot' needs two vectors of one length, not {shapes[0]} and {shapes[1]}", tree.column)
    return NUMBER


_SHAPES: Mapping[str, Callable[[Call, list[Shape], int], Shape]] = {
    "lap": _of_field,
    "biharm": _of_number(lambda size: NUMBER),
    "grad": _of_number(lambda size: Shape("vector", size)),
    "div": _of_vector(None),
    "curl": _of_vector({2: NUMBER, 3: Shape("vector", 3)}),
    "dot": _dot,
    "dn": _of_number(lambda size: NUMBER),
    "jump": _of_field,
}

_RULES: Mapping[type, Callable[..., tuple[Tree, Shape]]] = {
    Number: _Resolver.number,
    Name: _Resolver.name,
    Negative: _Resolver.negative,
    Binary: _Resolver.binary,
    Call: _Resolver.call,
    Derivative: _Resolver.derivative,
    Vector: _Resolver.vector,
}
