"""A sweep file: problems, and what is varied in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from math import prod
from pathlib import Path
from typing import Annotated, Any, Iterator, Literal

from pydantic import BeforeValidator, Field

from kanpde.errors import Mistake, SpecError
from kanpde.names import suggestion
from kanpde.options import raw_value, read_options
from kanpde.reading import Node, Scalar, Sequence, Table, mistake, read_text, read_tree
from kanpde.sections import Section

MOST = 100_000  # members
SEED = "training.seed"
PROBLEM = "problem"
SPECIAL = ("[", "{", "'", '"')  # beginnings that --set takes for YAML


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Text = Annotated[str, Field(min_length=1)]
Values = Annotated[list[Any], Field(min_length=1)]
Varied = dict[Text, Values]
Entry = Annotated[dict[Text, Any], Field(min_length=1)]


class SweepFile(Section):
    """What a sweep file may say."""

    kanpde: Literal["1"] = Field(default="1", description="version of this format")
    title: str = Field(default="", description="free text")
    problem: Annotated[list[Text], BeforeValidator(_listed), Field(min_length=1)] = Field(
        description="a problem file, a pattern as problems/*.yaml, or a list of them"
    )
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**63)]], Field(min_length=1)] | None = Field(
        default=None, description="seeds of everything random"
    )
    vary: Varied = Field(default={}, description="entry: values, in every combination")
    zip: Varied = Field(default={}, description="entry: values that go together, the first with the first")
    include: list[Entry] = Field(default=[], description="further members, each the entries it sets")
    exclude: list[Entry] = Field(default=[], description="combinations to leave out: all that have these entries")


@dataclass(frozen=True)
class Setting:
    """One entry of a problem file that a member sets, and where the sweep says so."""

    key: Scalar
    value: Node

    @property
    def path(self) -> str:
        """The path of the entry."""
        return self.key.text

    @property
    def shown(self) -> str:
        """The value as a person would write it."""
        return self.value.text if isinstance(self.value, Scalar) else json.dumps(raw_value(self.value))

    @property
    def override(self) -> str:
        """What `--set` takes; lists and tables as JSON, which is YAML."""
        text = self.shown
        plain = isinstance(self.value, Scalar) and text == text.strip() and not text.startswith(SPECIAL)
        return f"{self.path}={text if plain and text.isprintable() else json.dumps(raw_value(self.value))}"


Combination = tuple[Setting, ...]


@dataclass(frozen=True)
class Sweep:
    """Problem files, the combinations of settings for each, and the seeds for each of these; none: as the file says."""

    path: Path
    title: str
    problems: tuple[tuple[Path, Node], ...]
    combinations: tuple[Combination, ...]
    seeds: tuple[int | None, ...]
    exclude: tuple[tuple[Table, frozenset[str]], ...]

    @property
    def varied(self) -> tuple[str, ...]:
        """The entries that are set in some member."""
        return tuple(dict.fromkeys(one.path for combination in self.combinations for one in combination))


def read_sweep(path: Path) -> Sweep:
    """What a sweep file states; raises SpecError with all its mistakes at once."""
    root, faults = read_tree(read_text(path, str(path)), str(path))
    mistakes = list(faults)
    said = read_options(SweepFile, root, "", mistakes)
    if mistakes or said is None:
        raise SpecError(dict.fromkeys(mistakes))
    problems = tuple(_problems(path, root.get(PROBLEM), mistakes))
    combinations = _combinations(root, mistakes)
    seeds = tuple(said.seeds) if said.seeds else (None,)
    _report_known_twice(root, mistakes)
    if len(problems) * len(combinations) * len(seeds) > MOST:
        mistakes.append(mistake(root, f"more than {MOST} members"))
    known = {PROBLEM, SEED, *(one.path for combination in combinations for one in combination)}
    exclude = tuple(_exclusions(root.get("exclude"), known, mistakes))
    if mistakes:
        raise SpecError(dict.fromkeys(mistakes))
    return Sweep(path, said.title, problems, combinations, seeds, exclude)


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Sequence) else () if node is None else (node,)


def _problems(sweep: Path, node: Node | None, mistakes: list[Mistake]) -> Iterator[tuple[Path, Node]]:
    """The problem files, each once, with the entry that names it."""
    folder, seen = sweep.parent, set[Path]()
    for item in _items(node):
        assert isinstance(item, Scalar)
        pattern = any(letter in item.text for letter in "*?[")
        try:
            found = sorted(folder.glob(item.text)) if pattern else [folder / item.text]
        except (ValueError, NotImplementedError, IndexError) as error:
            mistakes.append(mistake(item, f"not a pattern of file names below {folder} ({error})"))
            continue
        if not found:
            mistakes.append(mistake(item, f"no file matches '{item.text}' in {folder}"))
        if not pattern and not found[0].is_file():
            others = [path for path in sorted(found[0].parent.glob("*.y*ml")) if path.resolve() != sweep.resolve()]
            near = suggestion(found[0].name, (path.name for path in others))
            mistakes.append(mistake(item, f"there is no file '{item.text}' in {folder}{near}"))
            continue
        for path in found:
            if path.is_file() and path not in seen:
                seen.add(path)
                yield path, item


def _combinations(root: Table, mistakes: list[Mistake]) -> tuple[Combination, ...]:
    """Every combination of what varies, then those included, none twice."""
    axes: list[list[Combination]] = [[(one,) for one in values] for values in _entries(root.get("vary"))]
    zipped = _entries(root.get("zip"))
    if zipped and len({len(values) for values in zipped}) > 1:
        counts = ", ".join(f"{values[0].path} {len(values)}" for values in zipped)
        node = root.get("zip")
        assert node is not None
        mistakes.append(mistake(node, f"what goes together must have as many values; there are {counts}"))
    elif zipped:
        axes.append(list(zip(*zipped)))
    if prod(map(len, axes)) > MOST:
        raise SpecError([*mistakes, mistake(root, f"more than {MOST} combinations")])
    found = [tuple(one for part in parts for one in part) for parts in product(*axes)]
    include = [_settings(item) for item in _items(root.get("include")) if isinstance(item, Table)]
    plain = not axes and include  # the file lists its members one by one
    every = [*([] if plain else found), *include]
    return tuple({frozenset(one.override for one in settings): settings for settings in reversed(every)}.values())[::-1]


def _entries(node: Node | None) -> list[tuple[Setting, ...]]:
    entries = node.entries if isinstance(node, Table) else ()
    return [tuple(Setting(entry.key, item) for item in _items(entry.value)) for entry in entries]


def _settings(table: Table) -> Combination:
    return tuple(Setting(entry.key, entry.value) for entry in table.entries)


def _report_known_twice(root: Table, mistakes: list[Mistake]) -> None:
    """What is varied in two places, or under `vary` though it has a place of its own."""
    seen: set[str] = set()
    for name in ("vary", "zip"):
        node = root.get(name)
        for entry in node.entries if isinstance(node, Table) else ():
            path = entry.key.text
            if path in seen:
                mistakes.append(mistake(entry.key, f"'{path}' is already varied under 'vary'"))
            if path == PROBLEM or (path == SEED and root.get("seeds") is not None):
                word = "problem" if path == PROBLEM else "seeds"
                mistakes.append(mistake(entry.key, f"'{path}' is varied by '{word}' of the sweep"))
            seen.add(path)


def _exclusions(node: Node | None, known: set[str], mistakes: list[Mistake]) -> Iterator[tuple[Table, frozenset[str]]]:
    """The tables of what is left out, as texts that name entries and values."""
    for item in _items(node):
        assert isinstance(item, Table)
        for entry in item.entries:
            if entry.key.text not in known:
                hint = suggestion(entry.key.text, known)
                mistakes.append(mistake(entry.key, f"'{entry.key.text}' is not varied here{hint}"))
        yield item, frozenset(one.override for one in _settings(item))
