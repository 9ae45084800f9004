"""The checkpoint of a run: its journal, and the problem and the machine that it belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Mapping

import torch

from kanpde.errors import KanpdeError, ResultError
from kanpde.folder import Folder, checksum
from kanpde.journal import Journal
from kanpde.provenance import versions
from kanpde.reading import read_text
from kanpde.solve import prepare
from kanpde.spec import Spec, read_spec_text
from kanpde.writers import checkpoints

Warn = Callable[[str], None]
FREE = ("training.stop", "training.checkpoint", "output")  # settings that may change, as they change no step


@dataclass(frozen=True)
class Resumed:
    """A run to go on with: its problem, its journal, and whether it has ended unless its limits are others now."""

    spec: Spec
    journal: Journal
    ended: bool


def begun(spec: Spec, folder: Path, warn: Warn) -> Journal:
    """The journal of a new run."""
    return journal_of(spec, folder, warn, None)


@dataclass(frozen=True)
class Asked:
    """What is said with --resume: the problem's file again, further overrides, and where other files may lie."""

    file: Path | None = None
    overrides: tuple[str, ...] = ()
    within: Path | None = None


def resumed(folder: Path, asked: Asked, warn: Warn) -> Resumed | None:
    """The run that a folder holds the checkpoint of, None if it holds none; what has changed is told.

    Raises KanpdeError where it is not the problem in `file`, or where its data are not what they were.
    """
    found, wrong = checkpoints.read(folder)
    for text in wrong:
        warn(f"{text}; going on from the checkpoint before")
    if found is None:
        return None
    try:
        spec = spec_of(found, folder, asked)
        journal = journal_of(spec, folder, warn, found)
        told, before = dict(found["machine"]), tuple(found["overrides"])
        ended = found["outcome"] == "LIMIT" and spec.overrides == before
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, RecursionError) as error:
        raise ResultError(f"{folder}: the checkpoint lacks what a checkpoint holds ({error})") from error
    prepare(spec)
    for name, now in machine().items():
        if told.get(name) != now:
            warn(f"{name} was {told.get(name)} and is {now}: the last digits may differ from an uninterrupted run")
    return Resumed(spec, journal, ended)


def spec_of(found: Mapping[str, Any], folder: Path, asked: Asked) -> Spec:
    """The problem of a checkpoint, which must be that in the file if one is named, with further overrides."""
    if asked.file is not None and read_text(asked.file, str(asked.file)) != found["text"]:
        raise KanpdeError(
            f"{asked.file}: not the problem that the run in {folder} solves; leave FILE out, "
            "or solve it in another folder"
        )
    before = tuple(map(str, found["overrides"]))
    others = tuple(one for one in asked.overrides if one not in before)
    for one in others:
        path = one.partition("=")[0].strip()
        if not any(path == free or path.startswith(f"{free}.") for free in FREE):
            raise KanpdeError(
                f"--set {one}: a resumed run keeps its settings, but for {', '.join(FREE)}; "
                "leave it out, or solve the problem anew in another folder"
            )
    path = Path(str(found["folder"])) / Path(str(found["name"])).name
    place = Folder(path.parent, within=asked.within, known=dict(found["files"]))
    return read_spec_text(str(found["text"]), str(path), place, (*before, *others))


def journal_of(spec: Spec, folder: Path, warn: Warn, earlier: Mapping[str, Any] | None) -> Journal:
    """A journal that is saved in a folder; where it cannot be, that is told and the run goes on."""
    if not spec.training.checkpoint:
        return Journal(earlier=earlier)
    about = {
        "text": spec.text,
        "name": str(spec.path),
        "folder": str(spec.path.parent.resolve()),
        "overrides": list(spec.overrides),
        "files": {name: checksum(path) for name, path in spec.files.items()},
    }

    def save(content: dict[str, Any]) -> None:
        try:
            checkpoints.write(folder, {**about, "machine": machine(), **content})
        except OSError as error:
            warn(f"{folder}: no checkpoint could be written ({error.strerror or error}); the one before stays")

    return Journal(save, spec.training.checkpoint, earlier)


def machine() -> dict[str, str]:
    """What decides on the last digits beside the problem."""
    return {**versions(), "threads": str(torch.get_num_threads()), "processor": torch.backends.cpu.get_cpu_capability()}
