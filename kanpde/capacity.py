"""How much memory there is: what is free in the machine, and what the control groups of the process leave of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

GROUPS = Path("/sys/fs/cgroup")
OWN_GROUPS = Path("/proc/self/cgroup")
MACHINE = Path("/proc/meminfo")
# The limit of a group, what it uses, and of this what can be given up at once: of version 2 and of version 1.
VERSIONS = (
    ("memory.max", "memory.current", "inactive_file "),
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "),
)


@dataclass(frozen=True)
class Capacity:
    """Bytes that may still be taken, and whose limit that is."""

    free: float
    whose: str


def capacity() -> Capacity:
    """The tightest of the limits that are known here."""
    return min((Capacity(machine(), "this machine"), *groups()), key=lambda found: found.free)


def machine() -> float:
    """The bytes of the machine that are free, or all of them where it does not tell."""
    if MACHINE.is_file():
        lines = dict(line.split(":", 1) for line in MACHINE.read_text().splitlines() if ":" in line)
        if "MemAvailable" in lines:
            return 1024.0 * int(lines["MemAvailable"].split()[0])
    known = {"SC_PAGE_SIZE", "SC_PHYS_PAGES"} <= set(getattr(os, "sysconf_names", ()))
    return float(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")) if known else float("inf")


def groups() -> Iterator[Capacity]:
    """What each control group that the process is in leaves, its own and those above it."""
    lines = OWN_GROUPS.read_text().splitlines() if OWN_GROUPS.is_file() else []
    for line in lines:
        _, controllers, own = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root, version = GROUPS / controllers, VERSIONS[controllers == "memory"]
        for folder in (root / own.lstrip("/"), *(root / parent for parent in Path(own.lstrip("/")).parents)):
            left = remaining(folder, *version)
            if left is not None:
                yield Capacity(left, f"the control group {folder}")


def remaining(folder: Path, limit: str, used: str, spare: str) -> float | None:
    """The bytes that a control group leaves, None where it has no limit."""
    try:
        most = (folder / limit).read_text().strip()
        now = int((folder / used).read_text())
        facts = (folder / "memory.stat").read_text().splitlines()
    except OSError:
        return None
    idle = sum(int(fact.removeprefix(spare)) for fact in facts if fact.startswith(spare))
    return float(int(most) - now + idle) if most.isdigit() else None
