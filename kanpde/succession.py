"""Ramps in one window of time after another: each begins where the one before it ends."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.build import SIDES, assemble, is_linear, scope_of, statements
from kanpde.clock import SHOWN, Clock, State, points_of
from kanpde.evaluation import Ground, as_jet, evaluate
from kanpde.points import draw, rows_at
from kanpde.problem import Block, Problem, Row, needed_derivatives
from kanpde.ramps import BLANK, Fit, Ramps, layout, linear_fit, nonlinear_fit, pulled, ramps_problem, setting
from kanpde.replica import reseeded, richer
from kanpde.search import Aim, search
from kanpde.separation import initial_orders
from kanpde.spec import Spec
from kanpde.tree import Binary, Call, Derivative, Name, Number, Tree
from kanpde.trial import no_unknowns

WINDOWS = 8  # at the start
SHORTEST = 1e-3  # of all time
TOLERANCES = (1e-4, 1e-6, 1e-8, 1e-10)  # relative residuals
DEARER = 1.5  # windows to the next tolerance take at least so many times as long
FIRST, MOST = 400, 1200  # ridges of a window, of all unknowns together
GROWTH = 1.6  # of the ridges of a window that leaves too much
EASY = 0.03  # of the tolerance: a residual after which the next window is longer
LONGER = 1.5  # times
PAUSE = 0.5  # seconds between states, at least
POINTS = 400  # for the losses of a state
STEPS = 4  # of Gauss-Newton from a solution that is there

Span = tuple[float, float]


def follows(spec: Spec) -> bool:
    """Whether a problem can be solved in one window of time after another: by the initial data of its unknowns."""
    if "t" not in spec.box or spec.fitted or spec.data or spec.zones or "t" in spec.periodic or spec.enforce == "hard":
        return False
    if any("t" in getattr(constraint, "point", {}) for constraint in spec.constraints):
        return False
    return len(spec.box) > 1 and any(initial_orders(spec) or ())


def enforced(spec: Spec) -> str:
    """How conditions enter: data on sides are built in, what a window begins with is penalised."""
    return SIDES if spec.enforce == "auto" else spec.enforce


def during(spec: Spec, span: Span) -> Spec:
    """The problem in a window of time."""
    return replace(spec, box={**spec.box, "t": span}, enforce=enforced(spec))


def begun(spec: Spec, span: Span, before: Fit | None) -> Problem:
    """The problem of a window, with two ramps; its initial data are those at the end of the window before, if any."""
    spec = during(spec, span)
    base = ramps_problem(spec, 2)
    if before is None:
        return base
    orders = {row.name: item for _, row, item in statements(spec, scope_of(spec)) if item}
    time = base.trial.scope.coordinates.index("t")
    rows: dict[str, Row] = {}
    values = {}
    for block in base.blocks:
        for row in block.rows if block.face == (time, 0) else ():
            name, datum = orders[row.name]
            field: Tree = Derivative(Name(name), ("t",) * datum.order) if datum.order else Name(name)
            values[row.name] = partial(reached, before, Row(row.name, field))
            rows[row.name] = Row(row.name, Binary("-", field, Call(row.name, ())))
    scope = replace(base.trial.scope, memberships={**base.trial.scope.memberships, **values}, known={})
    blocks = tuple(restated(block, rows) if block.face == (time, 0) else block for block in base.blocks)
    return replace(
        base, trial=replace(base.trial, scope=scope), blocks=blocks, domain=replace(base.domain, scope=scope)
    )


def restated(block: Block, rows: Mapping[str, Row]) -> Block:
    """A block with other rows of the same names."""
    return replace(block, rows=tuple(rows[row.name] for row in block.rows))


def reached(before: Fit, row: Row, points: Tensor) -> Tensor:
    """A formula [N] at points [d, N], with the time in which a window ends."""
    return ended(before, (row,), points)[0]


def ended(before: Fit, rows: tuple[Row, ...], points: Tensor) -> list[Tensor]:
    """Formulas at points, with the time in which a window ends."""
    trial = before.problem.trial
    time, points = trial.scope.coordinates.index("t"), points.clone()
    points[time] = trial.box[time][1]
    block = Block("reached", None, rows, needed_derivatives(trial, rows))
    with torch.no_grad():
        return before.problem.residuals(block, before.theta, Ground(points))


def standing(base: Problem, spec: Spec, shape: Ramps, before: Fit | None) -> Fit:
    """A first guess: the fields stay as they are given at first, or were at the end of the window before."""
    problem, theta, objective, weights = setting(base, spec, shape)
    given = initial_data(spec) if before is None else {}

    def aims(block: Block, points: Tensor) -> list[Tensor]:
        if before is not None:
            return ended(before, block.rows, points)
        return [at_first(spec, given.get(row.name, Number(0.0)), points) for row in block.rows]

    part = pulled(problem, theta, objective, aims)
    return Fit(problem, shape, objective, weights, objective.whole(part), float("inf"), float("inf"))


def initial_data(spec: Spec) -> dict[str, Tree]:
    """The values of the unknowns at the first time."""
    items = [item for _, _, item in statements(spec, scope_of(spec)) if item and "t" == tuple(spec.box)[item[1].axis]]
    return {name: datum.data for name, datum in items if not datum.order}


def at_first(spec: Spec, tree: Tree, points: Tensor) -> Tensor:
    """A formula [N] at points [d, N], with the first time in place of theirs."""
    points, zero = points.clone(), frozenset({(0,) * len(spec.box)})
    points[time_of(spec)] = spec.box["t"][0]
    ground = Ground(points)
    return torch.as_tensor(as_jet(evaluate(tree, zero, scope_of(spec), ground, no_unknowns), zero, ground).value)


def fitted(base: Problem, spec: Spec, shape: Ramps, near: Fit | None, before: Fit | None, clock: Clock) -> Fit:
    """The window's solution on some ramps, from another one of it, or from the end of the window before."""
    if base.linear:
        return linear_fit(base, spec, shape, near, clock.journal)
    if near is None:
        near = standing(base, spec, shape, before)
    return nonlinear_fit(base, spec, shape, near, clock.journal)


@dataclass(frozen=True)
class Pace:
    """What a window begins to be solved with: its length, and the ramps."""

    length: float
    shape: Ramps | None = None


def windows(spec: Spec, tolerance: float, pace: Pace, clock: Clock) -> Iterator[Fit]:
    """Window after window, of lengths and on ramps that leave relative residuals below the tolerance.

    Ends early where no window is short enough, or when the time is over.
    """
    start, high = spec.box["t"]
    shortest, before = SHORTEST * (high - start), None
    while start < high and clock.left() > 0:
        end = high if high - start <= 1.2 * pace.length else start + pace.length
        fit = solved(spec, (start, end), before, pace.shape, tolerance, clock)
        if fit.held_out > tolerance:
            pace = Pace((end - start) / 2, shortened(fit.ramps, time_of(spec)) if fit.held_out < 1 else pace.shape)
            if pace.length < shortest:
                return
            continue
        length = (end - start) * (LONGER if fit.held_out < EASY * tolerance else 1.0)
        before, start, pace = fit, end, Pace(max(length, pace.length if end >= high else 0.0), fit.ramps)
        yield fit


def shortened(shape: Ramps, time: int) -> Ramps:
    """Ramps for a window of half the length: half as steep in time, and as many waves in all."""
    more = 2 ** (1 / (len(shape.slopes) - 1))
    return replace(shape, slopes=tuple(s / 2 if k == time else s * more for k, s in enumerate(shape.slopes)))


def solved(spec: Spec, span: Span, before: Fit | None, shape: Ramps | None, tolerance: float, clock: Clock) -> Fit:
    """A window's solution: on ramps of a shape that served, on more of them, or on those that a search finds."""
    base, here, dimensions = begun(spec, span, before), during(spec, span), len(spec.box)
    least, most = spec.network.width or FIRST, spec.network.width or max(FIRST, MOST // len(spec.unknowns))
    best = None
    while shape is not None:
        found = fitted(base, here, shape, best, before, clock)
        best = found if best is None or found.held_out < best.held_out else best
        if best.held_out <= tolerance or shape.width >= most or clock.left() <= 0:
            return best
        width = min(int(GROWTH * shape.width), most)
        steeper = (width / shape.width) ** (1 / dimensions)
        shape = Ramps(width, tuple(steeper * slope for slope in shape.slopes))

    def attempt(ramps: Ramps, near: Fit | None) -> Fit:
        return fitted(base, here, ramps, near, before, clock)

    aim = Aim(first=least, last=most, enough=tolerance, pace=4.0)
    for candidate in search(attempt, dimensions, aim, clock):
        best = candidate.fit
    assert best is not None
    return best


def windowed(spec: Spec, clock: Clock) -> Iterator[State]:
    """Windows of time to smaller and smaller tolerances; while one goes on, the last complete one stands."""
    low, high = spec.box["t"]
    complete, pace, shown = None, Pace((high - low) / WINDOWS), clock.elapsed()
    for tolerance in TOLERANCES:
        begun, found = clock.elapsed(), []
        for fit in windows(spec, tolerance, pace, clock):
            found.append(fit)
            if complete is not None and clock.elapsed() - shown > PAUSE:
                shown = clock.elapsed()
                yield replace(complete, stage=f"windows to {tolerance:g}, t = {last(found):.3g}")
        if not found or last(found) < high:
            return
        complete = state_of(spec, found, f"windows of time to {tolerance:g}")
        yield complete
        if clock.left() < DEARER * (clock.elapsed() - begun):
            return
        pace = Pace(last(found[:1]) - low, found[0].ramps)


def time_of(spec: Spec) -> int:
    """The axis of time."""
    return tuple(spec.box).index("t")


def last(found: Sequence[Fit]) -> float:
    """The time at which the last window ends."""
    trial = found[-1].problem.trial
    return trial.box[trial.scope.coordinates.index("t")][1]


def joined(spec: Spec, found: Sequence[Fit]) -> tuple[Problem, Tensor]:
    """One problem over all time, whose networks count in their windows only."""
    networks = [(branch.network, branch.unknowns) for fit in found for branch in fit.problem.trial.branches]
    whole = assemble(replace(spec, enforce=enforced(spec)), networks)
    time = time_of(spec)
    spans = [fit.problem.trial.box[time] for fit in found for _ in fit.problem.trial.branches]
    return replace(whole, trial=whole.trial.spanned(spans)), torch.cat([fit.theta for fit in found])


def state_of(spec: Spec, found: Sequence[Fit], stage: str) -> State:
    """All windows as a state of the training, its loss that at fixed points."""
    problem, theta = joined(spec, found)
    weights = {row.name: 1.0 for block in problem.blocks for row in block.rows}
    losses = losses_of(problem, theta)
    widths = [fit.ramps.width for fit in found]
    note = f"{len(found)} windows of time, in each {layout(found[0].problem)}"
    if min(widths) < max(widths):
        note = f"{note.replace(str(widths[0]), f'{min(widths)} to {max(widths)}', 1)}"
    return State(
        problem, theta, stage, sum(losses.values()), lambda: losses, weights, enforced(spec), note,
        replicas=partial(replicas, spec, found), settled=True, points=partial(points, found),
    )  # fmt: skip


def points(found: Sequence[Fit]) -> Mapping[str, Tensor]:
    """Some of the points of all windows, by their blocks."""
    every = [points_of(fit.objective)() for fit in found]
    names = dict.fromkeys(name for one in every for name in one)
    whole = {name: torch.cat([one[name] for one in every if name in one], dim=1) for name in names}
    return {name: rows[:, :: -(-rows.shape[1] // SHOWN)] for name, rows in whole.items()}


def losses_of(problem: Problem, theta: Tensor) -> Mapping[str, float]:
    """Each row's mean square at fixed points."""
    generator, found = torch.Generator().manual_seed(7), {}
    for block in problem.blocks:
        for row, values in zip(block.rows, rows_at(problem, block, theta, draw(problem, block, POINTS, generator))):
            found[row.name] = float(values.square().mean())
    return found


def replicas(spec: Spec, found: Sequence[Fit]) -> Iterator[tuple[Problem, Tensor]]:
    """The same windows once more, on more and other ramps."""
    other, again = reseeded(spec), []
    time = time_of(spec)
    for fit in found:
        span = fit.problem.trial.box[time]
        base, here = begun(spec, span, again[-1] if again else None), during(other, span)
        if is_linear(spec):
            again.append(linear_fit(base, here, richer(fit.ramps)))
        else:
            again.append(nonlinear_fit(base, here, richer(fit.ramps), fit, BLANK, STEPS))
    yield joined(spec, again)
