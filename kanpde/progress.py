"""The terminal's view of a run while it goes on."""

from __future__ import annotations

from collections import deque
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, Callable, Iterator, Mapping, Protocol, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from kanpde.json_lines import print_json
from kanpde.sparkline import sparkline

SECONDS_BETWEEN_LINES = 2.0
MOST_RESIDUALS = 400  # kept for the curve; then every other one
REMEMBERED = 40  # steps over which the speed is measured
NAMED = 6  # losses on one line, the largest ones


class Progress(Protocol):
    """What a run says of itself after each step."""

    @property
    def step(self) -> int:
        """Steps done."""
        ...

    @property
    def steps(self) -> int | None:
        """Steps planned, if they are."""
        ...

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        ...

    @property
    def limit(self) -> float | None:
        """Seconds allowed, if they are limited."""
        ...

    @property
    def stage(self) -> str:
        """The name of the stage."""
        ...

    @property
    def loss(self) -> float:
        """The training loss."""
        ...

    @property
    def losses(self) -> Mapping[str, float]:
        """Its parts, by block."""
        ...

    @property
    def held_out(self) -> float:
        """The residual on fresh points."""
        ...

    @property
    def error(self) -> float | None:
        """The true error, where a solution is known."""
        ...


Watch = Callable[[Progress], None]


@dataclass(frozen=True)
class Pace:
    """Decides which steps are worth a line: the 1st, 2nd, 5th, 10th …, a new stage, or when time has passed."""

    shown: deque[Progress] = field(default_factory=lambda: deque(maxlen=1))

    def due(self, progress: Progress) -> bool:
        """Whether to show this step; if so, it counts as shown."""
        last = self.shown[-1] if self.shown else None
        worth = (
            last is None
            or progress.stage != last.stage
            or progress.seconds - last.seconds >= SECONDS_BETWEEN_LINES
            or round_number(progress.step)
        )
        if worth:
            self.shown.append(progress)
        return worth


def round_number(step: int) -> bool:
    """Whether a number is 1, 2 or 5 with zeros."""
    return str(step).rstrip("0") in ("1", "2", "5")


@contextmanager
def live(console: Console) -> Iterator[Watch]:
    """A panel that is drawn anew a few times a second and gone at the end."""
    recent: deque[Progress] = deque(maxlen=REMEMBERED)
    residuals: list[float] = []

    def watch(progress: Progress) -> None:
        recent.append(progress)
        residuals.append(progress.held_out)
        if len(residuals) > MOST_RESIDUALS:
            residuals[:] = [min(pair) for pair in zip(residuals[::2], residuals[1::2])]

    def drawn() -> RenderableType:
        return panel(list(recent), residuals)

    with Live(console=console, get_renderable=drawn, refresh_per_second=4, transient=True):
        yield watch


@contextmanager
def plain(console: Console) -> Iterator[Watch]:
    """A line now and then."""
    yield from paced(lambda recent: console.print(line(recent), markup=False, highlight=False, soft_wrap=True))


@contextmanager
def as_json(console: Console) -> Iterator[Watch]:
    """A JSON object on a line of its own now and then."""
    yield from paced(lambda recent: print_json(console, {"event": "step", **facts(recent[-1])}))


@contextmanager
def quiet(console: Console) -> Iterator[Watch]:
    """Nothing."""
    yield lambda progress: None


def paced(show: Callable[[list[Progress]], None]) -> Iterator[Watch]:
    """A watch that shows the latest steps at a modest pace, and the last one in any case."""
    pace, recent = Pace(), deque[Progress](maxlen=REMEMBERED)

    def watch(progress: Progress) -> None:
        recent.append(progress)
        if pace.due(progress):
            show(list(recent))

    try:
        yield watch
    finally:
        if recent and recent[-1] is not pace.shown[-1]:
            show(list(recent))


VIEWS: Mapping[str, Callable[[Console], AbstractContextManager[Watch]]] = {
    "live": live, "plain": plain, "json": as_json, "quiet": quiet,
}


def view_for(console: Console, silent: bool = False, machine: bool = False) -> str:
    """The name of the view that suits: what was asked for, else what the terminal can do."""
    if machine:
        return "json"
    if silent:
        return "quiet"
    return "live" if console.is_terminal and not console.is_dumb_terminal else "plain"


def facts(progress: Progress) -> dict[str, Any]:
    """One step as a dictionary."""
    names = ("stage", "step", "steps", "seconds", "limit", "loss", "losses", "held_out", "error")
    return {name: getattr(progress, name) for name in names}


def line(recent: list[Progress]) -> str:
    """The last step and the speed on one line."""
    now, speed = recent[-1], rate(recent)
    parts = [f"{now.stage} {now.step}", f"{now.seconds:.1f} s", f"loss {now.loss:.2e}", f"held-out {now.held_out:.2e}"]
    if now.error is not None:
        parts.append(f"error {now.error:.2e}")
    parts += [named(now.losses), f"{speed:.3g} steps/s"]
    if (left := time_left(now, speed)) is not None:
        parts.append(f"at most {duration(left)} left")
    return "  ".join(filter(None, parts))


def named(losses: Mapping[str, float]) -> str:
    """The largest losses by name, in the problem's order, and how many are smaller."""
    largest = sorted(losses, key=lambda name: losses[name], reverse=True)[:NAMED]
    shown = [f"{name} {loss:.1e}" for name, loss in losses.items() if name in largest]
    return ", ".join([*shown, *([f"{len(losses) - NAMED} smaller"] if len(losses) > NAMED else [])])


def panel(recent: list[Progress], residuals: Sequence[float] = ()) -> RenderableType:
    """The last step and the speed, in a few lines, and how the residual on fresh points went."""
    if not recent:
        return Text("starting …", style="dim")
    now = recent[-1]
    speed = rate(recent)
    of = f" of {now.steps}" if now.steps else ""
    head = [f" step {now.step}{of}", f"{now.seconds:.0f} s", f"{speed:.3g} steps/s"]
    if (left := time_left(now, speed)) is not None:
        head.append(f"at most {duration(left)} left")
    body = Table.grid(padding=(0, 3))
    body.add_row("loss", f"{now.loss:.2e}", "held-out residual", f"{now.held_out:.2e}",
                 *(() if now.error is None else ("[bold]true error[/]", f"[bold]{now.error:.2e}[/]")))
    parts = [Text.assemble((now.stage, "bold"), "   ".join(head)), body, Text(named(now.losses), style="dim")]
    if curve := sparkline(residuals):
        parts.append(Text.assemble(("held-out  ", "dim"), (curve, "cyan"), (f"  least {lowest(residuals):.1e}", "dim")))
    return Group(*parts)


def lowest(residuals: Sequence[float]) -> float:
    """The least of what is finite and positive."""
    return min((value for value in residuals if 0 < value < float("inf")), default=float("nan"))


def rate(recent: list[Progress]) -> float:
    """Steps per second over the remembered steps."""
    first, last = recent[0], recent[-1]
    seconds, steps = (last.seconds - first.seconds, last.step - first.step) if len(recent) > 1 else \
        (last.seconds, last.step)
    return steps / seconds if seconds > 0 else 0.0


def time_left(now: Progress, speed: float) -> float | None:
    """Seconds until the first limit ends the run, if there is one."""
    ends = [now.limit - now.seconds] if now.limit is not None else []
    if now.steps is not None and speed > 0:
        ends.append((now.steps - now.step) / speed)
    return max(min(ends), 0.0) if ends else None


def duration(seconds: float) -> str:
    """Seconds as a person says them."""
    whole = round(seconds)
    return f"{whole} s" if whole < 120 else f"{whole // 60} min" if whole < 7200 else f"{whole / 3600:.1f} h"
