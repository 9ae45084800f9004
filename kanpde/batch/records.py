"""Who runs members at present: a small file for each call of an engine, gone when the call is over."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import time
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Iterator, Mapping

from kanpde.batch import queue
from kanpde.errors import KanpdeError
from kanpde.writers.atomic import write_text
from kanpde.writers.claims import alive, claimed_by, give_up, parsed, started

FOLDER = ".queue"
LARGEST = 20_000_000
PATIENCE = 120.0  # seconds for a program that was asked to stop
SLURM = "slurm"


@dataclass(frozen=True)
class Record:
    """An engine, the process that called it, and the members it was given, each with its job in a queue if any."""

    engine: str
    host: str
    process: int
    started: str
    jobs: Mapping[str, str]

    @classmethod
    def here(cls, engine: str, jobs: Mapping[str, str]) -> Record:
        """The record of this process."""
        return cls(engine, socket.gethostname(), os.getpid(), started(os.getpid()), dict(jobs))

    @property
    def local(self) -> bool:
        """Whether the process is on this machine."""
        return self.host == socket.gethostname()


def write_record(folder: Path, record: Record) -> Path:
    """Write a record beside the members."""
    path = folder / FOLDER / f"{record.engine}-{secrets.token_hex(6)}.json"
    path.parent.mkdir(exist_ok=True)
    write_text(path, json.dumps(asdict(record)) + "\n")
    return path


@contextmanager
def recorded(folder: Path, record: Record) -> Iterator[None]:
    """A record while it holds."""
    path = write_record(folder, record)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def records(folder: Path) -> list[tuple[Path, Record]]:
    """The records of a batch; what cannot be read is passed over."""
    found = []
    for path in sorted((folder / FOLDER).glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            with path.open(encoding="utf-8") as stream:
                found.append((path, Record(**json.loads(stream.read(LARGEST)))))
    return found


def held(folder: Path) -> dict[str, str]:
    """The members that wait or run, each with who has it; records that are over are removed."""
    found: dict[str, str] = {}
    for path, record in records(folder):
        if record.engine == SLURM:
            mine = {name: f"Slurm job {job}" for name, job in waiting_in(record).items()}
        elif not record.local or alive(asdict(record)):
            mine = dict.fromkeys(record.jobs, f"process {record.process} on {record.host}")
        else:
            mine = {}
        if not mine:
            path.unlink(missing_ok=True)
        found |= mine
    return found


def waiting_in(record: Record) -> dict[str, str]:
    """The members of a record whose jobs are still in the queue."""
    active = queue.active(record.jobs.values())
    return {name: job for name, job in record.jobs.items() if job in active}


def cancel(folder: Path) -> list[str]:
    """Take everything out of the queues and stop what runs here; says what was done and what could not be."""
    told = []
    for path, record in records(folder):
        if record.engine == SLURM:
            jobs = waiting_in(record)
            queue.cancel(jobs.values())
            told += [f"{len(jobs)} Slurm jobs cancelled"] if jobs else []
        elif not record.local:
            told.append(
                f"process {record.process} runs members on {record.host}: cancel there, or if it is gone for good, "
                f"remove {path}"
            )
        elif alive(asdict(record)):
            os.kill(record.process, signal.SIGTERM)
            end = time.monotonic() + PATIENCE
            while alive(asdict(record)) and path.exists() and time.monotonic() < end:
                time.sleep(0.1)
            told.append(f"process {record.process} stopped" if not path.exists() else
                        f"process {record.process} was asked to stop")  # fmt: skip
    return told


def release(folder: Path) -> bool:
    """Remove the claim of a run elsewhere whose Slurm job is gone; whether there was one."""
    text = claimed_by(folder)
    holder = parsed(text) if text else {}
    scheduler, _, job = str(holder.get("job", "")).partition(" ")
    if text is None or holder.get("host") == socket.gethostname() or scheduler != SLURM:
        return False
    try:
        gone = not queue.active([job])
    except KanpdeError:
        return False
    if gone:
        give_up(folder, text)
    return gone
