"""What is timed: the processor's seconds of the process, from its start, without what serves to measure only.

Every peer runs on one core with one thread, where the processor's seconds are those of a clock on the wall if nothing
else runs on that core, and stay what they are if something does.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from time import process_time

from peers.problems import TABLE, Problem, Solution

SPACING = 1 / 120  # of the time limit, at least, between two reports of an iteration


class Clock:
    """The seconds that a peer has used; prints a JSON line for each error reached."""

    def __init__(self, problem: Problem, limit: float) -> None:
        self.limit = limit
        self.uncounted = 0.0
        self.reported = 0.0
        with self.paused():
            self.truth = problem.truth()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do something that does not count."""
        begin = process_time()
        yield
        self.uncounted += process_time() - begin

    def seconds(self) -> float:
        return process_time() - self.uncounted

    def over(self) -> bool:
        return self.seconds() >= self.limit

    def past(self, share: float) -> bool:
        """Whether a share of the time limit is used up: stages of a schedule end at their count or at their share."""
        return self.seconds() >= share * self.limit

    def ready(self) -> None:
        """Say that imports, construction and compilation are behind."""
        print(json.dumps({"setup_seconds": self.seconds()}), flush=True)

    def due(self) -> bool:
        return self.seconds() - self.reported >= SPACING * self.limit or self.over()

    def report(self, solution: Solution, **facts: float) -> None:
        """Print the error of what is reached."""
        self.reported = self.seconds()
        with self.paused():
            line = {"seconds": self.reported, "error": self.truth.error_of(solution), **facts}
            print(json.dumps(line), flush=True)


def main(solvers: Mapping[str, Callable[[Problem, Clock], None]]) -> None:
    """Run what the command line asks for: PROBLEM SECONDS."""
    name, seconds = sys.argv[1:]
    problem = TABLE[name]
    solvers[name](problem, Clock(problem, float(seconds)))
