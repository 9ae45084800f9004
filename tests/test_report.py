"""What the terminal shows: the same facts in every view, and nothing where nothing was asked."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from io import StringIO
from typing import Mapping

import numpy as np
import pytest
from rich.console import Console
from synthetic import GRIDS, synthetic

from kanpde.comparison import compare, samples_of
from kanpde.errors import KanpdeError
from kanpde.json_lines import print_json
from kanpde.progress import VIEWS, panel, time_left, view_for
from kanpde.report import comparison_table, result_facts, show
from kanpde.result import Outcome


@dataclass(frozen=True)
class Told:
    """A step of an imagined run."""

    step: int
    steps: int | None = 400
    seconds: float = 0.0
    limit: float | None = None
    stage: str = "[lm]"
    loss: float = 0.5
    losses: Mapping[str, float] = field(default_factory=lambda: {"heat": 1e-3})
    held_out: float = float("nan")
    error: float | None = 0.25


def seen(view: str, run: list[Told], **terminal: bool) -> str:
    """What a view prints for a run."""
    stream = StringIO()
    with VIEWS[view](Console(file=stream, width=100, **terminal)) as watch:
        for told in run:
            watch(told)
    return stream.getvalue()


RUN = [Told(step, seconds=step / 50) for step in range(1, 130)]


def test_quiet_prints_nothing() -> None:
    assert seen("quiet", RUN) == ""


def test_plain_lines_come_at_a_modest_pace_and_end_with_the_last_step() -> None:
    lines = seen("plain", RUN).splitlines()
    assert [int(line.split()[1]) for line in lines] == [1, 2, 5, 10, 20, 50, 100, 129]
    assert all("[lm]" in line and "error 2.50e-01" in line and "heat 1.0e-03" in line for line in lines)
    assert lines[-1].endswith("50 steps/s  at most 5 s left") and all(len(line) < 120 for line in lines)


def test_a_plain_line_names_the_largest_losses_and_counts_the_rest() -> None:
    losses = {f"face {k}": 10.0**-k for k in range(20)}
    printed = seen("plain", [Told(1, losses=losses)])
    assert all(f"face {k} {10.0**-k:.1e}" in printed for k in range(6))
    assert ", 14 smaller" in printed and "face 6" not in printed
    assert "face" not in seen("plain", [Told(1, losses={})])


def test_a_line_comes_when_time_has_passed_or_the_stage_is_new() -> None:
    run = [Told(3, seconds=0), Told(4, seconds=5), Told(6, seconds=5.1, stage="polish"), Told(7, seconds=5.2)]
    assert [line.split()[1] for line in seen("plain", run).splitlines()] == ["3", "4", "6", "7"]


def test_json_is_one_strict_object_on_each_line() -> None:
    for line in seen("json", RUN).splitlines():
        told = json.loads(line, parse_constant=pytest.fail)
        assert told["event"] == "step" and told["held_out"] is None and told["losses"] == {"heat": 1e-3}


def test_the_live_view_is_gone_at_the_end_and_draws_the_last_step() -> None:
    printed = seen("live", RUN, force_terminal=True, legacy_windows=False)
    assert "step 129 of 400" in printed and "heat 1.0e-03" in printed


@pytest.mark.parametrize("view", VIEWS)
def test_an_exception_passes_through_every_view(view: str) -> None:
    with pytest.raises(KeyboardInterrupt), VIEWS[view](Console(file=StringIO())) as watch:
        watch(RUN[0])
        raise KeyboardInterrupt


@pytest.mark.parametrize("view", VIEWS)
def test_a_run_without_a_step_is_no_mistake(view: str) -> None:
    seen(view, [])


def test_the_view_suits_the_terminal() -> None:
    terminal, pipe = Console(force_terminal=True, _environ={"TERM": "xterm"}), Console(file=StringIO())
    assert view_for(terminal) == "live"
    assert view_for(pipe) == "plain"
    assert view_for(Console(force_terminal=True, _environ={"TERM": "dumb"})) == "plain"
    assert view_for(terminal, silent=True) == "quiet"
    assert view_for(terminal, silent=True, machine=True) == "json"


def test_without_colour_there_are_no_colours() -> None:
    console = Console(file=StringIO(), force_terminal=True, _environ={"NO_COLOR": "1", "TERM": "xterm-256color"})
    console.print(show(synthetic()))
    assert "\x1b[3" not in console.file.getvalue()


def test_the_first_limit_gives_the_time_left() -> None:
    assert time_left(Told(100, seconds=10, limit=15), 10) == 5
    assert time_left(Told(100, seconds=10, limit=99), 10) == 30
    assert time_left(Told(100, steps=None), 10) is None
    panel([Told(1)])


@pytest.mark.parametrize("kind", GRIDS)
def test_a_result_is_shown_on_one_screen(kind: str) -> None:
    console = Console(file=StringIO(), width=80)
    console.print(show(synthetic(kind), ["outputs/heat-001/solution.h5"]))
    shown = console.file.getvalue()
    for fact in ("Heat in a plate", "converged", "heat.yaml", "sine", "[2, 8, 1]", "29 in 2.9 s", "1.000e-06",
                 "certified to 1e-12", "outputs/heat-001/solution.h5"):
        assert fact in shown
    assert len(shown.splitlines()) <= 24


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_shown_and_said(outcome: Outcome) -> None:
    result = replace(synthetic("line"), outcome=outcome, history={}, errors={"[u]": synthetic().errors["u"]})
    console = Console(file=StringIO(), width=100)
    console.print(show(result))
    assert outcome.message in console.file.getvalue() and "[u]" in console.file.getvalue()
    stream = StringIO()
    print_json(Console(file=stream), result_facts(result))
    told = json.loads(stream.getvalue(), parse_constant=pytest.fail)
    assert told["exit_code"] == outcome.exit_code and told["outcome"] == outcome.name.lower()


def test_nothing_in_a_result_steers_the_terminal() -> None:
    odd = "\x1b]0;owned\x07\x9b2J"
    error = synthetic("line").errors["u"]
    result = replace(synthetic("line"), title=odd, spec_name=odd, summary={odd: odd}, errors={odd: error})
    console = Console(file=StringIO(), width=100)
    console.print(show(result))
    assert not {"\x1b", "\x07", "\x9b"} & set(console.file.getvalue())
    assert str(KanpdeError(odd + "\n")) == "�]0;owned��2J\n"


def test_json_holds_numbers_of_every_kind() -> None:
    stream = StringIO()
    print_json(Console(file=stream), {"a": np.float32(1.5), "b": np.arange(2), "c": np.inf, "d": {1: (None, True)}})
    assert json.loads(stream.getvalue()) == {"a": 1.5, "b": [0, 1], "c": None, "d": {"1": [None, True]}}


def test_a_comparison_is_shown() -> None:
    console = Console(file=StringIO(), width=100)
    console.print(comparison_table(compare(synthetic(), samples_of(synthetic(seed=1), "other.h5"))))
    assert "other.h5" in console.file.getvalue() and "the same grid" in console.file.getvalue()
