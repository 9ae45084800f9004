"""`kanpde formula`: a formula for a trained solution, with what may be said of it."""

from __future__ import annotations

from math import ceil, floor, log10
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Mapping, Sequence

import click

from kanpde.commands.results import json_option, run_argument, solution_of, sound, writing
from kanpde.errors import KanpdeError

if TYPE_CHECKING:
    from kanpde.insight.findings import Found

NOTATIONS = ("text", "latex", "sympy", "python", "c")


@click.command()
@run_argument
@click.option("--format", "notation", type=click.Choice(NOTATIONS), default="text", help="How formulas are written.")
@click.option("--all", "everything", is_flag=True, help="Also list shorter formulas with their errors.")
@click.option("--edges", is_flag=True, help="Also list the functions on a small network's edges.")
@click.option("--time", "seconds", type=click.FloatRange(min=0), default=150, help="Of processor time, in seconds.")
@json_option
def formula(run: Path, notation: str, everything: bool, edges: bool, seconds: float, as_json: bool) -> None:
    """Look for a formula of the solution in RUN, and prove it.

    A formula is verified exact where every equation and condition is fulfilled, else approximate; or none is found.
    What the solution is like is said with it: products, directions, mirrors, distances, similarity. With --edges: the
    function of each edge of a network of at most 60, R^2 and the equations' residual with that in its place.
    The solution that the problem may state itself is not used. What is found is kept in formula.json beside the
    result; `kanpde compare RUN RUN/formula.json` compares the two at the points of the output.
    """
    from rich.console import Console

    from kanpde.json_lines import print_json
    from kanpde.writers import read
    from kanpde.writers.formulas import FORMULA, write_formulas

    try:
        from kanpde.insight.search import formula_of
        from kanpde.insight.statement import stripped
    except ModuleNotFoundError as error:
        if error.name not in ("sympy", "mpmath"):
            raise
        raise KanpdeError("formulas need SymPy: pip install 'kanpde[insight]'") from None
    with sound(run):
        result = read(run)
        solution = solution_of(result, run)
        found = formula_of(solution, stripped(solution.spec), result.estimated, seconds, edges)
    path = (run if run.is_dir() else run.parent) / FORMULA
    with writing(path):
        write_formulas(facts(found, "text"), path)
    if as_json:
        print_json(Console(), facts(found, notation))
        return
    for line in told(found, notation, everything, edges):
        click.echo(line)
    click.echo(path)


def facts(found: Found, notation: str) -> dict[str, Any]:
    """A finding as data."""
    from kanpde.insight.export import NOTATIONS as WRITTEN
    from kanpde.insight.export import complexity

    return {
        "event": "formula",
        "outcome": found.outcome.value,
        "symbolic": found.symbolic if found.checks else None,
        "formulas": {name: WRITTEN[notation](made) for name, made in found.expressions.items()},
        "complexity": {name: complexity(made) for name, made in found.expressions.items()},
        "checks": [{"name": check.name, "holds": check.holds, "how": check.how} for check in found.checks],
        "reason": found.reason,
        "distances": found.distances,
        "errors": found.errors,
        "residual": found.residual,
        "candidates": found.candidates,
        "structure": found.structure,
        "edges": found.edges,
    }


def told(found: Found, notation: str, everything: bool, edges: bool = False) -> Iterator[str]:
    """A finding as lines for a person."""
    from kanpde.insight.export import NOTATIONS as WRITTEN
    from kanpde.insight.findings import Outcome

    for name, made in found.expressions.items():
        yield f"{name} = {WRITTEN[notation](made)}"
    how = ""
    if found.outcome is Outcome.VERIFIED:
        how = "symbolically" if found.symbolic else "in part to 100 digits at 100 points"
    yield ": ".join(filter(None, [found.outcome.value, how, found.reason]))
    width = max((len(check.name) for check in found.checks), default=0)
    for check in found.checks:
        yield f"  {check.name:<{width}}  {'fulfilled' if check.holds else 'NOT fulfilled'}: {check.how}"
    for name, gap in found.distances.items():
        bound = found.errors.get(name)
        known = f"; error at most {above(bound)}, if the run is right about its own" if bound is not None else ""
        yield f"  {name}: {above(gap)} from the trained solution (relative L2){known}"
    if found.outcome is Outcome.APPROXIMATE and found.residual < float("inf"):
        yield f"  relative residual {above(found.residual)}"
    for name, own in found.structure.items():
        yield from (f"  {name}: {said}, to {above(gap)}" for said, gap in own)
    if everything:
        yield from listed(found)
    if edges:
        yield from of_edges(found.edges)


def listed(found: Found) -> Iterator[str]:
    """The candidates of each field, error against complexity."""
    for name, rows in found.candidates.items():
        yield f"{name}: complexity, distance from the trained solution, formula"
        for size, gap, text in rows:
            yield f"  {size:4d}  {above(gap):>8}  {text}"


def of_edges(rows: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The edges of a network: what each is taken for, R², and what the equations lose with that in its place."""
    if not rows:
        yield "no network with few edges, all of them functions"
        return
    now = f"{rows[0]['residual_before']:.1e}"
    yield f"edge: importance, 1 - R^2, relative residual with the function in its place (now {now}), function"
    for row in rows:
        name = f"{row['layer']}: {row['from']} -> {row['to']}"
        left, share = above(1 - row["r2"]), f"{row['importance']:.1%}"
        yield f"  {name:<16} {share:>6}  {left:>8}  {row['residual']:8.1e}  {row['formula']}"


def above(value: float) -> str:
    """A positive number to two digits, never below it."""
    if not 0 < value < float("inf"):
        return f"{value:g}"
    unit = 10.0 ** (floor(log10(value)) - 1)
    return f"{ceil(value / unit * (1 - 1e-12)) * unit:.1e}"
