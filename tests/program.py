"""The program as a user calls it, and small problems to call it with."""

from __future__ import annotations

import csv
import io
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
from click.testing import CliRunner, Result

from kanpde.cli import main
from kanpde.commands.batch import START

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


def understood(words: list[str]) -> None:
    """Raises click.UsageError unless command, options and their values are known; files need not be there."""
    with click.Context(main) as above:
        command, given = main, [word for word in words if word != "…"]
        if given[0] not in main.commands:
            raise click.UsageError(f"no such command: {given[0]}")
        while isinstance(command, click.Group) and given and given[0] in command.commands:
            command, given = command.commands[given[0]], given[1:]
        if isinstance(command, click.Group):
            command = command.commands[START]
        if given and given[-1].startswith("--"):
            given.append("…")  # an option that is spoken of without its value
        context = click.Context(command, parent=above)
        parsed, _, _ = command.make_parser(context).parse_args(given)
        for option in command.params:
            value = parsed.get(option.name)
            if isinstance(option.type, click.Choice) and isinstance(value, str) and value != "…":
                for one in value.split("|"):
                    option.type_cast_value(context, one)


def rows(text: str) -> list[dict[str, float]]:
    """The rows of a CSV table of numbers."""
    return [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]


def line_problem(folder: Path, slope: float) -> Path:
    """A problem with the solution x, and a reference that says `slope` times x."""
    (folder / "known.csv").write_text("x,u\n" + "".join(f"{x},{slope * x}\n" for x in np.linspace(0, 1, 5)))
    (folder / "line.yaml").write_text(LINE)
    return folder / "line.yaml"
