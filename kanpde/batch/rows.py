"""What came of many runs, one row for each, read from their folders."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite, nan
from pathlib import Path
from typing import Any, Iterable, Mapping

from kanpde.batch.folder import PLAN, read_batch
from kanpde.batch.standing import Standing, State, standing
from kanpde.batch.sweep import PROBLEM, SEED
from kanpde.errors import KanpdeError, ResultError
from kanpde.expression import ExpressionError, constant, parse
from kanpde.hdf5_open import BROKEN
from kanpde.result import FieldError, Result
from kanpde.vocabulary import CONSTANTS
from kanpde.writers import read
from kanpde.writers.folders import is_run_folder


@dataclass(frozen=True)
class Row:
    """One run: what it is, how it stands, and what came of it; NaN for what is not known.

    `error` and `estimate` are the largest relative L2 errors of its fields, the one against `against`.
    """

    name: str
    problem: str
    seed: int | None
    varied: Mapping[str, str]
    state: str
    outcome: str = ""
    error: float = nan
    against: str = ""
    estimate: float = nan
    largest: float = nan
    residual: float = nan
    seconds: float = nan
    steps: float = nan
    coefficients: float = nan
    method: str = ""
    attempts: int = 0
    reason: str = ""
    errors: Mapping[str, float] = field(default_factory=dict)


def rows(folder: Path) -> tuple[str, list[Row]]:
    """The title and the rows of a batch, or of all runs in a folder; raises KanpdeError where there are none."""
    if (folder / PLAN).is_file():
        batch = read_batch(folder)
        found = [
            row(batch.run_folder(one), one.name, Path(one.source.name).stem, one.seed, one.varied)
            for one in batch.members
        ]
        return batch.title or folder.resolve().name, found
    if not folder.is_dir():
        raise KanpdeError(f"{folder}: there is no such folder")
    runs = sorted(path for path in folder.iterdir() if path.is_dir() and is_run_folder(path))
    if not runs:
        raise KanpdeError(f"{folder}: neither the folder of a batch nor one with runs in it")
    return folder.resolve().name, [row(path, path.name, "", None, None) for path in runs]


def row(folder: Path, name: str, problem: str, seed: int | None, varied: Mapping[str, str] | None) -> Row:
    """The row of one run; where no plan says what is varied, what was overridden is."""
    now = standing(folder)
    try:
        result = read(folder) if now.outcome is not None else None
    except (ResultError, *BROKEN) as error:
        result, now = None, Standing(State.FAILED, None, f"the result cannot be read: {error}", now.attempts)
    if varied is None:
        said = dict(one.partition("=")[::2] for one in result.overrides) if result else {}
        given = said.pop(SEED, "")
        seed = int(given) if given.isdigit() else seed
        varied = {path: text for path, text in said.items() if not path.startswith(("training.threads", "output."))}
        problem = Path(result.spec_name).stem if result else problem
    made = Row(name, problem, seed, varied, now.state.word, attempts=now.attempts, reason=reason_of(now, result))
    return filled(made, result) if result else made


def reason_of(now: Standing, result: Result | None) -> str:
    """Why there is no solution, or why it is not to be trusted."""
    return now.reason or (str(result.summary.get("why", "")) if result else "")


def filled(made: Row, result: Result) -> Row:
    """A row with what its result says."""
    last = {name: float(column[-1]) for name, column in result.history.items() if len(column)}
    worst = max(result.errors.values(), key=size, default=None)
    summary = result.summary
    return replace(
        made,
        outcome=result.outcome.name.lower(),
        error=worst.relative_l2 if worst else nan,
        against=worst.against if worst else "",
        estimate=max((one.relative_l2 for one in result.estimated.values()), default=nan),
        largest=max((one.maximum for one in result.errors.values()), default=nan),
        residual=number(summary.get("relative_residual")),
        seconds=last.get("seconds", nan),
        steps=last.get("step", nan),
        coefficients=number(summary.get("coefficients")),
        method=str(summary.get("method", "")),
        errors={name: one.relative_l2 for name, one in result.errors.items()},
    )


def size(error: FieldError) -> float:
    """By which errors are compared; one that is not finite is the largest."""
    return error.relative_l2 if isfinite(error.relative_l2) else float("inf")


def number(value: Any) -> float:
    """A number of a summary, NaN where it is none."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else nan


def value_of(text: str) -> float | None:
    """The number that a varied value stands for, as 0.01/pi, None where it is a word."""
    try:
        return constant(parse(text), CONSTANTS)
    except ExpressionError:
        return None


def varied_in(found: Iterable[Row]) -> tuple[str, ...]:
    """The entries that some rows differ in, the problem among them."""
    listed = list(found)
    names = dict.fromkeys(name for one in listed for name in one.varied if name != PROBLEM)
    return tuple(name for name in names if len({one.varied.get(name) for one in listed}) > 1)
