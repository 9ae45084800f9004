"""What one Jacobian costs beside one gradient, in time and in memory.

    python benchmarks/cost.py            # writes benchmarks/results/cost.json and prints two Markdown tables

All layers of the default deep network are trained. A Jacobian here is J and r, chunk by chunk; `normal` makes JᵀJ of
each chunk, `whole` keeps all of J. Times are the least of several runs, taken in turns, so that whatever else the
machine does falls on all alike.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections import deque
from pathlib import Path
from time import perf_counter
from typing import Any, Callable, Mapping

import torch
from machine import ROOT, machine

from kanpde import read_spec
from kanpde.objective import Residuals
from kanpde.training import deep_setting

FILE = ROOT / "benchmarks" / "results" / "cost.json"
PROBLEMS = ("elliptic_2d_nonlinear_poisson", "flow_2d_kovasznay", "elliptic_2d_plate")
POINTS = (1000, 2000, 4000, 8000, 16000)
REPEATS = 7
KIB = 1024

Work = Callable[[Residuals, torch.Tensor], object]
WORKS: Mapping[str, Work] = {
    "residuals": lambda objective, theta: objective.residuals(theta),
    "gradient": lambda objective, theta: objective.loss_and_gradient(theta),
    "jacobian": lambda objective, theta: deque(objective.scaled_rows(theta), maxlen=0),
    "normal": lambda objective, theta: objective.normal(theta),
    "whole": lambda objective, theta: objective.jacobian(theta),
}


def objective_of(name: str, points: int) -> tuple[Residuals, torch.Tensor]:
    """A gallery problem with a deep network at its random start, on a number of interior points."""
    spec = read_spec(ROOT / "problems" / f"{name}.yaml", [f"sampling.interior={points}"])
    setting, theta = deep_setting(spec, torch.Generator().manual_seed(0))
    return setting.objective(theta, False), theta


def times(name: str, points: int, repeats: int) -> dict[str, Any]:
    """The least seconds that each work takes."""
    objective, theta = objective_of(name, points)
    seconds = {work: float("inf") for work in WORKS}
    for _ in range(repeats):
        for work, do in WORKS.items():
            start = perf_counter()
            do(objective, theta)
            seconds[work] = min(seconds[work], perf_counter() - start)
    rows = len(objective.residuals(theta))
    return {"points": points, "rows": rows, "coefficients": len(theta), "seconds": seconds}


def peak(name: str, work: str, points: int) -> float:
    """The MiB that one work adds to the peak of a fresh process."""
    command = [sys.executable, __file__, "--once", name, work, str(points)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def once(name: str, work: str, points: int) -> None:
    """Do one work and print what it added to the peak memory, in MiB; the first of few points loads what is lazy."""
    WORKS[work](*objective_of(name, 64))
    objective, theta = objective_of(name, points)
    before = highest()
    WORKS[work](objective, theta)
    print(highest() - before)


def highest() -> float:
    """The peak of this process in MiB; on Linux not ru_maxrss, which begins at that of the process that started it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / KIB


def tables(found: Mapping[str, Any]) -> str:
    """Both measurements as Markdown."""
    lines = ["| problem | coefficients | rows | gradient, ms | Jacobian | JᵀJ |", "|---|--:|--:|--:|--:|--:|"]
    for name, one in found["time"].items():
        seconds, base = one["seconds"], one["seconds"]["gradient"]
        lines.append(f"| {name} | {one['coefficients']} | {one['rows']} | {1e3 * base:.1f} "
                     f"| {seconds['jacobian'] / base:.2f} gradients | {seconds['normal'] / base:.2f} gradients |")
    lines += ["", f"Peak memory added, MiB ({found['memory_of']}):", "",
              "| points | " + " | ".join(WORKS) + " |", "|--:|" + "--:|" * len(WORKS)]
    for points, sizes in found["memory"].items():
        lines.append(f"| {points} | " + " | ".join(f"{sizes[work]:.0f}" for work in WORKS) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, default=2000, help="interior points of the measurement of time")
    parser.add_argument("--repeats", type=int, default=REPEATS)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--once", nargs=3, metavar=("PROBLEM", "WORK", "POINTS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    if asked.once:
        once(asked.once[0], asked.once[1], int(asked.once[2]))
        return
    found = {
        **machine(), "threads": asked.threads, "torch": torch.__version__,
        "time": {name: times(name, asked.points, asked.repeats) for name in PROBLEMS},
        "memory_of": PROBLEMS[0],
        "memory": {str(n): {work: peak(PROBLEMS[0], work, n) for work in WORKS} for n in POINTS},
    }
    FILE.write_text(json.dumps(found, indent=1) + "\n")
    print(tables(found))


if __name__ == "__main__":
    main()
