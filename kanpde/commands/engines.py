"""The options that say what runs the members of a batch, and with what."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import click

from kanpde.errors import KanpdeError

if TYPE_CHECKING:
    from kanpde.batch.folder import Batch, Resources
    from kanpde.batch.tasks import Engine

ENGINES = ("local", "slurm", "dask")
UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


class Memory(click.ParamType):
    """Bytes, as 500M or 2G."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        number, unit = str(value).upper().removesuffix("B").removesuffix("I"), 1
        if number[-1:] in UNITS:
            number, unit = number[:-1], UNITS[number[-1]]
        try:
            found = float(number) * unit
        except ValueError:
            found = 0.0
        if not 2**20 <= found < 2**60:
            self.fail(f"'{value}' is not an amount of memory, as 500M or 2G", param, ctx)
        return found


class Duration(click.ParamType):
    """Minutes, as 90, 1:30:00 (hours, minutes, seconds) or 2-12:00:00 (days before)."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        days, dash, rest = str(value).rpartition("-")
        parts = rest.split(":")
        if not all(part.isdigit() for part in (*parts, *([days] if dash else []))) or len(parts) > 3:
            self.fail(f"'{value}' is not a time, as 90 (minutes), 1:30:00 or 2-12:00:00", param, ctx)
        numbers = [int(part) for part in parts]
        hours, minutes, seconds = (0, numbers[0], 0) if len(parts) == 1 else (*numbers, 0)[:3]
        found = int(days or 0) * 1440 + hours * 60 + minutes + (seconds > 0)
        if not found:
            self.fail("less than a minute", param, ctx)
        return found


class Option(click.ParamType):
    """KEY=VALUE."""

    name = "KEY=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        key, equals, text = str(value).partition("=")
        if not key or not equals:
            self.fail(f"'{value}' is not KEY=VALUE", param, ctx)
        return key, text


ENGINE_OPTIONS = (
    click.option("--engine", type=click.Choice(ENGINES), help="What runs the members; local if not said."),
    click.option("--cpus", type=click.IntRange(1, 1024), metavar="N", help="Threads of each member; 1 if not said."),
    click.option("--mem", "memory", type=Memory(), metavar="SIZE", help="Memory of each, as 2G; else by its plan."),
    click.option("--gpus", type=click.IntRange(0, 64), metavar="N", help="GPUs of each member; 0 if not said."),
    click.option("--time", "minutes", type=Duration(), metavar="TIME", help="Of each job: minutes, or 1:30:00."),
    click.option("--partition", metavar="NAME", help="The partition or queue of the cluster."),
    click.option("--scheduler", "options", type=Option(), multiple=True, metavar="KEY=VALUE",
                 help="Further options: of sbatch, as account=x; parallel=N members at once; see docs/cluster.md."),
    click.option("--detach", is_flag=True, help="Submit and return, where the engine has a queue of its own."),
    click.option("--quiet", is_flag=True, help="Print nothing but errors."),
    click.option("--json", "as_json", is_flag=True, help="Print JSON, an object on each line."),
)  # fmt: skip


def engine_options(command: Any) -> Any:
    """A command with the options of engines."""
    for option in reversed(ENGINE_OPTIONS):
        command = option(command)
    return command


def resources(engine: str, asked: dict[str, Any]) -> Resources:
    """What each member may use, as said on the command line; an option that an engine does not heed is refused."""
    from kanpde.batch.folder import Resources

    names = {"minutes": "--time", "partition": "--partition", "options": "--scheduler"}
    if engine == "local" and (idle := [name for key, name in names.items() if asked[key]]):
        raise click.UsageError(f"{', '.join(idle)}: for the schedulers of clusters, not for --engine local")
    return Resources(
        asked["cpus"] or 1, asked["memory"], asked["gpus"] or 0, asked["minutes"], asked["partition"],
        dict(asked["options"]) or None,
    )  # fmt: skip


def engine_of(name: str) -> Engine:
    """The engine of a name; raises KanpdeError where what it needs is not installed."""
    try:
        if name == "slurm":
            from kanpde.batch.slurm import run
        elif name == "dask":
            from kanpde.batch.dask import run
        else:
            from kanpde.batch.local import run as run_here

            run = partial(run_here, memory_of)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("submitit", "distributed", "dask_jobqueue", "dask"):
            raise
        raise KanpdeError(f"--engine {name} needs more packages: pip install 'kanpde[{name}]'") from None
    return run


def memory_of(found: Batch, name: str) -> float:
    """The bytes of a member: what was asked for, else what its plan says."""
    if found.resources.memory is not None:
        return found.resources.memory
    from kanpde.batch.costs import cost_of

    return cost_of(found.member(name)).memory
