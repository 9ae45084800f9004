"""`kanpde show`, `plot`, `eval` and `compare`: what can be done with a finished run."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Iterator

import click

from kanpde.errors import KanpdeError, ResultError

if TYPE_CHECKING:
    from kanpde.graph import Graph
    from kanpde.references import Samples
    from kanpde.result import Result
    from kanpde.solution import Solution

INACCURATE = 4  # the exit code of a comparison above the tolerance
STANDARD = "-"
FORMULAS = ".json"  # the end of the name of a file with formulas

run_argument = click.argument("run", type=click.Path(path_type=Path), metavar="RUN")
json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of text.")


def print_schema(ctx: click.Context, param: click.Parameter, asked: bool) -> None:
    """Say what is in a result file, and be done."""
    if asked:
        from kanpde.writers.schema import described

        click.echo("".join(described()), nl=False)
        ctx.exit()


@click.command()
@run_argument
@click.option("--schema", is_flag=True, is_eager=True, expose_value=False, callback=print_schema,
              help="Print what is in a result file, as Markdown.")  # fmt: skip
@click.option("--edges", is_flag=True, help="Show the edges of its network instead, the most important first.")
@click.option("--csv", "table", metavar="FILE", help="With --edges: write all of them as CSV, - for standard output.")
@json_option
def show(run: Path, edges: bool, table: str | None, as_json: bool) -> None:
    """Show what came of RUN, the folder of a run or its solution.h5.

    With --edges: how important each edge function of the network is, which values it takes, and which of a line, a
    parabola, a cubic, |z|, exp, sin, tanh and a Gaussian it resembles most.
    """
    from rich.console import Console

    from kanpde import report
    from kanpde.json_lines import print_json
    from kanpde.writers import read

    if table is not None and not edges:
        raise click.UsageError("--csv is for --edges")
    if edges:
        show_edges(run, table, as_json)
        return
    with sound(run):
        result, files = read(run), files_of(run)
        facts, shown = report.result_facts(result, files), report.show(result, files)
    if as_json:
        print_json(Console(), facts)
    else:
        Console().print(shown)


@click.command()
@run_argument
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Instead of the plots folder of the run.")
@click.option("--edges", is_flag=True, help="Draw its network instead: a graph with the function of each edge.")
@click.option("--movie", is_flag=True, help="Draw the solution in time instead, as an animated GIF.")
@click.option("--format", "form", type=click.Choice(["png", "svg"]), help="Of the picture; with --edges.")
def plot(run: Path, out: Path | None, edges: bool, movie: bool, form: str | None) -> None:
    """Draw the pictures of RUN again, its network, or how it moves."""
    from kanpde.writers import PLOTS, read
    from kanpde.writers.atomic import write_bytes
    from kanpde.writers.figures import draw
    from kanpde.writers.graphs import draw_graphs
    from kanpde.writers.movie import movie as moving

    if form is not None and not edges:
        raise click.UsageError("--format is for --edges")
    if movie and edges:
        raise click.UsageError("--movie or --edges, one at a time")
    with sound(run):
        result = read(run)
        if movie:
            pictures = {"solution": moving(result)}
        else:
            pictures = draw_graphs(graphs_of(result, run), result.title, form or "png") if edges else draw(result)
    folder = out or (run if run.is_dir() else run.parent) / PLOTS
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in pictures.items():
            path = folder / f"{name}.{'gif' if movie else form or 'png'}"
            write_bytes(path, content)
            click.echo(path)


def show_edges(run: Path, table: str | None, as_json: bool) -> None:
    """Print the edges of a run's network, or write all of them to a file."""
    from rich.console import Console

    from kanpde import graph_table, report
    from kanpde.json_lines import print_json
    from kanpde.writers import read
    from kanpde.writers.atomic import write_text

    with sound(run):
        graphs = graphs_of(read(run), run)
    if as_json:
        print_json(Console(), {"event": "edges", "graphs": [graph_table.facts(graph) for graph in graphs]})
    elif table != STANDARD:
        Console().print(report.edges(graphs))
    if table == STANDARD:
        click.echo(graph_table.csv_text(graphs), nl=False)
    elif table is not None:
        with writing(table):
            write_text(Path(table).resolve(), graph_table.csv_text(graphs))


def graphs_of(result: Result, run: Path) -> tuple[Graph, ...]:
    """The networks of a result as graphs; raises ResultError where there is none that could be."""
    from kanpde.edges import graphs

    solution = solution_of(result, run)
    found = graphs(solution.problem, solution.theta)
    if not found:
        raise ResultError(f"{run}: its network does not consist of functions of one variable")
    return found


@click.command("eval")
@run_argument
@click.option("--at", "points_file", required=True, metavar="FILE", help="CSV of points, - for standard input.")
@click.option("--fields", metavar="LIST", default="", help="As in u,u_x,u^2+v^2; all unknowns if absent.")
@click.option("--output", default=STANDARD, metavar="FILE", help="CSV to write; standard output if absent.")
def eval_(run: Path, points_file: str, fields: str, output: str) -> None:
    """Evaluate the solution of RUN at any points of its domain.

    Points outside the domain are given as nan.
    """
    from kanpde.writers import read
    from kanpde.writers.table import read_points, write_table

    with sound(run):
        result = read(run)
        solution = solution_of(result, run)
    coordinates = tuple(solution.spec.box)
    points = read_points(points_file, coordinates)
    with sound(run):
        values = solution.at(points, listed(fields))
    with writing("standard output" if output == STANDARD else output):
        write_table(sys.stdout if output == STANDARD else output, coordinates, points, values)
    if outside := int((~solution.inside(points)).sum()):
        click.echo(f"{outside} of {len(points)} points lie outside the domain; the values there are nan", err=True)


@click.command()
@run_argument
@click.argument("other", required=False, type=click.Path(path_type=Path), metavar="[RUN|FILE]")
@click.option("--tolerance", type=click.FloatRange(min=0), metavar="X", help="Exit with 4 above this relative L2.")
@json_option
def compare(run: Path, other: Path | None, tolerance: float | None, as_json: bool) -> None:
    """Compare RUN with another, with a file, or with what is known.

    What is known is the problem's reference or exact solution. The network is evaluated at the points of what it is
    compared with; a formula.json at those of the output.
    """
    from rich.console import Console

    from kanpde import comparison, report
    from kanpde.json_lines import print_json
    from kanpde.writers import read

    with sound(run):
        result = read(run)
        solution = solution_of(result, run)
    with sound(other or run):
        if other is None:
            reference = known_solution(result, solution)
        elif other.suffix == FORMULAS:
            reference = formulas_in(other, result, solution)
        else:
            reference = fields_in(other, tuple(result.axes))
        found = comparison.compare(result, reference, solution.at)
    if as_json:
        print_json(Console(), {"event": "comparison", **asdict(found)})
    else:
        Console().print(report.comparison_table(found))
    if tolerance is not None and not all(one.relative_l2 <= tolerance for one in found.differences.values()):
        sys.exit(INACCURATE)


@contextmanager
def sound(run: Path) -> Iterator[None]:
    """Whatever fails on the contents of a file that a stranger may have written becomes one clear ResultError."""
    from kanpde.hdf5_open import BROKEN, first_line

    try:
        yield
    except (KanpdeError, BrokenPipeError):
        raise
    except (*BROKEN, ArithmeticError) as error:
        raise ResultError(f"{run}: the contents do not fit together: {first_line(error)}") from error


@contextmanager
def writing(target: Path | str) -> Iterator[None]:
    """What the system refuses to write becomes one clear KanpdeError."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise KanpdeError(f"{target}: cannot be written: {error.strerror or error}") from error


def solution_of(result: Result, run: Path) -> Solution:
    """The solution in a result, ready to be evaluated."""
    from kanpde.solution import restored

    try:
        return restored(result)
    except KanpdeError as error:
        raise ResultError(f"{run}: {error}") from error


def known_solution(result: Result, solution: Solution) -> Samples:
    """The solution that the problem itself names: its reference file, else its exact solution on the result's grid."""
    from kanpde.folder import unpacked
    from kanpde.references import Samples, read_reference

    if solution.spec.reference is not None:
        name = next(name for name, path in solution.spec.files.items() if path == solution.spec.reference.file)
        with unpacked(result.provenance.get("files", {}), Path(str(result.provenance.get("folder", ".")))) as folder:
            return replace(read_reference(folder.find(name), tuple(result.axes)), source=name)
    exact = {field.of: field.values for field in result.fields.values() if field.kind == "exact"}
    if not exact:
        raise ResultError("the problem has no exact or reference solution; name another run or a file to compare with")
    return Samples("the exact solution", result.axes, exact)


def fields_in(path: Path, coordinates: tuple[str, ...]) -> Samples:
    """The fields of another run, or in a file of any known kind."""
    from kanpde.comparison import samples_of
    from kanpde.references import read_reference
    from kanpde.writers import read
    from kanpde.writers.hdf5_reading import is_result

    if path.is_dir() or is_result(path):
        return samples_of(read(path), str(path))
    return read_reference(path, coordinates)


def formulas_in(path: Path, result: Result, solution: Solution) -> Samples:
    """The formulas in a file that `kanpde formula` wrote, on the grid of a result."""
    from kanpde.expression import ExpressionError, free_names, parse
    from kanpde.references import Samples
    from kanpde.vocabulary import CONSTANTS
    from kanpde.writers.formulas import read_formulas

    formulas, allowed = read_formulas(path), {*result.axes, *CONSTANTS}
    for name, text in formulas.items():
        try:
            foreign = free_names(parse(text)) - allowed
        except ExpressionError as error:
            raise ResultError(f"{path}: the formula of '{name}': {error}") from error
        if foreign:
            raise ResultError(f"{path}: the formula of '{name}' has '{sorted(foreign)[0]}' in it; "
                              f"formulas are of {', '.join(result.axes)}")
    points = Samples("", result.axes, {}).points(tuple(result.axes))
    values = solution.at(points, tuple(formulas.values()))
    shape = tuple(len(axis) for axis in result.axes.values())
    return Samples(str(path), result.axes, {name: values[text].reshape(shape) for name, text in formulas.items()})


def listed(fields: str) -> tuple[str, ...]:
    """The expressions in a list, whose commas are those outside parentheses."""
    found, depth = [""], 0
    for letter in fields:
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return tuple(dict.fromkeys(text.strip() for text in found if text.strip()))


def files_of(run: Path) -> list[Path]:
    """The files of a run: its result, and the pictures beside it."""
    from kanpde.writers import PLOTS
    from kanpde.writers.hdf5_reading import found

    result = found(run)
    return [result, *sorted((result.parent / PLOTS).glob("*.png"))] if run.is_dir() else [result]
