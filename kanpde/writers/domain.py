"""A picture of a domain: its sides by name, what holds there, and the points that are sampled."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Mapping

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import Axes3D

from kanpde.writers.figures import STYLE
from kanpde.writers.panels import COLOURS, LONGEST, label
from kanpde.writers.png import drawn

EXACT, PENALISED, FREE = COLOURS[2], COLOURS[1], "#777777"
LEGEND = {"holds exactly": EXACT, "penalised": PENALISED, "no condition": FREE, "periodic": COLOURS[3]}


@dataclass(frozen=True)
class Side:
    """One side of the box: where, its name, what is stated there, and how (a key of LEGEND)."""

    axis: int
    end: int  # 0: least, 1: greatest value of the coordinate
    name: str
    text: str
    kind: str

    @property
    def colour(self) -> str:
        """The colour that tells how the conditions are kept."""
        return LEGEND[self.kind]


@dataclass(frozen=True)
class Domain:
    """A box with named sides, and sample points [d, N] inside and on some of its sides."""

    title: str
    box: Mapping[str, tuple[float, float]]
    sides: tuple[Side, ...]
    points: tuple[np.ndarray, ...]


def draw_domain(domain: Domain) -> bytes:
    """The picture as PNG bytes; of more than three coordinates, the first three."""
    with warnings.catch_warnings(), rc_context(STYLE):
        warnings.filterwarnings("ignore", "Glyph .* missing")
        return drawn(figure_of(domain))


def figure_of(domain: Domain) -> Figure:
    """The figure of a domain."""
    figure = Figure(figsize=(6.4, 5.4), layout="constrained")
    figure.suptitle(label(domain.title, 80), fontsize=10)
    DRAWINGS[min(len(domain.box), 3)](figure, domain)
    kinds = dict.fromkeys(side.kind for side in domain.sides)
    marks = [figure.axes[0].plot([], [], color=LEGEND[kind], linewidth=3)[0] for kind in kinds]
    figure.legend(marks, list(kinds), loc="outside lower center", ncols=4, fontsize=8, frameon=False)
    return figure


def draw_line(figure: Figure, domain: Domain) -> None:
    """An interval with its two ends."""
    figure.set_size_inches(6.4, 2.2)
    place = figure.subplots()
    (name, (low, high)), = domain.box.items()
    place.plot([low, high], [0, 0], color="black", linewidth=1)
    for points in domain.points:
        place.plot(points[0], 0 * points[0], "|", color=COLOURS[0], markersize=7, alpha=0.5)
    for side in domain.sides:
        place.plot([(low, high)[side.end]], [0], "o", color=side.colour, markersize=9)
        words = f"{side.name}\n{side.text}"
        place.annotate(words, ((low, high)[side.end], 0), (0, 12), textcoords="offset points",
                       ha=("left", "right")[side.end], fontsize=8, color=side.colour)
    place.set_ylim(-0.5, 1.5)
    place.set_yticks([])
    place.spines[["left", "right", "top"]].set_visible(False)
    place.set_xlabel(name)


def draw_plane(figure: Figure, domain: Domain) -> None:
    """A rectangle, its sides labelled outside."""
    place = figure.subplots()
    (first, across), (second, up) = domain.box.items()
    for points in domain.points:
        place.plot(*points, ".", color=COLOURS[0], markersize=3, alpha=0.6, clip_on=False)
    for side in domain.sides:
        draw_edge(place, domain, side)
    shape = (up[1] - up[0]) / (across[1] - across[0])
    if 1 / LONGEST < shape < LONGEST:
        place.set_aspect("equal")
        figure.set_size_inches(6.4, 1.6 + 5.0 * min(shape, 1.0))
    place.set_xlabel(first, labelpad=14)
    place.set_ylabel(second, labelpad=14)
    place.spines[:].set_visible(False)
    place.set_xticks(across)
    place.set_yticks(up)
    place.set_xlim(*across)
    place.set_ylim(*up)


def draw_edge(place: Axes, domain: Domain, side: Side) -> None:
    """One side of a rectangle with its words beside it."""
    ends = list(domain.box.values())
    along = ends[1 - side.axis]
    across = [ends[side.axis][side.end]] * 2
    place.plot(*((across, along) if side.axis == 0 else (along, across)), color=side.colour, linewidth=3, clip_on=False)
    anchor = ((side.end, 0.5), (0.5, side.end))[side.axis]
    away = (-1, 1)[side.end] * 7
    words = label(f"{side.name}: {side.text}", 60)
    place.annotate(
        words, anchor, ((away, 0), (0, away))[side.axis], xycoords="axes fraction", textcoords="offset points",
        rotation=90 if side.axis == 0 else 0, fontsize=8, color=side.colour,
        ha=("right", "left")[side.end] if side.axis == 0 else "center",
        va="center" if side.axis == 0 else ("top", "bottom")[side.end],
    )  # fmt: skip


def draw_box(figure: Figure, domain: Domain) -> None:
    """A box in space, seen from a corner; the words of its sides are listed below."""
    figure.set_size_inches(6.4, 5.2 + 0.2 * len(domain.sides))
    place = figure.add_subplot(projection="3d")
    assert isinstance(place, Axes3D)
    names, ends = list(domain.box)[:3], np.array(list(domain.box.values())[:3])
    for points in domain.points:
        place.plot(*points[:3], ".", color=COLOURS[0], markersize=2, alpha=0.5)
    for corner in np.ndindex(2, 2, 2):
        for axis in range(3):
            if corner[axis] == 0:
                other = tuple(1 if k == axis else n for k, n in enumerate(corner))
                place.plot(*([ends[k, corner[k]], ends[k, other[k]]] for k in range(3)), color="black", linewidth=0.7)
    for side in domain.sides:
        if side.axis < 3:
            centre = ends.mean(axis=1)
            centre[side.axis] = ends[side.axis, side.end] + (-0.12, 0.12)[side.end] * np.ptp(ends[side.axis])
            place.text(*centre, side.name, color=side.colour, fontsize=9, ha="center", va="center", zorder=10,
                       bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1})
    place.set(xlabel=names[0], ylabel=names[1], zlabel=names[2])
    place.set_box_aspect(np.clip(np.ptp(ends, axis=1) / np.ptp(ends), 1 / LONGEST, 1), zoom=0.85)
    place.set(xticks=ends[0], yticks=ends[1], zticks=ends[2])
    place.grid(False)
    words = "\n".join(label(f"{side.name}: {side.text}", 90) for side in domain.sides)
    figure.supxlabel(f"{words}\n", fontsize=8, x=0.03, ha="left")


DRAWINGS = {1: draw_line, 2: draw_plane, 3: draw_box}
