"""How a member stands, judged by what its run has left in its folder."""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from enum import Enum
from pathlib import Path
from typing import Iterable

from kanpde.errors import ResultError
from kanpde.hdf5_open import opened
from kanpde.hdf5_values import attribute, text
from kanpde.result import Outcome
from kanpde.writers import checkpoints
from kanpde.writers.atomic import write_text
from kanpde.writers.claims import occupied
from kanpde.writers.layout import FILE

ATTEMPT = "attempt.json"
LOG = "log.txt"
LONGEST = 1_000_000
INTERRUPTIONS = (130, 143)
TAIL = 4000  # bytes of a log


class State(Enum):
    """How a member stands, and whether there is something left to do."""

    DONE = ("done", False)
    RUNNING = ("running", False)
    QUEUED = ("queued", False)
    MISSING = ("missing", True)
    INTERRUPTED = ("interrupted", True)
    KILLED = ("killed", True)
    FAILED = ("failed", True)

    @property
    def word(self) -> str:
        """What it is called."""
        return self.value[0]

    @property
    def open(self) -> bool:
        """Whether a further call runs it."""
        return self.value[1]


@dataclass(frozen=True)
class Attempt:
    """One go at a member: which it is, by which process, since when; and how it ended, unless it has not."""

    number: int
    host: str
    process: int
    began: str
    ended: str = ""
    code: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Standing:
    """How a member stands: its state, the outcome of its run if it is done, and the reason if it is not."""

    state: State
    outcome: Outcome | None = None
    reason: str = ""
    attempts: int = 0


def standing(folder: Path, mine: bool = False) -> Standing:
    """How the member whose run is in a folder stands; `mine` is a folder that this process has claimed."""
    last = last_attempt(folder)
    number = last.number if last else 0
    if not mine and occupied(folder):
        return Standing(State.RUNNING, attempts=number)
    outcome = outcome_of(folder)
    if outcome not in (None, Outcome.INTERRUPTED):
        return Standing(State.DONE, outcome, attempts=number)
    if last is not None and last.code is None:
        return Standing(State.KILLED, None, last_words(folder), number)
    if outcome is Outcome.INTERRUPTED:
        return Standing(State.INTERRUPTED, outcome, "stopped; its solution so far was saved", number)
    if last is None:
        return Standing(State.MISSING)
    if last.code in INTERRUPTIONS:
        return Standing(State.INTERRUPTED, None, last.reason, number)
    return Standing(State.FAILED, None, last.reason or f"exit code {last.code}", number)


def outcome_of(folder: Path) -> Outcome | None:
    """How the run in a folder ended, None where it left no result, or where another has begun since."""
    if not (folder / FILE).is_file() or (checkpoints.exists(folder) and not settled(folder)):
        return None
    return stated_outcome(folder)


def stated_outcome(folder: Path) -> Outcome | None:
    """The outcome that a result states, None where it cannot be read."""
    try:
        with opened(folder / FILE) as file:
            return Outcome[text(attribute(file["entry"], "outcome"))]
    except (ResultError, KeyError):
        return None


def settled(folder: Path) -> bool:
    """Whether a result beside a checkpoint is of the same run, which came to its limit or was interrupted."""
    newest = max((folder / name).stat().st_mtime_ns for name in checkpoints_in(folder))
    return (folder / FILE).stat().st_mtime_ns >= newest


def checkpoints_in(folder: Path) -> Iterable[str]:
    """The names of the checkpoints there are."""
    return [name for name in (checkpoints.LATEST, checkpoints.BEFORE) if (folder / name).is_file()]


def last_attempt(folder: Path) -> Attempt | None:
    """The last go at a member, None if there was none."""
    try:
        with (folder / ATTEMPT).open(encoding="utf-8") as stream:
            return Attempt(**json.loads(stream.read(LONGEST)))
    except (OSError, ValueError, TypeError):
        return None


def begin(folder: Path) -> Attempt:
    """Note that this process begins; only the one that has claimed the folder may."""
    last = last_attempt(folder)
    made = Attempt((last.number if last else 0) + 1, socket.gethostname(), os.getpid(), now())
    note(folder, made)
    return made


def end(folder: Path, attempt: Attempt, code: int, reason: str) -> None:
    """Note how it ended."""
    note(folder, replace(attempt, ended=now(), code=code, reason=reason))


def note(folder: Path, attempt: Attempt) -> None:
    """Write the last go at a member."""
    write_text(folder / ATTEMPT, json.dumps(asdict(attempt)) + "\n")


def now() -> str:
    """The time, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def last_words(folder: Path) -> str:
    """What is known of a process that is gone without a word."""
    lines = [line for line in log_end(folder).splitlines() if line.startswith("ended by ")]
    return lines[-1] if lines else "its process is gone without a word"


def log_end(folder: Path) -> str:
    """The end of a member's log."""
    try:
        with (folder / LOG).open("rb") as stream:
            stream.seek(max(0, (folder / LOG).stat().st_size - TAIL))
            return stream.read().decode(errors="replace")
    except OSError:
        return ""
