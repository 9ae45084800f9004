"""One run at a time in a folder: a claim, which is void once the process that made it is gone."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Iterator

from kanpde.errors import KanpdeError
from kanpde.writers.folders import MARK

CLAIM = ".kanpde-claim"
LEFT_OVER = (".new-*", ".*.part", f"{CLAIM}.*")  # what a killed run may leave half done
LONGEST = 10_000
TRIES = 10


class Occupied(KanpdeError):
    """A folder in which another run is at work."""


@contextmanager
def claim(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder of ours; what a killed one has left half done there is removed.

    A file made exclusively holds on shared file systems as well, where locks may not. Raises Occupied where
    another run is at work.
    """
    mine = {"host": socket.gethostname(), "process": os.getpid(), "started": started(os.getpid()), **job()}
    for _ in range(TRIES):
        if made(folder / CLAIM, json.dumps(mine)):
            break
        give_way(folder)
    else:
        raise KanpdeError(f"{folder}: cannot be claimed for this run; try again, or remove {folder / CLAIM}")
    try:
        for pattern in LEFT_OVER:
            for path in folder.glob(pattern):
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
        yield
    finally:
        with suppress(OSError):
            (folder / CLAIM).unlink()


def made(path: Path, text: str) -> bool:
    """Make the file with its text, whole from the first moment on, unless there is one."""
    whole = path.with_name(f"{CLAIM}.{secrets.token_hex(4)}")
    try:
        with whole.open("x") as stream:
            stream.write(text)
        try:
            os.link(whole, path)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            with suppress(FileExistsError), path.open("x") as stream:
                stream.write(text)
                return True
            return False
        return True
    finally:
        whole.unlink(missing_ok=True)


def give_way(folder: Path) -> None:
    """Raise Occupied where a living run holds the claim; else remove it, unless it has changed meanwhile."""
    path = folder / CLAIM
    text = claimed_by(folder)
    if text is None:
        return
    holder = parsed(text)
    if holds(holder):
        here = holder.get("host") == socket.gethostname()
        where = "" if here else f" on {holder.get('host', 'an unknown machine')}"
        advice = "wait for it, or name another folder" if here else f"if it is gone for good, remove {path}"
        raise Occupied(f"{folder}: process {holder.get('process', '?')}{where} is at work here; {advice}")
    give_up(folder, text)


def occupied(folder: Path) -> bool:
    """Whether a run is at work in a folder, as far as can be told from here."""
    text = claimed_by(folder)
    return text is not None and holds(parsed(text))


def claimed_by(folder: Path) -> str | None:
    """The text of the claim on a folder, None where there is none."""
    try:
        with (folder / CLAIM).open(errors="replace") as stream:
            return stream.read(LONGEST)
    except (FileNotFoundError, NotADirectoryError):
        return None


def holds(holder: dict[str, Any]) -> bool:
    """Whether who made a claim may still be at work: elsewhere, unless it was this very job before it was requeued."""
    if holder.get("host") == socket.gethostname():
        return alive(holder)
    mine, before = job(), holder.get("restart")
    requeued = bool(mine) and holder.get("job") == mine["job"] and isinstance(before, int) and before < mine["restart"]
    return not requeued


def job() -> dict[str, Any]:
    """The job of a scheduler that this process is part of, and how often it has been requeued; empty outside of one."""
    number, restart = os.environ.get("SLURM_JOB_ID", ""), os.environ.get("SLURM_RESTART_COUNT", "0")
    return {"job": f"slurm {number}", "restart": int(restart)} if number and restart.isdigit() else {}


def give_up(folder: Path, text: str) -> None:
    """Remove the claim that says this, unless it has changed meanwhile."""
    path = folder / CLAIM
    aside = path.with_name(f"{CLAIM}.{secrets.token_hex(4)}")
    with suppress(FileNotFoundError):
        os.rename(path, aside)
        if aside.read_text(errors="replace") != text:  # another run was quicker: its claim goes back
            with suppress(OSError):
                os.link(aside, path)
        aside.unlink()


def parsed(text: str) -> dict[str, Any]:
    """What a claim says; nothing, on this machine, where it says nothing."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"host": socket.gethostname()}


def alive(holder: dict[str, Any]) -> bool:
    """Whether the process that made a claim on this machine still runs; its number may belong to another by now."""
    number = holder.get("process")
    if not isinstance(number, int) or not 0 < number < 2**31:
        return False
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return holder.get("started") in ("", started(number))


def started(number: int) -> str:
    """When a process was started, in the system's ticks, where it tells."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def nothing_else(folder: Path) -> bool:
    """Whether a folder holds nothing but the marks of a run."""
    return {path.name for path in folder.iterdir()} <= {MARK, CLAIM}
