"""Work on what a stranger has written, within a bounded amount of memory."""

from __future__ import annotations

from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from threading import RLock
from typing import Iterator

STATISTICS = Path("/proc/self/statm")  # pages in use, where the system tells
ONE_AT_A_TIME = RLock()  # the limit is one of the whole process


@contextmanager
def spare_memory(size: int) -> Iterator[None]:
    """Within, MemoryError is raised for more than `size` bytes beyond what is in use, where the system can say no."""
    if not STATISTICS.exists():
        yield
        return
    resource = import_module("resource")  # Unix only
    with ONE_AT_A_TIME:
        former = resource.getrlimit(resource.RLIMIT_AS)
        used = int(STATISTICS.read_text().split()[0]) * resource.getpagesize()
        allowed = [limit for limit in former if limit != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_AS, (min([used + size, *allowed]), former[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_AS, former)
