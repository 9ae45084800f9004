"""Unknown constants and functions that measurements or constraints determine."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import Iterable, Mapping

from kanpde.analysis import TOTAL, Ground, Orders
from kanpde.declarations import read_constant, read_interval
from kanpde.equations import joint_orders
from kanpde.formulas import Log, declare, table
from kanpde.names import suggestion
from kanpde.options import read_options
from kanpde.reading import Node, Scalar, Sequence, Table
from kanpde.sections import FitSection
from kanpde.statement import Condition, Face

Interval = tuple[float, float]


@dataclass(frozen=True)
class Fitted:
    """An unknown constant, or an unknown function `of` some coordinates: its first guess and where it must lie."""

    start: float
    range: Interval | None = None
    of: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = f"a function of {', '.join(self.of)}" if self.of else "a constant"
        where = f" in [{self.range[0]:g}, {self.range[1]:g}]" if self.range else ""
        return f"{what}{where}, {self.start:g} at first"


def declare_fitted(
    section: Table | None, coordinates: tuple[str, ...], taken: dict[str, str], log: Log
) -> dict[str, tuple[str, ...]]:
    """The names that are fitted, each with the coordinates it is a function of."""
    found = {}
    for entry in section.entries if section else ():
        if declare(entry.key, "a fitted quantity", taken, log):
            of = entry.value.get("of") if isinstance(entry.value, Table) else None
            found[entry.key.text] = _arguments(of, coordinates, log) if of else ()
    return found


def _arguments(node: Node, coordinates: tuple[str, ...], log: Log) -> tuple[str, ...]:
    """The coordinates in a list, all of them where the list is mistaken."""
    names: list[str] = []
    for item in node.items if isinstance(node, Sequence) else ():
        if not isinstance(item, Scalar):
            continue
        if item.text not in coordinates:
            log.say(item, f"'{item.text}' is not a coordinate{suggestion(item.text, coordinates)}")
        elif item.text in names:
            log.say(item, f"'{item.text}' is given twice")
        else:
            names.append(item.text)
    return tuple(names) or coordinates


def read_fitted(
    section: Table | None, of: Mapping[str, tuple[str, ...]], constants: Mapping[str, float], log: Log
) -> dict[str, Fitted]:
    """What is fitted, of the names declared."""
    found = {}
    for entry in section.entries if section else ():
        given, before = table(entry.value, "start: 1", log), len(log.mistakes)
        options = read_options(FitSection, given, entry.key.path, log.mistakes) if given else None
        if given is None or options is None or len(log.mistakes) > before:
            continue
        interval, start = given.get("range"), given.get("start")
        bounds = read_interval(interval, "range", constants, log) if interval else None
        first = read_constant(start, constants, log, "a start") if start else middle(bounds) if bounds else None
        if start is None and interval is None:
            log.say(entry.key, "a start or a range is needed, as in {start: 1} or {range: [0.1, 10]}")
        elif bounds and start and first is not None and not bounds[0] <= first <= bounds[1]:
            log.say(start, f"the start {first:g} lies outside the range [{bounds[0]:g}, {bounds[1]:g}]")
        elif first is not None and entry.key.text in of:
            found[entry.key.text] = Fitted(first, bounds, of[entry.key.text])
    return found


def middle(bounds: Interval) -> float:
    """Halfway between two bounds; in the geometric sense if both are positive."""
    low, high = bounds
    return math.sqrt(low) * math.sqrt(high) if low > 0 else low / 2 + high / 2


def report_undetermined(section: Table | None, determined: bool, log: Log) -> None:
    """A mistake if something is fitted, but to nothing."""
    if section is None or determined or not section.entries:
        return
    names = " and ".join(f"'{name}'" for name in section.keys())
    log.say(section, f"nothing determines {names}; give `data`, `constraints`, or more conditions than are needed")


def overdetermined(conditions: Iterable[Condition], orders: Orders, ground: Ground) -> bool:
    """Whether there are more conditions than equations of these orders need: in one place, or along one coordinate."""
    real = [condition for condition in conditions if joint_orders([condition.equation], ground)]
    places = Counter(str(condition.face) for condition in real)
    along = Counter(condition.face.axis for condition in real if isinstance(condition.face, Face))
    most = sum((axes[TOTAL] + 1) // 2 for axes in orders.values())
    needed = {axis: sum(axes.get(axis, 0) for axes in orders.values()) for axis in along}
    return any(count > most for count in places.values()) or any(along[axis] > needed[axis] for axis in along)
