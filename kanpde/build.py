"""From a spec to a problem: formulas in partial derivatives, conditions built in where they can be."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from math import prod
from typing import Hashable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.analysis import degree_in_unknowns, survey
from kanpde.domain import Domain, Inside, Joined, Where
from kanpde.errors import Mistake, SpecError
from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.expression import Binary, Derivative, Name, Negative, Tree
from kanpde.extras import branch_of, constrained, measured, missing
from kanpde.jet import Indices, raised
from kanpde.network import Network
from kanpde.operators import expand
from kanpde.problem import Block, Problem, Row, needed_derivatives
from kanpde.regional import difference, fields_of, memberships, scene_of, sides_of, zones_of
from kanpde.samplers import place, uniform
from kanpde.separable import ProductLayer
from kanpde.spec import Condition, Spec
from kanpde.statement import Piece
from kanpde.trial import Datum, Trial, no_unknowns
from kanpde.waves import WaveLayer

SIDES = "sides"  # the `enforce` of a march in time: data on sides are built in, initial data are not
FEW, MANY = 64, 4096  # points at which to try whether data agree
PLAIN_LIFT = 27  # terms not worth saving
LARGEST_LIFT = 243  # terms of the sum that fulfils the data: a factor three for each coordinate with two sides
SINGLY = 4  # sides of one shape with the same conditions, up to which each is a place of its own
SMOOTH = 3  # derivatives in which the ends of a periodic coordinate must agree

Statement = tuple[Condition, Row, "tuple[str, Datum] | None"]


def scope_of(spec: Spec) -> Scope:
    """What the names of the spec's formulas mean."""
    scene = scene_of(spec)
    bodies = {name: expand(tree, scene) for name, tree in scene.definitions.items()}
    return Scope(tuple(spec.box), (*fields_of(spec), *spec.fitted), bodies, memberships(spec))


def spatial(spec: Spec) -> tuple[str, ...]:
    """The coordinates other than time."""
    return spec.spatial


def statements(spec: Spec, scope: Scope) -> list[Statement]:
    """Each condition as a residual and, where it prescribes a value or a normal derivative, as a datum."""
    found = []
    for condition in (*spec.initial, *spec.boundary):
        left, right = sides_of(spec, condition.equation, condition)
        row = Row(condition.name, Binary("-", left, right))
        found.append((condition, row, datum(condition, left, right, scope)))
    return found


def datum(condition: Condition, left: Tree, right: Tree, scope: Scope) -> tuple[str, Datum] | None:
    """The unknown and the value or normal derivative that a condition prescribes, if that is what it does."""
    if isinstance(condition.face, Piece):
        return None
    if not scope.free_of_unknowns(right):
        left, right = right, left
    if not scope.free_of_unknowns(right):
        return None
    if isinstance(left, Negative):
        left, right = left.argument, Negative(right)
    axes: tuple[str, ...] = ()
    if isinstance(left, Derivative):
        left, axes = left.argument, left.axes
    if not isinstance(left, Name) or left.name not in scope.unknowns or set(axes) - {condition.face.axis}:
        return None
    axis = scope.coordinates.index(condition.face.axis)
    return left.name, Datum(axis, int(condition.face.side == "max"), len(axes), right)


def built_in(spec: Spec, scope: Scope, found: Sequence[Statement]) -> dict[str, tuple[Datum, ...]]:
    """The data that go into the trial solution: every order from 0 on a side, and agreeing where sides meet.

    Raises SpecError where `enforce: hard` asks for more than can be.
    """
    if spec.enforce == "soft":
        return {}
    chosen = {name: data for name in spec.unknowns if (data := agreeing(name, spec, scope, found))}
    if spec.enforce == "hard":
        refuse_the_rest(found, chosen)
    return chosen


def agreeing(name: str, spec: Spec, scope: Scope, found: Sequence[Statement]) -> tuple[Datum, ...]:
    """The data on an unknown to build in together: all, those in space, or as many as agree, low orders first."""
    data = tuple(item[1] for _, _, item in found if item and item[0] == name)
    usable = tuple(d for d in data if gapless(d, data))
    whole = within_reach(usable, scope, spec)
    space = within_reach(tuple(d for d in usable if scope.coordinates[d.axis] != "t"), scope, spec)
    for candidate in (space,) if spec.enforce == SIDES else (whole, space):
        if candidate and consistent(candidate, scope, spec) and winds(candidate, scope, spec):
            return candidate
    chosen: tuple[Datum, ...] = ()
    for datum in sorted(space, key=lambda d: d.order):
        more = (*chosen, datum)
        if gapless(datum, more) and consistent(more, scope, spec) and winds(more, scope, spec):
            chosen = more
    return chosen


def within_reach(data: tuple[Datum, ...], scope: Scope, spec: Spec) -> tuple[Datum, ...]:
    """As many data as can be fulfilled together: the work grows exponentially with the coordinates.

    Where it is much, data that the lift of those before fulfils already, as it does functions of fewer coordinates,
    are marked as met and cost nothing.
    """
    if terms(data) <= PLAIN_LIFT:
        return data
    kept: tuple[Datum, ...] = ()
    for axis in sorted({d.axis for d in data}):
        here = tuple(replace(d, met=False) for d in data if d.axis == axis)
        if all(fulfilled(d, kept, scope, spec, MANY, 1e-13) for d in here):
            here = tuple(replace(d, met=True) for d in here)
        if terms((*kept, *here)) <= LARGEST_LIFT:
            kept += here
    return kept


def terms(data: Sequence[Datum]) -> int:
    """The number of terms of a lift."""
    return prod(1 + count for count in Counter(d.axis for d in data if not d.met).values())


def gapless(datum: Datum, data: Sequence[Datum]) -> bool:
    """Whether all lower orders are prescribed on the same side."""
    below = {d.order for d in data if (d.axis, d.side) == (datum.axis, datum.side)}
    return set(range(datum.order)) <= below


def refuse_the_rest(found: Sequence[Statement], chosen: Mapping[str, tuple[Datum, ...]]) -> None:
    """With `enforce: hard`, every condition must be built in."""
    why = "cannot be built into the trial solution exactly; write 'enforce: auto' to have it penalised"
    left = [c for c, _, item in found if item is None or item[1] not in chosen.get(item[0], ())]
    if left:
        raise SpecError(Mistake(c.equation.place, c.name, why) for c in left)


def random_points(box: Sequence[tuple[float, float]], axis: int, value: float, count: int = FEW) -> Tensor:
    """Points [d, N] of the box with one coordinate held fixed."""
    points = place(uniform(len(box), count, torch.Generator().manual_seed(1)), box, None)
    points[axis] = value
    return points


def consistent(data: tuple[Datum, ...], scope: Scope, spec: Spec) -> bool:
    """Whether the lift of the data fulfils each of them, which it does where they agree at edges and corners."""
    return all(fulfilled(datum, data, scope, spec) for datum in data)


def fulfilled(
    datum: Datum, data: Sequence[Datum], scope: Scope, spec: Spec, points: int = FEW, tolerance: float = 1e-9
) -> bool:
    """Whether the lift of some data fulfils a datum."""
    box, zero = tuple(spec.box.values()), (0,) * len(spec.box)
    ground = Ground(random_points(box, datum.axis, box[datum.axis][datum.side], points))
    asked = as_jet(evaluate(datum.data, frozenset({zero}), scope, ground, no_unknowns), frozenset({zero}), ground).value
    indices: Indices = frozenset(raised(zero, datum.axis, k) for k in range(datum.order + 1))
    reached = Trial(scope, box, (), (), {}).lift(data, ground, indices)[raised(zero, datum.axis, datum.order)]
    return alike(torch.as_tensor(reached), torch.as_tensor(asked), tolerance)


def winds(data: tuple[Datum, ...], scope: Scope, spec: Spec) -> bool:
    """Whether the lift of the data is smooth across every periodic end: value and three derivatives."""
    box, zero = tuple(spec.box.values()), (0,) * len(spec.box)
    trial = Trial(scope, box, (), (), {})
    for name in spec.periodic:
        axis = scope.coordinates.index(name)
        indices = frozenset(raised(zero, axis, k) for k in range(SMOOTH + 1))
        ends = [trial.lift(data, Ground(random_points(box, axis, value)), indices) for value in box[axis]]
        if not all(alike(*(torch.as_tensor(end[alpha]) for end in ends)) for alpha in indices):
            return False
    return True


def alike(first: Tensor, second: Tensor, tolerance: float = 1e-9) -> bool:
    """Whether two sets of values agree to rounding."""
    return bool((first - second).abs().max() <= tolerance * (1 + second.abs().max()))


def assemble(spec: Spec, networks: Sequence[tuple[Network, tuple[str, ...]]]) -> Problem:
    """The problem with the given networks and the unknowns each of them gives."""
    scope = scope_of(spec)
    found = statements(spec, scope)
    hard = built_in(spec, scope, found)
    periodic = tuple(tuple(spec.box).index(name) for name in spec.periodic)
    branches = (*(branch_of(spec, *pair) for pair in networks), *missing(spec, networks))
    vanishing = all(isinstance(layer, (ProductLayer, WaveLayer)) for network, _ in networks for layer in network.layers)
    trial = Trial(scope, tuple(spec.box.values()), periodic, branches, hard, vanishing)
    blocks = []
    for zone in zones_of(spec):
        rows = tuple(Row(e.name, difference(spec, e)) for e in spec.equations if e.zone == zone)
        name, place = (f"interior of {zone}", Inside(zone)) if zone else ("interior", None)
        blocks.append(Block(name, place, rows, needed_derivatives(trial, rows)))
    soft: dict[str, list[tuple[Condition, Row]]] = {}
    for condition, row, item in found:
        if not (item and item[1] in hard.get(item[0], ())):
            soft.setdefault(str(condition.face), []).append((condition, row))
    for name, spot, rows_here in joined(spec, soft):
        blocks.append(Block(name, spot, rows_here, needed_derivatives(trial, rows_here)))
    for name, spot, rows_here in (*constrained(spec, scene_of(spec)), *measured(spec)):
        blocks.append(Block(name, spot, rows_here, needed_derivatives(trial, rows_here)))
    return Problem(trial, tuple(blocks), is_linear(spec), domain_of(spec, scope), spec.training.derivatives)


def joined(
    spec: Spec, soft: Mapping[str, Sequence[tuple[Condition, Row]]]
) -> Iterator[tuple[str, Where, tuple[Row, ...]]]:
    """The places of conditions with their names and rows; many sides of one shape with the same rows are one place."""
    alike: dict[Hashable, list[str]] = {}
    for name, pairs in soft.items():
        face = pairs[0][0].face
        whole = isinstance(face, Piece) and face == Piece(name, face.shape, face.part)
        alike.setdefault((face.shape, *(row.formula for _, row in pairs)) if whole else name, []).append(name)
    for names in alike.values():
        first, pairs = names[0], soft[names[0]]
        if len(names) <= SINGLY:
            for name in names:
                yield name, where(spec, soft[name][0][0]), tuple(row for _, row in soft[name])
            continue
        name = f"{first} and {len(names) - 1} more"
        pieces = tuple(soft[other][0][0].face for other in names)
        yield name, Joined(pieces), tuple(Row(name + row.name.removeprefix(first), row.formula) for _, row in pairs)


def where(spec: Spec, condition: Condition) -> Where:
    """The place of a condition."""
    face = condition.face
    return face if isinstance(face, Piece) else (tuple(spec.box).index(face.axis), int(face.side == "max"))


def domain_of(spec: Spec, scope: Scope) -> Domain:
    """Where the problem holds."""
    return Domain(scope, tuple(spec.box.values()), spec.region, spec.zones)


def is_linear(spec: Spec) -> bool:
    """Whether every equation, condition and constraint is affine in the unknowns and what is fitted."""
    facts = survey(spec.definitions, spec.unknowns, spatial(spec), spec.fitted)
    equations = [*spec.equations, *(c.equation for c in (*spec.initial, *spec.boundary))]
    formulas = [side for equation in equations for side in (equation.left, equation.right)]
    formulas += [formula for constraint in spec.constraints for formula in constraint.formulas]
    return all(degree_in_unknowns(formula, facts) <= 1 for formula in formulas)
