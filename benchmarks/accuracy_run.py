"""One problem solved by the program in a process of its own, and what came of it."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from importlib.metadata import version
from math import isfinite
from pathlib import Path
from threading import Timer
from time import monotonic
from typing import Any

import numpy as np
from accuracy_summary import LEVELS, seconds_to
from machine import commit, processor
from tiers import PROBLEMS, Case

from kanpde import Result, read, read_spec
from kanpde.references import read_reference
from kanpde.solution import restored
from kanpde.truth import field_error

POINTS = 60  # of a history that is kept
PATIENCE = 1800.0  # wall seconds, beyond the limit asked for, after which a run is stopped


def measured(case: Case, seed: str, threads: int, limit: float | None) -> dict[str, Any]:
    """A run with one seed."""
    settings = [*case.changes, f"training.seed={seed}", f"training.threads={threads}"]
    settings += [f"training.stop.time={limit}"] * (limit is not None)
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        command = [sys.executable, "-m", "kanpde.cli", "solve", str(PROBLEMS / f"{case.problem}.yaml"), "--json"]
        command += [word for setting in settings for word in ("--set", setting)]
        about = followed([*command, "--out", str(run)], threads, (limit or 0) + PATIENCE)
        result = read(run) if (run / "solution.h5").exists() else None
        known = facts(result, about["start_seconds"]) if result else {"outcome": "nothing saved", "history": []}
    date = datetime.now(timezone.utc).isoformat(timespec="minutes")
    return {**rounded({**about, **known}), "threads": threads, "limit": limit, "date": date, "commit": commit()}


def here() -> str:
    """The machine and what runs on it."""
    words = platform.system(), f"Python {platform.python_version()}", f"torch {version('torch')}"
    return ", ".join((processor(), f"{os.cpu_count()} cores", *words))


def followed(command: Sequence[str], threads: int, patience: float) -> dict[str, Any]:
    """Run the program to its end: its exit code, its seconds, and those before the clock of the training starts."""
    start, before = monotonic(), None
    environment = os.environ | {"OMP_NUM_THREADS": str(threads)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as program:
        timer = Timer(patience, program.terminate)
        timer.daemon = True
        timer.start()
        for line in program.stdout or ():
            if before is None and '"event": "step"' in line:
                before = max(monotonic() - start - json.loads(line)["seconds"], 0.0)
        code = program.wait()
        timer.cancel()
    return {"exit_code": code, "wall_seconds": monotonic() - start, "start_seconds": before or 0.0}


def facts(result: Result, before: float) -> dict[str, Any]:
    """What a run reached, and when."""
    errors = {name: vars(error) for name, error in result.errors.items()} | further_errors(result)
    pairs = history(result, before)
    return {
        "outcome": result.outcome.name.lower(),
        "errors": errors,
        "estimated": {name: one.relative_l2 for name, one in result.estimated.items()},
        "reached": {f"{level:g}": seconds_to(pairs, level) for level in LEVELS},
        "steps": int(result.history["step"][-1]),
        **{name: result.summary[name] for name in ("coefficients", "network", "method")},
        "held_out_residual": result.summary["held_out_residual"],
        "relative_residual": result.summary["relative_residual"],
        "history": thinned(pairs, POINTS),
    }


def further_errors(result: Result) -> dict[str, dict[str, Any]]:
    """The errors of what the output has beside the unknowns, where the reference knows it."""
    solution = restored(result) if any(field.kind == "extra" for field in result.fields.values()) else None
    reference = read_spec(PROBLEMS / result.spec_name).reference
    if solution is None or reference is None:
        return {}
    known = read_reference(reference.file, tuple(result.axes))
    names = [name for name, field in result.fields.items() if field.kind == "extra" and name in known.fields]
    values = solution.at(known.points(tuple(result.axes)), names) if names else {}
    return {name: vars(field_error(values[name], known.fields[name].ravel(), "reference", known.certified[name]))
            for name in names}


def history(result: Result, before: float) -> list[tuple[float, float]]:
    """Seconds from the start of the program, and the largest error of the unknowns then, or of their reference."""
    columns = [
        np.maximum(column, result.errors[name.removeprefix("error_")].certified)
        for name, column in result.history.items() if name.startswith("error_")
    ]
    worst = np.max(columns, axis=0) if columns else []
    return [(float(t) + before, float(e)) for t, e in zip(result.history["seconds"], worst) if np.isfinite(e)]


def thinned(pairs: Sequence[tuple[float, float]], most: int) -> list[tuple[float, float]]:
    """The first point, the last, those that first reach a power of ten, and others evenly in the logarithm of time."""
    if len(pairs) <= most:
        return list(pairs)
    seconds = np.log([max(t, 1e-3) for t, _ in pairs])
    firsts = {next((k for k, (_, error) in enumerate(pairs) if error <= 10.0**-n), 0) for n in range(17)}
    must = {0, len(pairs) - 1, *firsts}
    even = np.searchsorted(seconds, np.linspace(seconds[0], seconds[-1], most - len(must)))
    return [pairs[k] for k in sorted(must | {int(k) for k in even})]


def rounded(value: Any) -> Any:
    """Numbers to four digits, infinite ones to nothing."""
    if isinstance(value, Mapping):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [rounded(entry) for entry in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if isfinite(value) else None
    return value
