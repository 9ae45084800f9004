"""What a measurement was made on and with."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


def machine() -> dict[str, Any]:
    """The processor, its cores, the system, and the commit of this checkout."""
    return {"cpu": processor(), "cores": os.cpu_count(), "system": platform.platform(), "commit": commit()}


def processor() -> str:
    """The processor's name, as Linux says it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def commit() -> str:
    """The commit, with a plus sign if the program differs from it."""
    def said(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    return said("rev-parse", "--short", "HEAD") + "+" * bool(said("status", "--porcelain", "kanpde", "problems"))
