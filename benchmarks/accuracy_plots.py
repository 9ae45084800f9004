"""The measurements as pictures: error against time, error against coefficients."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import isfinite
from pathlib import Path
from statistics import median

from accuracy_summary import Measured, Run, worst
from accuracy_tables import TIERS
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter

FLOOR = 1e-17  # for an error of zero
MARKERS = "os^Dvp"
COLOURS = {"A": "tab:blue", "B": "tab:red", "": "tab:gray"}
POINTS = 8.0  # of the labels' letters
SHIFTS = sorted(product((7, -7), range(-66, 67, 6)), key=lambda shift: (abs(shift[1]), -shift[0]))


def draw(found: Sequence[Measured], folder: Path) -> None:
    """Both pictures as files."""
    folder.mkdir(parents=True, exist_ok=True)
    measured = [one for one in found if solved(one)]
    for name, figure in {"time": over_time(measured), "coefficients": over_coefficients(measured)}.items():
        figure.savefig(folder / f"accuracy_{name}.png", dpi=110)


def solved(one: Measured) -> list[Run]:
    """The runs that left a solution, from the best to the worst."""
    return sorted((run for run in one.runs.values() if run["history"] and isfinite(worst(run))), key=worst)


def over_time(found: Sequence[Measured]) -> Figure:
    """A panel for each of tiers A and B, a line for each problem."""
    figure = Figure(figsize=(11, 7), layout="constrained")
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    for panel, tier in zip(panels, "AB"):
        own = [one for one in found if one.case.tier == tier]
        lines(panel, own)
        ticks(panel)
        panel.set(title=TIERS[tier], xlabel="seconds from the start of the program")
        if own:
            panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=6, fontsize=POINTS, frameon=False)
    panels[0].set_ylabel("relative L2 error")
    return figure


def lines(panel: Axes, found: Sequence[Measured]) -> None:
    """The history of the run in the middle of each case's."""
    colours = colormaps["tab10"].colors
    for number, one in enumerate(found):
        runs = solved(one)
        seconds, errors = zip(*runs[(len(runs) - 1) // 2]["history"])
        panel.plot(
            seconds, [max(error, FLOOR) for error in errors], color=colours[number % 10],
            marker=MARKERS[number // 10 % len(MARKERS)], markersize=4, linewidth=1.2, label=one.case.label,
        )


def ticks(panel: Axes) -> None:
    """Logarithms along both axes, and plain numbers along the lower one."""
    panel.set(xscale="log", yscale="log")
    panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    panel.xaxis.set_minor_formatter(NullFormatter())
    panel.grid(alpha=0.3)


def over_coefficients(found: Sequence[Measured]) -> Figure:
    """A point for each problem at its median error, with a line from the least to the largest."""
    figure = Figure(figsize=(11, 8), layout="constrained")
    panel = figure.subplots()
    panel.set(xlabel="coefficients", ylabel="relative L2 error")
    ticks(panel)
    if found:
        panel.set_xlim(min(map(size, found)) / 1.6, max(map(size, found)) * 1.6)
    names = []
    for tier, words in TIERS.items():
        own = [one for one in found if one.case.tier == tier]
        if own:
            sizes = [size(one) for one in own]
            errors = [[max(worst(run), FLOOR) for run in solved(one)] for one in own]
            panel.vlines(sizes, [e[0] for e in errors], [e[-1] for e in errors], COLOURS[tier], alpha=0.6)
            panel.plot(sizes, [median(e) for e in errors], "o", color=COLOURS[tier], markersize=5, label=words)
            names += [(one.case.label, s, median(e), COLOURS[tier]) for one, s, e in zip(own, sizes, errors)]
    if names:
        panel.legend(loc="upper center", bbox_to_anchor=(0.5, -0.08), ncols=3, frameon=False)
        label(panel, names)
    return figure


def size(one: Measured) -> float:
    """The coefficients of the run in the middle."""
    return median(run["coefficients"] for run in solved(one))


def label(panel: Axes, names: Sequence[tuple[str, float, float, str]]) -> None:
    """Names beside their points, each moved to where it meets no other name or point, if there is such a place."""
    figure = panel.figure
    figure.draw_without_rendering()
    scale = 72 / figure.dpi
    places = [panel.transData.transform((x, y)) * scale for _, x, y, _ in names]
    taken = [(px - 3, py - 3, px + 3, py + 3) for px, py in places]
    for (text, x, y, colour), (px, py) in sorted(zip(names, places), key=lambda entry: entry[0][1:3]):
        width = 0.62 * POINTS * len(text)
        boxes = [box(px + dx, py + dy, width * (1 if dx > 0 else -1)) for dx, dy in SHIFTS]
        free = (k for k, one in enumerate(boxes) if not any(meet(one, other) for other in taken))
        best = next(free, 0)
        taken.append(boxes[best])
        dx, dy = SHIFTS[best]
        panel.annotate(
            text, (x, y), xytext=(dx, dy), textcoords="offset points", fontsize=POINTS, color=colour, va="center",
            ha="left" if dx > 0 else "right",
            arrowprops=dict(arrowstyle="-", color=colour, lw=0.5, shrinkA=0, shrinkB=2) if abs(dy) > 6 else None,
        )


def box(x: float, y: float, width: float) -> tuple[float, float, float, float]:
    """What a name covers that starts at a point, to the left if its width is negative."""
    return min(x, x + width), y - 0.6 * POINTS, max(x, x + width), y + 0.6 * POINTS


def meet(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    """Whether two boxes have a point in common."""
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
