"""One member of a batch, run in this process."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

import click

from kanpde.commands.solve import stopped_by, trained, warn
from kanpde.errors import KanpdeError

if TYPE_CHECKING:
    from kanpde.batch.folder import Batch
    from kanpde.batch.members import Member

PATIENCE = 120.0  # seconds


@click.command("member", hidden=True)
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.argument("name")
@click.option("--attended", is_flag=True, help="Save and stop once standard input ends.")
def member(folder: Path, name: str, attended: bool) -> None:
    """Run the member NAME of the batch in DIR."""
    from kanpde.batch.folder import read_batch

    if attended:
        threading.Thread(target=stop_when_alone, daemon=True).start()
    batch = read_batch(folder)
    sys.exit(run_member(batch, batch.member(name), "", PATIENCE if attended else 0.0))


def stop_when_alone() -> None:
    """Let this process save and stop once the one that started it is gone, which ends its standard input."""
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def run_member(batch: Batch, chosen: Member, view: str, patience: float = 0.0) -> int:
    """Begin a member's run, or go on with it, and give the exit code; in the folder stands how it ended.

    A run that is at work in its folder is given so many seconds to end.
    """
    from kanpde.batch.standing import State, standing
    from kanpde.writers.folders import chosen_run_folder

    folder = chosen_run_folder(batch.run_folder(chosen))
    stops: list[int] = []
    with stopped_by(stops, patience=0):
        try:
            with claimed_within(folder, patience):
                now = standing(folder, mine=True)
                if now.state is State.DONE and now.outcome is not None:
                    warn(f"{folder}: nothing to do, {now.outcome.message}")
                    return now.outcome.exit_code
                return attempted(batch, chosen, folder, view, stops)
        except KeyboardInterrupt:
            return 128 + (stops[0] if stops else signal.SIGINT)


@contextmanager
def claimed_within(folder: Path, patience: float) -> Iterator[None]:
    """A claim on a folder, waited for so many seconds: one that was stopped elsewhere may still be saving."""
    from kanpde.batch.records import release
    from kanpde.writers.claims import claim, occupied

    end = time.monotonic() + patience
    release(folder)
    while occupied(folder) and time.monotonic() < end:
        time.sleep(1)
        release(folder)
    with claim(folder):
        yield


def attempted(batch: Batch, chosen: Member, folder: Path, view: str, stops: list[int]) -> int:
    """Run a member whose folder is claimed, and note the exit code and the reason."""
    from kanpde.batch.standing import begin, end

    attempt = begin(folder)
    code, reason = 1, "stopped before it could say why"
    try:
        code, reason = solved(batch, chosen, folder, view, stops), ""
        if stops:
            code, reason = 128 + stops[0], "stopped; the solution so far was saved"
    except KeyboardInterrupt:
        code, reason = 128 + (stops[0] if stops else signal.SIGINT), "stopped; nothing was saved"
    except KanpdeError as error:
        code, reason = 128 + stops[0] if stops else error.exit_code, str(error)
        warn(reason)
    except Exception as error:  # whatever it is, it is noted, and is of this member alone
        code, reason = 1, f"{type(error).__name__}: {error}"
        traceback.print_exc()
    finally:
        with ignored():
            end(folder, attempt, code, reason)
    return code


@contextmanager
def ignored() -> Iterator[None]:
    """No signal is heeded meanwhile: what is done takes no time."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    former = [signal.signal(number, signal.SIG_IGN) for number in numbers]
    try:
        yield
    finally:
        for number, old in zip(numbers, former):
            signal.signal(number, old)


def solved(batch: Batch, chosen: Member, folder: Path, view: str, stops: list[int]) -> int:
    """Solve a member's problem, from its checkpoint if there is one."""
    within = Path(batch.files) if batch.files else None
    threads = (f"training.threads={batch.resources.cpus}",)
    spec = chosen.spec((), within)
    if spec.training.threads is None:
        spec = chosen.spec(threads, within)
    from kanpde.capacity import capacity
    from kanpde.checkpoint import Asked, begun, resumed
    from kanpde.plan import fits, plan

    found = resumed(folder, Asked(within=within), warn)
    if found is not None:
        return trained(found.spec, found.journal, folder, view, stops)
    if told := fits(plan(spec), spec, capacity()):
        warn(told)
    return trained(spec, begun(spec, folder, warn), folder, view, stops)
