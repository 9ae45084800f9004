"""Tables of points and fields as CSV."""

from __future__ import annotations

import csv
import sys
from array import array
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Iterator, Mapping, Sequence, TextIO

import numpy as np

from kanpde.errors import KanpdeError, nearest
from kanpde.writers.atomic import write_text

STANDARD = "-"  # the file name that means standard input or output
MOST_POINTS = 50_000_000


def read_points(source: str | Path, coordinates: Sequence[str]) -> np.ndarray:
    """The points [number, coordinate] in a CSV file; columns are found by name, others are left alone."""
    if str(source) == STANDARD:
        return parsed(sys.stdin, "standard input", coordinates)
    try:
        with open(source, encoding="utf-8-sig", newline="") as stream:
            return parsed(stream, str(source), coordinates)
    except OSError as error:
        raise KanpdeError(f"{source}: cannot be read: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise KanpdeError(f"{source}: not a CSV file: {error}") from error


def parsed(stream: TextIO, name: str, coordinates: Sequence[str]) -> np.ndarray:
    """The points in a stream of CSV lines; empty lines are passed over."""
    lines = csv.reader(stream)
    rows = ((lines.line_num, row) for row in lines if any(cell.strip() for cell in row))
    line, header = next(rows, (1, []))
    places = columns(header, f"{name}:{line}", coordinates)
    found = array("d")
    for line, row in rows:
        found.extend(numbers(row, places, f"{name}:{line}", coordinates))
        if len(found) > MOST_POINTS * len(coordinates):
            raise KanpdeError(f"{name}:{line}: more than {MOST_POINTS} points")
    if not found:
        raise KanpdeError(f"{name}: no points below the header")
    return np.frombuffer(found, float).reshape(-1, len(coordinates)).copy()


def columns(header: Sequence[str], place: str, coordinates: Sequence[str]) -> list[int]:
    """Where each coordinate stands in a row."""
    names = [cell.strip().lstrip("#").strip() for cell in header]
    if not names:
        raise KanpdeError(f"{place}: empty; the first line names the columns: {','.join(coordinates)}")
    for name in coordinates:
        if name not in names:
            raise KanpdeError(f"{place}: no column '{name}' in the header{nearest(name, names)}; "
                              f"the coordinates are {', '.join(coordinates)}")
        if names.count(name) > 1:
            raise KanpdeError(f"{place}: two columns are called '{name}'")
    return [names.index(name) for name in coordinates]


def numbers(row: Sequence[str], places: Sequence[int], where: str, coordinates: Sequence[str]) -> Iterator[float]:
    """The coordinates in one row."""
    for place, name in zip(places, coordinates, strict=True):
        if place >= len(row):
            raise KanpdeError(f"{where}: no value for '{name}': the row has {len(row)} columns")
        try:
            value = float(row[place])
        except ValueError:
            raise KanpdeError(f"{where}: '{row[place].strip()}' is not a number ({name})") from None
        if not isfinite(value):
            raise KanpdeError(f"{where}: {name} = {row[place].strip()} is not a point")
        yield value


def table_text(coordinates: Sequence[str], points: np.ndarray, fields: Mapping[str, np.ndarray]) -> str:
    """A CSV table of points and fields, each number with the 17 digits that give it back exactly."""
    whole = np.column_stack([points, *(np.asarray(values, float).reshape(-1) for values in fields.values())])
    stream = StringIO(newline="")
    csv.writer(stream, lineterminator="\n").writerow([*coordinates, *fields])
    np.savetxt(stream, whole, fmt="%.17g", delimiter=",")
    return stream.getvalue()


def write_table(target: str | Path | TextIO, coordinates: Sequence[str], points: np.ndarray,
                fields: Mapping[str, np.ndarray]) -> None:
    """Write a table of points and fields to a stream, a device or pipe, or, whole or not at all, to a file."""
    content = table_text(coordinates, points, fields)
    if not isinstance(target, (str, Path)):
        target.write(content)
        target.flush()
    elif Path(target).exists() and not Path(target).is_file():
        Path(target).write_text(content, encoding="utf-8")  # a file must not take the place of /dev/null
    else:
        write_text(Path(target).resolve(), content)
