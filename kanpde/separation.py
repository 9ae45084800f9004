"""Separable networks as a stream of states: marched in time or refined on a rectangle, to tolerance after tolerance."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Callable, Iterator, Mapping

import torch
from torch import Tensor

from kanpde.build import SIDES, assemble, scope_of, statements
from kanpde.clock import SHOWN, Clock, State
from kanpde.dispersion import dispersion
from kanpde.errors import KanpdeError
from kanpde.evaluation import Ground
from kanpde.intervals import gauss_points, per_interval, with_middles
from kanpde.marching import March, joined, polynomials, windows
from kanpde.network import Network
from kanpde.patch import EMPHASIS, Patch
from kanpde.points import draw, rows_at
from kanpde.problem import Problem
from kanpde.resplined import in_other_windows, on_other_splines
from kanpde.separable import ProductLayer
from kanpde.spec import Spec
from kanpde.splines import Spline
from kanpde.steady import refinements

DEGREE = 9
START = {"march": 16, "steady": 6}  # intervals
TOLERANCES = (1e-4, 1e-7, 1e-10, 1e-12)  # relative to the size of the unknowns
AMONG_WAVES = (1e-4, 1e-6, 1e-7, 1e-8, 1e-9, 1e-10, 1e-11, 1e-12)  # each is much dearer than the one before
DEARER = 1.5  # a march to the next tolerance takes at least so many times as long
PAUSE = 0.5  # seconds between states, at least
POINTS = 400  # for the losses of a state


def initial_orders(spec: Spec) -> tuple[int, ...] | None:
    """How many time derivatives of each unknown the initial conditions prescribe; None where they do anything else."""
    found: dict[str, set[int]] = {name: set() for name in spec.unknowns}
    for condition, _, item in statements(spec, scope_of(spec)):
        if getattr(condition.face, "axis", "") == "t":
            if item is None or condition.face.side != "min":
                return None
            found[item[0]].add(item[1].order)
    counts = tuple(map(len, found.values()))
    return counts if all(orders == set(range(n)) for orders, n in zip(found.values(), counts)) else None


def obstacle(spec: Spec) -> str:
    """What keeps separable networks from a problem; nothing on a rectangle, from initial data if one axis is time."""
    given = initial_orders(spec) if "t" in spec.box and spec.region is None else (1,)
    reasons = {
        "they fill boxes, and the domain is made of shapes": spec.region is not None,
        "they know no parameters, constraints or measurements": bool(
            spec.parameters or spec.constraints or spec.data or spec.fitted
        ),
        f"two coordinates are needed, not {len(spec.box)}": len(spec.box) != 2,
        f"training.precision must be float64, not {spec.training.precision}": spec.training.precision != "float64",
        f"training.derivatives must be taylor, not {spec.training.derivatives}": spec.training.derivatives != "taylor",
        "time must not be periodic": "t" in spec.periodic,
        "the first time needs values of an unknown, and of its derivatives from the first on": not any(given or ()),
        "initial data are not built in, as 'enforce: hard' demands": "t" in spec.box and spec.enforce == "hard",
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def separates(spec: Spec) -> bool:
    """Whether separable networks can solve the problem."""
    return not obstacle(spec)


def refuse(spec: Spec) -> None:
    """Raises KanpdeError for a problem that is not for separable networks."""
    if reason := obstacle(spec):
        raise KanpdeError(f"network.basis: separable: {reason}")


def separated(spec: Spec, clock: Clock) -> Iterator[State]:
    """States of separable networks, each better than the one before; none where the iteration does not settle.

    Their systems are narrow bands, solved on the processor whatever device is asked for. Raises KanpdeError for a
    problem that is not for them.
    """
    refuse(spec)
    here = replace(spec, training=replace(spec.training, device="cpu"))
    for state in (marched if "t" in spec.box else refined)(here, clock):
        yield state if here == spec else replace(state, note=f"{state.note}, on the processor")


def spline_of(spec: Spec, name: str, intervals: int) -> Spline:
    """Evenly spaced splines of one coordinate."""
    degree = spec.network.degree or DEGREE
    breaks = torch.linspace(-1, 1, (spec.network.grid or intervals) + 1, dtype=torch.float64)
    return Spline(degree, breaks, degree - 1, name in spec.periodic)


def enforced(spec: Spec) -> str:
    """How conditions enter: a march fits its initial data before it starts."""
    return SIDES if "t" in spec.box and spec.enforce == "auto" else spec.enforce


def first_patch(spec: Spec) -> Patch:
    """Coarse splines with no coefficients yet, in time on a first window."""
    names, count = tuple(spec.box), len(spec.unknowns)
    marches = "t" in names
    axis = 1 - names.index("t") if marches else 0
    along = spline_of(spec, names[axis], START["march" if marches else "steady"])
    across = polynomials() if marches else spline_of(spec, names[1 - axis], START["steady"])
    layer = ProductLayer((along, across) if axis == 0 else (across, along), count)
    problem = assemble(replace(spec, enforce=enforced(spec)), [(Network((layer,)), spec.unknowns)])
    blank = torch.zeros(along.size, across.size, count, dtype=torch.float64)
    return Patch(problem, problem.trial.box, axis, along, across, blank)


def marched(spec: Spec, clock: Clock) -> Iterator[State]:
    """The march in time to smaller and smaller tolerances; while one goes on, the last complete one stands."""
    given, patch = initial_orders(spec), first_patch(spec)
    assert given is not None
    sent, complete = dispersion(spec, patch.problem, 1 - patch.axis) if set(given) == {1} else None, None
    for tolerance in AMONG_WAVES if sent else TOLERANCES:
        beside = sent if sent and sent.strength > tolerance else None
        march, begun = March(patch.problem, 1 - patch.axis, given, tolerance, beside), clock.elapsed()
        found: list[Patch] = []
        for part in passed(march, patch.along, clock, found):
            stage = f"march to {tolerance:g}, t = {march.reached(part):.3g}"
            first = None if complete else state_of(*joined(march, part), stage, spec)
            replicas = partial(in_other_windows, march, tuple(part))
            yield replace(first, replicas=replicas) if first else replace(complete, stage=stage)  # type: ignore[type-var]
        whole = bool(found) and march.reached(found) >= march.ends[1]
        if found and (whole or complete is None):
            complete = replace(
                state_of(*joined(march, found), f"march to {tolerance:g}", spec),
                replicas=partial(in_other_windows, march, found),
            )
        if complete is not None:
            yield replace(complete, settled=True)
        if not whole or clock.left() < DEARER * (clock.elapsed() - begun):
            return


def passed(march: March, space: Spline, clock: Clock, found: list[Patch]) -> Iterator[list[Patch]]:
    """Append window after window to `found`, and hand it out every now and then."""
    shown = clock.elapsed()
    for window, _ in windows(march, space, clock):
        found.append(window)
        if clock.left() <= 0:
            return
        if clock.elapsed() - shown > PAUSE:
            shown = clock.elapsed()
            yield found


def refined(spec: Spec, clock: Clock) -> Iterator[State]:
    """Finer and finer splines on the rectangle, as long as the next are likely to fit into the time."""
    before = clock.elapsed()
    for patch, _ in refinements(first_patch(spec), TOLERANCES[-1], clock):
        state = state_of(patch.placed, patch.theta, "splines, Gauss-Newton", spec)
        yield replace(state, replicas=partial(on_other_splines, patch), settled=True)
        took, before = clock.elapsed() - before, clock.elapsed()
        if clock.left() < 2 * took:
            return


def reached(spec: Spec, tolerance: float, clock: Clock) -> tuple[Problem, Tensor] | None:
    """A separable solution to a tolerance; None where the iteration does not settle, or not in time."""
    patch = first_patch(spec)
    if "t" not in spec.box:
        finest = None
        for finer, _ in refinements(patch, tolerance, clock):
            if clock.left() <= 0:
                return None
            finest = finer
        return finest and (finest.placed, finest.theta)
    march = March(patch.problem, 1 - patch.axis, initial_orders(spec) or (), tolerance)
    found = [window for window, _ in windows(march, patch.along, clock)]
    return joined(march, found) if found and march.reached(found) >= march.ends[1] else None


def state_of(problem: Problem, theta: Tensor, stage: str, spec: Spec) -> State:
    """A separable solution as a state of the training, its loss that between the points it was fitted at."""
    weights = {row.name: 1.0 if b.face is None else EMPHASIS for b in problem.blocks for row in b.rows}
    losses = losses_of(problem, theta)
    loss = sum(weights[name] ** 2 * mean for name, mean in losses().items())
    return State(
        problem, theta, stage, loss, losses, weights, enforced(spec), described(problem),
        points=partial(points, problem),
    )  # fmt: skip


def points(problem: Problem) -> Mapping[str, Tensor]:
    """Some of the points at which splines are fitted: Gauss points of the cells, and on the sides of the rectangle."""
    generator, found = torch.Generator().manual_seed(7), {}
    lines = [along.flatten() for along in map(gauss_line, axes_of(problem), problem.trial.box)]
    for block in problem.blocks:
        axis, end = block.face if isinstance(block.face, tuple) else (None, 0)
        found[block.name] = torch.stack([
            torch.full((SHOWN,), problem.trial.box[number][end], dtype=line.dtype) if number == axis
            else line[torch.randint(len(line), (SHOWN,), generator=generator)]
            for number, line in enumerate(lines)
        ])  # fmt: skip
    return found


def gauss_line(axis: Spline, ends: tuple[float, float]) -> Tensor:
    """The Gauss points along one coordinate."""
    (low, high), breaks = ends, with_middles(axis)
    shares = (breaks - breaks[0]) / (breaks[-1] - breaks[0])
    return gauss_points(low + shares * (high - low), per_interval(axis))[0].flatten()


def losses_of(problem: Problem, theta: Tensor) -> Callable[[], Mapping[str, float]]:
    """Each row's mean square at fixed points, inside as many in each cell, computed when asked for."""

    def losses() -> Mapping[str, float]:
        generator, found = torch.Generator().manual_seed(7), {}
        for block in problem.blocks:
            ground, shares = draw(problem, block, POINTS, generator), torch.ones(())
            if block.face is None:
                ground, shares = by_cells(problem, ground.points)
            for row, values in zip(block.rows, rows_at(problem, block, theta, ground)):
                found[row.name] = float((shares * values.square()).mean())
        return found

    return losses


def by_cells(problem: Problem, points: Tensor) -> tuple[Ground, Tensor]:
    """Even points [d, N] moved so that each cell has as many, and the sizes [N] of what they then stand for."""
    moved, shares = [], torch.ones_like(points[0])
    for x, (low, high), axis in zip(points, problem.trial.box, axes_of(problem)):
        counted = (x - low) / (high - low) * axis.intervals
        cell = counted.long().clamp_max(axis.intervals - 1)
        lengths = axis.breaks.diff()[cell] / (axis.breaks[-1] - axis.breaks[0])
        start = (axis.breaks[cell] - axis.breaks[0]) / (axis.breaks[-1] - axis.breaks[0])
        moved.append(low + (start + (counted - cell) * lengths) * (high - low))
        shares = shares * lengths
    return Ground(torch.stack(moved)), shares / shares.mean()


def axes_of(problem: Problem) -> tuple[Spline, ...]:
    """The splines of a separable network."""
    return problem.trial.branches[0].network.layers[0].axes  # type: ignore[union-attr]


def described(problem: Problem) -> str:
    """The network in a few words: `separable splines, x: degree 9 on 180 intervals, t: …`."""
    named = zip(problem.trial.scope.coordinates, axes_of(problem))
    parts = [f"{n}: degree {s.degree} on {s.intervals} intervals" for n, s in named]
    beside = ", with waves from the seam" if len(problem.trial.branches) > 1 else ""
    return f"separable splines, {', '.join(parts)}{beside}"
