"""The program as a user calls it, and small problems to call it with."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
from click.testing import CliRunner, Result

from kanpde.cli import main

ROOT = Path(__file__).parent.parent
HEAT = ROOT / "problems" / "parabolic_1d_heat.yaml"
ONE_THREAD = ("--set", "training.threads=1")
LINE = """\
unknowns: [u]
domain: {x: [0, 1]}
equations: {line: u_xx = 0}
boundary: {left: u = 0, right: u = 1}
reference: {file: known.csv, tolerance: 1e-3}
"""


def run(*arguments: object, stdin: str | None = None) -> Result:
    """One call of the program in this process."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def started(*arguments: object) -> subprocess.Popen[str]:
    """The program in a process of its own, in which Ctrl-C works whatever this process does with it."""
    code = ("import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from kanpde.cli import main; main(sys.argv[1:])")
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows(text: str) -> list[dict[str, float]]:
    """The rows of a CSV table of numbers."""
    return [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]


def line_problem(folder: Path, slope: float) -> Path:
    """A problem with the solution x, and a reference that says `slope` times x."""
    (folder / "known.csv").write_text("x,u\n" + "".join(f"{x},{slope * x}\n" for x in np.linspace(0, 1, 5)))
    (folder / "line.yaml").write_text(LINE)
    return folder / "line.yaml"
