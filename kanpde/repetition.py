"""A run made once more from what its result holds, and how far it then is from the first time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping

import numpy as np

from kanpde.errors import ResultError, SpecError
from kanpde.folder import Folder, unpacked
from kanpde.journal import Journal
from kanpde.result import Outcome, Result
from kanpde.solve import SECONDS, Progress, solve
from kanpde.spec import Spec, read_spec_text

AMPLE = 1e7  # seconds
BY_THE_CLOCK = (
    "the clock ended the run, perhaps within a step, and not all that it decides is in the result; "
    "a run with training.stop.steps, or one that comes to its own end, can be repeated"
)
RESUMED = "the run was resumed, so that what it read of the clock, and decided by it, is not in the result"
PRUNED = (
    "this network was pruned, and solving its problem again makes a whole one; "
    "rerun the run that it was pruned from, and kanpde prune that"
)
SHARED = (
    "the run was shared by several processes, and this one is of one: their sums round differently, so that only the "
    "first digits are the same"
)


@dataclass(frozen=True)
class Repetition:
    """The arrays that differ and by how much at most, what else is different here, and why they may differ."""

    steps: int
    arrays: int
    differences: Mapping[str, float]
    circumstances: Mapping[str, tuple[str, str]]  # what: then and now
    reason: str = ""

    @property
    def same(self) -> bool:
        """Whether every bit is."""
        return not self.differences


def repeated(result: Result, watch: Callable[[Progress], None] = lambda progress: None) -> Repetition:
    """Solve the problem of a result again, with as many steps and threads as then and by the clock of then.

    Raises ResultError where the result does not hold what is needed, or has been changed since it was solved.
    """
    if "pruned" in result.summary:
        raise ResultError(PRUNED)
    then = result.provenance
    with unpacked(then.get("files", {}), Path(str(then.get("folder", ".")))) as folder:
        spec = read_again(result, folder)
        journal = Journal(clock=np.asarray(then.get("clock", ())).tolist())
        again = solve(limited(spec, result), watch, journal).tabulate()
    differences = {name: gap for name, gap in gaps(arrays_of(result), arrays_of(again)) if gap}
    now = {name: words(again.provenance[name]) for name in ("versions", "threads", "processor", "platform")}
    now["processes"] = words(again.provenance.get("processes", 1))
    before = {"processes": 1, **then}
    circumstances = {
        name: (words(before.get(name)), here) for name, here in now.items() if words(before.get(name)) != here
    }
    over = float(then.get("seconds", inf)) >= (spec.training.stop.time or SECONDS)
    doubts = {BY_THE_CLOCK: over or result.outcome is Outcome.INTERRUPTED, RESUMED: "clock" not in then,
              SHARED: "processes" in then}
    reasons = [reason for reason, holds in doubts.items() if holds and differences]
    steps = int(again.summary.get("steps", 0))
    return Repetition(steps, len(arrays_of(result)), differences, circumstances, "\n".join(reasons))


def read_again(result: Result, folder: Folder) -> Spec:
    """The problem of a result, which needs its files again."""
    try:
        return read_spec_text(result.spec_text, result.spec_name, replace(folder, files=True), result.overrides)
    except SpecError as error:
        raise ResultError(f"the problem in the result cannot be solved again:\n{error}") from error


def limited(spec: Spec, result: Result) -> Spec:
    """The problem with the threads of then, and for a limit the number of steps instead of time."""
    threads = result.provenance.get("threads", spec.training.threads)
    stop = replace(spec.training.stop, steps=int(result.summary["steps"]), time=AMPLE)
    return replace(spec, training=replace(spec.training, threads=threads, stop=stop))


def arrays_of(result: Result) -> dict[str, np.ndarray]:
    """All numbers that a run computes: fields, axes, and the coefficients of the network."""
    fields = {f"field {name}": field.values for name, field in result.fields.items()}
    axes = {f"coordinate {name}": axis for name, axis in result.axes.items()}
    return {**fields, **axes, **dict(nested(result.network, "network"))}


def nested(content: Mapping[str, Any], path: str) -> Iterator[tuple[str, np.ndarray]]:
    """The arrays in nested dictionaries, by path."""
    for name, value in content.items():
        if isinstance(value, Mapping):
            yield from nested(value, f"{path}.{name}")
        elif isinstance(value, np.ndarray):
            yield f"{path}.{name}", value


def gaps(one: Mapping[str, np.ndarray], other: Mapping[str, np.ndarray]) -> Iterator[tuple[str, float]]:
    """The largest difference of each pair of arrays, infinite where one lacks, 0 where all bits are equal."""
    for name in {**one, **other}:
        a, b = one.get(name), other.get(name)
        if a is None or b is None or a.shape != b.shape or a.dtype != b.dtype:
            yield name, inf
        elif a.tobytes() == b.tobytes():
            yield name, 0.0
        else:
            apart = np.abs(np.asarray(a, float) - np.asarray(b, float))
            yield name, float(np.max(np.nan_to_num(apart, nan=0.0), initial=5e-324))


def words(value: Any) -> str:
    """Something that is said of a run, in words."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {one}" for name, one in sorted(value.items()))
    return str(value)
