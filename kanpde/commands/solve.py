"""`kanpde solve`: a problem file in, a folder with the solution out."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Callable, Iterator, Sequence

import click

from kanpde.commands.saving import save
from kanpde.errors import KanpdeError

if TYPE_CHECKING:
    from kanpde.checkpoint import Asked
    from kanpde.filming import Film
    from kanpde.journal import Journal
    from kanpde.solve import Progress
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
@click.argument("file", type=click.Path(path_type=Path), metavar="[FILE]", required=False)
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override: network.width=9.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Instead of a new outputs/NAME-NNN.")
@click.option("--resume", type=click.Path(path_type=Path), metavar="RUN", help="Go on with an unfinished run.")
@click.option("--files", type=click.Path(path_type=Path), metavar="DIR", help="Where files that FILE names may lie.")
@click.option("--distributed", is_flag=True, help="Share the solve with the processes that srun started.")
@click.option("--animate", type=click.Choice(["gif", "mp4"]), help="Film the training: plots/training.gif.")
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, an object on each line.")
def solve(
    file: Path | None, overrides: tuple[str, ...], out: Path | None, resume: Path | None, files: Path | None,
    distributed: bool, animate: str | None, quiet: bool, as_json: bool,
) -> None:  # fmt: skip
    """Solve the problem in FILE, or go on with a run that was stopped from its last checkpoint.

    The exit code is 0 for a solution, 2 for mistakes in FILE, 3 for a solution that is not to be trusted, 4 for an
    error above the tolerance asked for, 1 for anything else. Ctrl-C saves what is reached and exits with 130, SIGTERM
    with 143; --resume then ends with the bits of a run that was not stopped. A run that a limit has stopped goes on
    with another one, as in --set training.stop.time=900.
    """
    if resume is not None and out is not None:
        raise click.UsageError("a resumed run stays in its folder: --resume without --out")
    if file is None and resume is None:
        raise click.UsageError("Missing argument 'FILE'.")
    if animate is not None:
        from kanpde.writers.animation import possible

        possible(animate)
    stops: list[int] = []
    try:
        with stopped_by(stops, patience=0), company(distributed) as leads:
            view = "json" if as_json else "quiet" if quiet else ""
            if not leads:
                code = followed(file, overrides, resume, files)
            elif resume is not None:
                from kanpde.checkpoint import Asked

                code = continued(resume, Asked(file, overrides, files), view, stops, animate)
            elif file is not None:
                code = run(spec_in(file, overrides, files), out, view, stops, animate)
    except KeyboardInterrupt:
        raise Stopped(stops, "stopped; nothing was saved") from None
    except KanpdeError as error:
        raise Stopped(stops, str(error)) if stops else error from None
    sys.exit(128 + stops[0] if stops else code)


@contextmanager
def company(distributed: bool) -> Iterator[bool]:
    """Join the processes that share this solve, if there are others; whether this one leads, and so writes.

    Raises KanpdeError at the end where another one has gone.
    """
    if not distributed and os.environ.get("WORLD_SIZE", "1") == "1":
        yield True
        return
    from kanpde.team import joined

    with joined(distributed) as team:
        yield team.rank == 0
        if team.lost:
            raise KanpdeError(f"{team.lost}; kanpde solve --resume goes on from what was saved, with any number")


def followed(file: Path | None, overrides: tuple[str, ...], resume: Path | None, files: Path | None) -> int:
    """Take part in a solve that another process leads, without a word; that one tells what is wrong."""
    from kanpde.checkpoint import Asked, resumed
    from kanpde.journal import Journal
    from kanpde.solve import solve as solution_of

    try:
        if resume is not None:
            found = resumed(resume, Asked(file, overrides, files), lambda text: None)
            if found is not None and not found.ended:
                found.journal.save_content = None
                solution_of(found.spec, journal=found.journal)
        elif file is not None:
            solution_of(spec_in(file, overrides, files), journal=Journal())
    except KanpdeError as error:
        return error.exit_code
    return 0


def spec_in(file: Path, overrides: tuple[str, ...], files: Path | None) -> Spec:
    """The problem in a file; mistakes in it are told before anything slow is loaded."""
    from kanpde.spec import read_spec

    return read_spec(file, overrides, files)


def run(spec: Spec, out: Path | None, view: str, stops: list[int], animate: str | None) -> int:
    """Solve and save, and give the exit code; what does not fit into the memory is refused at once."""
    from kanpde.capacity import capacity
    from kanpde.checkpoint import begun
    from kanpde.plan import fits, plan

    if told := fits(plan(spec), spec, capacity()):
        warn(told)
    with claimed(spec, out) as folder:
        return trained(spec, begun(spec, folder, warn), folder, view, stops, animate)


def continued(folder: Path, asked: Asked, view: str, stops: list[int], animate: str | None) -> int:
    """Go on with a run from its checkpoint; nothing is done where it has finished."""
    from kanpde.writers import read
    from kanpde.writers.claims import claim
    from kanpde.writers.folders import is_run_folder
    from kanpde.writers.layout import FILE

    if not folder.is_dir() or not is_run_folder(folder):
        raise KanpdeError(f"{folder}: not the folder of a run; name one, as outputs/NAME-001")
    with claim(folder):
        from kanpde.checkpoint import resumed

        found = resumed(folder, asked, warn)
        if found is None and not (folder / FILE).is_file():
            raise KanpdeError(f"{folder}: there is no checkpoint to resume from; solve the problem anew")
        if found is None:
            outcome = read(folder).outcome
            warn(f"{folder}: nothing to resume, {outcome.message}")
            return outcome.exit_code
        if found.ended and (folder / FILE).is_file():
            outcome = read(folder).outcome
            warn(f"{folder}: nothing to resume, {outcome.message}; more of it is --set training.stop.time=SECONDS")
            return outcome.exit_code
        return trained(found.spec, found.journal, folder, view, stops, animate)


def trained(
    spec: Spec, journal: Journal, folder: Path, view: str, stops: list[int], animate: str | None = None
) -> int:
    """Solve and save; the checkpoints go once the run is written, unless it may go on."""
    from rich.console import Console

    from kanpde.progress import VIEWS, view_for
    from kanpde.solve import solve as solution_of
    from kanpde.streams import Unfailing
    from kanpde.writers import checkpoints

    console = Console(file=Unfailing(sys.stdout))  # type: ignore[arg-type]
    asked, view = view, view or view_for(console)
    try:
        with VIEWS[view](console) as watch:
            watching, film = (watch, None) if animate is None else filmed(spec, watch)
            solution = solution_of(spec, watching, journal)
        with stopped_by(stops, patience=1):
            save(solution, folder, console, view, stops)
            if film is not None and animate is not None and not stops:
                shown(film, folder, animate, asked)
    except KanpdeError as error:
        if checkpoints.exists(folder):
            raise KanpdeError(f"{error}; kanpde solve --resume {folder} goes on") from error
        raise
    except KeyboardInterrupt:
        if checkpoints.exists(folder):
            raise KanpdeError(f"stopped; kanpde solve --resume {folder} goes on") from None
        raise
    if not journal.open:
        checkpoints.remove(folder)
    return solution.outcome.exit_code


def filmed(spec: Spec, watch: Callable[[Progress], None]) -> tuple[Callable[[Progress], None], Film]:
    """What watches a training and films it beside that, and the film."""
    from kanpde.filming import Film

    film = Film(spec)

    def both(progress: Progress) -> None:
        watch(progress)
        film.watch(progress)

    return both, film


def shown(film: Film, folder: Path, animate: str, view: str) -> None:
    """Write a film beside the pictures of a run."""
    from kanpde.writers import PLOTS
    from kanpde.writers.animation import animate as written

    for path in written(film.snapshots, film.spec.title, animate, folder / PLOTS) if film.snapshots else ():
        if not view:
            click.echo(path)


def warn(text: str) -> None:
    """A line beside the log."""
    click.echo(text, err=True)


@contextmanager
def stopped_by(stops: list[int], patience: int) -> Iterator[None]:
    """Ctrl-C and SIGTERM are noted in `stops` and raise KeyboardInterrupt, but for the first `patience` Ctrl-Cs.

    A scheduler sends SIGTERM once more sometimes, and that is noted only.
    """
    start = len(stops)

    def stop(number: int, frame: FrameType | None) -> None:
        known = number == signal.SIGTERM and number in stops
        stops.append(number)
        if known:
            return
        if number == signal.SIGTERM or len(stops) - start > patience:
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
    from kanpde.writers import checkpoints
    from kanpde.writers.claims import claim, nothing_else
    from kanpde.writers.folders import MARK, chosen_run_folder, new_run_folder

    wanted = Path(OUTPUTS) if out is None else out
    absent = [path for path in (wanted, *wanted.parents) if not path.exists()]
    marked = (wanted / MARK).exists()
    folder = new_run_folder(wanted, spec.path.stem) if out is None else chosen_run_folder(out)
    try:
        with claim(folder):
            if checkpoints.exists(folder) and not ended(folder):
                raise KanpdeError(
                    f"{folder}: a run that was stopped left its checkpoint here; kanpde solve --resume {folder} "
                    f"goes on with it. To give it up, remove {folder / checkpoints.LATEST}, or name another folder."
                )
            yield folder
    except BaseException:
        with suppress(OSError):
            if not marked and nothing_else(folder):
                (folder / MARK).unlink(missing_ok=True)
            for path in dict.fromkeys((folder, *absent)):
                path.rmdir()
        raise


def ended(folder: Path) -> bool:
    """Whether the run of a checkpoint had come to its limit and was written."""
    from kanpde.errors import ResultError
    from kanpde.writers import checkpoints
    from kanpde.writers.layout import FILE

    try:
        found, _ = checkpoints.read(folder)
    except ResultError:
        return False
    return found is not None and found.get("outcome") == "LIMIT" and (folder / FILE).is_file()
