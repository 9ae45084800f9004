"""The folder of a run: a new one for each, unless the user names one."""

from __future__ import annotations

import re
from pathlib import Path

from kanpde.errors import KanpdeError
from kanpde.writers.hdf5_reading import is_result
from kanpde.writers.layout import FILE

MARK = ".kanpde-run"  # an empty file that says whose folder this is, even if the run has not finished
MOST_TRIES = 10_000


def new_run_folder(base: Path | str, name: str) -> Path:
    """A new folder `<name>-001`, `-002` … in `base`: never one that exists, also not when two runs start at once."""
    base = Path(base)
    stem = re.sub(r"[^\w.+-]+", "-", name).strip(".-") or "run"
    try:
        base.mkdir(parents=True, exist_ok=True)
        first = last_number(base, stem) + 1
        for number in range(first, first + MOST_TRIES):
            folder = base / f"{stem}-{number:03d}"
            if made(folder):
                return marked(folder)
    except OSError as error:
        raise KanpdeError(f"{base}: cannot make a folder for the run: {error.strerror}") from error
    raise KanpdeError(f"{base}: cannot find a free name for the run '{stem}'")


def last_number(base: Path, stem: str) -> int:
    """The highest number of a run of this name, 0 if there is none."""
    pattern = re.compile(re.escape(stem) + r"-(\d{1,9})")
    return max((int(found[1]) for path in base.iterdir() if (found := pattern.fullmatch(path.name))), default=0)


def made(folder: Path) -> bool:
    """Make a folder, unless it exists."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    return True


def chosen_run_folder(path: Path | str) -> Path:
    """The folder the user named: new, empty, or of an earlier run, whose result stays until the new one is written."""
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise KanpdeError(f"{folder}: not a folder")
    try:
        if folder.is_dir() and any(folder.iterdir()) and not is_run_folder(folder):
            raise KanpdeError(f"{folder}: the folder holds other things than a run of kanpde; name a new or empty one")
        folder.mkdir(parents=True, exist_ok=True)
        return marked(folder)
    except OSError as error:
        raise KanpdeError(f"{folder}: cannot write there: {error.strerror}") from error


def is_run_folder(folder: Path) -> bool:
    """Whether a run of ours has been in this folder."""
    return (folder / MARK).is_file() or is_result(folder / FILE)


def marked(folder: Path) -> Path:
    """The folder, now marked as one of ours."""
    (folder / MARK).touch()
    return folder
