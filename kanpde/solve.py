"""The one loop: strategies hand out states, it watches, records, and decides when to stop."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from math import sqrt
from time import monotonic
from typing import Any, Callable, Iterator, Mapping

import numpy as np
import torch
from torch import Tensor

from kanpde.clock import Clock, State
from kanpde.errors import KanpdeError
from kanpde.journal import Journal, unfit
from kanpde.nonfinite import finite
from kanpde.points import draw, rows_at
from kanpde.provenance import provenance
from kanpde.relative import relative_residual
from kanpde.result import Outcome
from kanpde.solution import Solution, Solved, estimated_errors, unknown_values
from kanpde.spec import Spec
from kanpde.strategy import states
from kanpde.team import TEAM, Lost, local_rank, neighbours
from kanpde.truth import Truth, truth_of
from kanpde.verdict import LEFT, verdict

SECONDS = 450.0  # unless `training.stop.time` says otherwise
HELD_OUT = 1000  # fresh points per log line
PAUSE = 0.5  # seconds between log lines, at least


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
    state: State | None = field(default=None, repr=False, compare=False)

    @property
    def error(self) -> float | None:
        """The largest relative L2 error of an unknown, where a solution is known."""
        return max(self.errors.values(), default=None)

    def row(self) -> dict[str, float]:
        """The line as a row of the history."""
        named = {f"loss_{k}": v for k, v in self.losses.items()} | {f"error_{k}": v for k, v in self.errors.items()}
        fixed = {"step": self.step, "seconds": self.seconds, "loss": self.loss, "held_out": self.held_out}
        return {**fixed, "held_out_loss": self.held_out_loss, **named}


def solve(
    spec: Spec, watch: Callable[[Progress], None] = lambda progress: None, journal: Journal | None = None
) -> Solution:
    """Train a trial solution of the problem; an interrupt (Ctrl-C) returns what was reached.

    States that the journal has seen are lived through again without a look. Raises KanpdeError where the settings
    cannot be followed on this machine.
    """
    prepare(spec)
    journal = journal or Journal()
    limit = spec.training.stop.time or SECONDS
    clock = Clock(monotonic(), limit, journal, limit)
    generator, truth, rows = torch.Generator().manual_seed(spec.training.seed), truth_of(spec), journal.rows
    outcome, good, state, progress, step, others = Outcome.FINISHED, None, None, None, 0, Others()
    try:
        for state in replayed(states(spec, generator, clock), journal):
            good, seen = state if finite(state) else good, journal.seen()
            step = journal.step + (not seen)
            if seen:
                continue
            due = not rows or clock.now() - rows[-1]["seconds"] >= PAUSE or state.settled
            if due or not finite(state):
                progress = measured(state, step, clock, truth, spec.training.seed)
                rows.append(progress.row())
                watch(progress)
            if ended := finished(state, step, progress, clock, spec, others):
                outcome = ended
                break
            journal.see()
    except (KeyboardInterrupt, Lost):
        outcome = Outcome.INTERRUPTED
        TEAM.close()
    if outcome in (Outcome.INTERRUPTED, Outcome.LIMIT):
        journal.save(outcome.name)
    if state is None:
        raise KanpdeError("stopped before the first step; there is no solution yet") from None
    run = Course(spec, clock, truth, rows, watch, others)
    try:
        return concluded(run, outcome, good or state, state, step, progress)
    except (KeyboardInterrupt, Lost):
        TEAM.close()
        journal.save(Outcome.INTERRUPTED.name)
        return concluded(run, Outcome.INTERRUPTED, good or state, state, step, progress)


@dataclass(frozen=True)
class Course:
    """What a run is of, its clock, what is known of its solution, its history, and who watches."""

    spec: Spec
    clock: Clock
    truth: Truth | None
    rows: list[dict[str, float]]
    watch: Callable[[Progress], None]
    others: Others


def concluded(
    run: Course, outcome: Outcome, good: State, last: State, step: int, progress: Progress | None
) -> Solution:
    """The solution of the last state that was good, or of a better one before it, after a last look."""
    spec, state = run.spec, better(good, run.spec)
    if finite(state) and state is not good and outcome is Outcome.DIVERGED:
        outcome = Outcome.FINISHED
    if progress is None or progress.step != step or state is not last:
        progress = measured(state, step, run.clock, run.truth, spec.training.seed)
        run.rows.append(progress.row())
        run.watch(progress)
    replicas: tuple[Solved, ...] = ()
    if outcome not in LEFT:
        run.watch(replace(progress, stage="estimating the error"))
        replicas = run.others.of(state)
    facts = summary(spec, state, step, run.clock, progress, last.trouble)
    solution = Solution(
        replace(spec, enforce=state.enforce), state.problem, state.theta.cpu().double(), columns(run.rows), outcome,
        facts, provenance(spec, run.clock), state.estimates, replicas,
        {name: points.numpy() for name, points in state.points().items()},
    )  # fmt: skip
    held_out = progress.held_out, progress.held_out_loss
    outcome, why = verdict(outcome, state, spec, held_out, progress.error, solution.estimated_errors)
    return replace(solution, outcome=outcome, summary={**({"why": why} if why else {}), **facts})


class Others:
    """The other solutions of the same problem that there are beside a state, each made once."""

    def __init__(self) -> None:
        self.made: list[tuple[Tensor, tuple[Solved, ...]]] = []

    def of(self, state: State) -> tuple[Solved, ...]:
        """Those of a state; none where they are not finite."""
        for theta, known in self.made:
            if theta is state.theta:
                return known
        found = replicas(state)
        self.made.append((state.theta, found))
        return found


def replicas(state: State) -> tuple[Solved, ...]:
    """Other solutions of the same problem; none where they are not finite."""
    try:
        found = tuple((problem, theta.cpu().double()) for problem, theta in state.replicas())
    except torch.linalg.LinAlgError:
        return ()
    return found if all(bool(theta.isfinite().all()) for _, theta in found) else ()


def prepare(spec: Spec) -> None:
    """Threads and device as asked."""
    torch.set_num_threads(spec.training.threads or min(max((os.cpu_count() or 1) // neighbours(), 1), 8))
    if spec.training.device.startswith("cuda") and not torch.cuda.is_available():
        raise KanpdeError(f"training.device: {spec.training.device}: no such device here; the one there is: cpu")
    if spec.training.device == "cuda" and TEAM.count > 1:
        torch.cuda.set_device(local_rank())


def better(state: State, spec: Spec) -> State:
    """The state, or what an earlier method reached if that is better."""
    if state.rival is None:
        return state
    now, before = (relative_residual(s.problem, s.theta, spec.training.seed) for s in (state, state.rival))
    return state if now < before else state.rival


def replayed(stream: Iterator[State], journal: Journal) -> Iterator[State]:
    """The states; what breaks before what the journal holds has led to a new one shows that it is not of this run."""
    try:
        yield from stream
    except (RuntimeError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError) as error:
        if not journal.unproven:
            raise
        raise unfit(f"{type(error).__name__} in entry {journal.place}") from error


def measured(state: State, step: int, clock: Clock, truth: Truth | None, seed: int) -> Progress:
    """The state's losses, its residual on points that are fresh at each step, and its true errors."""
    generator = torch.Generator().manual_seed(seed + 2**31 + step)
    total, squares, number = 0.0, 0.0, 0
    for block in state.problem.blocks:
        points = draw(state.problem, block, HELD_OUT if block.inside else HELD_OUT // 8, generator)
        for row, values in zip(block.rows, rows_at(state.problem, block, state.theta, points)):
            mean = float(values.square().mean())
            total += state.weights[row.name] ** 2 * mean
            squares, number = (squares + mean, number + 1) if block.inside else (squares, number)
    return Progress(
        step, state.steps, clock.now(), clock.seconds, state.stage, state.loss, state.losses(),
        sqrt(squares / number), total, true_errors(state, truth), state,
    )


def true_errors(state: State, truth: Truth | None) -> dict[str, float]:
    """The relative L2 error of each unknown whose solution is known."""
    if truth is None:
        return {}
    found = unknown_values(state.problem, state.theta, tuple(truth.values), truth.points)
    return {name: error.relative_l2 for name, error in truth.errors(found).items()}


def finished(
    state: State, step: int, progress: Progress | None, clock: Clock, spec: Spec, others: Others
) -> Outcome | None:
    """Whether, and why, to stop now; an error that is asked for is estimated where nothing is known."""
    stop = spec.training.stop
    if not finite(state):
        return Outcome.DIVERGED
    if progress is not None and progress.step == step:
        if stop.error is not None and accurate(state, progress, spec, others):
            return Outcome.CONVERGED
        if stop.residual is not None and progress.held_out <= stop.residual:
            return Outcome.CONVERGED
    if clock.over() or (stop.steps is not None and step >= stop.steps):
        return Outcome.LIMIT
    return None


def accurate(state: State, progress: Progress, spec: Spec, others: Others) -> bool:
    """Whether the true error of a state is as small as asked, or, where a method has settled, the estimated one."""
    if progress.error is not None or not state.settled:
        return progress.error is not None and progress.error <= spec.training.stop.error
    found = estimated_errors(spec, state.problem, state.theta.cpu().double(), others.of(state))
    return bool(found) and max(one.relative_l2 for one in found.values()) <= spec.training.stop.error


def columns(rows: list[dict[str, float]]) -> dict[str, np.ndarray]:
    """Rows with different names as equally long columns, NaN where a row lacks one."""
    names = dict.fromkeys(name for row in rows for name in row)
    found = {name: np.array([row.get(name, np.nan) for row in rows], dtype=np.float64) for name in names}
    return {**found, "step": found["step"].astype(np.int64)}


def summary(spec: Spec, state: State, step: int, clock: Clock, progress: Progress, trouble: str) -> dict[str, Any]:
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
        "seconds": round(clock.now(), 3),
        **({"not finite": trouble} if trouble else {}),
        "held_out_residual": progress.held_out,
        "relative_residual": relative_residual(state.problem, state.theta, spec.training.seed),
    }
