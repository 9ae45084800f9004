"""Columns of numbers in a file, CSV or HDF5, by name and with the line of each number."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Mapping, Sequence

import h5py
import numpy as np

from kanpde.errors import ResultError
from kanpde.hdf5_open import datasets, first_line, opened
from kanpde.hdf5_values import values

LARGEST = 100_000_000  # bytes
MOST_ROWS = 1_000_000


@dataclass(frozen=True)
class Columns:
    """Arrays of one length; `line` is what a reader of the file counts, and `lines` where each row stands."""

    arrays: Mapping[str, np.ndarray]
    line: str
    lines: np.ndarray

    def where(self, row: int) -> str:
        """Where a row stands in the file."""
        return f"{self.line} {self.lines[row]}"


@dataclass(frozen=True)
class Format:
    """How to read the names of all columns, and the numbers in some of them."""

    names: Callable[[Path], tuple[str, ...]]
    read: Callable[[Path, Sequence[str]], Columns]


def column_names(path: Path) -> tuple[str, ...]:
    """The names of the columns in a file; raises ResultError if it cannot be used."""
    if path.suffix not in FORMATS:
        raise ResultError(f"a file of an unknown kind; known are {', '.join(FORMATS)}")
    if path.stat().st_size > LARGEST:
        raise ResultError(f"larger than {LARGEST // 10**6} MB")
    return FORMATS[path.suffix].names(path)


def read_columns(path: Path, names: Sequence[str]) -> Columns:
    """The numbers in some columns, all finite; raises ResultError if there are none or others."""
    found = FORMATS[path.suffix].read(path, tuple(dict.fromkeys(names)))
    for name, array in found.arrays.items():
        if not np.isfinite(array).all():
            row = int(np.argmin(np.isfinite(array)))
            raise ResultError(f"{found.where(row)}: '{name}' is not finite")
    return found


def csv_names(path: Path) -> tuple[str, ...]:
    """The names in the first line that is not empty."""
    header = next((line for _, line in csv_lines(path, 1)), "")
    names = tuple(name.strip() for name in cells(header.lstrip().removeprefix("#")))
    if len(names) == 1 and (";" in header or "\t" in header):
        raise ResultError("columns are separated by commas, not by semicolons or tabs")
    return names


def csv_lines(path: Path, most: int) -> list[tuple[int, str]]:
    """The first lines with something in them, as text with their numbers, comments left out but for the first line."""
    found: list[tuple[int, str]] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            for number, line in enumerate(stream, start=1):
                if line.strip() and not (found and line.lstrip().startswith("#")):
                    found.append((number, line))
                if len(found) == most:
                    break
    except UnicodeDecodeError:
        raise ResultError("not a text file (UTF-8)") from None
    except OSError as error:
        raise ResultError(f"cannot be read ({first_line(error)})") from None
    return found


def cells(line: str) -> list[str]:
    """The cells of one line."""
    try:
        return next(csv.reader([line]), [])
    except csv.Error as error:
        raise ResultError(f"not a table: {first_line(error)}") from None


def read_csv(path: Path, names: Sequence[str]) -> Columns:
    """Some columns of a CSV file."""
    header = csv_names(path)
    lines = csv_lines(path, MOST_ROWS + 2)[1:]
    if not lines or len(lines) > MOST_ROWS:
        raise ResultError(f"more than {MOST_ROWS} lines" if lines else "no numbers below the line of names")
    numbers, texts = zip(*lines)
    places = [header.index(name) for name in names]
    for number, text in lines:
        if text.count(",") != len(header) - 1 and len(cells(text)) != len(header):
            raise ResultError(f"line {number}: {len(cells(text))} cells below {len(header)} names")
    try:
        rows = np.loadtxt(texts, delimiter=",", usecols=places, ndmin=2, comments=None, quotechar='"')
        if len(rows) != len(texts):
            raise ValueError("quotes that are not closed on their line")
    except (ValueError, MemoryError) as error:
        raise ResultError(misread(lines, names, places) or f"not a table of numbers: {first_line(error)}") from None
    return Columns(dict(zip(names, rows.T.copy())), "line", np.array(numbers))


def misread(lines: Sequence[tuple[int, str]], names: Sequence[str], places: Sequence[int]) -> str:
    """What to say of the first cell that is no number, '' if there is none."""
    for number, line in lines:
        row = cells(line)
        for name, place in zip(names, places):
            try:
                float(row[place])
            except ValueError:
                text = row[place].strip()
                return f"line {number}: '{name}' is " + (f"'{text[:40]}', not a number" if text else "empty")
    return ""


def hdf5_names(path: Path) -> tuple[str, ...]:
    """The names of the rows of numbers at the root of an HDF5 file."""
    with opened(path) as file:
        return tuple(name for name, data in datasets(file).items() if is_row(data))


def is_row(data: h5py.Dataset) -> bool:
    """Whether a dataset is one-dimensional and holds real numbers."""
    return data.ndim == 1 and data.dtype.kind in "fiu"


def read_hdf5(path: Path, names: Sequence[str]) -> Columns:
    """Some datasets of an HDF5 file."""
    with opened(path) as file:
        found = datasets(file)
        lengths = {name: len(found[name]) for name in names}
        longest, shortest = (choose(lengths, key=lambda name: lengths[name]) for choose in (max, min))
        if lengths[longest] != lengths[shortest]:
            told = (f"'{name}' has {lengths[name]} numbers" for name in (longest, shortest))
            raise ResultError(", ".join(told))
        if not lengths[longest] or lengths[longest] > MOST_ROWS:
            raise ResultError(f"more than {MOST_ROWS} numbers" if lengths[longest] else "no numbers in it")
        arrays = {name: values(found[name]).astype(float) for name in names}
    return Columns(arrays, "row", np.arange(1, lengths[longest] + 1))


FORMATS: Mapping[str, Format] = {
    ".csv": Format(csv_names, read_csv),
    **dict.fromkeys((".h5", ".hdf5"), Format(hdf5_names, read_hdf5)),
}
