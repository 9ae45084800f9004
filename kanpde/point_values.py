"""Constraints on values of the solution at a point."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping

from kanpde.errors import Place
from kanpde.expression import ExpressionError, constant
from kanpde.formulas import Log, equation_of
from kanpde.known import Facts
from kanpde.names import subscripted, suggestion
from kanpde.reading import Scalar
from kanpde.statement import Equation
from kanpde.tree import Binary, Call, Name, Negative, Tree, Vector, walk
from kanpde.vocabulary import FUNCTIONS, MATHEMATICAL_NAMES


@dataclass(frozen=True)
class PointConstraint:
    """An equation that holds at one point, for every value of the parameters, and at every time where none is named."""

    equation: Equation
    point: Mapping[str, float]
    timeless: bool = False  # whether there is time, and none is named

    @property
    def name(self) -> str:
        """What it is called."""
        return self.equation.name

    @property
    def text(self) -> str:
        """It as written."""
        return self.equation.text

    @property
    def place(self) -> Place:
        """Where it stands in the file."""
        return self.equation.place

    @property
    def formulas(self) -> tuple[Tree, ...]:
        """What it says, in formulas of the unknowns."""
        return (self.equation.left, self.equation.right)


def is_value(tree: Tree) -> bool:
    """Whether a formula is a value at a point, as in p(x=0, y=0)."""
    return isinstance(tree, Call) and bool(tree.keywords) and tree.function not in MATHEMATICAL_NAMES


def read_point(text: Scalar, name: str, sides: tuple[Tree, Tree], facts: Facts, log: Log) -> PointConstraint | None:
    """An equation of values at one point; raises ExpressionError where it is something else."""
    values = [part for side in sides for part in walk(side) if isinstance(part, Call) and is_value(part)]
    timed = any(axis == "t" for value in values for axis, _ in value.keywords)
    reader = _Reader(facts, facts.scope.parameters if timed else (*facts.scope.parameters, "t"), {})
    left, right = (reader.stripped(side) for side in sides)
    equation = equation_of(text, name, (left, right), facts.scope, log)
    inside = {axis: bounds for axis, bounds in facts.box.items() if axis not in reader.free}
    elsewhere = {axis: (low + high) / 2 for axis, (low, high) in inside.items()}  # of which nothing here is a function
    timeless = "t" in facts.box and not timed
    return PointConstraint(equation, elsewhere | reader.point, timeless) if equation else None


@dataclass(frozen=True)
class _Reader:
    """One walk over one equation, collecting the point."""

    facts: Facts
    free: tuple[str, ...]  # the coordinates for all of whose values it holds
    point: dict[str, float]

    def stripped(self, tree: Tree) -> Tree:
        """The formula with each value at a point made a name."""
        match tree:
            case Call() if is_value(tree):
                self.locate(tree)
                return Name(tree.function, tree.column)
            case Call(function=function, arguments=arguments):
                if function not in FUNCTIONS and any(map(is_value, walk(tree))):
                    spelt = f"'{function}' acts on functions, not on a value at a point"
                    raise ExpressionError(f"{spelt}; give {function}(…) a name in `definitions`", tree.column)
                return replace(tree, arguments=tuple(map(self.stripped, arguments)))
            case Negative(argument=argument):
                return replace(tree, argument=self.stripped(argument))
            case Binary(left=left, right=right):
                return replace(tree, left=self.stripped(left), right=self.stripped(right))
            case Vector(components=components):
                return replace(tree, components=tuple(map(self.stripped, components)))
            case Name():
                self.refuse_varying(tree)
        return tree

    def base(self, name: str) -> str:
        """The name without its subscript."""
        values = self.facts.scope.values()
        cut = None if name in values else subscripted(name, values)
        return cut[0] if cut else name

    def axes(self, name: str) -> tuple[str, ...]:
        """The coordinates of which a name is a function, except those for all of whose values the constraint holds."""
        scope = self.facts.scope
        of = scope.fitted.get(self.base(name), scope.coordinates)
        return tuple(axis for axis in of if axis not in self.free)

    def refuse_varying(self, tree: Name) -> None:
        scope = self.facts.scope
        place = tuple(axis for axis in scope.coordinates if axis not in self.free)
        base = self.base(tree.name)
        if base in place:
            raise ExpressionError(f"'{tree.name}' has no value here; write the number", tree.column)
        if self.facts.varying(Name(base), place):
            listed = ", ".join(f"{axis}=…" for axis in self.axes(tree.name))
            raise ExpressionError(f"'{tree.name}' needs a point here: {tree.name}({listed})", tree.column)

    def locate(self, call: Call) -> None:
        axes = self.axes(call.function)
        listed = f"{call.function}({', '.join(f'{axis}=…' for axis in axes)})"
        if call.arguments:
            raise ExpressionError(f"a value at a point names its coordinates: {listed}", call.column)
        given: dict[str, float] = {}
        for axis, tree in call.keywords:
            self.check_axis(axis, axes, call)
            if axis in given:
                raise ExpressionError(f"'{axis}' is given twice", tree.column)
            given[axis] = self.coordinate(axis, tree)
        if missing := [axis for axis in axes if axis not in given]:
            raise ExpressionError(f"the point lacks {' and '.join(missing)}: {listed}", call.column)
        for axis, value in given.items():
            if self.point.setdefault(axis, value) != value:
                both = f"{axis} = {self.point[axis]:g} and {axis} = {value:g}"
                raise ExpressionError(f"all values in a constraint are taken at one point, not at {both}", call.column)

    def check_axis(self, axis: str, axes: tuple[str, ...], call: Call) -> None:
        if axis in self.facts.scope.parameters:
            message = f"'{axis}' is a parameter, and a constraint holds for all its values"
            raise ExpressionError(message, call.column)
        if axis not in axes:
            known = axes if axis not in self.facts.scope.coordinates else ()
            what = f"'{call.function}' is no function of '{axis}'"
            raise ExpressionError(f"{what}{suggestion(axis, known)}", call.column)

    def coordinate(self, axis: str, tree: Tree) -> float:
        value = constant(tree, self.facts.constants)
        low, high = self.facts.box.get(axis, (value, value))
        if not low <= value <= high:
            raise ExpressionError(f"{axis} = {value:g} lies outside [{low:g}, {high:g}]", tree.column)
        return value
