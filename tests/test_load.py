"""Many solves in one process, and several processes side by side, leave neither memory nor files behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from program import ROOT

PROBLEM = "unknowns: [u]\ndomain: {x: [0, 1]}\nequations: {line: u_xx = sin(x)}\nboundary: {all: u = 0}\n"
CODE = """
import gc, json, sys
from pathlib import Path
from kanpde import read_spec, solve
from kanpde.writers import write_run
spec = read_spec("line.yaml", ("network.width=20", "training={threads: 1, stop: {steps: 1}}", "output.grid=5"))
page = 4096
sizes = []
for number in range(int(sys.argv[1])):
    write_run(solve(spec).result, Path(f"run-{sys.argv[2]}"))
    gc.collect()
    sizes.append(page * int(Path("/proc/self/statm").read_text().split()[1]))
print(json.dumps(sizes))
"""
TOLERATED = 1.05
SETTLED = 20  # solves, after which the libraries have what they keep


def started(folder: Path, solves: int, number: int) -> subprocess.Popen[str]:
    """A process that solves again and again, and tells its size each time."""
    settings = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT), "TMPDIR": str(folder / "tmp")}
    command = [sys.executable, "-c", CODE, str(solves), str(number)]
    return subprocess.Popen(command, cwd=folder, env=settings, text=True, stdout=subprocess.PIPE)


def sizes(process: subprocess.Popen[str]) -> list[int]:
    """The bytes in memory after each solve."""
    told, _ = process.communicate()
    assert process.returncode == 0
    return json.loads(told)


def left(folder: Path) -> set[str]:
    """All files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the size of a process is not told here")
@pytest.mark.parametrize(("processes", "solves"), [(1, 200), (8, 30)])
def test_solves_leak_nothing(processes: int, solves: int, tmp_path: Path) -> None:
    (tmp_path / "line.yaml").write_text(PROBLEM)
    (tmp_path / "tmp").mkdir()
    running = [started(tmp_path, solves, number) for number in range(processes)]
    told = [sizes(process) for process in running]
    for found in told:
        assert max(found[SETTLED:]) <= TOLERATED * found[SETTLED], [size // 2**20 for size in found[::10]]
    files = ("solution.h5", *(f"plots/{name}.png" for name in ("solution", "estimate", "residual", "history")))
    assert left(tmp_path) == {"line.yaml", *(f"run-{number}/{file}" for number in range(processes) for file in files)}
