"""The command line: it reads arguments, calls the library, prints, and sets the exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Mapping

import click

from kanpde.commands import COMMANDS
from kanpde.commands.help import Named, add_examples
from kanpde.errors import KanpdeError
from kanpde.packages import installed
from kanpde.streams import turn_away
from kanpde.vocabulary import BASES, FUNCTIONS, OPERATORS, OPTIMISERS, Family

if TYPE_CHECKING:
    from kanpde.spec import Spec

TEMPLATE = """\
# {name}: what it describes, and where it comes from
kanpde: 1
title: Poisson equation on a square
unknowns: [u]
domain: {{x: [0, 1], y: [0, 1]}}     # add t: [0, 1] for a problem in time, and an `initial` section

equations:                         # as many as unknowns; subscripts are derivatives: u_x, u_xy
  poisson: -lap(u) = f

definitions:                       # numbers and expressions, in any order
  f: 2*pi^2*sin(pi*x)*sin(pi*y)

boundary:                          # left right bottom top, x_min x_max, all, rest
  all: u = 0                       # or dn(u) = 0, [u = 0, v = 0], free, or `x: periodic`

exact:                             # optional: the true error is reported
  u: sin(pi*x)*sin(pi*y)

# network: {{basis: chebyshev, degree: 5, width: 10, depth: 1}}
# training: {{stop: {{error: 1e-6, time: 60}}}}
# output: {{grid: 101}}
"""


class Program(click.Group):
    """The group of commands; a refusal, ours or the system's, becomes its text on stderr and its exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KanpdeError as error:
            click.echo(str(error), err=True)
            ctx.exit(error.exit_code)
        except BrokenPipeError:
            raise
        except OSError as error:
            turn_away(sys.stdout)
            click.echo(f"{error.filename or 'standard output'}: {error.strerror or error}", err=True)
            ctx.exit(KanpdeError.exit_code)


def _told(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        click.echo(f"kanpde {installed('kanpde') or '(not installed)'}")
        ctx.exit()


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_told, help="Tell the version.")
def main() -> None:
    """Solve partial differential equations with Kolmogorov-Arnold networks."""


overrides_option = click.option(
    "--set", "overrides", multiple=True, metavar="PATH=VALUE", help="Override an entry, as in network.width=32."
)


@main.command()
@click.argument("problems", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@overrides_option
@click.option("--files", type=click.Path(path_type=Path), metavar="DIR", help="Where the files that they name may lie.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document instead of text.")
@click.option("--fast", is_flag=True, help="Read the files only; evaluate no formula, plan no run.")
@click.option("--plot", is_flag=True, help="Draw each domain, its sides and sampling points, as NAME-domain.png here.")
def check(
    problems: tuple[Path, ...], overrides: tuple[str, ...], files: Path | None, as_json: bool, fast: bool, plot: bool
) -> None:
    """Check problem files without solving them: that they can be read, that the formulas are finite, that the exact
    solution satisfies every equation and condition, and that conditions agree where they meet."""
    from kanpde.errors import SpecError
    from kanpde.spec import read_spec

    documents = []
    failed = False
    for path in problems:
        try:
            spec = read_spec(path, overrides, files)
            document, text = _read(spec) if fast else _proved(spec)
            if plot:
                text += f"\n  picture     {_drawn(spec)}"
        except SpecError as error:
            failed = True
            document = {"file": str(path), "ok": False, "mistakes": [_mistake(m) for m in error.mistakes]}
            if not as_json:
                click.echo(str(error), err=True)
        else:
            if not as_json:
                click.echo(text)
        documents.append(document)
    if as_json:
        click.echo(json.dumps(documents, indent=2))
    sys.exit(2 if failed else 0)


def _read(spec: Spec) -> tuple[dict[str, Any], str]:
    """The summary of a problem, as data and as text."""
    from dataclasses import asdict

    from kanpde.check import described, summary

    found = summary(spec)
    return {"file": str(spec.path), "ok": True, **asdict(found)}, described(spec, found)


def _proved(spec: Spec) -> tuple[dict[str, Any], str]:
    """The summary of a problem whose formulas hold, with what a run is going to do."""
    document, text = _read(spec)
    from kanpde.capacity import capacity
    from kanpde.errors import SpecError
    from kanpde.plan import fits, listed, plan, stated
    from kanpde.proof import prove

    proof = prove(spec)
    if proof.mistakes:
        raise SpecError(proof.mistakes)
    planned = plan(spec)
    odd = [*proof.warnings, *filter(None, [fits(planned, spec, capacity())])]
    document = {**document, "warnings": [*document["warnings"], *odd], "plan": listed(planned)}
    return document, "\n".join([text, stated(planned), *(f"  warning     {warning}" for warning in odd)])


def _drawn(spec: Spec) -> Path:
    """The picture of a problem's domain, written into the current folder."""
    from kanpde.plan import plan
    from kanpde.portrait import portrait
    from kanpde.writers.atomic import write_bytes

    picture = Path(f"{spec.path.stem}-domain.png")
    write_bytes(picture, portrait(spec, plan(spec)))
    return picture


def _mistake(mistake: Any) -> dict[str, Any]:
    place = mistake.place
    where = {"file": place.file, "line": place.line, "column": place.column}
    return {**where, "path": mistake.path, "message": mistake.message}


@main.command()
@click.option("--markdown", is_flag=True, help="Print the manual of problem files instead.")
def schema(markdown: bool) -> None:
    """Print the JSON Schema of problem files, for editors."""
    if markdown:
        from kanpde.manual import manual

        click.echo(manual(), nl=False)
        return
    from kanpde.spec import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


def _problems() -> Mapping[str, str]:
    """The problems that come with the program: file name and title."""
    here = Path(__file__).parent
    folders = [folder for folder in (here / "problems", here.parent / "problems") if folder.is_dir()]
    files = sorted(folders[0].glob("*.yaml")) if folders else []
    return {path.stem: _title(path) for path in files}


def _title(path: Path) -> str:
    lines = path.read_text(encoding="utf-8").splitlines()
    return next((line.removeprefix("title:").strip() for line in lines if line.startswith("title:")), "")


def _shaped(family: Family) -> str:
    return f"{family.meaning} ({', '.join(family.settings)})" if family.settings else family.meaning


def _shapes() -> Mapping[str, str]:
    """The shapes of domains: how each is written."""
    from kanpde.geometries import SHAPES
    from kanpde.shapes import usage

    return {usage(name): (make.__doc__ or "").splitlines()[0] for name, make in SHAPES.items()}


LISTS: Mapping[str, Callable[[], Mapping[str, str]]] = {
    "problems": _problems,
    "shapes": _shapes,
    "bases": lambda: {name: _shaped(entry) for name, entry in BASES.items()},
    "optimisers": lambda: OPTIMISERS,
    "operators": lambda: {name: entry.meaning for name, entry in OPERATORS.items()},
    "functions": lambda: {name: entry.meaning for name, entry in FUNCTIONS.items()},
}


@main.command("list")
@click.argument("what", type=Named(tuple(LISTS)), metavar="|".join(LISTS))
def list_(what: str) -> None:
    """List what the program knows."""
    entries = LISTS[what]()
    width = max(map(len, entries), default=0)
    for name, meaning in entries.items():
        click.echo(f"{name:<{width}}  {meaning}".rstrip())


@main.command()
@click.argument("name")
def new(name: str) -> None:
    """Write a small commented problem file NAME.yaml to start from."""
    stem = name.removesuffix(".yaml")
    path = Path(f"{stem}.yaml")
    if not stem or path.name != str(path):
        raise click.UsageError("NAME is a plain name; the file is written here")
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(TEMPLATE.format(name=stem))
    except FileExistsError:
        raise click.UsageError(f"{path} exists already and is left as it is") from None
    except (OSError, ValueError) as error:
        raise click.UsageError(f"{path} cannot be written ({error})") from None
    click.echo(f"{path} written; next: kanpde check {path}")


for command in COMMANDS:
    main.add_command(command)
add_examples(main)

if __name__ == "__main__":
    main()
