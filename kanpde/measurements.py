"""Measurements: the readings in the file of a data set, and whether its columns are what they should be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping

import numpy as np

from kanpde.columns import Columns, column_names, read_columns
from kanpde.datasets import DataSet, reason
from kanpde.errors import ResultError
from kanpde.formulas import Log
from kanpde.known import Facts
from kanpde.names import suggestion
from kanpde.reading import Table

SLACK = 1e-9  # of an interval's length, by which a point may lie outside


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
        raise ResultError(f"{data.path}: {reason(error, data.path)}") from error
    sigma = np.full(len(found.lines), data.sigma) if isinstance(data.sigma, float) else None
    return Measurements(
        points={name: found.arrays[at] for name, at in data.coordinates.items()},
        values={name: found.arrays[at] for name, at in data.fields.items()},
        sigma=found.arrays[data.sigma] if isinstance(data.sigma, str) else sigma,
    )


def matched(plain: DataSet, columns: Mapping[str, str], given: Table, facts: Facts, log: Log) -> DataSet:
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
