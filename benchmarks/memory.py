"""What runs are expected to take in memory, and what they take: `python benchmarks/memory.py`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNS = {  # one for each method and a few sizes; stopped after a minute
    "elliptic_2d_poisson": ("network.width=300",),
    "elliptic_2d_helmholtz": ("network.width=1500",),
    "elliptic_5d_poisson": ("network.width=800",),
    "flow_2d_kovasznay": ("network.width=200",),
    "parabolic_1d_burgers_mild": (),
    "inverse_1d_heat": ("network.width=200",),
    "elliptic_2d_nonlinear_poisson": ("network.basis=chebyshev", "network.width=12", "network.depth=3"),
}
CODE = """
import json, resource, sys
from pathlib import Path
from kanpde.plan import plan
from kanpde.solve import solve
from kanpde.spec import read_spec
spec = read_spec(Path(sys.argv[1]), sys.argv[2:])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
if sys.argv[0] == "-c" and "training.seed=1" in sys.argv:
    found = plan(spec)
    print(json.dumps([found.least, found.memory]))
else:
    before = peak()
    solution = solve(spec)
    print(json.dumps([peak() - before, before, solution.summary["seconds"], solution.outcome.name]))
"""


def asked(name: str, *chosen: str) -> list:
    """What one process prints."""
    overrides = (*chosen, "training.stop.time=60", "training.threads=1")
    command = [sys.executable, "-c", CODE, str(ROOT / "problems" / f"{name}.yaml"), *overrides]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


def main() -> None:
    """Print the table."""
    print("| run | expected at first, MB | at most, MB | measured, MB | libraries, MB |\n|---|--:|--:|--:|--:|")
    for name, chosen in RUNS.items():
        least, most = asked(name, *chosen, "training.seed=1")
        taken, before, *_ = asked(name, *chosen, "training.seed=0")
        row = (name, *chosen)
        figures = " | ".join(f"{one / 1e6:.0f}" for one in (least, most, taken, before))
        print(f"| {' '.join(row)} | {figures} |", flush=True)


if __name__ == "__main__":
    main()
