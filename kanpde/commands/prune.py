"""`kanpde prune`: a smaller network for a trained solution."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kanpde.commands.results import json_option, run_argument, solution_of, sound, writing

if TYPE_CHECKING:
    from kanpde.insight.pruning import Pruned, Trial
    from kanpde.result import FieldError, Result

OUTPUTS = "outputs"
FORMATS = ("h5", "png")


@click.command()
@run_argument
@click.option("--factor", type=click.FloatRange(min=1), default=2.0, metavar="X", show_default=True,
              help="The residual on fresh points may become so many times what it is.")
@click.option("--time", "seconds", type=click.FloatRange(min=0), default=300, metavar="SECONDS", show_default=True,
              help="Of processor time, after which nothing new is tried.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Instead of a new outputs/NAME-pruned-001.")
@json_option
def prune(run: Path, factor: float, seconds: float, out: Path | None, as_json: bool) -> None:
    """Make the network of RUN smaller: remove edges that matter little and train on what is left.

    A removal after which the residual on fresh points is more than the factor times that of RUN is taken back. RUN
    stays as it is; the smaller solution is a run of its own, for `kanpde show`, `plot`, `eval`, `compare`, `formula`.
    """
    from rich.console import Console

    from kanpde.insight.pruning import pruned
    from kanpde.json_lines import print_json
    from kanpde.writers import read, write_run
    from kanpde.writers.folders import chosen_run_folder, new_run_folder

    def watch(trial: Trial) -> None:
        if not as_json:
            click.echo(f"  {trial.edges:5d} edges  residual {trial.residual:.2e}  {'' if trial.kept else 'taken back'}")

    with sound(run):
        result = read(run)
        found = pruned(solution_of(result, run), factor, watch, seconds)
        smaller = tabulated(found, result)
    stem = Path(result.spec_name).stem
    folder = new_run_folder(OUTPUTS, f"{stem}-pruned") if out is None else chosen_run_folder(out)
    with writing(folder):
        write_run(smaller, folder, FORMATS)
    if as_json:
        print_json(Console(), facts(found, folder))
        return
    click.echo(f"{found.solution.summary['pruned']}: {found.solution.summary['network']}")
    click.echo(f"relative residual {found.residual:.2e} before, {found.solution.summary['relative_residual']:.2e} now")
    click.echo(folder)


def tabulated(found: Pruned, before: Result) -> Result:
    """The result of the smaller network; its error is estimated as that of the whole one and what they differ by."""
    from kanpde.solution import restored, unknown_values
    from kanpde.truth import measuring_points

    solution, result = found.solution, found.solution.tabulate()
    points = measuring_points(tuple(solution.spec.box.values()))
    points = points[:, solution.problem.domain.contains(points)]
    names, whole = solution.spec.unknowns, restored(before)
    old = unknown_values(whole.problem, whole.theta, names, points)
    new = unknown_values(solution.problem, solution.theta, names, points)
    estimated = {
        name: added(before.estimated[name], float((new[name] - old[name]).norm() / (old[name].norm() or 1.0)),
                    float((new[name] - old[name]).abs().max()))
        for name in names if name in before.estimated
    }  # fmt: skip
    return replace(result, estimated=estimated)


def added(error: FieldError, relative: float, maximum: float) -> FieldError:
    """An estimated error with what was added to it."""
    return replace(error, relative_l2=error.relative_l2 + relative, maximum=error.maximum + maximum)


def facts(found: Pruned, folder: Path) -> dict[str, Any]:
    """A pruning as data."""
    return {
        "event": "pruned",
        "edges": min((trial.edges for trial in found.trials if trial.kept), default=found.edges),
        "edges_before": found.edges,
        "residual": found.solution.summary["relative_residual"],
        "residual_before": found.residual,
        "network": found.solution.summary["network"],
        "trials": [vars(trial) for trial in found.trials],
        "folder": str(folder),
    }
