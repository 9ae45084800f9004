"""Where, when and with what a run was made."""

from __future__ import annotations

import platform
import socket
import sys
from datetime import datetime, timezone
from typing import Any

import numpy as np
import torch

from kanpde.clock import Clock
from kanpde.folder import kept
from kanpde.packages import installed
from kanpde.spec import Spec
from kanpde.team import TEAM


def provenance(spec: Spec, clock: Clock) -> dict[str, Any]:
    """Where, when and with what the run was made."""
    return {
        "folder": str(spec.path.parent.resolve()),
        "files": kept(spec.files),
        "seed": spec.training.seed,
        "device": spec.training.device,
        "precision": spec.training.precision,
        "threads": torch.get_num_threads(),
        **({"processes": TEAM.count} if TEAM.count > 1 else {}),
        "command": " ".join(sys.argv),
        "versions": versions(),
        "platform": platform.platform(),
        "processor": torch.backends.cpu.get_cpu_capability(),
        "host": socket.gethostname(),
        "seconds": clock.now(),
        **({} if clock.journal.readings is None else {"clock": np.array(clock.journal.readings)}),
        "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }


def versions() -> dict[str, str]:
    """The packages that decide on the last digits."""
    packages = ("kanpde", "torch", "numpy", "h5py")
    return {name: installed(name) or "not installed" for name in packages} | {"python": platform.python_version()}
