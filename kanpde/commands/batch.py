"""`kanpde batch`: the members of a sweep, run by an engine; how they stand; and to stop them or try again."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterable, Sequence

import click

from kanpde.commands.engines import engine_of, engine_options, resources
from kanpde.commands.member import member, run_member
from kanpde.commands.solve import OUTPUTS, stopped_by
from kanpde.errors import KanpdeError

if TYPE_CHECKING:
    from kanpde.batch.folder import Batch
    from kanpde.batch.members import Member
    from kanpde.batch.standing import Standing

START = "start"


class Sweeps(click.Group):
    """A group whose commands act on the folder of a batch; anything else is a sweep to run."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and not {"-h", "--help"} & set(args):
            args = [START, *args]
        return super().parse_args(ctx, args)

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_usage(ctx.command_path, "SWEEP [OPTIONS]")
        formatter.write_usage(ctx.command_path, "status|cancel|retry DIR [OPTIONS]")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.commands[START].format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(cls=Sweeps)
def batch() -> None:
    """Run the members of the sweep in the file SWEEP: a problem, its seeds and what is varied in it.

    Each member is a run in a folder of its own in DIR. A second call runs only what is missing, failed or was
    stopped, and goes on from checkpoints. The exit code is 0 if every member is solved, 1 if some have no solution,
    else 3 or 4 as of a single run; Ctrl-C lets members save and exits with 130.
    """


folder_argument = click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")


@batch.command(START, hidden=True)
@click.argument("sweep", type=click.Path(path_type=Path), metavar="SWEEP")
@click.option("--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override in every member.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Instead of outputs/NAME.")
@click.option("--files", type=click.Path(path_type=Path), metavar="DIR", help="Where files of problems may lie.")
@click.option("--index", type=click.IntRange(min=0), metavar="N", help="Run this one member, counted from 0, here.")
@click.option("--dry-run", is_flag=True, help="Show the members and what they are going to cost; run nothing.")
@engine_options
def start(
    sweep: Path, overrides: tuple[str, ...], out: Path | None, files: Path | None, index: int | None, dry_run: bool,
    detach: bool, quiet: bool, as_json: bool, engine: str | None, **asked: Any,
) -> None:  # fmt: skip
    """Run the members of the sweep in the file SWEEP."""
    from kanpde.batch.folder import Batch, run_by, write_batch
    from kanpde.batch.members import members
    from kanpde.batch.sweep import read_sweep

    within = files.resolve() if files else None
    stated = read_sweep(sweep)
    found = members(stated, overrides, within)
    made = Batch(
        out or Path(OUTPUTS) / sweep.stem, str(sweep.resolve()), stated.title, found,
        files=str(within) if within else None,
    )  # fmt: skip
    made = run_by(made, engine or "local", resources(engine or "local", asked))
    if index is not None and index >= len(found):
        raise click.UsageError(f"--index {index}: there are {len(found)} members, counted from 0")
    if dry_run:
        show_plan(made, as_json)
        return
    write_batch(made)
    if index is not None:
        sys.exit(run_member(made, found[index], "json" if as_json else "quiet" if quiet else ""))
    go(made, found, detach, "json" if as_json else "quiet" if quiet else "")


@batch.command()
@folder_argument
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")
def status(folder: Path, as_json: bool) -> None:
    """Say how the members of the batch in DIR stand."""
    from rich.console import Console

    from kanpde.batch.folder import read_batch
    from kanpde.json_lines import print_json
    from kanpde.report import members_table

    found = read_batch(folder)
    try:
        rows = standings(found, found.members)
    except KanpdeError as error:
        click.echo(f"{error}; what waits in its queue is not known", err=True)
        rows = standings(found, found.members, queues=False)
    if as_json:
        print_json(Console(), {"event": "status", **counted(rows), "members": [facts(*row) for row in rows]})
        return
    Console().print(members_table([(one.name, now.state.word, said(now)) for one, now in rows]))
    click.echo(summed(rows))


@batch.command()
@folder_argument
def cancel(folder: Path) -> None:
    """Take the members of the batch in DIR out of the queue, and stop those at work, which save what they have."""
    from kanpde.batch import records
    from kanpde.batch.folder import read_batch

    found = read_batch(folder)
    for line in records.cancel(folder) or ["nothing of this batch is queued or at work"]:
        click.echo(line)
    click.echo(summed(standings(found, found.members)))


@batch.command()
@folder_argument
@engine_options
def retry(
    folder: Path, detach: bool, quiet: bool, as_json: bool, engine: str | None, **asked: Any
) -> None:
    """Run the members of the batch in DIR that failed or were stopped, as before unless said otherwise.

    The problems are those that the batch was planned with. What was never begun is run too.
    """
    from kanpde.batch.folder import read_batch, run_by, write_batch

    found = read_batch(folder)
    said = any(value is not None and value != () for value in asked.values())
    found = run_by(found, engine or found.engine, resources(engine or found.engine, asked) if said else found.resources)
    write_batch(found)
    go(found, found.members, detach, "json" if as_json else "quiet" if quiet else "")


batch.add_command(member)


def go(found: Batch, members: Sequence[Member], detach: bool, view: str) -> None:
    """Run what is open of some members, tell what comes of each, and exit."""
    from kanpde.batch.records import release
    from kanpde.batch.tasks import task_of

    run = engine_of(found.engine)
    for one in members:
        release(found.run_folder(one))
    rows = standings(found, members)
    tasks = [task_of(found, one) for one, now in rows if now.state.open]
    tell(view, rows, f"{found.folder}: {summed(rows)}")
    stops: list[int] = []
    ended = run(found, tasks, detach)
    try:
        with stopped_by(stops, patience=0):
            for name in ended if tasks else ():
                report(found, name, view)
    except KeyboardInterrupt:
        pass
    finally:
        ended.close()  # type: ignore[attr-defined]
    rows = standings(found, members)
    tell(view, rows, f"{found.folder}: {summed(rows)}")
    if stops:
        if any(now.state.word in ("queued", "running") for _, now in rows):
            click.echo(f"the queue goes on; kanpde batch status {found.folder}, or cancel", err=True)
        sys.exit(128 + stops[0])
    sys.exit(0 if detach else code_of(rows))


def report(found: Batch, name: str, view: str) -> None:
    """Tell what came of a member."""
    from rich.console import Console

    from kanpde.batch.standing import standing
    from kanpde.json_lines import print_json

    one = found.member(name)
    now = standing(found.run_folder(one))
    if view == "json":
        print_json(Console(), {"event": "member", **facts(one, now)})
    elif view != "quiet":
        click.echo(f"{name}: {now.state.word}{', ' if said(now) else ''}{said(now)}")


def tell(view: str, rows: Sequence[tuple[Member, Standing]], text: str) -> None:
    """Tell how all members stand."""
    from rich.console import Console

    from kanpde.json_lines import print_json

    if view == "json":
        print_json(Console(), {"event": "batch", **counted(rows)})
    elif view != "quiet":
        click.echo(text)


def standings(found: Batch, members: Iterable[Member], queues: bool = True) -> list[tuple[Member, Standing]]:
    """How each member stands; in `queues` is seen which of them wait, for a scheduler or a program."""
    from dataclasses import replace

    from kanpde.batch.records import held
    from kanpde.batch.standing import State, standing

    waiting = held(found.folder) if queues else {}
    rows = [(one, standing(found.run_folder(one))) for one in members]
    return [
        (one, replace(now, state=State.QUEUED, reason=waiting[one.name]) if now.state.open and one.name in waiting
         else now)
        for one, now in rows
    ]  # fmt: skip


def said(now: Standing) -> str:
    """What is to be said of a member, in one line."""
    text = now.outcome.message if now.outcome and not now.reason else now.reason
    first = text.strip().splitlines()[0] if text.strip() else ""
    return f"{first} (attempt {now.attempts})" if now.attempts > 1 else first


def facts(one: Member, now: Standing) -> dict[str, Any]:
    """A member as data."""
    return {
        "name": one.name,
        "varied": dict(one.varied),
        "seed": one.seed,
        "state": now.state.word,
        "outcome": now.outcome.name.lower() if now.outcome else "",
        "reason": now.reason,
        "attempts": now.attempts,
    }


def counted(rows: Sequence[tuple[Member, Standing]]) -> dict[str, int]:
    """How many members stand how."""
    from kanpde.batch.standing import State

    return {state.word: sum(now.state is state for _, now in rows) for state in State}


def summed(rows: Sequence[tuple[Member, Standing]]) -> str:
    """How many members stand how, in one line."""
    words = ", ".join(f"{number} {word}" for word, number in counted(rows).items() if number)
    return f"{len(rows)} member{'s' * (len(rows) != 1)}: {words}"


def code_of(rows: Sequence[tuple[Member, Standing]]) -> int:
    """The exit code: 1 where some have no solution, else the sternest of the runs'."""
    if any(now.outcome is None or now.state.open for _, now in rows):
        return 1
    codes = {now.outcome.exit_code for _, now in rows if now.outcome}
    return next((code for code in (3, 4) if code in codes), 0)


def show_plan(found: Batch, as_json: bool) -> None:
    """Show the members, how they stand, and what they are going to cost."""
    from rich.console import Console

    from kanpde.batch.costs import cost_of
    from kanpde.json_lines import print_json
    from kanpde.report import plan_table

    rows = standings(found, found.members)
    costs = [cost_of(one) for one in found.members]
    if as_json:
        members = [{**facts(one, now), "cost": vars(cost)} for (one, now), cost in zip(rows, costs)]
        print_json(Console(), {"event": "plan", "folder": str(found.folder), "members": members})
        return
    Console().print(plan_table([(one.name, now.state.word, cost) for (one, now), cost in zip(rows, costs)]))
    left = [cost for (_, now), cost in zip(rows, costs) if now.state.open]
    hours = sum(cost.seconds for cost in left) / 3600
    most = max((cost.memory for cost in left), default=0.0)
    click.echo(f"{found.folder}: {summed(rows)}")
    click.echo(
        f"{len(left)} to run: at most {hours:.2g} h of training in all on {found.resources.cpus} "
        f"thread{'s' * (found.resources.cpus != 1)} each, up to {most / 1e9:.2g} GB of memory each"
    )
