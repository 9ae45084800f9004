"""The folder of a batch: its plan in one file, a folder beside it for each member's run."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Mapping

from kanpde.batch.members import Member, Source
from kanpde.errors import KanpdeError, nearest
from kanpde.writers.atomic import write_text

PLAN = "batch.json"
FORMAT = "kanpde-batch 1"
LARGEST = 200_000_000  # bytes


@dataclass(frozen=True)
class Resources:
    """What each member may use; `scheduler` holds further options of the scheduler. None: as the engine sees fit."""

    cpus: int = 1
    memory: float | None = None  # bytes
    gpus: int = 0
    minutes: int | None = None
    partition: str | None = None
    scheduler: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Batch:
    """The members of a batch, the folder that their runs are in, and how they were last run."""

    folder: Path
    sweep: str
    title: str
    members: tuple[Member, ...]
    engine: str = "local"
    resources: Resources = Resources()
    files: str | None = None  # the folder that files named in problems may lie in

    def run_folder(self, member: Member) -> Path:
        """Where a member's run is."""
        return self.folder / member.name

    def member(self, name: str) -> Member:
        """The member of this name; raises KanpdeError where there is none."""
        for one in self.members:
            if one.name == name:
                return one
        near = nearest(name, [one.name for one in self.members])
        raise KanpdeError(f"{self.folder}: the batch has no member '{name}' (any more){near}")


def write_batch(batch: Batch) -> None:
    """Write the plan of a batch into its folder; raises KanpdeError where it is another batch's or cannot be."""
    try:
        batch.folder.mkdir(parents=True, exist_ok=True)
        if (batch.folder / PLAN).is_file():
            refuse_other(batch, read_batch(batch.folder))
        elif any(batch.folder.iterdir()):
            raise KanpdeError(f"{batch.folder}: the folder holds other things than a batch; name another by --out")
        write_text(batch.folder / PLAN, json.dumps(packed(batch), indent=1) + "\n")
    except OSError as error:
        raise KanpdeError(f"{batch.folder}: cannot write there: {error.strerror}") from error


def refuse_other(batch: Batch, there: Batch) -> None:
    """Raise KanpdeError where a folder holds the batch of another file, no member of which is in this one."""
    common = {one.name for one in batch.members} & {one.name for one in there.members}
    if batch.sweep != there.sweep and not common:
        raise KanpdeError(f"{batch.folder}: the batch of {there.sweep} is here; name another folder by --out")


def packed(batch: Batch) -> dict[str, Any]:
    """A batch as JSON; each problem's text once."""
    sources = list(dict.fromkeys(one.source for one in batch.members))
    return {
        "format": FORMAT,
        "sweep": batch.sweep,
        "title": batch.title,
        "engine": batch.engine,
        "resources": asdict(batch.resources),
        "files": batch.files,
        "problems": [asdict(source) for source in sources],
        "members": [
            {
                "name": one.name,
                "problem": sources.index(one.source),
                "overrides": list(one.overrides),
                "varied": dict(one.varied),
                "seed": one.seed,
            }
            for one in batch.members
        ],
    }


def read_batch(folder: Path) -> Batch:
    """The batch in a folder; raises KanpdeError where there is none."""
    path = folder / PLAN
    if not path.is_file():
        raise KanpdeError(f"{folder}: not the folder of a batch: there is no {PLAN} in it")
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError("too large")
        found = json.loads(path.read_text(encoding="utf-8"))
        if found["format"] != FORMAT:
            raise ValueError(f"its format is {found['format']}, this kanpde reads {FORMAT}")
        sources = [Source(**source) for source in found["problems"]]
        members = tuple(
            Member(plain(m["name"]), sources[m["problem"]], tuple(m["overrides"]), m["varied"], m["seed"])
            for m in found["members"]
        )
        return Batch(
            folder, found["sweep"], found["title"], members, found["engine"], Resources(**found["resources"]),
            found["files"],
        )  # fmt: skip
    except OSError as error:
        raise KanpdeError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise KanpdeError(f"{path}: not the plan of a batch, or damaged ({error})") from error


def plain(name: str) -> str:
    """A member's name, which must not lead out of the batch's folder."""
    if not name or Path(name).name != name or name.startswith("."):
        raise ValueError(f"'{name}' is not the name of a run")
    return name


def run_by(batch: Batch, engine: str, resources: Resources) -> Batch:
    """The batch, as it is run now."""
    return replace(batch, engine=engine, resources=resources)
