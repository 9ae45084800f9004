"""`kanpde report`: the table of many runs, on the screen, as files and as a page; or the page of one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from kanpde.commands.results import graphs_of, json_option, sound, writing

if TYPE_CHECKING:
    from kanpde.result import Result

NAME = "report"


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), metavar="DIR")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Where to write; else DIR itself.")
@json_option
def report(folder: Path, out: Path | None, as_json: bool) -> None:
    """Tell what came of the runs in DIR: a batch, or any folder with runs in it; or of one run.

    The table is written as report.csv, report.h5 (plain arrays) and report.html, one page that needs no network: the
    table to be sorted and filtered, plots of errors against what is varied, small pictures of fields and errors.
    Of one run, report.html is written: its problem as mathematics, errors, pictures, edges, formula if one was looked
    for, method, provenance.
    """
    from kanpde.batch.folder import PLAN
    from kanpde.writers.folders import is_run_folder

    if folder.is_dir() and is_run_folder(folder) and not (folder / PLAN).is_file():
        report_run(folder, out or folder, as_json)
    else:
        report_runs(folder, out or folder, as_json)


def report_run(run: Path, target: Path, as_json: bool) -> None:
    """Write the page of one run."""
    from rich.console import Console

    from kanpde.folder import unpacked
    from kanpde.json_lines import print_json
    from kanpde.pages.run import run_page
    from kanpde.spec import read_spec_text
    from kanpde.writers import read, read_plots
    from kanpde.writers.atomic import write_text
    from kanpde.writers.formulas import FORMULA, read_facts

    with sound(run):
        result, plots = read(run), read_plots(run)
        origin = Path(str(result.provenance.get("folder", ".")))
        with unpacked(result.provenance.get("files", {}), origin) as here:
            spec = read_spec_text(result.spec_text, result.spec_name, here, result.overrides)
        home = run if run.is_dir() else run.parent
        facts = read_facts(home / FORMULA) if (home / FORMULA).is_file() else {}
        text = run_page(result, spec, {**plots, **edges(result, run)}, facts)
    file = target / f"{NAME}.html"
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        write_text(file, text)
    if as_json:
        print_json(Console(), {"event": "report", "title": result.title, "files": [str(file)]})
    else:
        click.echo(file)


def edges(result: Result, run: Path) -> dict[str, bytes]:
    """The pictures of a result's networks, those that consist of functions of one variable."""
    from kanpde.errors import ResultError
    from kanpde.writers.graphs import draw_graphs

    try:
        return draw_graphs(graphs_of(result, run), result.title)
    except ResultError:
        return {}


def report_runs(folder: Path, target: Path, as_json: bool) -> None:
    """Show and write the table of many runs, and write its page."""
    from rich.console import Console

    from kanpde.batch.rows import rows, varied_in
    from kanpde.batch.tables import csv_text, page, records, write_h5
    from kanpde.json_lines import print_json
    from kanpde.report import runs_table
    from kanpde.writers.atomic import write_text

    title, found = rows(folder)
    files = {kind: target / f"{NAME}.{kind}" for kind in ("csv", "h5", "html")}
    with writing(target):
        target.mkdir(parents=True, exist_ok=True)
        write_text(files["csv"], csv_text(found))
        write_h5(found, files["h5"])
        write_text(files["html"], page(title, found, folder))
    if as_json:
        print_json(Console(), {"event": "report", "title": title, "runs": records(found),
                               "files": [str(file) for file in files.values()]})  # fmt: skip
        return
    Console().print(runs_table(title, records(found), varied_in(found)))
    for file in files.values():
        click.echo(f"  {file}")
