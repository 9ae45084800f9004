"""`kanpde solve`: a problem file in, a folder with the solution out."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Iterator, Sequence

import click

from kanpde.errors import KanpdeError

if TYPE_CHECKING:
    from rich.console import Console

    from kanpde.solution import Solution
    from kanpde.spec import Spec

OUTPUTS = "outputs"
STDERR = 2
STOPS = (signal.SIGINT, signal.SIGTERM)
SAVING = b"saving the solution; press Ctrl-C again to give it up\n"


class Stopped(KanpdeError):
    """A run that a signal ended before anything was saved."""

    def __init__(self, stops: Sequence[int], message: str) -> None:
        super().__init__(message)
        self.exit_code = 128 + (stops[0] if stops else signal.SIGINT)


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override: network.width=9.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Instead of a new outputs/NAME-NNN.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object on each line.")
def solve(file: Path, overrides: tuple[str, ...], out: Path | None, quiet: bool, as_json: bool) -> None:
    """Solve the problem in FILE.

    The exit code is 0 for a solution, 2 for mistakes in FILE, 3 for a solution that is not to be trusted, 4 for an
    error above the tolerance asked for, 1 for anything else. Ctrl-C saves what is reached and exits with 130.
    """
    stops: list[int] = []
    try:
        with stopped_by(stops, patience=0):
            code = run(file, overrides, out, "json" if as_json else "quiet" if quiet else "", stops)
    except KeyboardInterrupt:
        raise Stopped(stops, "stopped; nothing was saved") from None
    except KanpdeError as error:
        raise Stopped(stops, str(error)) if stops else error from None
    sys.exit(128 + stops[0] if stops else code)


def run(file: Path, overrides: tuple[str, ...], out: Path | None, view: str, stops: list[int]) -> int:
    """Solve and save, and give the exit code; mistakes in the file are told before anything slow is loaded."""
    from kanpde.spec import read_spec

    spec = read_spec(file, overrides)

    from rich.console import Console

    from kanpde.progress import VIEWS, view_for
    from kanpde.solve import solve as solution_of
    from kanpde.streams import Unfailing

    console = Console(file=Unfailing(sys.stdout))  # type: ignore[arg-type]
    view = view or view_for(console)
    with claimed(spec, out) as folder:
        with VIEWS[view](console) as watch:
            solution = solution_of(spec, watch)
        with stopped_by(stops, patience=1):
            save(solution, folder, console, view)
    return solution.outcome.exit_code


def save(solution: Solution, folder: Path, console: Console, view: str) -> None:
    """Write the run's folder, and show what came of it."""
    from kanpde.json_lines import print_json
    from kanpde.report import result_facts, show
    from kanpde.writers import write_run

    result = solution.tabulate()
    try:
        files = write_run(result, folder, solution.spec.output.save)
    except OSError as error:
        raise KanpdeError(f"{folder}: the solution cannot be written: {error.strerror or error}") from error
    if view == "json":
        print_json(console, result_facts(result, files))
    elif view != "quiet":
        console.print(show(result, files))


@contextmanager
def stopped_by(stops: list[int], patience: int) -> Iterator[None]:
    """Ctrl-C and SIGTERM are noted in `stops` and, but for the first `patience` of them, raise KeyboardInterrupt."""
    start = len(stops)

    def stop(number: int, frame: FrameType | None) -> None:
        stops.append(number)
        if len(stops) - start > patience:
            raise KeyboardInterrupt
        os.write(STDERR, SAVING)  # a handler may interrupt a write to sys.stderr, so it must not use that

    former = {number: signal.getsignal(number) for number in STOPS}
    heeded = {number: old for number, old in former.items() if old not in (signal.SIG_IGN, None)}
    for number in heeded:
        signal.signal(number, stop)
    try:
        yield
    finally:
        for number, old in heeded.items():
            signal.signal(number, old)


@contextmanager
def claimed(spec: Spec, out: Path | None) -> Iterator[Path]:
    """The folder of the run; if the run leaves nothing in it, the folders made for it are removed again."""
    from kanpde.writers.folders import MARK, chosen_run_folder, new_run_folder

    wanted = Path(OUTPUTS) if out is None else out
    absent = [path for path in (wanted, *wanted.parents) if not path.exists()]
    marked = (wanted / MARK).exists()
    folder = new_run_folder(wanted, spec.path.stem) if out is None else chosen_run_folder(out)
    try:
        yield folder
    except BaseException:
        with suppress(OSError):
            if not marked and {path.name for path in folder.iterdir()} <= {MARK}:
                (folder / MARK).unlink(missing_ok=True)
            for path in dict.fromkeys((folder, *absent)):
                path.rmdir()
        raise
