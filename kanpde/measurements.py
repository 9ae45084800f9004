"""Measurements to which the solution is fitted: readings of unknowns, or of what is fitted, at points."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Mapping

import numpy as np

from kanpde.columns import Columns, column_names, read_columns
from kanpde.equations import label
from kanpde.errors import Place, ResultError
from kanpde.formulas import Log, table
from kanpde.known import Facts
from kanpde.names import suggestion
from kanpde.options import read_options
from kanpde.reading import Node, Scalar, Table
from kanpde.sections import DataSection
from kanpde.settings import located

SLACK = 1e-9  # of an interval's length, by which a point may lie outside


@dataclass(frozen=True)
class DataSet:
    """A file of readings, and in which of its columns are the coordinates, the fields and their standard deviation."""

    name: str
    path: Path
    coordinates: Mapping[str, str]  # coordinate -> column, for all coordinates
    fields: Mapping[str, str]  # unknown or fitted name -> column
    sigma: float | str | None  # a number, or a column, or to be estimated
    readings: int  # rows
    place: Place

    def __str__(self) -> str:
        deviation = f"column '{self.sigma}'" if isinstance(self.sigma, str) else f"{self.sigma:g}" if self.sigma else ""
        known = f"standard deviation {deviation or 'to be estimated'}"
        return f"{self.name}: {self.readings} readings of {', '.join(self.fields)}; {known}"


@dataclass(frozen=True)
class Measurements:
    """The readings of a data set [N], the points at which they were taken, and their standard deviation if known."""

    points: Mapping[str, np.ndarray]
    values: Mapping[str, np.ndarray]
    sigma: np.ndarray | None


def measurements(data: DataSet) -> Measurements:
    """The readings in the file of a data set; raises ResultError if it has changed for the worse."""
    column = {data.sigma: data.sigma} if isinstance(data.sigma, str) else {}
    try:
        if missing := {*data.coordinates.values(), *data.fields.values(), *column} - set(column_names(data.path)):
            raise ResultError(f"no column '{min(missing)}'")
        found = read_columns(data.path, (*data.coordinates.values(), *data.fields.values(), *column))
    except (ResultError, OSError) as error:
        raise ResultError(f"{data.path}: {_reason(error, data.path)}") from error
    sigma = np.full(len(found.lines), data.sigma) if isinstance(data.sigma, float) else None
    return Measurements(
        points={name: found.arrays[at] for name, at in data.coordinates.items()},
        values={name: found.arrays[at] for name, at in data.fields.items()},
        sigma=found.arrays[data.sigma] if isinstance(data.sigma, str) else sigma,
    )


def read_data(
    section: Table | None, facts: Facts, folder: Path, named: dict[str, str], log: Log, files: bool
) -> tuple[DataSet, ...]:
    """The `data` section; without `files`, nothing is known of the columns."""
    found = []
    for entry in section.entries if section else ():
        label(entry.key, "a data set", named, log)
        given, before = table(entry.value, "file: readings.csv", log), len(log.mistakes)
        options = read_options(DataSection, given, entry.key.path, log.mistakes)
        if given is None or options is None or len(log.mistakes) > before:
            continue
        columns, sigma = _columns(given.get("columns"), facts, log), _sigma(given.get("sigma"), log)
        where = given.get("file") or given
        path = located(options.file, folder, where, log, files)
        if path is None or len(log.mistakes) > before:
            continue
        plain = DataSet(entry.key.text, path, {}, {}, sigma, 0, where.place)
        try:
            found.append(_matched(plain, columns, given, facts, log) if files else plain)
        except (ResultError, OSError) as error:
            log.say(where, f"{path.name}: {_reason(error, path)}")
    return tuple(found)


def _matched(plain: DataSet, columns: Mapping[str, str], given: Table, facts: Facts, log: Log) -> DataSet:
    """The data set with its columns found and its readings looked at; raises ResultError if that fails."""
    names, before = column_names(plain.path), len(log.mistakes)
    where, chosen, sigma = given.get("file") or given, given.get("columns"), given.get("sigma")
    fields = {name: columns.get(name, name) for name in (*facts.scope.unknowns, *facts.scope.fitted)}
    for name, column in columns.items():
        if column not in names and isinstance(chosen, Table):
            log.say(
                chosen.get(name) or chosen, f"{plain.path.name} has no column '{column}'{suggestion(column, names)}"
            )
    for name in facts.scope.coordinates:
        if name not in (*names, *columns):
            hint = suggestion(name, names) or f"; write columns: {{{name}: …}} if it has another name"
            log.say(where, f"{plain.path.name} has no column for the coordinate '{name}'{hint}")
    if not set(fields.values()) & set(names) and not set(fields) & set(columns):
        listed = " or ".join(f"'{name}'" for name in fields)
        log.say(where, f"{plain.path.name} has no column for {listed}; its columns are {', '.join(names)}")
    if isinstance(plain.sigma, str) and plain.sigma not in names:
        hint = suggestion(plain.sigma, names)
        log.say(sigma or given, f"'{plain.sigma}' is neither a number nor a column of {plain.path.name}{hint}")
    if len(log.mistakes) > before:
        return plain
    found = replace(
        plain,
        coordinates={name: columns.get(name, name) for name in facts.scope.coordinates},
        fields={name: column for name, column in fields.items() if column in names},
    )
    return replace(found, readings=_looked_at(found, names, facts))


def _looked_at(data: DataSet, names: tuple[str, ...], facts: Facts) -> int:
    """The number of readings; raises ResultError if some lie outside the box or have no positive deviation."""
    sigma = (data.sigma,) if isinstance(data.sigma, str) else ()
    wanted = (*data.coordinates.values(), *data.fields.values(), *sigma)
    for name in wanted:
        if names.count(name) > 1:
            raise ResultError(f"two columns are called '{name}'")
    found = read_columns(data.path, wanted)
    for name in sigma:
        if not (found.arrays[name] > 0).all():
            row = int(np.argmin(found.arrays[name] > 0))
            raise ResultError(f"{found.where(row)}: '{name}' is {found.arrays[name][row]:g}; a deviation is positive")
    _check_inside(data, found, facts)
    return len(found.lines)


def _check_inside(data: DataSet, found: Columns, facts: Facts) -> None:
    outside = {}
    for name, (low, high) in facts.box.items():
        here, slack = found.arrays[data.coordinates[name]], SLACK * (high - low)
        outside[name] = (here < low - slack) | (here > high + slack)
    anywhere = np.any(list(outside.values()), axis=0)
    if not outside or not anywhere.any():
        return
    row, count = int(np.argmax(anywhere)), int(anywhere.sum())
    name = next(name for name, there in outside.items() if there[row])
    low, high = facts.box[name]
    told = f"{name} = {found.arrays[data.coordinates[name]][row]:g} is not in [{low:g}, {high:g}]"
    many = f"{count} of {len(anywhere)} readings lie outside the domain; on"
    one = "a reading lies outside the domain; on"
    raise ResultError(f"{one if count == 1 else many} {found.where(row)}: {told}")


def _reason(error: Exception, path: Path) -> str:
    return str(error).removeprefix(f"{path}: ")


def _columns(node: Node | None, facts: Facts, log: Log) -> dict[str, str]:
    """The columns named by the user."""
    known = (*facts.scope.coordinates, *facts.scope.unknowns, *facts.scope.fitted)
    found = {}
    for entry in node.entries if isinstance(node, Table) else ():
        if entry.key.text not in known:
            hint = suggestion(entry.key.text, known)
            log.say(entry.key, f"'{entry.key.text}' is no coordinate, no unknown and not fitted{hint}")
        elif isinstance(entry.value, Scalar):
            found[entry.key.text] = entry.value.text
    return found


def _sigma(node: Node | None, log: Log) -> float | str | None:
    """A positive number, or the name of a column."""
    if not isinstance(node, Scalar):
        return None
    try:
        value = float(node.text)
    except ValueError:
        return node.text
    if not 0 < value < float("inf"):
        log.say(node, f"a standard deviation is positive and finite, not {node.text}")
    return value
