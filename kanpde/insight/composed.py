"""The functions on a network's edges put together to one formula for each of its unknowns."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import reduce
from typing import Callable, Mapping, Sequence

import numpy as np

from kanpde.insight.edgewise import EdgeFit, ReadNetwork
from kanpde.insight.formula import PREFIX, Formula, call, constant, power, product, replaced, total
from kanpde.matching import POLYNOMIALS, Fit
from kanpde.tree import Binary, Name, Number, Tree, walk
from kanpde.trial import Datum, Trial, hermite

SMALL = 1e-6  # of a curve's range: a term that adds no more is left out
MOST = 40  # constants
Term = tuple[float, Tree, float]  # a factor, what it multiplies, and about how much it adds

CALLS: Mapping[str, Callable[[Tree], Tree]] = {
    "abs": lambda s: call("abs", s),
    "exp": lambda s: call("exp", s),
    "sin": lambda s: call("sin", s),
    "tanh": lambda s: call("tanh", s),
    "gaussian": lambda s: call("exp", Binary("*", Number(-1.0), power(s, 2))),
}


@dataclass(frozen=True)
class Sum:
    """What a node gives: factor · tree + offset, with the tree of size 1 or so, so that no constant stands twice."""

    tree: Tree
    factor: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True)
class Composer:
    """Trees that share one list of constants."""

    values: list[float] = field(default_factory=list)

    def new(self, value: float) -> Tree:
        """A constant."""
        self.values.append(float(value))
        return constant(len(self.values) - 1)

    def through(self, node: Sum, row: EdgeFit) -> tuple[list[Term], float]:
        """The terms of an edge's function of a node, and what is constant in it."""
        fit, curve = row.fit, row.edge.curve
        span = float(np.ptp(curve[1])) or 1.0
        if not node.factor or fit.name == "constant":
            return [], float(fit.at(np.array(node.offset if not node.factor else curve[0].mean())))
        if fit.name in POLYNOMIALS:
            return self.expanded(node, fit, float(np.abs((curve[0] - node.offset) / node.factor).max()), span)
        a, b, c, d = fit.constants
        b, c = b * node.factor, b * node.offset + c
        if fit.name == "exp":
            a, c = a * float(np.exp(c)), 0.0
        if fit.name == "abs":
            a, b, c = a * abs(b), 1.0, c / b
        inner = node.tree if b == 1 else Binary("*", self.new(b), node.tree)
        inner = Binary("+", inner, self.new(c)) if abs(c) > SMALL else inner
        return [(a, CALLS[fit.name](inner), span)], d

    def expanded(self, node: Sum, fit: Fit, reach: float, span: float) -> tuple[list[Term], float]:
        """A polynomial of a node in powers of its tree."""
        *rest, offset = np.poly1d(fit.constants)(np.poly1d([node.factor, node.offset])).coefficients.tolist() or [0.0]
        terms = [(c, power(node.tree, k), abs(c) * reach**k) for k, c in zip(range(len(rest), 0, -1), rest)]
        return [term for term in terms if term[2] > SMALL * span], offset

    def added(self, parts: Sequence[tuple[list[Term], float]]) -> Sum:
        """A node: the terms of all edges that lead to it, the largest with factor 1."""
        terms, offset = [term for own, _ in parts for term in own], sum(own for _, own in parts)
        if not terms:
            return Sum(Number(0.0), 0.0, offset)
        largest = max(terms, key=lambda term: term[2])
        others = [product([self.new(t[0] / largest[0]), t[1]]) for t in terms if t is not largest]
        return Sum(total([largest[1], *others]), largest[0], offset)

    def whole(self, parts: Sequence[tuple[list[Term], float]]) -> Tree:
        """An unknown: all terms with their factors and one constant."""
        terms, offset = [term for own, _ in parts for term in own], sum(own for _, own in parts)
        found = [product([self.new(factor), tree]) for factor, tree, _ in terms]
        size = max((term[2] for term in terms), default=0.0)
        return total([*found, self.new(offset)] if abs(offset) > SMALL * size or not found else found)


def composed(network: ReadNetwork, trial: Trial) -> dict[str, Formula]:
    """The formulas of a network's unknowns; none where they are too long, or what is built in has no short formula."""
    graph, found = network.graph, {}
    for place, name in enumerate(network.branch.unknowns):
        composer = Composer()
        nodes = [Sum(Name(coordinate)) for coordinate in graph.coordinates]
        count = len(graph.columns) - 1
        for number in range(1, count + 1):
            rows = [row for row in network.edges if row.edge.layer == number]
            last = number == count
            targets = [place] if last else range(len(graph.columns[number]))
            parts = [[composer.through(nodes[r.edge.source], r) for r in rows if r.edge.target == o] for o in targets]
            if last:
                tree = composer.whole(parts[0])
            else:
                nodes = [composer.added(own) for own in parts]
        whole = constrained(trial, name, tree)
        if whole is not None and len((formula := used(whole, composer.values)).values) <= MOST:
            found[name] = formula
    return found


def used(tree: Tree, values: Sequence[float]) -> Formula:
    """A formula with those constants only that are in it."""
    names = {part.name for part in walk(tree) if isinstance(part, Name) and part.name.startswith(PREFIX)}
    numbers = sorted(int(name.removeprefix(PREFIX)) for name in names)
    given = {f"{PREFIX}{old}": constant(new) for new, old in enumerate(numbers)}
    return Formula(replaced(tree, given), tuple(values[k] for k in numbers))


def constrained(trial: Trial, name: str, tree: Tree) -> Tree | None:
    """An unknown from its network's output: what is built in, and the distance times it, as `Trial` has them."""
    data = trial.built_in.get(name, ())
    if not data:
        return tree
    if trial.vanishing or any(d.order for d in data) and len({d.axis for d in data if not d.met}) > 1:
        return None
    parts = [factor for axis in sorted({d.axis for d in data}) for factor in distance(trial, data, axis)]
    known = lift(trial, [d for d in data if not d.met])
    away = product([*parts, tree])
    return away if known is None else Binary("+", known, away)


def unit(trial: Trial, axis: int) -> Tree:
    """A coordinate mapped to [0, 1]."""
    (low, high), name = trial.box[axis], Name(trial.scope.coordinates[axis])
    since = Binary("-", name, Number(low)) if low else name
    return Binary("/", since, Number(high - low)) if high - low != 1 else since


def distance(trial: Trial, data: Sequence[Datum], axis: int) -> list[Tree]:
    """The factors of the distance to the sides of one coordinate."""
    least, greatest = (sum(d.axis == axis and d.side == side for d in data) for side in (0, 1))
    top = (least + greatest) ** (least + greatest) / (least**least * greatest**greatest)
    z = unit(trial, axis)
    return [Number(float(top)), power(z, least), power(Binary("-", Number(1.0), z), greatest)]


def lift(trial: Trial, data: Sequence[Datum]) -> Tree | None:
    """The function that fulfils data of values, one axis after another; nothing where it is 0."""
    axes = sorted({d.axis for d in data})
    if not axes:
        return None
    axis, length = axes[-1], trial.box[axes[-1]][1] - trial.box[axes[-1]][0]
    here, found = [d for d in data if d.axis == axis], lift(trial, [d for d in data if d.axis != axis])
    terms = [] if found is None else [found]
    for datum, weights in zip(here, hermite(tuple((d.side, d.order) for d in here))):
        end = {trial.scope.coordinates[axis]: Number(trial.box[axis][datum.side])}
        gap = replaced(inlined(trial, datum.data), end)
        gap = gap if found is None else Binary("-", gap, replaced(found, end))
        if isinstance(gap, Number) and not gap.value:
            continue
        scaled = [round(weight * length**datum.order, 12) for weight in weights]
        blend = [product([Number(w), power(unit(trial, axis), k)]) for k, w in enumerate(scaled) if w]
        terms.append(product([total(blend), gap]))
    return reduce(lambda a, b: Binary("+", a, b), terms) if terms else None


def inlined(trial: Trial, tree: Tree) -> Tree:
    """A tree with definitions written out."""
    names = {name: inlined(trial, own) for name, own in trial.scope.definitions.items()}
    return replaced(tree, names)
