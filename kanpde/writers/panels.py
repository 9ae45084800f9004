"""Lines and heat maps on one pair of axes, and grids of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import MappingProxyType
from typing import Mapping, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from kanpde.quantities import Quantities
from kanpde.writers.layout import TIME, uniform
from kanpde.writers.ticks import decade_ticks, round_ticks
from kanpde.writers.views import View

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")  # Okabe & Ito (2008)
DECADES = 5  # shown below the largest value on a logarithmic scale
BAND = "95 %"  # what a band around a curve stands for
ROOM = 0.04  # above and below curves, as a part of their height
DENSITY = 0.9  # of the lines along vectors
THINNED = 101  # points along an axis that they look at, at most
LYING = 0.5  # height over width of panels that stand one above the other
BREAKING = 24  # letters of a title, above which all of a figure have two lines
LONGEST = 10.0  # the sides of a region drawn to scale differ by no more than this
LOW = 0.25  # height over width of a panel with room for two intervals on its side


@dataclass(frozen=True)
class Curve:
    """Values in one view, under a name, dashed where they are what is aimed at, perhaps with a `band` around them."""

    values: np.ndarray
    name: str
    dashed: bool = False
    band: np.ndarray | None = None

    @property
    def reach(self) -> np.ndarray:
        """All values that are shown, with the ends of the band."""
        band = 0.0 if self.band is None else self.band
        return np.concatenate([np.ravel(self.values - band), np.ravel(self.values + band)])


@dataclass(frozen=True)
class Panel:
    """What one pair of axes shows: several curves along a line, or one plane."""

    title: str
    view: View
    curves: tuple[Curve, ...]
    scale: str  # panels of one name share their colours
    logarithmic: bool = False
    outline: np.ndarray | None = None  # points [2, N] along the curves that bound a region
    lines: tuple[np.ndarray, np.ndarray] | None = None  # components of a vector [up, across], drawn as lines


@dataclass(frozen=True)
class Colours:
    """A map from values to colours."""

    name: str
    norm: Normalize
    low: float
    high: float


def logarithmic(low: float, high: float) -> Colours:
    """Colours by the logarithm of a positive value."""
    return Colours("viridis", LogNorm(low, high), low, high)


def linear(name: str, low: float, high: float) -> Colours:
    """Colours by value."""
    return Colours(name, Normalize(low, high), low, high)


UNSAID = Quantities()
Group = tuple[Panel, ...]  # panels side by side with one colour bar


def draw_grid(
    title: str, groups: Sequence[Group], axes: Mapping[str, np.ndarray], known: Quantities = UNSAID,
    given: Mapping[str, Colours] = MappingProxyType({}),
) -> Figure:  # fmt: skip
    """A figure of all groups: a row for each, or, if each is one panel, as many side by side as are readable.

    Scales are chosen for what is shown, but for those given.
    """
    table = arranged(groups, axes)
    columns = max(len(row) for row in table)
    shown = [panel.view for _, panel in table[0]]
    widths, height = panel_sizes(shown, axes, len(table))
    alike = len({aspect(view, axes) for view in shown}) == 1
    figure = Figure(figsize=(sum(widths), (height + 0.3) * len(table) + 0.4),
                    layout="compressed" if alike else "constrained")
    figure.suptitle(wrapped(title, int(14 * sum(widths))), fontsize=10)
    places = figure.subplots(len(table), columns, squeeze=False, width_ratios=widths)
    panels = [panel for group in groups for panel in group]
    names = {panel.scale for panel in panels} - set(given)
    scales = {**given, **{name: colours([panel for panel in panels if panel.scale == name]) for name in names}}
    between = "\n" if max(len(panel.title) for panel in panels) > BREAKING else " at "
    for row, cells in enumerate(table):
        for place in places[row, len(cells):]:
            place.set_axis_off()
        for place, (_, panel) in zip(places[row], cells, strict=False):
            draw_panel(place, panel, axes, scales[panel.scale])
            place.set_title(label(panel.title, 44).replace(" at ", between), fontsize=9)
            place.set_xlabel(label(known.named(panel.view.across), 40))
            if panel.view.up:
                place.set_ylabel(label(known.named(panel.view.up), 40))
            place.xaxis.set_major_locator(round_ticks(2 if columns > 2 else 5))
        simplify(places[row], cells)
        add_colour_bars(figure, places[row], cells, axes)
    return figure


Cells = list[tuple[int, Panel]]  # a row of panels, each with the number of its group


def arranged(groups: Sequence[Group], axes: Mapping[str, np.ndarray]) -> list[Cells]:
    """The rows of a figure; what is long and low stands one above the other."""
    if any(len(group) > 1 for group in groups):
        return [[(number, panel) for panel in group] for number, group in enumerate(groups)]
    single = [(number, group[0]) for number, group in enumerate(groups)]
    lying = all((aspect(panel.view, axes) or 1.0) < LYING for _, panel in single)
    columns = 1 if lying else {1: 1, 2: 2, 4: 2}.get(len(single), 3)
    return [single[start:start + columns] for start in range(0, len(single), columns)]


def panel_sizes(shown: Sequence[View], axes: Mapping[str, np.ndarray], rows: int) -> tuple[list[float], float]:
    """The widths and the common height in inches of the panels of a row."""
    width = {1: 4.6, 2: 3.5, 3: 2.7}.get(len(shown), 2.1) * (0.8 if rows > 2 else 1.0)
    ratios = [aspect(view, axes) for view in shown]
    lengths = np.array([np.ptp(axes[view.across]) for view in shown])
    if None in ratios or not lengths.all():
        return [width] * len(shown), min(width * 0.75, 2.8)
    widths = width * lengths / lengths.mean()
    return list(widths), min(max((widths - 0.6) * np.array(ratios, float)) + 0.6, 6.0)


def aspect(view: View, axes: Mapping[str, np.ndarray]) -> float | None:
    """Height over width of a region that is drawn to scale, or None if it is not."""
    if view.up is None or TIME in (view.up, view.across):
        return None
    ratio = float(np.ptp(axes[view.up]) / (np.ptp(axes[view.across]) or 1.0))
    return ratio if 1 / LONGEST <= ratio <= LONGEST else None


def ticks(view: View, axes: Mapping[str, np.ndarray]) -> int:
    """Intervals between ticks up a panel: few where it is low."""
    return 2 if (aspect(view, axes) or 1.0) < LOW else 5


def draw_panel(place: Axes, panel: Panel, axes: Mapping[str, np.ndarray], scale: Colours) -> None:
    """Draw one panel."""
    (draw_plane if panel.view.up else draw_lines)(place, panel, axes, scale)
    place.set_anchor("N")
    place.tick_params(labelsize=8)


def draw_lines(place: Axes, panel: Panel, axes: Mapping[str, np.ndarray], scale: Colours) -> None:
    """Draw the curves of a panel over its one coordinate."""
    x = axes[panel.view.across]
    for number, curve in enumerate(panel.curves):
        shown = np.maximum(curve.values, scale.low) if panel.logarithmic else curve.values
        style = {"color": "black", "linestyle": "--", "linewidth": 1.0} if curve.dashed else \
            {"color": COLOURS[number % len(COLOURS)], "linewidth": 1.2 if panel.logarithmic else 1.8}
        place.plot(x, shown, label=label(curve.name, 30), **style)
        if curve.band is not None:
            ends = curve.values - curve.band, curve.values + curve.band
            place.fill_between(x, *ends, color=style["color"], alpha=0.2, linewidth=0, label=BAND)
    if panel.logarithmic:
        place.set_yscale("log")
        place.set_ylim(scale.low, scale.high)
        decade_ticks(place.yaxis, scale.low, scale.high)
    elif panel.view.fixed:
        room = ROOM * (scale.high - scale.low)
        place.set_ylim(scale.low - room, scale.high + room)
    if len(panel.curves) > 1 or panel.curves[0].band is not None:
        place.legend(fontsize=8, frameon=False)
    place.set_xlim(x.min(), x.max()) if np.ptp(x) else None
    place.grid(alpha=0.25, linewidth=0.5)


def draw_plane(place: Axes, panel: Panel, axes: Mapping[str, np.ndarray], scale: Colours) -> None:
    """Draw the one field of a panel as a heat map; NaN stays blank."""
    shown = np.asarray(panel.curves[0].values, float)
    if panel.logarithmic:
        shown = np.maximum(shown, scale.low)
    x, y = axes[panel.view.across], axes[str(panel.view.up)]
    place.pcolormesh(x, y, np.ma.masked_invalid(shown), norm=scale.norm, cmap=colormaps[scale.name],
                     shading="nearest", rasterized=True)
    if panel.outline is not None:
        place.plot(*panel.outline, color="black", linewidth=0.7, clip_on=False)
        place.spines[:].set_color("#bbbbbb")
    if panel.lines is not None:
        draw_streams(place, x, y, *panel.lines)
    if aspect(panel.view, axes):
        place.set_aspect("equal")
    place.set_xlim(x.min(), x.max()) if np.ptp(x) else None
    place.set_ylim(y.min(), y.max()) if np.ptp(y) else None
    place.yaxis.set_major_locator(round_ticks(ticks(panel.view, axes)))


def draw_streams(place: Axes, x: np.ndarray, y: np.ndarray, across: np.ndarray, up: np.ndarray) -> None:
    """Lines along a vector field [up, across]; none where its grid is uneven or it vanishes."""
    steps = [max(1, -(-len(axis) // THINNED)) for axis in (x, y)]
    x, y = x[:: steps[0]], y[:: steps[1]]
    across, up = (np.asarray(values, float)[:: steps[1], :: steps[0]] for values in (across, up))
    lengths = np.hypot(across, up)
    size = lengths[np.isfinite(lengths)].max(initial=0.0)
    if len(x) < 3 or len(y) < 3 or not (uniform(x) and uniform(y)) or not size > 0:
        return
    place.streamplot(np.linspace(x[0], x[-1], len(x)), np.linspace(y[0], y[-1], len(y)),
                     np.ma.masked_invalid(across / size), np.ma.masked_invalid(up / size),
                     color="white", linewidth=0.7, density=DENSITY, arrowsize=0.7)  # fmt: skip


def simplify(places: Sequence[Axes], cells: Cells) -> None:
    """Leave out what the panel to the left says already."""
    for (_, left), (_, panel), place in zip(cells, cells[1:], places[1:], strict=False):
        if panel.view.up and (panel.view.across, panel.view.up) == (left.view.across, left.view.up):
            place.set_ylabel("")
            place.tick_params(labelleft=False)


def add_colour_bars(
    figure: Figure, places: Sequence[Axes], cells: Cells, axes: Mapping[str, np.ndarray]
) -> None:
    """One colour bar beside the last heat map of each group in a row."""
    last = {group: (place, panel) for place, (group, panel) in zip(places, cells, strict=False) if panel.view.up}
    for place, panel in last.values():
        beside = place.inset_axes((1.03, 0.0, 0.045, 1.0))
        bar = figure.colorbar(place.collections[0], cax=beside)
        bar.ax.tick_params(labelsize=8)
        if panel.logarithmic:
            decade_ticks(bar.ax.yaxis, bar.norm.vmin, bar.norm.vmax)
        else:
            bar.ax.yaxis.set_major_locator(round_ticks(ticks(panel.view, axes)))


def colours(panels: Sequence[Panel]) -> Colours:
    """Colours for all these panels: by decades, diverging around zero, or from least to greatest."""
    every = np.concatenate([curve.reach for panel in panels for curve in panel.curves])
    finite = every[np.isfinite(every)]
    if panels[0].logarithmic:
        return logarithmic(*decades(finite[finite > 0], DECADES))
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if low < 0 < high and min(-low, high) > 0.1 * max(-low, high):
        most = max(-low, high)
        return linear("RdBu_r", *rounded(-most, most))
    return linear("viridis", *rounded(low, high))


def rounded(low: float, high: float) -> tuple[float, float]:
    """A slightly wider interval whose ends are short decimal numbers."""
    span = high - low
    if span < 1e-12 * max(abs(low), abs(high), 1e-280):
        return low - 0.5, low + 0.5
    grain = 10.0 ** math.floor(math.log10(span)) / 20
    return math.floor(low / grain) * grain, math.ceil(high / grain) * grain


def decades(positive: np.ndarray, most: int, ignored: float = 0.01) -> tuple[float, float]:
    """Powers of ten around all but the `ignored` share of least values, no more than `most` of them.

    A tenth of that share of greatest values is ignored too: residuals at corners, say.
    """
    if not positive.size:
        return 1e-17, 1e-16
    top = math.ceil(math.log10(np.quantile(positive, 1 - ignored / 10)))
    bottom = math.floor(math.log10(np.quantile(positive, ignored)))
    return 10.0 ** max(min(bottom, top - 1), top - most, -280), 10.0 ** max(top, -279)


def wrapped(words: str, longest: int) -> str:
    """A title on two lines at most."""
    if len(words) <= longest:
        return label(words, longest)
    first = words[:longest].rpartition(" ")[0] or words[:longest]
    return f"{label(first, longest)}\n{label(words[len(first):].strip(), longest)}"


def label(words: str, longest: int) -> str:
    """Text to be shown as it is: not read as a formula, and not longer than there is room for."""
    short = words if len(words) <= longest else words[: longest - 1] + "…"
    return short.replace("$", r"\$")
