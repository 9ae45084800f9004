"""The pages of the gallery, made from the problem files, the measurements and the pictures."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from links import ROOT

from kanpde.pages.problem import problem_table
from kanpde.references import read_reference
from kanpde.spec import Spec, read_spec

sys.path.append(str(ROOT / "benchmarks"))
from numerals import brief, power, short
from tiers import Case, cases

PROBLEMS, PICTURES = ROOT / "problems", ROOT / "docs" / "images" / "gallery"
MEASURED, NOTES = ROOT / "benchmarks" / "results" / "accuracy.json", PICTURES / "pictures.json"
KINDS = {
    "elliptic": "Elliptic equations", "parabolic": "Diffusion", "hyperbolic": "Waves and transport",
    "reaction": "Reactions", "dispersive": "Dispersive waves", "flow": "Flows", "eigen": "Eigenvalues",
    "inverse": "Fits to readings",
}  # fmt: skip


@cache
def problems() -> Mapping[str, Spec]:
    """The problems by name."""
    return {path.stem: read_spec(path) for path in sorted(PROBLEMS.glob("*.yaml"))}


def grouped() -> dict[str, list[str]]:
    """The names of the problems under what they are."""
    kinds = {name: name.partition("_")[0] for name in problems()}
    others = {kind: kind.capitalize() for kind in kinds.values() if kind not in KINDS}
    return {title: [name for name in kinds if kinds[name] == kind] for kind, title in {**KINDS, **others}.items()}


def page(name: str) -> str:
    """The page of one problem, as Markdown."""
    spec = problems()[name]
    parts = [
        f"# {spec.title}", f'<div class="wide">{problem_table(spec)}</div>', *pictures(name, spec),
        "## Errors", *errors(name, spec), "## Command", *command(name, spec), "## File",
        f"```yaml title=\"problems/{name}.yaml\"\n{spec.text.rstrip()}\n```",
    ]  # fmt: skip
    return "\n\n".join(parts) + "\n"


def pictures(name: str, spec: Spec) -> Iterable[str]:
    """The pictures there are, and the run they are of."""
    found = [path for path in (PICTURES / f"{name}.png", PICTURES / f"{name}-vectors.png") if path.exists()]
    yield from (f"![{spec.title}](../images/gallery/{path.name}){{ loading=lazy }}" for path in found)
    note = read(NOTES).get(name)
    if found and note:
        told = ", ".join(f"{unknown} {power(error)}" for unknown, error in note["errors"].items())
        chosen = f" with {', '.join(f'`{one}`' for one in note['set'])}" if note["set"] else ""
        yield f"Of a run{chosen}; its relative L2 errors: {told}. `python handbook/pictures.py {name}` draws it again."
    if not found:
        yield f"No picture yet: `python handbook/pictures.py {name}` draws one."


def errors(name: str, spec: Spec) -> Iterable[str]:
    """The measured errors, case by case and unknown by unknown."""
    against = "reference" if spec.reference else "exact solution"
    yield (f"Relative L2 errors of solves with defaults, against the {against}, and the estimates that were made "
           "without it. [Accuracy](../accuracy.md) says how all were measured.")  # fmt: skip
    rows = [row for case in cases() if case.problem == name for row in case_rows(case)]
    if not rows:
        yield "Not measured yet."
        return
    heads = ("solved with", "field", "error:", "largest:", "estimated:", "seconds:", "coefficients:", "ended")
    first = int(len({row[0] for row in rows}) == 1)  # what is the same in all rows is not told
    yield table(heads[first:], [row[first:] for row in rows])
    known = {case.record for case in cases() if case.problem == name and case.record}
    for record in sorted(known, key=lambda one: one.error):
        yield f"Best error of a network in print: {brief(record.error)}{f' ({record.how})' if record.how else ''}."


def case_rows(case: Case) -> Iterable[tuple[str, ...]]:
    """A row for each seed and each field of a case."""
    for seed, run in read(MEASURED).get("runs", {}).get(case.name, {}).items():
        for field, one in run.get("errors", {}).items():
            estimate = run.get("estimated", {}).get(field)
            yield (f"{', '.join(case.changes) or 'defaults'}, seed {seed}", f"`{field}`", number(one["relative_l2"]),
                   number(one["maximum"]), number(estimate), short(run["wall_seconds"]),
                   str(run.get("coefficients", "–")), run["outcome"])  # fmt: skip


def number(value: float | None) -> str:
    """An error, or a dash."""
    return "–" if value is None else power(value)


def command(name: str, spec: Spec) -> Iterable[str]:
    """How to solve it."""
    yield f"```sh\nkanpde solve problems/{name}.yaml\n```"
    beside = [spec.reference.file.name] if spec.reference else []
    if beside or any(one.file for one in getattr(spec, "datasets", ())):
        yield "in a checkout; the file reads others beside it, from [references](../../problems/references)."


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; heads that end in a colon are of columns set to the right."""
    lines = [[head.removesuffix(":") for head in heads], *rows]
    first, *others = [f"| {' | '.join(cells)} |" for cells in lines]
    ruler = "".join("|--:" if head.endswith(":") else "|---" for head in heads) + "|"
    return "\n".join([first, ruler, *others])


def index() -> str:
    """The first page of the gallery: a small picture of each problem."""
    parts = [
        "# Gallery",
        f"The {len(problems())} problems that come with the program, each with its mathematics, a picture, measured "
        "errors, the command and the file. Every one has an exact solution or a "
        "[reference](../../problems/references), which serves to measure only.",
    ]  # fmt: skip
    for title, names in grouped().items():
        cards = "\n".join(card(name) for name in names)
        parts += [f"## {title}", f'<div class="cards">\n{cards}\n</div>']
    return "\n\n".join(parts) + "\n"


def card(name: str) -> str:
    """A problem in the list: its picture and its title."""
    shown = f'<img src="../images/gallery/{name}.png" alt="" loading="lazy">' if has_picture(name) else ""
    return f'<a href="{name}.html">{shown}<span>{escape(problems()[name].title)}</span></a>'


def has_picture(name: str) -> bool:
    """Whether there is a picture of a problem."""
    return (PICTURES / f"{name}.png").exists()


def references() -> str:
    """The page of the reference solutions."""
    heads = ("problem", "file", "certified error:")
    rows = [(f"[{spec.title}]({name}.md)", f"`{spec.reference.file.name}`", certified(spec))
            for name, spec in problems().items() if spec.reference]  # fmt: skip
    return "\n\n".join([
        "# References",
        "Solutions of problems without a formula, computed by other methods to an error that is certified beside the "
        "values. They are in `problems/references`, made by `python problems/references/generate.py`, and read to "
        "measure only.",
        table(heads, rows),
    ]) + "\n"  # fmt: skip


def certified(spec: Spec) -> str:
    """The largest error that a reference may have, relative in L2."""
    samples = read_reference(spec.reference.file, tuple(spec.box))
    return brief(max(samples.certified.values()))


@cache
def read(path: Path) -> dict[str, Any]:
    """A file of measurements, empty where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
