"""Everything a run leaves in its folder."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path
from typing import Callable, Iterable, Mapping

from kanpde.errors import KanpdeError, nearest
from kanpde.result import Result
from kanpde.writers import figures, hdf5
from kanpde.writers.atomic import flush_to_disk, write_bytes
from kanpde.writers.formulas import FORMULA
from kanpde.writers.hdf5_reading import read, read_plots
from kanpde.writers.layout import FILE

__all__ = ["PLOTS", "WRITERS", "read", "read_plots", "write_run"]

Pictures = Mapping[str, bytes]
PLOTS = "plots"


def write_h5(result: Result, plots: Pictures, folder: Path) -> None:
    """The result file, with the pictures in it."""
    hdf5.write(result, plots, folder / FILE)


def write_png(result: Result, plots: Pictures, folder: Path) -> None:
    """The pictures, one file each."""
    (folder / PLOTS).mkdir()
    for name, png in plots.items():
        write_bytes(folder / PLOTS / f"{name}.png", png)


WRITERS: Mapping[str, Callable[[Result, Pictures, Path], None]] = {"h5": write_h5, "png": write_png}
WRITTEN = (
    FILE, FORMULA, *(f"{PLOTS}/{name}.png" for name in figures.FIGURES),
    f"{PLOTS}/edges*.png", f"{PLOTS}/edges*.svg", f"{PLOTS}/training*.gif", f"{PLOTS}/training*.mp4",
)  # patterns of all that a run may leave, and what is made of it later


def write_run(
    result: Result, folder: Path, save: Iterable[str] = ("h5", "png"), drawn: bool = True
) -> tuple[Path, ...]:
    """Write `result` into `folder` in the formats `save`; an earlier result there stays until all is written.

    Unless it is to be `drawn` there are no pictures.
    """
    formats = tuple(dict.fromkeys(save))
    for name in formats:
        if name not in WRITERS:
            raise KanpdeError(f"unknown format '{name}'{nearest(name, WRITERS)}; known are {', '.join(WRITERS)}")
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f".new-{secrets.token_hex(4)}"
    fresh.mkdir()
    try:
        plots = pictures(result, folder) if drawn else {}
        for name in formats:
            WRITERS[name](result, plots, fresh)
        return moved(fresh, folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def pictures(result: Result, folder: Path) -> dict[str, bytes]:
    """The pictures; should drawing fail, the result itself is saved before the failure is shown."""
    try:
        return figures.draw(result)
    except BaseException:
        hdf5.write(result, {}, folder / FILE)
        raise


def moved(fresh: Path, folder: Path) -> tuple[Path, ...]:
    """Move the files of a new run over those of an earlier one, and remove what the new run does not have."""
    files = sorted((path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()), key=pictures_first)
    for file in files:
        (folder / file).parent.mkdir(exist_ok=True)
        os.replace(fresh / file, folder / file)
    for path in (path for pattern in WRITTEN for path in folder.glob(pattern)):
        if path.relative_to(folder) not in files:
            path.unlink(missing_ok=True)
    flush_to_disk(folder)
    return tuple(folder / file for file in reversed(files))


def pictures_first(file: Path) -> tuple[bool, str]:
    """The result file comes last: it holds the pictures too, so that whenever it is new, all is."""
    return file.name == FILE, file.name
