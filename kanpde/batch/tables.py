"""The table of many runs, as text for other programs, as plain HDF5 and as a page."""

from __future__ import annotations

import csv
from io import StringIO
from math import isfinite, nan
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

import h5py
import numpy as np

from kanpde.batch.rows import Row, value_of, varied_in
from kanpde.errors import ResultError
from kanpde.pages.table import Column, Line, table_page
from kanpde.pages.thumbnails import thumbnail
from kanpde.writers import read_plots
from kanpde.writers.atomic import replacing

FORMAT = "kanpde-table 1"
NUMBERS = {
    "error": "error", "estimate": "estimated error", "largest": "largest error", "residual": "relative residual",
    "seconds": "seconds", "steps": "steps", "coefficients": "coefficients",
}  # fmt: skip
WHOLE = ("steps", "coefficients")
PICTURES = {"solution": "fields", "error": "errors", "estimate": "estimated errors"}


def records(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows as dictionaries with the same keys, in the order of the columns; varied entries by their paths."""
    varied = varied_in(rows)
    fields = dict.fromkeys(name for one in rows for name in one.errors)
    return [
        {
            "name": one.name, "problem": one.problem, **{path: one.varied.get(path, "") for path in varied},
            "seed": nan if one.seed is None else one.seed, "state": one.state, "outcome": one.outcome,
            **{key: getattr(one, key) for key in NUMBERS}, "against": one.against,
            **({f"error_{name}": one.errors.get(name, nan) for name in fields} if len(fields) > 1 else {}),
            "method": one.method, "attempts": one.attempts, "reason": one.reason,
        }
        for one in rows
    ]  # fmt: skip


def csv_text(rows: Sequence[Row]) -> str:
    """The rows as CSV; a number that is not known is left empty."""
    stream = StringIO(newline="")
    found = records(rows)
    lines = csv.DictWriter(stream, list(found[0]), lineterminator="\n")
    lines.writeheader()
    lines.writerows({key: plain(value) for key, value in one.items()} for one in found)
    return stream.getvalue()


def plain(value: Any) -> Any:
    """A value in a cell."""
    if isinstance(value, float):
        return "" if not isfinite(value) else f"{value:.17g}"
    return value


def write_h5(rows: Sequence[Row], path: Path) -> None:
    """The rows as one HDF5 file: an array of as many entries for each column, numbers as float64, words as UTF-8.

    A varied entry that stands for a number in every row is one.
    """
    found = records(rows)
    with replacing(path) as temporary, h5py.File(temporary, "w") as file:
        file.attrs["kanpde_table_format"] = FORMAT
        file.attrs["columns"] = list(found[0])
        for key in found[0]:
            column = [one[key] for one in found]
            values = numbers(column)
            if values is not None:
                file[key] = values
            else:
                file.create_dataset(key, data=[str(value) for value in column], dtype=h5py.string_dtype())


def numbers(column: Sequence[Any]) -> np.ndarray | None:
    """A column as numbers, None where it has words."""
    found = [value_of(value) if isinstance(value, str) else float(value) for value in column]
    return None if any(value is None for value in found) else np.array(found, np.float64)


def page(title: str, rows: Sequence[Row], folder: Path) -> str:
    """The page of the runs in a folder."""
    varied = varied_in(rows)
    several = len({one.problem for one in rows}) > 1
    columns = [
        Column("name", "run"),
        *([Column("problem", "problem", "choice", varied=True)] if several else []),
        *(Column(path, path, "choice", varied=True, plotted=True) for path in varied),
        Column("seed", "seed", "number"),
        Column("state", "state", "choice"),
        Column("outcome", "outcome", "choice"),
        *(Column(key, heading, "number", plotted=True) for key, heading in NUMBERS.items()),
        Column("against", "against"),
        Column("reason", "reason"),
    ]
    lines = [line(one, varied, folder) for one in rows]
    states = dict.fromkeys(one.state for one in rows)
    words = ", ".join(f"{sum(one.state == state for one in rows)} {state}" for state in states)
    return table_page(title, f"{len(rows)} runs: {words}", columns, lines)


def line(one: Row, varied: Iterable[str], folder: Path) -> Line:
    """A run on the page."""
    numbers = {key: known(getattr(one, key)) for key in NUMBERS}
    chosen = {path: one.varied.get(path, "") for path in varied}
    values = {path: value_of(text) if value_of(text) is not None else text for path, text in chosen.items()}
    words = {key: getattr(one, key) for key in ("name", "problem", "seed", "state", "outcome", "against", "reason")}
    shown = chosen | {key: "" if value is None else written(key, value) for key, value in numbers.items()}
    link = one.name if (folder / one.name).is_dir() else ""
    return Line({**words, **values, **numbers}, shown, link, pictures(folder / one.name))


def known(value: float) -> float | None:
    """A number, None where it is not known."""
    return value if isfinite(value) else None


def written(key: str, value: float) -> str:
    """A number for a person."""
    return f"{value:.0f}" if key in WHOLE else f"{value:.3g}"


def pictures(folder: Path) -> Mapping[str, bytes]:
    """The small pictures of a run: its fields, and their errors where they are known, else as estimated."""
    try:
        found = read_plots(folder)
        names = ["solution", "error" if "error" in found else "estimate"]
        return {PICTURES[name]: thumbnail(found[name]) for name in names if name in found}
    except ResultError:
        return {}
