"""Slurm's queue, asked by its own commands, which work with and without accounting."""

from __future__ import annotations

import subprocess
from typing import Iterable

from kanpde.errors import KanpdeError

ENDED = frozenset(
    "COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL OUT_OF_MEMORY BOOT_FAIL DEADLINE PREEMPTED REVOKED".split()
)
UNKNOWN = "Invalid job id"  # what squeue says of a job it has forgotten
SECONDS = 60


def active(jobs: Iterable[str]) -> set[str]:
    """Those of the jobs, as 12 or 12_3, that have not ended; raises KanpdeError where the queue does not answer."""
    wanted = set(jobs)
    found: set[str] = set()
    for main in sorted({job.partition("_")[0] for job in wanted}):
        done = called("squeue", "-r", "-h", "-t", "all", "-o", "%i|%A|%T", "-j", main)
        if done.returncode and UNKNOWN not in done.stderr:
            raise KanpdeError(f"squeue does not answer: {done.stderr.strip() or done.returncode}")
        for line in done.stdout.splitlines():
            shown, number, state = line.split("|")
            if state not in ENDED:
                found |= {shown, number}
    return found & wanted


def cancel(jobs: Iterable[str]) -> None:
    """Take jobs out of the queue; those at work are asked to stop and, after the cluster's patience, killed."""
    wanted = sorted(jobs)
    if wanted:
        done = called("scancel", *wanted)
        if done.returncode and UNKNOWN not in done.stderr:
            raise KanpdeError(f"scancel: {done.stderr.strip()}")


def called(*command: str) -> subprocess.CompletedProcess[str]:
    """One command of Slurm's."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=SECONDS)
    except OSError:
        raise KanpdeError(f"{command[0]}: there is no such command here; is this a machine of the cluster?") from None
    except subprocess.TimeoutExpired:
        raise KanpdeError(f"{command[0]} did not answer within {SECONDS} s") from None
