"""`kanpde export`: a run in the formats of other programs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import click

from kanpde.commands.help import Named
from kanpde.commands.results import run_argument, sound, writing
from kanpde.errors import KanpdeError
from kanpde.exports import EXPORTS, Export

FORMATS = "\n".join(f"  {name:<6} {one.meaning}" for name, one in EXPORTS.items())


@click.command(epilog=f"\b\nFormats:\n{FORMATS}")
@run_argument
@click.option("--to", "form", type=Named(tuple(EXPORTS)), required=True, help="The format.")
@click.option("--output", type=click.Path(path_type=Path), metavar="FILE", help="Instead of one in the run's folder.")
def export(run: Path, form: str, output: Path | None) -> None:
    """Write RUN in the format of another program.

    Functions (torch, onnx) take points [M, coordinates] and give values [M, unknowns] in double precision; they are
    compared with the solution before they are kept.
    """
    from kanpde.writers import read
    from kanpde.writers.hdf5_reading import found

    with sound(run):
        result, source = read(run), found(run)
        target = output or source.parent / EXPORTS[form].file
        with writing(target):
            for line in module_of(form, EXPORTS[form]).write(result, target, source):
                click.echo(line)


def module_of(form: str, one: Export) -> Any:
    """The module that writes a format; raises KanpdeError where a package that it needs is missing."""
    try:
        return import_module(one.home)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] not in one.needs:
            raise
        raise KanpdeError(f"--to {form} needs {', '.join(one.needs)}: pip install 'kanpde[{form}]'") from None
