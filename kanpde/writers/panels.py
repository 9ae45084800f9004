"""Lines and heat maps on one pair of axes, and grids of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kanpde.writers.layout import TIME
from kanpde.writers.views import View

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito (2008)
DECADES = 5  # shown below the largest value on a logarithmic scale
LONGEST = 4.0  # the sides of a region drawn to scale differ by no more than this


@dataclass(frozen=True)
class Curve:
    """Values in one view, under a name, dashed where they are what is aimed at."""

    values: np.ndarray
    name: str
    dashed: bool = False


@dataclass(frozen=True)
class Panel:
    """What one pair of axes shows: several curves along a line, or one plane."""

    title: str
    view: View
    curves: tuple[Curve, ...]
    logarithmic: bool = False


@dataclass(frozen=True)
class Colours:
    """A map from values to colours."""

    norm: Normalize
    name: str


Group = tuple[Panel, ...]  # panels that share one scale of colours


def draw_grid(title: str, groups: Sequence[Group], axes: Mapping[str, np.ndarray]) -> Figure:
    """A figure of all groups: a row for each, or, if each is one panel, as many side by side as are readable."""
    table = arranged(groups)
    columns = max(len(row) for row in table)
    width, height = panel_size(table[0][0][1].view, axes, columns)
    head = 0.45
    figure = Figure(figsize=(width * columns, (height + 0.3) * len(table) + head), layout="constrained")
    figure.suptitle(label(title, int(13 * width * columns)), fontsize=10)
    places = figure.subplots(len(table), columns, squeeze=False)
    scales = [group_colours(group) for group in groups]
    for row, cells in enumerate(table):
        for place in places[row, len(cells):]:
            place.set_axis_off()
        for column, (group, panel) in enumerate(cells):
            draw_panel(places[row, column], panel, axes, scales[group])
        simplify(places[row], cells)
        add_colour_bars(figure, places[row], cells, scales)
    return figure


Cells = list[tuple[int, Panel]]  # a row of panels, each with the number of its group


def arranged(groups: Sequence[Group]) -> list[Cells]:
    """The rows of a figure."""
    if any(len(group) > 1 for group in groups):
        return [[(number, panel) for panel in group] for number, group in enumerate(groups)]
    single = [(number, group[0]) for number, group in enumerate(groups)]
    columns = {1: 1, 2: 2, 4: 2}.get(len(single), 3)
    return [single[start:start + columns] for start in range(0, len(single), columns)]


def panel_size(view: View, axes: Mapping[str, np.ndarray], columns: int) -> tuple[float, float]:
    """Width and height in inches of one panel."""
    width = {1: 4.6, 2: 3.5, 3: 2.7}.get(columns, 2.1)
    ratio = aspect(view, axes)
    if ratio is None:
        return width, min(width * 0.75, 2.8)
    return width, min(max((width - 0.5) * ratio, 1.0) + 0.3, 5.0)


def aspect(view: View, axes: Mapping[str, np.ndarray]) -> float | None:
    """Height over width of a region that is drawn to scale, or None if it is not."""
    if view.up is None or TIME in (view.up, view.across):
        return None
    ratio = float(np.ptp(axes[view.up]) / (np.ptp(axes[view.across]) or 1.0))
    return ratio if 1 / LONGEST <= ratio <= LONGEST else None


def draw_panel(place: Axes, panel: Panel, axes: Mapping[str, np.ndarray], colours: Colours) -> None:
    """Draw one panel and name its coordinates."""
    (draw_plane if panel.view.up else draw_lines)(place, panel, axes, colours)
    place.set_title(label(panel.title, 40), fontsize=9)
    place.set_xlabel(panel.view.across)
    place.tick_params(labelsize=8)


def draw_lines(place: Axes, panel: Panel, axes: Mapping[str, np.ndarray], colours: Colours) -> None:
    """Draw the curves of a panel over its one coordinate."""
    x = axes[panel.view.across]
    for number, curve in enumerate(panel.curves):
        shown = np.where(curve.values > 0, curve.values, np.nan) if panel.logarithmic else curve.values
        style = {"color": "black", "linestyle": "--", "linewidth": 1.0} if curve.dashed else \
            {"color": COLOURS[number % len(COLOURS)], "linewidth": 1.8}
        place.plot(x, shown, label=label(curve.name, 30), **style)
    if panel.logarithmic:
        place.set_yscale("log")
        place.set_ylim(colours.norm.vmin, colours.norm.vmax)
    if len(panel.curves) > 1:
        place.legend(fontsize=8, frameon=False)
    place.set_xlim(x[0], x[-1]) if x[0] != x[-1] else None
    place.grid(alpha=0.25, linewidth=0.5)


def draw_plane(place: Axes, panel: Panel, axes: Mapping[str, np.ndarray], colours: Colours) -> None:
    """Draw the one field of a panel as a heat map; NaN stays blank."""
    shown = np.asarray(panel.curves[0].values, float)
    if panel.logarithmic:
        shown = np.maximum(shown, colours.norm.vmin)
    x, y = axes[panel.view.across], axes[str(panel.view.up)]
    place.pcolormesh(x, y, np.ma.masked_invalid(shown), norm=colours.norm, cmap=colormaps[colours.name],
                     shading="nearest", rasterized=True)
    place.set_ylabel(panel.view.up)
    if aspect(panel.view, axes):
        place.set_aspect("equal")
    place.xaxis.set_major_locator(MaxNLocator(4))
    place.yaxis.set_major_locator(MaxNLocator(5))


def simplify(places: Sequence[Axes], cells: Cells) -> None:
    """Leave out what the panel to the left says already."""
    for (_, left), (_, panel), place in zip(cells, cells[1:], places[1:], strict=False):
        if panel.view.up and (panel.view.across, panel.view.up) == (left.view.across, left.view.up):
            place.set_ylabel("")
            place.tick_params(labelleft=False)


def add_colour_bars(figure: Figure, places: Sequence[Axes], cells: Cells, scales: Sequence[Colours]) -> None:
    """One colour bar for each group of heat maps in a row."""
    for number in sorted({group for group, panel in cells if panel.view.up}):
        mine = [place for place, (group, _) in zip(places, cells, strict=False) if group == number]
        bar = figure.colorbar(mine[-1].collections[0], ax=mine, pad=0.02, aspect=25)
        bar.ax.tick_params(labelsize=8)
        if not isinstance(scales[number].norm, LogNorm):
            bar.ax.yaxis.set_major_locator(MaxNLocator(5))


def group_colours(group: Group) -> Colours:
    """Colours for all panels of a group: by decades, diverging around zero, or from least to greatest."""
    every = np.concatenate([np.ravel(curve.values) for panel in group for curve in panel.curves])
    finite = every[np.isfinite(every)]
    if group[0].logarithmic:
        return Colours(LogNorm(*decades(finite[finite > 0])), "viridis")
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low < 0 < high and min(-low, high) > 0.1 * max(-low, high):
        return Colours(Normalize(-max(-low, high), max(-low, high)), "RdBu_r")
    return Colours(Normalize(low, high if high > low else low + 1.0), "viridis")


def decades(positive: np.ndarray) -> tuple[float, float]:
    """Powers of ten around all but the least percent of the values."""
    if not positive.size:
        return 1e-17, 1e-16
    top = math.ceil(math.log10(positive.max()))
    bottom = math.floor(math.log10(np.quantile(positive, 0.01)))
    return 10.0 ** max(min(bottom, top - 1), top - DECADES, -300), 10.0 ** max(top, -299)


def label(words: str, longest: int) -> str:
    """Text to be shown as it is: not read as a formula, and not longer than there is room for."""
    short = words if len(words) <= longest else words[: longest - 1] + "…"
    return short.replace("$", r"\$")
