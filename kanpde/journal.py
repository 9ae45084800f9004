"""What a run has seen and found, in order, so that another process can live through it again and then go on.

A method is a generator; run a second time it takes the same way as long as it reads the same clock and is handed
the same results. So every reading of the clock and every result that is dear to compute passes through a journal.
"""

from __future__ import annotations

from collections import deque
from time import monotonic
from typing import Any, Callable, Iterable, Mapping, TypeVar

import numpy as np
import torch
from torch import Tensor

from kanpde.errors import KanpdeError

Content = Any  # tensors, numbers, text, None, and lists and dictionaries of them
Save = Callable[[dict[str, Any]], None]
_T = TypeVar("_T")

RARELY = 20.0  # times as long as saving takes passes before the next time, at least
MOST = 2**31  # steps


def unfit(reason: str) -> KanpdeError:
    """The refusal of a checkpoint that was not written by this run of this program."""
    return KanpdeError(
        f"the checkpoint does not fit this run ({reason}); "
        "resume with the version of kanpde that wrote it, or solve the problem anew in another folder"
    )


def same(value: Any) -> Any:
    """The value."""
    return value


class Journal:
    """Entries in order: first those of an earlier process are handed back, then new ones are added.

    Without `save` nothing is kept but the readings of the clock, in whose place those in `clock` are given. `step`
    states have been seen to, when the history had `shown` rows; `open` says that the run has ended and may go on,
    `unproven` that what an earlier process left has not led to a new state yet.
    """

    def __init__(
        self, save: Save | None = None, every: float = 60.0, earlier: Mapping[str, Any] | None = None,
        clock: Iterable[float] = (),
    ) -> None:  # fmt: skip
        self.readings: list[float] | None = None if earlier else []  # all of them, if that is known
        self.clock = deque(clock)
        earlier = earlier or {"entries": [], "rows": [], "seconds": 0.0}
        self.entries: list[tuple[str, Content]] = [(kind, as_tensors(content)) for kind, content in earlier["entries"]]
        self.rows = [{str(name): float(value) for name, value in row.items()} for row in earlier["rows"]]
        if any("step" not in row or "seconds" not in row for row in self.rows):
            raise ValueError("a row of the history without step or seconds")
        self.seconds, self.begun, self.shift = float(earlier["seconds"]), monotonic(), 0.0
        self.save_content, self.every, self.due = save, every, self.begun + every
        self.place, self.step, self.shown, self.open = 0, 0, 0, False
        self.unproven = bool(self.entries)
        self.begin()

    def begin(self) -> None:
        """Where nothing is left to be handed back, time goes on; it has stood still until then."""
        if not self.replaying:
            self.shift = self.seconds - (monotonic() - self.begun)
            del self.rows[self.shown :]

    @property
    def replaying(self) -> bool:
        """Whether there are entries to be handed back."""
        return self.place < len(self.entries)

    def reading(self, seconds: float, late: bool) -> float:
        """This reading of the clock, or the one that there was at this place; `late` is one after the last moment."""
        if self.replaying:
            return float(self.take("time")[0])
        seconds = self.clock.popleft() if self.clock else seconds
        self.add("time", (seconds, late))
        if self.readings is not None:
            self.readings.append(seconds)
        return seconds

    def once(self, compute: Callable[[], _T], pack: Callable[[_T], Content] = same, unpack: Callable = same) -> _T:
        """What is computed, or what was at this place, in a form that can be kept."""
        if self.replaying:
            return unpack(self.take("result"))
        found = compute()
        self.add("result", pack(found) if self.save_content else None)
        return found

    def loop(self) -> Loop:
        """The beginning of a loop of which only the last turn is kept, with all that is entered after it."""
        start = self.place
        return Loop(self, start, self.take("loop")[2] if self.replaying else None)

    def seen(self) -> bool:
        """Whether an earlier process has seen the state at this place."""
        return self.replaying and bool(self.take("state"))

    def see(self) -> None:
        """Enter that one more state has been seen to, with the rows there are now."""
        self.step, self.shown, self.unproven = self.step + 1, len(self.rows), False
        self.add("state", (self.step, self.shown))

    def take(self, kind: str) -> Content:
        """The next entry, which must be of this kind."""
        found, content = self.entries[self.place]
        if found != kind:
            raise unfit(f"entry {self.place} is a {found}, expected a {kind}")
        self.place += 1
        if kind in ("state", "loop"):
            self.step, self.shown = int(content[0]), int(content[1])
            if not (0 <= self.step < MOST and 0 <= self.shown <= len(self.rows)):
                raise unfit(f"entry {self.place - 1} speaks of {self.step} steps and {self.shown} rows")
        self.begin()
        return content

    def add(self, kind: str, content: Content, start: int | None = None) -> None:
        """Enter something, in place of all from `start` on, and save if it is time to."""
        if self.save_content is None:
            return
        if self.replaying:
            raise unfit(f"entry {self.place} was not asked for")
        self.entries[len(self.entries) if start is None else start :] = [(kind, content)]
        self.place = len(self.entries)
        if self.every and monotonic() >= self.due:
            self.save()

    def save(self, outcome: str = "") -> None:
        """Save everything so far, if anything is kept; an `outcome` says that the run has ended.

        What was decided because the time was over is left out, so that with more of it other things may be decided.
        """
        if self.save_content is None or not self.entries:
            return
        self.open = bool(outcome)
        now = monotonic()
        seconds = self.seconds if self.replaying else now - self.begun + self.shift
        late = next((k for k, (kind, content) in enumerate(self.entries) if kind == "time" and content[1]), None)
        entries = [[kind, as_arrays(content)] for kind, content in self.entries[:late]]
        self.save_content({"entries": entries, "rows": self.rows, "seconds": seconds, "outcome": outcome})
        self.due = monotonic() + max(self.every, RARELY * (monotonic() - now))


class Loop:
    """A loop in a journal; `content` is what its last turn left, None before the first."""

    def __init__(self, journal: Journal, start: int, content: Content) -> None:
        self.journal, self.start, self.content = journal, start, content

    def turned(self, content: Content) -> None:
        """Enter what a turn leaves, in place of all that was entered since the loop began."""
        self.journal.add("loop", (self.journal.step, self.journal.shown, content), self.start)


def as_arrays(content: Content) -> Content:
    """Content with arrays in place of tensors."""
    if isinstance(content, Tensor):
        return content.detach().cpu().numpy()
    if isinstance(content, Mapping):
        return {name: as_arrays(value) for name, value in content.items()}
    return [as_arrays(value) for value in content] if isinstance(content, (list, tuple)) else content


def as_tensors(content: Content) -> Content:
    """Content with tensors in place of arrays, in memory aligned as that of others, on which rounding may depend."""
    if isinstance(content, np.ndarray):
        return torch.from_numpy(content).clone()
    if isinstance(content, Mapping):
        return {name: as_tensors(value) for name, value in content.items()}
    return [as_tensors(value) for value in content] if isinstance(content, list) else content
