"""`kanpde rerun`: a run made again from what its result holds."""

from __future__ import annotations

import sys
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kanpde.commands.results import INACCURATE, json_option, run_argument, sound

if TYPE_CHECKING:
    from kanpde.repetition import Repetition

MOST_SHOWN = 8


@click.command()
@run_argument
@json_option
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def rerun(run: Path, as_json: bool, quiet: bool) -> None:
    """Solve the problem in RUN again, and say whether every bit is the same.

    The problem, its overrides, its files and the number of threads are those in the result. The exit code is 0 where
    all bits are the same, and 4 where they are not.
    """
    from rich.console import Console

    from kanpde.json_lines import print_json
    from kanpde.progress import VIEWS, view_for
    from kanpde.repetition import repeated
    from kanpde.writers import read

    with sound(run):
        result = read(run)
    console = Console()
    with VIEWS["quiet" if as_json or quiet else view_for(console)](console) as watch:
        found = repeated(result, watch)
    if as_json:
        print_json(console, facts(found))
    elif not quiet:
        click.echo(told(found))
    sys.exit(0 if found.same else INACCURATE)


def facts(found: Repetition) -> dict[str, Any]:
    """A repetition as data."""
    return {
        "event": "repetition",
        "same": found.same,
        "steps": found.steps,
        "arrays": found.arrays,
        "differences": found.differences,
        "circumstances": {name: {"then": then, "now": now} for name, (then, now) in found.circumstances.items()},
        "reason": found.reason,
    }


def told(found: Repetition) -> str:
    """A repetition as lines for a person."""
    lines = [f"{name} then: {then}\n{name} now:  {now}" for name, (then, now) in found.circumstances.items()]
    if found.same:
        return "\n".join([*lines, f"the same, bit for bit: {found.arrays} arrays after {found.steps} steps"])
    lines.append(f"not the same: {len(found.differences)} of {found.arrays} arrays differ, after {found.steps} steps")
    ranked = sorted(found.differences.items(), key=lambda item: -item[1])
    for name, gap in ranked[:MOST_SHOWN]:
        lines.append(f"  {name}: " + (f"by up to {gap:.3g}" if isfinite(gap) else "another shape"))
    return "\n".join(filter(None, [*lines, found.reason]))
