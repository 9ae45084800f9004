"""How one solve scales over processes: the assembly of JᵀJ with its all-reduce, by one and by more processes.

    python benchmarks/scaling.py                # one and two processes, one thread each
    python benchmarks/scaling.py --most 4

Strong scaling keeps the points, weak scaling keeps the points of each process. Times are the least wall seconds of
several assemblies, of which the slowest process decides; those of one process and of many are taken in turns. Beside
them stands a model: the product of matrices takes N P² / (k F) with the measured rate F, the all-reduce 2 (k − 1) / k
times 8 P² bytes at the measured bandwidth. Results go to benchmarks/results/scaling.json.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from time import perf_counter
from typing import Callable

import torch
from machine import ROOT, machine
from speed import BRATU, table

from kanpde import read_spec
from kanpde.team import joined
from kanpde.training import deep_setting

FILE = ROOT / "benchmarks" / "results" / "scaling.json"
WIDTHS = (6, 9, 14)  # of three hidden layers: 540, 1134 and 2604 coefficients
POINTS = 8000
REPEATS = 5


def once(points: int, width: int) -> None:
    """Print the least seconds of an assembly and of its all-reduce in this team, as its first process finds them."""
    torch.set_num_threads(1)
    with joined() as team:
        asked = [f"sampling.interior={points}", f"network.width={width}"]
        spec = read_spec(ROOT / "problems" / f"{BRATU}.yaml", asked)
        setting, theta = deep_setting(spec, torch.Generator().manual_seed(0))
        objective = setting.objective(theta, False)
        matrix = theta.new_zeros(len(theta), len(theta))
        whole = least(lambda: objective.normal(theta), lambda: team.total(torch.zeros(1)))
        told = least(lambda: team.total(matrix), lambda: team.total(torch.zeros(1)))
        if team.rank == 0:
            print(json.dumps({"coefficients": len(theta), "seconds": whole, "all-reduce": told}), flush=True)


def least(work: Callable[[], object], together: Callable[[], object]) -> float:
    """The least wall seconds of a work that all processes begin together."""
    found = []
    for _ in range(REPEATS + 1):
        together()
        start = perf_counter()
        work()
        together()
        found.append(perf_counter() - start)
    return min(found[1:])


def measured(processes: int, points: int, width: int) -> dict[str, float]:
    """The seconds of so many processes."""
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command = [sys.executable, *(launch if processes > 1 else []), __file__, "--once", str(points), str(width)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    return {"processes": processes, "points": points, **json.loads(done.stdout.splitlines()[-1])}


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--most", type=int, default=2, metavar="PROCESSES")
    parser.add_argument("--once", nargs=2, type=int, metavar=("POINTS", "WIDTH"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.once:
        once(*asked.once)
        return
    rows = []
    for width in WIDTHS:
        alone = measured(1, POINTS, width)
        for count in range(2, asked.most + 1):
            strong, weak = measured(count, POINTS, width), measured(count, count * POINTS, width)
            rows.append({
                "coefficients": alone["coefficients"], "processes": count, "points": POINTS,
                "alone": alone["seconds"], "strong": strong["seconds"], "weak": weak["seconds"],
                "all-reduce": strong["all-reduce"],
                "speed-up": alone["seconds"] / strong["seconds"], "weak efficiency": alone["seconds"] / weak["seconds"],
                "MiB for each": 2 * (count - 1) / count * 8 * alone["coefficients"] ** 2 / 2**20,
            })  # fmt: skip
    FILE.write_text(json.dumps({**machine(), "torch": torch.__version__, "rows": rows}, indent=1) + "\n")
    heads = list(rows[0])
    print(table(heads, [[one[h] if isinstance(one[h], int) else f"{one[h]:.3g}" for h in heads] for one in rows]))


if __name__ == "__main__":
    main()
