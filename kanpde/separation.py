"""Separable networks as a stream of states: marched in time or refined on a rectangle, to tolerance after tolerance."""

from __future__ import annotations

from dataclasses import replace
from typing import Callable, Iterator, Mapping

import torch
from torch import Tensor

from kanpde.build import SIDES, assemble, scope_of, statements
from kanpde.clock import Clock, State
from kanpde.errors import KanpdeError
from kanpde.marching import TIME, March, joined, windows
from kanpde.network import Network
from kanpde.patch import EMPHASIS
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


def marched(spec: Spec, clock: Clock) -> Iterator[State]:
    """The march in time to smaller and smaller tolerances; while one goes on, the last complete one stands."""
    names, given = tuple(spec.box), initial_orders(spec)
    assert given is not None
    enforce = SIDES if spec.enforce == "auto" else spec.enforce
    time = names.index("t")
    space = spline_of(spec, names[1 - time], START["march"])
    axes = (space, Spline(TIME, torch.tensor([-1.0, 1.0], dtype=torch.float64), 0))
    problem = assemble(
        replace(spec, enforce=enforce),
        [(Network((ProductLayer(axes if time else axes[::-1], len(spec.unknowns)),)), spec.unknowns)],
    )
    complete: State | None = None
    for tolerance in TOLERANCES:
        march, found, norm, begun = March(problem, time, given, tolerance), [], 0.0, clock.elapsed()
        shown = begun
        for window, reached in windows(march, space):
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
    axes = tuple(spline_of(spec, name, START["steady"]) for name in spec.box)
    problem = assemble(spec, [(Network((ProductLayer(axes, len(spec.unknowns)),)), spec.unknowns)])
    for patch, norm in refinements(problem, axes, TOLERANCES[-1]):  # type: ignore[arg-type]
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
