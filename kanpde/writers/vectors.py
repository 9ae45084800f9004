"""Vector fields in the plane: how long the vectors are as colours, and where they point as lines."""

from __future__ import annotations

from typing import Sequence

import numpy as np
from matplotlib.figure import Figure

from kanpde.result import Result
from kanpde.writers.layout import spatial
from kanpde.writers.panels import Curve, Panel, draw_grid
from kanpde.writers.views import View, views


def vectors_figure(result: Result) -> Figure | None:
    """A row for each vector: its planes, or the plane at several times; None without vectors in the plane."""
    space = spatial(result.axes)
    shown = [view for view in views(result.axes) if view.up is not None and {view.across, view.up} <= set(space)]
    known = {name: parts for name, parts in result.quantities.vectors.items() if set(parts) <= set(result.fields)}
    vectors = {name: parts for name, parts in known.items() if len(parts) == len(space)}
    if not shown or not vectors:
        return None
    groups = [tuple(panel(result, view, name, parts) for view in shown) for name, parts in vectors.items()]
    return draw_grid(result.title, groups, result.axes, result.quantities)


def panel(result: Result, view: View, name: str, parts: Sequence[str]) -> Panel:
    """The length of a vector in one view, with its components there."""
    values = [view.values(result.axes, result.fields[part].values) for part in parts]
    length = np.hypot.reduce(np.stack(values).astype(float))
    space = spatial(result.axes)
    lines = (values[space.index(view.across)], values[space.index(str(view.up))])
    units = {result.quantities.units.get(part, "") for part in parts}
    unit = f" ({units.pop()})" if len(units) == 1 and units != {""} else ""
    where = f"|{name}|{unit} at {view.title}" if view.title else f"|{name}|{unit}"
    return Panel(where, view, (Curve(length, name),), name, outline=result.outline.get(view.plane), lines=lines)
