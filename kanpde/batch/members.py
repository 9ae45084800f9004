"""The members of a sweep: each a problem with its overrides, under a name that says what it is."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Iterator, Mapping

from kanpde.batch.sweep import PROBLEM, SEED, Combination, Setting, Sweep
from kanpde.errors import Mistake, Place, SpecError
from kanpde.folder import Folder
from kanpde.reading import Scalar, mistake, read_text
from kanpde.spec import Spec, read_spec_text

LONGEST = 80  # letters of a name before its checksum
DIGITS = 8  # of the checksum
NEEDED = "h5"  # by what a run leaves in this format it is judged
PLACE = "--set"  # what stands for a file in mistakes of overrides


@dataclass(frozen=True)
class Source:
    """A problem file as it was when the batch was planned: its text, the name it is told by, and its folder."""

    text: str
    name: str
    folder: str

    @property
    def path(self) -> Path:
        """Where the file was."""
        return Path(self.folder) / Path(self.name).name


@dataclass(frozen=True)
class Member:
    """One run of a batch: its folder's name, its problem, what is set in it, and what of this is varied."""

    name: str
    source: Source
    overrides: tuple[str, ...]
    varied: Mapping[str, str]
    seed: int | None

    def spec(self, further: tuple[str, ...] = (), within: Path | None = None) -> Spec:
        """The problem; `further` overrides are of how it is run, not of what is solved."""
        place = Folder(self.source.path.parent, within=within)
        return read_spec_text(self.source.text, str(self.source.path), place, (*self.overrides, *further))


def members(sweep: Sweep, common: tuple[str, ...] = (), within: Path | None = None) -> tuple[Member, ...]:
    """The members of a sweep, `common` overrides in each; raises SpecError for what cannot be solved.

    Files that a problem names must lie in its own folder, or `within` another one.
    """
    mistakes: list[Mistake] = []
    found: dict[str, Member] = {}
    excluded: set[int] = set()
    sources = [(source, node) for path, node in sweep.problems if (source := _source(path, mistakes))]
    for (source, _), combination in product(sources, sweep.combinations):
        kept = [seed for seed in sweep.seeds if not _left_out(sweep, source, combination, seed, excluded)]
        for seed in kept:
            member = _member(source, combination, seed, common, len(sources) > 1)
            found.setdefault(member.name, member)
        if kept:
            mistakes += _mistakes(source, combination, common, within)
    for number, (table, _) in enumerate(sweep.exclude):
        if number not in excluded:
            mistakes.append(mistake(table, "this leaves nothing out"))
    if mistakes:
        raise SpecError(dict.fromkeys(mistakes))
    return tuple(found.values())


def _source(path: Path, mistakes: list[Mistake]) -> Source | None:
    try:
        return Source(read_text(path, str(path)), str(path), str(path.parent.resolve()))
    except SpecError as error:
        mistakes.extend(error.mistakes)
        return None


def _left_out(
    sweep: Sweep, source: Source, combination: Combination, seed: int | None, excluded: set[int]
) -> bool:
    """Whether some exclusion fits; those that do are noted."""
    has = {one.override for one in combination}
    has |= {f"{PROBLEM}={word}" for word in (source.name, Path(source.name).name, Path(source.name).stem)}
    has |= {f"{SEED}={seed}"} if seed is not None else set()
    fitting = [number for number, (_, wanted) in enumerate(sweep.exclude) if wanted <= has]
    excluded.update(fitting)
    return bool(fitting)


def _member(
    source: Source, combination: Combination, seed: int | None, common: tuple[str, ...], several: bool
) -> Member:
    seeded = (f"{SEED}={seed}",) if seed is not None else ()
    overrides = (*common, *(one.override for one in combination), *seeded)
    stem = Path(source.name).stem
    varied = ({PROBLEM: stem} if several else {}) | {one.path: one.shown for one in combination}
    identity = json.dumps([source.text, source.name, overrides]).encode()
    name = f"{_readable(stem, combination, seed)}-{hashlib.sha256(identity).hexdigest()[:DIGITS]}"
    return Member(name, source, overrides, varied, seed)


def _readable(stem: str, combination: Combination, seed: int | None) -> str:
    """What a member is, in letters that every file system takes."""
    parts = [stem, *(f"{one.path.rpartition('.')[2]}-{one.shown}" for one in combination)]
    parts += [f"seed-{seed}"] if seed is not None else []
    return re.sub(r"[^\w.+-]+", "~", "_".join(parts), flags=re.ASCII)[:LONGEST].strip(".-~") or "run"


def _mistakes(
    source: Source, combination: Combination, common: tuple[str, ...], within: Path | None
) -> Iterator[Mistake]:
    """What is wrong with a problem under these settings, each at the entry of the sweep that brings it about."""
    texts = (*common, *(one.override for one in combination))
    try:
        spec = read_spec_text(source.text, source.name, Folder(Path(source.folder), within=within), texts)
        if NEEDED not in spec.output.save:
            yield Mistake(_of(combination, "output.save", source), "output.save", f"members must save {NEEDED} too")
    except SpecError as error:
        for one in error.mistakes:
            number = one.place.line - len(common) - 1
            at_setting = one.place.file == PLACE and 0 <= number < len(combination)
            yield _placed(one, combination[number]) if at_setting else one


def _of(combination: Combination, path: str, source: Source) -> Place:
    """Where an entry is set: in the sweep, or in the problem."""
    return next((one.value.place for one in combination if one.path == path), Place(source.name, 1, 1))


def _placed(fault: Mistake, setting: Setting) -> Mistake:
    """A mistake of an override, at its path or its value in the sweep."""
    column, value = fault.place.column - 1, setting.value
    if column <= len(setting.path):
        return replace(fault, place=setting.key.at(column))
    inside = column - len(setting.path) - 1
    at_letter = isinstance(value, Scalar) and inside < len(value.text)
    return replace(fault, place=value.at(inside) if at_letter else value.place)
