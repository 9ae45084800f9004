"""Time and error of kanpde and of others, side by side on one core.

    python benchmarks/peers/run.py                                   # everything: about half an hour
    python benchmarks/peers/run.py --peers kanpde --problems P1 B1   # the rest of the results stay as they are
    python benchmarks/peers/run.py --table                           # no run: print the table

Run it with a Python that has kanpde. The others get a virtual environment each in benchmarks/peers/.environments.
Results go to benchmarks/results/peers.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[0] = str(HERE.parent)  # a folder with pykan.py and the like in it would hide the packages of these names

from machine import ROOT, machine  # noqa: E402

FILE = ROOT / "benchmarks" / "results" / "peers.json"
ENVIRONMENTS = HERE / ".environments"
PACKAGES = {  # the first is the peer
    "kanpde": ("kanpde", "torch", "numpy"),
    "pykan": ("pykan", "torch", "numpy"),
    "jaxkan": ("jaxkan", "jax", "flax", "optax", "numpy"),
    "deepxde": ("deepxde", "torch", "numpy"),
    "scikit_fem": ("scikit-fem", "scipy", "numpy"),
    "spectral": ("numpy",),
}
PROBLEMS = ("P1", "HZ1", "B1", "AC1")
LEVELS = (1e-2, 1e-3, 1e-4, 1e-6)
GRACE = 600  # wall seconds beyond the time limit, for a busy machine and what is not counted
ONE_THREAD = {
    **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1"),
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


def python_of(peer: str) -> str:
    """The interpreter of a peer's environment, which is made if there is none."""
    if peer == "kanpde":
        return sys.executable
    folder = ENVIRONMENTS / peer
    python = folder / "bin" / "python"
    made = folder / "made"
    if not made.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        wanted = HERE / "requirements" / f"{peer}.txt"
        subprocess.run([str(python), "-m", "pip", "install", "--quiet", "-r", str(wanted)], check=True)
        made.touch()
    return str(python)


def versions(python: str, peer: str) -> dict[str, str]:
    """Of Python and the packages that matter."""
    code = ("import platform, sys; from importlib.metadata import version; "
            "print(platform.python_version(), *map(version, sys.argv[1:]))")
    done = subprocess.run([python, "-c", code, *PACKAGES[peer]], capture_output=True, text=True, check=True)
    return dict(zip(("python", *PACKAGES[peer]), done.stdout.split()))


def on_one_core() -> list[str]:
    """The words before a command that keep it on one core, where the system knows them."""
    if not hasattr(os, "sched_getaffinity"):
        return []
    return ["taskset", "-c", str(max(os.sched_getaffinity(0)))]


def measured(peer: str, problem: str, seconds: float) -> dict[str, Any]:
    """One peer on one problem, in a process of its own."""
    python = python_of(peer)
    command = [*on_one_core(), python, "-m", f"peers.{peer}", problem, f"{seconds:g}"]
    start = monotonic()
    with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as complaints:
        try:
            code = subprocess.run(command, cwd=HERE.parent, env=os.environ | ONE_THREAD, stdout=output,
                                  stderr=complaints, timeout=seconds + GRACE, check=False).returncode
        except subprocess.TimeoutExpired:
            code = None
        output.seek(0)
        complaints.seek(0)
        lines = list(json_lines(output))
        last_words = complaints.read().strip().splitlines()[-1:] if code != 0 else []
    return {
        "peer": peer, "problem": problem, "limit": seconds, **facts(lines, seconds),
        "wall_seconds": round(monotonic() - start, 1), "exit_code": code, "complaint": " ".join(last_words),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"), "commit": machine()["commit"],
        "versions": versions(python, peer),
    }


def json_lines(output: Iterator[str]) -> Iterator[dict[str, Any]]:
    """The lines that are objects; libraries print others."""
    return (json.loads(line) for line in output if line.startswith("{"))


def facts(lines: Sequence[dict[str, Any]], limit: float) -> dict[str, Any]:
    """When which error was reached, and what was left at the end."""
    setup = next((line["setup_seconds"] for line in lines if "setup_seconds" in line), None)
    history = [(line["seconds"], line["error"]) for line in lines if "error" in line]
    intime = [pair for pair in history if pair[0] <= limit]
    reached = {f"{level:g}": next((round(t, 3) for t, error in intime if error <= level), None) for level in LEVELS}
    return {
        "setup_seconds": setup, "reached": reached, "error": intime[-1][1] if intime else None,
        "after_seconds": intime[-1][0] if intime else None,
        "history": [[float(f"{t:.4g}"), float(f"{error:.4g}")] for t, error in history],
    }


def saved(rows: Sequence[dict[str, Any]]) -> None:
    """One measurement on a line."""
    text = ",\n".join("  " + json.dumps(row) for row in rows)
    about = json.dumps({name: fact for name, fact in machine().items() if name != "commit"})
    FILE.write_text(f'{{\n "machine": {about},\n "rows": [\n{text}\n ]\n}}\n', encoding="utf-8")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """The measurements as Markdown."""
    levels = [f"to {level:g}" for level in LEVELS]
    lines = ["| problem | peer | version | set-up | " + " | ".join(levels) + " | error at the end | after |",
             "|---|---|---|--:|" + "--:|" * len(levels) + "--:|--:|"]
    for row in rows:
        package = PACKAGES[row["peer"]][0]
        error = "–" if row["error"] is None else f"{row['error']:.1e}"
        times = [short(seconds) for seconds in (row["setup_seconds"], *row["reached"].values())]
        cells = [row["problem"], row["peer"], f"{package} {row['versions'][package]}", *times, error,
                 short(row["after_seconds"])]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def short(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"


def main() -> None:
    """Measure what is asked for, keep it beside what was measured before, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", nargs="+", choices=PACKAGES, default=list(PACKAGES))
    parser.add_argument("--problems", nargs="+", choices=PROBLEMS, default=list(PROBLEMS))
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--table", action="store_true", help="run nothing")
    asked = parser.parse_args()
    rows = {(row["problem"], row["peer"]): row for row in json.loads(FILE.read_text())["rows"]} if FILE.exists() else {}
    order = [(problem, peer) for problem in PROBLEMS for peer in PACKAGES]
    for problem, peer in [] if asked.table else order:
        if problem in asked.problems and peer in asked.peers:
            row = rows[problem, peer] = measured(peer, problem, asked.seconds)
            print(f"{problem} {peer}: error {row['error']} after {row['after_seconds']} s {row['complaint']}",
                  file=sys.stderr, flush=True)
            saved([rows[key] for key in order if key in rows])
    print(table([rows[key] for key in order if key in rows]))


if __name__ == "__main__":
    main()
