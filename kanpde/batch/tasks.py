"""A member's run as a process of its own, whichever engine starts it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

from kanpde.batch.folder import Batch
from kanpde.batch.members import Member
from kanpde.batch.standing import INTERRUPTIONS, LOG
from kanpde.writers.folders import chosen_run_folder

LOOK = 0.1  # seconds between looks at a process
GRACE = 600.0  # seconds


@dataclass(frozen=True)
class Task:
    """The command that runs a member, the folder of the run, and the threads it may take."""

    name: str
    command: tuple[str, ...]
    folder: str
    threads: int


# Runs tasks and yields the name of each as it ends; closed, it stops or, if the queue is another's, only stops looking.
Engine = Callable[[Batch, Sequence[Task], bool], Iterator[str]]


def task_of(batch: Batch, member: Member) -> Task:
    """How a member is run; the process ends by itself, saving what it has, once nobody holds its standard input."""
    folder = batch.folder.resolve()
    command = (sys.executable, "-m", "kanpde.cli", "batch", "member", str(folder), member.name, "--attended")
    return Task(member.name, command, str(folder / member.name), batch.resources.cpus)


def begun(task: Task, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """The process of a task; what it says goes to the end of the log in its folder.

    It has a session of its own, so that Ctrl-C reaches it through its engine only.
    """
    folder = chosen_run_folder(task.folder)
    threads = {"OMP_NUM_THREADS": str(task.threads)}
    with (folder / LOG).open("ab") as log:
        return subprocess.Popen(
            task.command, stdin=subprocess.PIPE, stdout=log, stderr=subprocess.STDOUT, start_new_session=True,
            env={**os.environ, **threads, **environment},
        )  # fmt: skip


def outlast(code: int) -> None:
    """Wait to be ended as well, where a member was: a job that ends by itself in its grace is not queued again."""
    if code in INTERRUPTIONS:
        time.sleep(GRACE)


def ended(task: Task, process: subprocess.Popen[bytes]) -> int:
    """The exit code of a process that has ended; in the log stands which signal ended it, if it could not say so."""
    code = process.wait()
    if process.stdin is not None:
        process.stdin.close()
    if code < 0:
        hint = "; is there too little memory?" if -code == signal.SIGKILL else ""
        with (Path(task.folder) / LOG).open("a", encoding="utf-8") as log:
            log.write(f"ended by {signal.Signals(-code).name}{hint}\n")
    return code
