"""The one loop: strategies hand out states, it watches, records, and decides when to stop."""

from __future__ import annotations

import os
import platform
import socket
import sys
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from importlib.metadata import version
from math import isfinite, sqrt
from time import monotonic
from typing import Any, Callable, Mapping

import numpy as np
import torch

from kanpde.clock import Clock, State
from kanpde.errors import KanpdeError
from kanpde.folder import kept
from kanpde.points import draw, rows_at
from kanpde.relative import relative_residual
from kanpde.result import Outcome
from kanpde.solution import Solution, unknown_values
from kanpde.spec import Spec, StopSpec
from kanpde.strategy import states
from kanpde.truth import Truth, truth_of

SECONDS = 450.0  # unless `training.stop.time` says otherwise
HELD_OUT = 1000  # fresh points per log line
PAUSE = 0.5  # seconds between log lines, at least
NEGLIGIBLE = 1e-6  # relative residual that arouses no suspicion
LARGE = 1e-2  # relative residual with which nothing is solved
SUSPICIOUS = 100.0  # held-out over training loss, both sums of weighted squares


VERDICTS = {name: Outcome[name.upper()] for name in ("unsettled", "undetermined", "misfit", "unresolved")}


@dataclass(frozen=True)
class Progress:
    """One line of the log; `loss` is the weighted sum of squares, `held_out` a root mean square on fresh points."""

    step: int
    steps: int | None
    seconds: float
    limit: float | None
    stage: str
    loss: float
    losses: Mapping[str, float]
    held_out: float
    held_out_loss: float
    errors: Mapping[str, float]

    @property
    def error(self) -> float | None:
        """The largest relative L2 error of an unknown, where a solution is known."""
        return max(self.errors.values(), default=None)

    def row(self) -> dict[str, float]:
        """The line as a row of the history."""
        named = {f"loss_{k}": v for k, v in self.losses.items()} | {f"error_{k}": v for k, v in self.errors.items()}
        fixed = {"step": self.step, "seconds": self.seconds, "loss": self.loss, "held_out": self.held_out}
        return {**fixed, "held_out_loss": self.held_out_loss, **named}


def solve(spec: Spec, watch: Callable[[Progress], None] = lambda progress: None) -> Solution:
    """Train a trial solution of the problem; an interrupt (Ctrl-C) returns what was reached.

    Raises KanpdeError where the settings cannot be followed on this machine.
    """
    prepare(spec)
    clock = Clock(monotonic(), spec.training.stop.time or SECONDS)
    generator = torch.Generator().manual_seed(spec.training.seed)
    truth, fresh = truth_of(spec), torch.Generator().manual_seed(spec.training.seed + 2**31)
    rows: list[dict[str, float]] = []
    outcome, state, progress, step = Outcome.FINISHED, None, None, 0
    try:
        for step, state in enumerate(states(spec, generator, clock), start=1):
            due = not rows or clock.elapsed() - rows[-1]["seconds"] >= PAUSE or state.settled
            if due or not isfinite(state.loss):
                progress = measured(state, step, clock, truth, fresh)
                rows.append(progress.row())
                watch(progress)
            if ended := finished(state, step, progress, clock, spec.training.stop):
                outcome = ended
                break
    except KeyboardInterrupt:
        outcome = Outcome.INTERRUPTED
    if state is None:
        raise KanpdeError("stopped before the first step; nothing was computed") from None
    last, state = state, better(state, spec)
    if state is not last and outcome is Outcome.DIVERGED:
        outcome = Outcome.FINISHED
    if not rows or rows[-1]["step"] != step or state is not last:
        progress = measured(state, step, clock, truth, fresh)
        rows.append(progress.row())
        watch(progress)
    outcome = judged(outcome, state, progress, spec)
    return Solution(
        replace(spec, enforce=state.enforce), state.problem, state.theta.cpu().double(), columns(rows), outcome,
        summary(spec, state, step, clock, progress), provenance(spec, clock), state.estimates,
    )


def prepare(spec: Spec) -> None:
    """Threads and device as asked."""
    torch.set_num_threads(spec.training.threads or min(os.cpu_count() or 1, 8))
    if spec.training.device.startswith("cuda") and not torch.cuda.is_available():
        raise KanpdeError(f"training.device: {spec.training.device}: no such device here; the one there is: cpu")


def better(state: State, spec: Spec) -> State:
    """The state, or what an earlier method reached if that is better."""
    if state.rival is None:
        return state
    now, before = (relative_residual(s.problem, s.theta, spec.training.seed) for s in (state, state.rival))
    return state if now < before else state.rival


def measured(state: State, step: int, clock: Clock, truth: Truth | None, generator: torch.Generator) -> Progress:
    """The state's losses, its residual on fresh points, and its true errors."""
    total, squares, number = 0.0, 0.0, 0
    for block in state.problem.blocks:
        points = draw(state.problem, block, HELD_OUT if block.inside else HELD_OUT // 8, generator)
        for row, values in zip(block.rows, rows_at(state.problem, block, state.theta, points)):
            mean = float(values.square().mean())
            total += state.weights[row.name] ** 2 * mean
            squares, number = (squares + mean, number + 1) if block.inside else (squares, number)
    return Progress(
        step, state.steps, clock.elapsed(), clock.seconds, state.stage, state.loss, state.losses(),
        sqrt(squares / number), total, true_errors(state, truth),
    )


def true_errors(state: State, truth: Truth | None) -> dict[str, float]:
    """The relative L2 error of each unknown whose solution is known."""
    if truth is None:
        return {}
    found = unknown_values(state.problem, state.theta, tuple(truth.values), truth.points)
    return {name: error.relative_l2 for name, error in truth.errors(found).items()}


def finished(state: State, step: int, progress: Progress | None, clock: Clock, stop: StopSpec) -> Outcome | None:
    """Whether, and why, to stop now."""
    if not isfinite(state.loss):
        return Outcome.DIVERGED
    if progress is not None and progress.step == step:
        if stop.error is not None and progress.error is not None and progress.error <= stop.error:
            return Outcome.CONVERGED
        if stop.residual is not None and progress.held_out <= stop.residual:
            return Outcome.CONVERGED
    if clock.left() <= 0 or (stop.steps is not None and step >= stop.steps):
        return Outcome.LIMIT
    return None


def judged(outcome: Outcome, state: State, progress: Progress, spec: Spec) -> Outcome:
    """The outcome after a last look: is the residual as small elsewhere, is the error within the tolerance."""
    if outcome in (Outcome.DIVERGED, Outcome.INTERRUPTED):
        return outcome
    relative = relative_residual(state.problem, state.theta, spec.training.seed)
    if state.estimates is not None and state.estimates.verdict:
        return VERDICTS[state.estimates.verdict]
    if progress.held_out_loss > SUSPICIOUS * state.loss and relative > NEGLIGIBLE:
        return Outcome.SUSPICIOUS
    if relative > LARGE and outcome is not Outcome.CONVERGED:
        return Outcome.UNRESOLVED
    tolerance = spec.reference.tolerance if spec.reference else None
    if tolerance is not None and progress.error is not None and progress.error > tolerance:
        return Outcome.INACCURATE
    return outcome


def columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """Rows with different names as equally long columns, NaN where a row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in names}
    return {**found, "step": found["step"].astype(np.int64)}


def summary(spec: Spec, state: State, step: int, clock: Clock, progress: Progress) -> dict[str, Any]:
    """What a person wants to know of a run."""
    hard = {k: len(v) for k, v in state.problem.trial.built_in.items()}
    return {
        "network": state.note,
        "coefficients": int(state.theta.shape[0]),
        "method": state.stage,
        **({"chosen as": state.why} if state.why else {}),
        "linear": state.problem.linear,
        "built_in": ", ".join(f"{v} condition{'s' * (v != 1)} on {k}" for k, v in hard.items()) or "none",
        "steps": step,
        "seconds": round(clock.elapsed(), 3),
        "held_out_residual": progress.held_out,
        "relative_residual": relative_residual(state.problem, state.theta, spec.training.seed),
    }


def provenance(spec: Spec, clock: Clock) -> dict[str, Any]:
    """Where, when and with what the run was made."""
    packages = ("kanpde", "torch", "numpy", "h5py")
    return {
        "folder": str(spec.path.parent.resolve()),
        "files": kept(spec.files),
        "seed": spec.training.seed,
        "device": spec.training.device,
        "precision": spec.training.precision,
        "threads": torch.get_num_threads(),
        "command": " ".join(sys.argv),
        "versions": {name: version(name) for name in packages} | {"python": platform.python_version()},
        "platform": platform.platform(),
        "host": socket.gethostname(),
        "seconds": clock.elapsed(),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
