"""The points that a solution was fitted at, block by block."""

from __future__ import annotations

from itertools import combinations
from typing import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kanpde.result import Result
from kanpde.writers.panels import COLOURS, aspect, label
from kanpde.writers.ticks import round_ticks
from kanpde.writers.views import View

MOST = 3  # coordinates that are shown, by their planes
NAMED = 12  # blocks in the legend
WIDTHS, HEIGHTS = {1: 4.8, 3: 2.5}, {1: 6.4, 3: 4.0}  # inches of a panel, by how many there are
COLUMNS = {1: 3, 3: 5}  # of the legend
FEW = 300  # points: so many or fewer are drawn larger
INSIDE = "interior"  # how the names of blocks within the region begin

Points = Mapping[str, np.ndarray]


def points_figure(result: Result) -> Figure | None:
    """A plane for each pair of coordinates, a colour for each block; on a line, a row of strokes for each."""
    known = {name: rows for name, rows in result.points.items() if rows.size and len(rows) == len(result.axes)}
    if not known:
        return None
    shown = tuple(result.axes)[:MOST]
    return on_a_line(result, known) if len(shown) == 1 else in_planes(result, known, shown)


def on_a_line(result: Result, known: Points) -> Figure:
    """One coordinate."""
    figure = Figure(figsize=(5.4, 1.2 + 0.24 * len(known)), layout="constrained")
    figure.suptitle(label(result.title, 60), fontsize=10)
    place = figure.subplots()
    names = list(known)[::-1]
    for height, name in enumerate(names):
        alone = known[name].shape[1] == 1
        style = {"marker": "o", "markersize": 5} if alone else {"marker": "|", "markersize": 9, "markeredgewidth": 0.6}
        place.plot(known[name][0], np.full(known[name].shape[1], height), linestyle="", color=colour(name, names[::-1]),
                   **style)  # fmt: skip
    place.set_yticks(range(len(names)), [label(name, 24) for name in names], fontsize=8)
    place.set_ylim(-0.6, len(names) - 0.4)
    place.tick_params(labelsize=8)
    place.set_xlabel(label(result.quantities.named(next(iter(result.axes))), 40))
    place.spines[["right", "top"]].set_visible(False)
    return figure


def in_planes(result: Result, known: Points, shown: Sequence[str]) -> Figure:
    """Two coordinates, or three in pairs."""
    pairs = list(combinations(range(len(shown)), 2))
    shapes = [aspect(View(shown[across], shown[up], {}, ""), result.axes) for across, up in pairs]
    width = WIDTHS[len(pairs)]
    height = max(min(width * (shape or 0.75), HEIGHTS[len(pairs)]) for shape in shapes)
    figure = Figure(figsize=(width * len(pairs), height + 1.2),
                    layout="compressed" if all(shapes) else "constrained")
    figure.suptitle(label(result.title, int(14 * width * len(pairs))), fontsize=10)
    places = figure.subplots(1, len(pairs), squeeze=False)[0]
    for place, (across, up), shape in zip(places, pairs, shapes):
        draw_points(place, known, across, up)
        place.set_xlabel(label(result.quantities.named(shown[across]), 40))
        place.set_ylabel(label(result.quantities.named(shown[up]), 40))
        if shape:
            place.set_aspect("equal", anchor="N")
        outline = result.outline.get(f"{shown[across]} {shown[up]}")
        if outline is not None:
            place.plot(*outline, color="#888888", linewidth=0.6, zorder=1)
    handles, names = places[0].get_legend_handles_labels()
    figure.legend(handles[:NAMED], names[:NAMED], loc="outside lower center", ncols=COLUMNS[len(pairs)], fontsize=8,
                  frameon=False, markerscale=3)  # fmt: skip
    return figure


def draw_points(place: Axes, known: Points, across: int, up: int) -> None:
    """The points of all blocks in one plane, those inside first."""
    names = list(known)
    for name in sorted(names, key=lambda one: not one.startswith(INSIDE)):
        inside = name.startswith(INSIDE)
        size = 2.6 if inside and known[name].shape[1] > FEW else 4.0
        place.plot(known[name][across], known[name][up], linestyle="", marker=".", markeredgewidth=0, clip_on=False,
                   markersize=size, alpha=0.6 if inside else 0.9, color=colour(name, names),
                   label=label(name, 30))  # fmt: skip
    place.tick_params(labelsize=8)
    place.xaxis.set_major_locator(round_ticks())
    place.yaxis.set_major_locator(round_ticks())
    place.spines[["right", "top"]].set_visible(False)


def colour(name: str, names: Sequence[str]) -> str:
    """The colour of a block: the first for what is inside, others in turn."""
    if name.startswith(INSIDE):
        inner = [one for one in names if one.startswith(INSIDE)]
        return (COLOURS[0], COLOURS[5], *COLOURS[6:])[inner.index(name) % 3]
    return (*COLOURS[1:5], COLOURS[6])[[one for one in names if not one.startswith(INSIDE)].index(name) % 5]
