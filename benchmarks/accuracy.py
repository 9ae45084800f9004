"""The error that the gallery's problems reach with their defaults, and the time from start to end of the program.

    python benchmarks/accuracy.py                                  # every problem, one after another
    python benchmarks/accuracy.py elliptic_2d_poisson --threads 2  # the others keep what was measured before
    python benchmarks/accuracy.py --table --readme                 # no run: print the table, and put it in the README
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import Any, Mapping, Sequence

import numpy as np
from machine import ROOT, machine

from kanpde import Result, read
from kanpde.json_lines import strict

PROBLEMS = ROOT / "problems"
FILE = ROOT / "benchmarks" / "results" / "accuracy.json"
TIMES = (10.0, 30.0, 60.0, 120.0, 300.0)
BEGIN, END = "<!-- accuracy: begin", "<!-- accuracy: end -->"


def measured(name: str, threads: int, times: Sequence[float]) -> dict[str, Any]:
    """One problem solved in a process of its own."""
    command = [sys.executable, "-m", "kanpde.cli", "solve", str(PROBLEMS / f"{name}.yaml"), "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        options = ["--set", f"training.threads={threads}", "--out", f"{folder}/run"]
        start = monotonic()
        done = subprocess.run([*command, *options], env=os.environ | {"OMP_NUM_THREADS": str(threads)}, check=False)
        wall = monotonic() - start
        about = {"date": datetime.now(timezone.utc).isoformat(timespec="seconds"), **machine(), "threads": threads}
        if not (Path(folder) / "run" / "solution.h5").exists():
            return {**about, "exit_code": done.returncode, "wall_seconds": wall, "outcome": "nothing saved"}
        return {**about, "exit_code": done.returncode, "wall_seconds": wall, **facts(read(f"{folder}/run"), times)}


def facts(result: Result, times: Sequence[float]) -> dict[str, Any]:
    """What a run reached, and what it had reached at some times."""
    return {
        "title": result.title,
        "outcome": result.outcome.name.lower(),
        "errors": {name: vars(error) for name, error in result.errors.items()},
        "steps": int(result.history["step"][-1]),
        "coefficients": result.summary["coefficients"],
        "network": result.summary["network"],
        "method": result.summary["method"],
        "relative_residual": result.summary["relative_residual"],
        "versions": result.provenance["versions"],
        "error_after_seconds": {f"{time:g}": errors_after(result.history, time) for time in times},
    }


def errors_after(history: Mapping[str, np.ndarray], seconds: float) -> dict[str, float]:
    """The true errors in the last line of the log before a time, on the training's clock; none before the first."""
    lines = np.flatnonzero(history["seconds"] <= seconds)
    named = {name.removeprefix("error_"): column for name, column in history.items() if name.startswith("error_")}
    return {name: float(column[lines[-1]]) for name, column in named.items()} if len(lines) else {}


def table(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The measurements as a Markdown table."""
    lines = ["| problem | relative L2 error | seconds | steps | coefficients | outcome |", "|---|---|--:|--:|--:|---|"]
    for name, one in sorted(found.items()):
        errors = ", ".join(f"{unknown} {error['relative_l2']:.1e}{sure(error)}"
                           for unknown, error in one.get("errors", {}).items())
        link = f"[{one.get('title', name)}](problems/{name}.yaml)"
        lines.append(f"| {link} | {errors or '–'} | {one['wall_seconds']:.1f} "
                     f"| {one.get('steps', '–')} | {one.get('coefficients', '–')} | {one['outcome']} |")
    return "\n".join([*lines, "", *conditions(found)])


def sure(error: Mapping[str, Any]) -> str:
    """How well the reference itself is known."""
    return f" (reference: {error['certified']:.0e})" if error["certified"] else ""


def conditions(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """What the measurements were made on, one line for each machine and number of threads."""
    same = {f"{one['cpu']}, {one['threads']} thread{'s' * (one['threads'] > 1)}" for one in found.values()}
    return [f"Seconds from the start of the program to its end; {words}." for words in sorted(same)]


def into_readme(text: str) -> None:
    """Put the table between its marks in the README."""
    path = ROOT / "README.md"
    lines = path.read_text(encoding="utf-8").splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith(BEGIN))
    end = lines.index(END)
    path.write_text("\n".join([*lines[: begin + 1], *text.splitlines(), *lines[end:], ""]), encoding="utf-8")


def main() -> None:
    """Measure what is asked for, keep it beside what was measured before, and print the table."""
    known = sorted(path.stem for path in PROBLEMS.glob("*.yaml"))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", metavar="PROBLEM", help="names in problems/; all if none is given")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--at", type=float, nargs="+", default=TIMES, metavar="SECONDS", help="times of interest")
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--readme", action="store_true", help="put the table in the README")
    asked = parser.parse_args()
    if unknown := sorted(set(asked.problems) - set(known)):
        parser.error(f"no such problem: {', '.join(unknown)}")
    found = json.loads(FILE.read_text()) if FILE.exists() else {}
    for name in [] if asked.table else asked.problems or known:
        found[name] = measured(name, asked.threads, asked.at)
        print(f"{name}: {found[name]['outcome']}, {found[name]['wall_seconds']:.1f} s", file=sys.stderr, flush=True)
        FILE.write_text(json.dumps(strict(dict(sorted(found.items()))), indent=1) + "\n")
    print(table(found))
    if asked.readme:
        into_readme(table(found))


if __name__ == "__main__":
    main()
