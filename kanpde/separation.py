"""Separable networks as a stream of states: marched in time or refined on a rectangle, to tolerance after tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Iterator, Mapping

import torch
from torch import Tensor

from kanpde.build import SIDES, assemble, scope_of, statements
from kanpde.clock import Clock, State
from kanpde.errors import KanpdeError
from kanpde.marching import March, joined, polynomials, windows
from kanpde.network import Network
from kanpde.patch import EMPHASIS, Patch
from kanpde.points import draw, rows_at
from kanpde.problem import Problem
from kanpde.separable import ProductLayer
from kanpde.spec import Spec
from kanpde.splines import Spline
from kanpde.steady import refinements

DEGREE = 9
START = {"march": 16, "steady": 6}  # intervals
TOLERANCES = (1e-4, 1e-7, 1e-10, 1e-12)  # relative to the size of the unknowns
DEARER = 1.5  # a march to the next tolerance takes at least so many times as long
PAUSE = 0.5  # seconds between states, at least
POINTS = 400  # for the losses of a state


def initial_orders(spec: Spec) -> tuple[int, ...] | None:
    """How many time derivatives of each unknown the initial conditions prescribe; None where they do anything else."""
    found: dict[str, set[int]] = {name: set() for name in spec.unknowns}
    for condition, _, item in statements(spec, scope_of(spec)):
        if condition.face.axis == "t":
            if item is None or condition.face.side != "min":
                return None
            found[item[0]].add(item[1].order)
    counts = tuple(map(len, found.values()))
    return counts if all(orders == set(range(n)) for orders, n in zip(found.values(), counts)) else None


def obstacle(spec: Spec) -> str:
    """What keeps separable networks from a problem; nothing on a rectangle, from initial data if one axis is time."""
    given = initial_orders(spec) if "t" in spec.box else (1,)
    reasons = {
        f"two coordinates are needed, not {len(spec.box)}": len(spec.box) != 2,
        f"training.device must be cpu, not {spec.training.device}": spec.training.device != "cpu",
        f"training.precision must be float64, not {spec.training.precision}": spec.training.precision != "float64",
        "time must not be periodic": "t" in spec.periodic,
        "the first time needs values of an unknown, and of its derivatives from the first on": not any(given or ()),
        "initial data are not built in, as 'enforce: hard' demands": "t" in spec.box and spec.enforce == "hard",
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def separates(spec: Spec) -> bool:
    """Whether separable networks can solve the problem."""
    return not obstacle(spec)


def separated(spec: Spec, clock: Clock) -> Iterator[State]:
    """States of separable networks, each better than the one before; none where the iteration does not settle.

    Raises KanpdeError for a problem that is not for them.
    """
    if reason := obstacle(spec):
        raise KanpdeError(f"network.basis: separable: {reason}")
    yield from (marched if "t" in spec.box else refined)(spec, clock)


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
    problem, space, time, enforce = patch.problem, patch.along, 1 - patch.axis, enforced(spec)
    complete: State | None = None
    for tolerance in TOLERANCES:
        march, found, norm, begun = March(problem, time, given, tolerance), [], 0.0, clock.elapsed()
        shown = begun
        for window, reached in windows(march, space, clock):
            found.append(window)
            start, stop = window.box[time]
            norm += reached**2 * (stop - start) / (march.ends[1] - march.ends[0])
            if clock.left() <= 0:
                break
            if clock.elapsed() - shown > PAUSE:
                shown = clock.elapsed()
                stage = f"march to {tolerance:g}, t = {stop:.3g}"
                yield (
                    replace(complete, stage=stage)
                    if complete
                    else state_of(*joined(march, found), stage, norm, enforce)
                )
        if found and (found[-1].box[time][1] >= march.ends[1] or not complete):
            complete = state_of(*joined(march, found), f"march to {tolerance:g}", norm, enforce)
        if complete is None:
            return
        yield replace(complete, settled=True)
        if not found or found[-1].box[time][1] < march.ends[1] or clock.left() < DEARER * (clock.elapsed() - begun):
            return


def refined(spec: Spec, clock: Clock) -> Iterator[State]:
    """Finer and finer splines on the rectangle."""
    start = first_patch(spec)
    for patch, norm in refinements(start, TOLERANCES[-1]):  # type: ignore[arg-type]
        yield replace(state_of(patch.placed, patch.theta, "splines, Gauss-Newton", norm**2, spec.enforce), settled=True)
        if clock.left() <= 0:
            return


def state_of(problem: Problem, theta: Tensor, stage: str, loss: float, enforce: str) -> State:
    """A separable solution as a state of the training."""
    weights = {row.name: 1.0 if b.face is None else EMPHASIS for b in problem.blocks for row in b.rows}
    return State(problem, theta, stage, loss, losses_of(problem, theta), weights, enforce, described(problem))


def losses_of(problem: Problem, theta: Tensor) -> Callable[[], Mapping[str, float]]:
    """Each row's mean square at fixed points, computed when asked for."""

    def losses() -> Mapping[str, float]:
        generator = torch.Generator().manual_seed(7)
        return {
            row.name: float(values.square().mean())
            for block in problem.blocks
            for row, values in zip(block.rows, rows_at(problem, block, theta, draw(problem, block, POINTS, generator)))
        }

    return losses


def described(problem: Problem) -> str:
    """The network in a few words: `separable splines, x: degree 9 on 180 intervals, t: …`."""
    axes = problem.trial.branches[0].network.layers[0].axes  # type: ignore[union-attr]
    parts = [
        f"{n}: degree {s.degree} on {s.intervals} intervals" for n, s in zip(problem.trial.scope.coordinates, axes)
    ]
    return f"separable splines, {', '.join(parts)}"
