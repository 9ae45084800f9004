"""Limits of processor time for steps of algebra that may take for ever."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from types import FrameType
from typing import Iterator


class OutOfTime(Exception):
    """A step that took more processor time than it was given."""


@contextmanager
def within(seconds: float) -> Iterator[None]:
    """Raise OutOfTime after so many seconds of processor time.

    Only in the main thread, and where the system has such a timer; elsewhere there is no limit.
    """
    if not hasattr(signal, "SIGVTALRM") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number: int, frame: FrameType | None) -> None:
        raise OutOfTime

    former = signal.signal(signal.SIGVTALRM, stop)
    try:
        signal.setitimer(signal.ITIMER_VIRTUAL, seconds)
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, former)
