"""The manual of the file format, made from what reads and checks the files, with an example of every construct."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Iterable, Iterator, Mapping

from kanpde.errors import Place
from kanpde.examples import (
    ARITHMETIC,
    CALLS,
    CONDITIONS,
    DOMAINS,
    FITS,
    PLACES,
    REGIONS,
    SECTIONS,
    SHAPED,
    SOLID,
    SPACES,
    Example,
    Row,
    Whole,
    setting,
)
from kanpde.folder import Folder
from kanpde.formulas import Log
from kanpde.geometries import SHAPES
from kanpde.reading import Scalar
from kanpde.sections import OPTIONS, json_schema
from kanpde.shapes import read_shape, usage
from kanpde.terrain import Ground
from kanpde.vocabulary import BASES, CONSTANTS, FORMATS, FUNCTIONS, OPERATORS, OPTIMISERS


def manual() -> str:
    """The manual as Markdown."""
    return "\n".join(blocks()) + "\n"


INTRODUCTION = """\
# Problem files

<!-- Made by `kanpde schema --markdown > docs/file-format.md` from what reads and checks the files. -->

A problem file is YAML: the mathematics in the order of a paper, then, optional, the numerics. The smallest useful one:

```yaml
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations:
  poisson: -lap(u) = 2*pi^2*sin(pi*x)*sin(pi*y)
boundary:
  all: u = 0
exact:
  u: sin(pi*x)*sin(pi*y)
```

`kanpde check FILE` tells what it states and whether it makes sense; `kanpde schema` prints the JSON Schema for editors.
The examples below stand on one line; where a formula has a comma, quotes keep it together there."""
CLOSING = """
## A whole file

```yaml
title: Helmholtz equation on a square plate with a round hole
unknowns: [u]
domain:
  shapes:
    plate: rectangle(x=[-1, 1], y=[-1, 1])
    hole: disc(center=[0.3, 0], radius=0.25)
  region: plate - hole
equations:
  helmholtz: lap(u) + k^2*u = f
definitions:
  k: 2
  g: sin(pi*x)*sin(4*pi*y)
  f: (k^2 - 17*pi^2)*g
boundary:
  plate: u = g
  hole: dn(u) = dn(g)
exact:
  u: g
```"""


def blocks() -> Iterator[str]:
    """The parts of the manual."""
    yield INTRODUCTION
    for title, note, rows in chapters():
        yield f"\n## {title}\n"
        yield from [f"{note}\n"] if note else []
        yield "| what | meaning | example |\n|---|---|---|"
        yield from (f"| {name} | {escaped(meaning)} | {inline(example)} |" for name, meaning, example in rows)
    yield "\n## Words\n"
    for title, words in WORDS.items():
        yield f"**{title}**\n"
        yield "\n".join(f"- `{word}`: {meaning}" for word, meaning in words.items()) + "\n"
    yield CLOSING.strip("\n")


def chapters() -> Iterator[tuple[str, str, Iterable[Row]]]:
    """The tables: their titles, what else is to be said, and their rows."""
    yield "Sections", "`unknowns`, `domain` and `equations` are needed; the rest may be left out.", sections()
    yield "Domain", "", DOMAINS
    note = "Where shapes' boundaries run along each other, the first one's name counts. Lengths may be constants."
    yield "Shapes", note, shapes()
    yield "Places on a boundary", "Every piece of a boundary has its conditions exactly once.", PLACES
    yield "Conditions", "", CONDITIONS
    yield "Several regions", "", REGIONS
    yield "Constraints", "", FITS
    yield "Formulas", "", ARITHMETIC
    yield "Functions", "", [(f"`{name}`", one.meaning, CALLS[name]) for name, one in FUNCTIONS.items()]
    yield "Operators", "", [(f"`{n}`", one.meaning, CALLS[n]) for n, one in OPERATORS.items()]
    yield "Fitted names and data", "", settings("fit", "data")
    yield "Numerical choices", "`auto` stands for what is chosen for the problem.", settings(*OPTIONS)


def sections() -> Iterator[Row]:
    """The sections."""
    for name, about in json_schema()["properties"].items():
        yield f"`{name}`", about["description"], SECTIONS[name]


def shapes() -> Iterator[Row]:
    """How each shape is written, and the names of the parts of its boundary."""
    for name, make in SHAPES.items():
        example = Example(f"domain: {{shapes: {{body: '{SHAPED[name]}'}}}}", SPACES.get(name, ""),
                          SOLID if name == "mesh" else {})  # fmt: skip
        words = (make.__doc__ or "").splitlines()[0]
        yield f"`{usage(name)}`", f"{words} Parts: {parts_of(name)}", example


def parts_of(name: str) -> str:
    """The parts of a shape's boundary, in words."""
    whole = "one, the shape itself."
    if name == "mesh":
        return whole
    shape = read_shape(Scalar(SHAPED[name], name, Place("", 1, 1)), Ground(CONSTANTS, Folder(Path())), Log())
    assert shape is not None
    named = [f"`{part}`" for part in shape.parts if part]
    return whole if not named else "`side1`, `side2`, …" if name == "polygon" else ", ".join(named) + "."


def settings(*names: str) -> Iterator[Row]:
    """The fields of some sections, and those inside them."""
    schema = json_schema()
    for name in names:
        for path, about in fields(name, resolved(schema["properties"][name], schema), schema):
            yield f"`{path}`", f"{about['description']}{allowed(about, schema)}", setting(path)


def fields(path: str, schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The fields of a section with their paths, each before those inside it."""
    for name, about in schema.get("properties", {}).items():
        yield f"{path}.{name}", about
        if path != "network":  # what is inside of `unknowns` is said already
            yield from fields(f"{path}.{name}", resolved(about, whole), whole)


def resolved(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a field holds: behind references, of lists and tables their entries."""
    while True:
        if "$ref" in schema:
            schema = whole["$defs"][schema["$ref"].rpartition("/")[2]]
        elif isinstance(schema.get("additionalProperties"), dict) and "properties" not in schema:
            schema = schema["additionalProperties"]
        elif isinstance(schema.get("items"), dict):
            schema = schema["items"]
        elif len(schema.get("anyOf", ())) == 1:
            schema = schema["anyOf"][0]
        else:
            return schema


def allowed(schema: Mapping[str, Any], whole: Mapping[str, Any]) -> str:
    """What a field may be, and what it is when left out, as the end of a sentence."""
    kinds = [kind for kind in schema.get("anyOf", [schema]) if "const" not in kind and kind]
    found = "; ".join(filter(None, dict.fromkeys(one_of(kind) for kind in kinds)))
    usual = schema.get("default")
    usual = f"; else {usual}" if isinstance(usual, (str, int, float)) and not isinstance(usual, bool) else ""
    return f" ({found}{usual})" if found else ""


def one_of(schema: Mapping[str, Any]) -> str:
    """What one kind of value may be."""
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    word = {"integer": "whole number", "number": "number", "boolean": "true or false"}.get(str(schema.get("type")), "")
    signs = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
    bounds = [f"{say} {schema[key]:.15g}" for key, say in signs.items() if key in schema and schema[key] < 2**62]
    return f"{word} {' and '.join(bounds)}".strip() if word else ""


def inline(example: Example) -> str:
    """An example as code on one line of a table."""
    return f"`{escaped(example.lines)}`"


def escaped(text: str) -> str:
    """Text in a cell of a table."""
    return text.replace("|", "\\|").replace("\n", " ")


WORDS: Mapping[str, Mapping[str, str]] = {
    "Bases": {
        name: one.meaning + (f" ({', '.join(one.settings)})" if one.settings else "") for name, one in BASES.items()
    },
    "Optimisers": OPTIMISERS,
    "Formats": FORMATS,
}


def examples() -> Iterator[tuple[str, Example]]:
    """Every example of the manual, under a name."""
    for title, _, rows in chapters():
        yield from ((f"{title}: {name}", example) for name, _, example in rows)
    for title, text in (("smallest", INTRODUCTION), ("whole", CLOSING)):
        code = text.partition("```yaml\n")[2].partition("```")[0]
        yield title, Whole(code)
