"""Standard output whose reader may go away, or whose disk may be full."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TextIO


def turn_away(stream: TextIO) -> None:
    """From now on, what is written to the stream is thrown away: a stream that failed once fails again when closed."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@dataclass(frozen=True)
class Unfailing:
    """A stream that throws away what cannot be written, so that a long run does not end because its log does."""

    stream: TextIO

    @property
    def encoding(self) -> str:
        """The stream's own."""
        return self.stream.encoding

    def write(self, text: str) -> int:
        """Write, or from now on do not."""
        try:
            return self.stream.write(text)
        except OSError:
            turn_away(self.stream)
            return len(text)

    def flush(self) -> None:
        """Flush, or from now on do not."""
        try:
            self.stream.flush()
        except OSError:
            turn_away(self.stream)

    def isatty(self) -> bool:
        """Whether the stream is a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """The stream's descriptor."""
        return self.stream.fileno()
