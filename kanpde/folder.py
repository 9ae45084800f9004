"""The files beside a problem file: named in it by a stranger perhaps, and so within its folder only."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Iterator, Mapping

from kanpde.errors import KanpdeError, ResultError

LARGEST_KEPT = 10 * 2**20  # bytes of a file that is kept whole in a result


@dataclass(frozen=True)
class Folder:
    """Where a problem's files are, whether they are at hand, the folder they must lie in, and those that are named.

    With `known`, the SHA-256 of each file by its name, no other file is read.
    """

    path: Path
    files: bool = True
    within: Path | None = None  # the folder itself
    named: dict[str, Path] = field(default_factory=dict)
    known: Mapping[str, str] | None = None

    def find(self, file: str, needed: bool = True) -> Path:
        """The path of a file, links followed; raises KanpdeError with what to say where it may not or cannot be had."""
        try:
            path = (self.path / file).resolve()
            inside = path.is_relative_to((self.within or self.path).resolve())
            there = inside and (path.is_file() or not needed)
        except (OSError, ValueError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise KanpdeError(f"the file cannot be found ({reason.lower()})") from None
        if not inside and self.within is not None:
            raise KanpdeError(f"'{file}' lies outside the folder {self.within}, given by --files")
        if not inside:
            raise KanpdeError(f"'{file}' lies outside the problem's folder; --files DIR allows files in DIR")
        if not there:
            raise KanpdeError(f"there is no file '{file}' in the problem's folder")
        if self.known is not None and self.known.get(file) != checksum(path):
            raise KanpdeError(f"'{file}' is not the file that the run began with; bring that back")
        self.named[file] = path
        return path


def checksum(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def kept(files: Mapping[str, Path]) -> dict[str, dict[str, Any]]:
    """What a result holds of the files: the checksum of each, and its bytes if it is small."""
    found: dict[str, dict[str, Any]] = {}
    for name, path in files.items():
        found[name] = {"sha256": checksum(path)}
        if path.stat().st_size <= LARGEST_KEPT:
            found[name]["content"] = path.read_bytes()
    return found


@contextmanager
def unpacked(files: Mapping[str, Mapping[str, Any]], origin: Path) -> Iterator[Folder]:
    """A folder with the files that a result holds; those that it does not must still be at their origin, unchanged."""
    with TemporaryDirectory(prefix="kanpde-") as made:
        here = Folder(Path(made) / "problem", files=False, within=Path(made))
        here.path.mkdir()
        for name, file in files.items():
            content = file["content"] if "content" in file else unchanged(origin / name, str(file["sha256"]))
            if hashlib.sha256(content).hexdigest() != file["sha256"]:
                raise ResultError(f"the file '{name}' in it does not have the checksum that it states")
            try:
                path = here.find(name, needed=False)
            except KanpdeError:
                raise ResultError(f"the file '{name}' lay far from the problem and cannot be put back") from None
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        yield here


def unchanged(path: Path, expected: str) -> bytes:
    """The bytes of a file too large to be kept; raises ResultError where it is gone or another one."""
    if not path.is_file():
        raise ResultError(f"the file {path} is needed, too large to be in the result, and not there any more")
    if checksum(path) != expected:
        raise ResultError(f"the file {path} is needed and has changed since the run")
    return path.read_bytes()
