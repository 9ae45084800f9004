"""Writing what a run has reached: with pictures, but without them where SIGTERM leaves no time."""

from __future__ import annotations

import signal
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Iterator, Sequence

import click

from kanpde.errors import KanpdeError

if TYPE_CHECKING:
    from rich.console import Console

    from kanpde.result import Result
    from kanpde.solution import Solution

SECONDS = 3.0  # to write a solution after SIGTERM, where --resume leads to it as well


def save(solution: Solution, folder: Path, console: Console, view: str, stops: Sequence[int]) -> None:
    """Write the run's folder, and show what came of it; once `stops` holds a SIGTERM, in a hurry."""
    from kanpde.json_lines import print_json
    from kanpde.report import result_facts, show

    hurried = signal.SIGTERM in stops
    try:
        result, files = hastily(solution, folder) if hurried else written(solution, folder)
    except KeyboardInterrupt:
        if hurried or signal.SIGTERM not in stops:
            raise
        result, files = hastily(solution, folder)
    if view == "json":
        print_json(console, result_facts(result, files))
    elif view != "quiet":
        console.print(show(result, files))


def written(solution: Solution, folder: Path, drawn: bool = True) -> tuple[Result, tuple[Path, ...]]:
    """The result, and the files that were written."""
    from kanpde.writers import write_run

    result = solution.tabulate()
    try:
        return result, write_run(result, folder, solution.spec.output.save if drawn else ("h5",), drawn)
    except OSError as error:
        raise KanpdeError(f"{folder}: the solution cannot be written: {error.strerror or error}") from error


def hastily(solution: Solution, folder: Path) -> tuple[Result, tuple[Path, ...]]:
    """The same without pictures; KeyboardInterrupt if it takes long and a checkpoint makes up for it."""
    from kanpde.writers import checkpoints

    with within(SECONDS if checkpoints.exists(folder) else 0.0):
        found = written(solution, folder, drawn=False)
    click.echo(f"{folder}: no pictures after SIGTERM; kanpde plot {folder} draws them", err=True)
    return found


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """KeyboardInterrupt after so many seconds; 0 is for ever, as it is where there are no timers."""
    if not seconds or not hasattr(signal, "setitimer"):
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    former = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, former)
