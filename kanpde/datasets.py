"""The `data` section: which columns of which files hold measurements; NumPy is imported only to look at them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Mapping

from kanpde.equations import label
from kanpde.errors import Place, ResultError
from kanpde.folder import Folder
from kanpde.formulas import Log, table
from kanpde.known import Facts
from kanpde.names import suggestion
from kanpde.options import read_options
from kanpde.reading import Node, Scalar, Table
from kanpde.sections import DataSection
from kanpde.settings import located


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
        return f"{self.readings} readings of {', '.join(self.fields)}; {known}"


def read_data(
    section: Table | None, facts: Facts, folder: Folder, named: dict[str, str], log: Log
) -> tuple[DataSet, ...]:
    """The `data` section; where files are not at hand, nothing is known of the columns."""
    found = []
    for entry in section.entries if section else ():
        label(entry.key, "a data set", named, log)
        given, before = table(entry.value, "file: readings.csv", log), len(log.mistakes)
        options = read_options(DataSection, given, entry.key.path, log.mistakes) if given else None
        if given is None or options is None or len(log.mistakes) > before:
            continue
        columns, sigma = _columns(given.get("columns"), facts, log), _sigma(given.get("sigma"), log)
        where = given.get("file") or given
        path = located(options.file, folder, where, log)
        if path is None or len(log.mistakes) > before:
            continue
        plain = DataSet(entry.key.text, path, {}, {}, sigma, 0, where.place)
        try:
            matched = import_module("kanpde.measurements").matched if folder.files else None
            found.append(matched(plain, columns, given, facts, log) if matched else plain)
        except (ResultError, OSError) as error:
            log.say(where, f"{path.name}: {reason(error, path)}")
    return tuple(found)


def reason(error: Exception, path: Path) -> str:
    """What an error says, without the path of the file."""
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
