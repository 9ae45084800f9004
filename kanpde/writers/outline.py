"""A picture of a region: the pieces of its boundary by name, what holds there, and the points that are sampled."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Iterator, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from mpl_toolkits.mplot3d import Axes3D

from kanpde.writers.domain import LEGEND
from kanpde.writers.figures import STYLE
from kanpde.writers.panels import COLOURS, LONGEST, label
from kanpde.writers.png import drawn

Array = np.ndarray
MOST_LINES = 12  # of conditions told below
LONGEST_LINE = 96  # letters
SMALL = 8  # points, of letters
LETTER = 0.58  # width over height, of a letter
MARGIN = 24.0  # points of the paper around a region
GAP = 3.0  # points of the paper between a piece and its name
TRIED = (0.5, 0.35, 0.65, 0.2, 0.8, 0.05, 0.95)  # where along a piece its name may stand
SAMPLES = {"color": COLOURS[0], "alpha": 0.45}


@dataclass(frozen=True)
class Part:
    """A piece of a boundary: its name, what is stated there and how it is kept (a key of LEGEND).

    `points` [d, N] lie along it (in the plane in the order of the curve, with NaN between curves), with the outward
    `normals` [d, N].
    """

    name: str
    text: str
    kind: str
    points: Array
    normals: Array


@dataclass(frozen=True)
class Outline:
    """A region of one to three coordinates: its pieces, sample points [d, N], and further lines to be told."""

    title: str
    axes: tuple[str, ...]
    bounds: tuple[tuple[float, float], ...]
    parts: tuple[Part, ...]
    samples: tuple[Array, ...]
    notes: tuple[str, ...] = ()

    @property
    def told(self) -> list[str]:
        """What is stated where, one line for all pieces that have it in common."""
        names: dict[str, list[str]] = {}
        for part in self.parts:
            names.setdefault(part.text, []).append(part.name)
        lines = [label(f"{', '.join(some)}: {text}", LONGEST_LINE) for text, some in names.items()]
        lines += [label(note, LONGEST_LINE) for note in self.notes]
        more = len(lines) - MOST_LINES
        return [*lines[: MOST_LINES - 1], f"… and {more + 1} more"] if more > 0 else lines


def draw_outline(outline: Outline) -> bytes:
    """The picture as PNG bytes."""
    with warnings.catch_warnings(), rc_context(STYLE):
        warnings.filterwarnings("ignore", "Glyph .* missing")
        figure = Figure(figsize=(6.4, 5.4), layout="constrained")
        figure.suptitle(label(outline.title, 80), fontsize=10)
        lines = outline.told
        DRAWINGS[len(outline.axes)](figure, outline, 0.16 * len(lines) + 0.5)
        figure.supxlabel("\n".join(lines), fontsize=SMALL, x=0.02, ha="left", linespacing=1.35)
        return drawn(figure)


def draw_line(figure: Figure, outline: Outline, room: float) -> None:
    """Intervals with their ends."""
    figure.set_size_inches(6.4, 1.6 + room)
    place = figure.subplots()
    for points in outline.samples:
        place.plot(points[0], 0 * points[0], "|", markersize=7, **SAMPLES)
    ends = sorted(float(part.points[0, 0]) for part in outline.parts)
    for low, high in zip(ends[::2], ends[1::2]):
        place.plot([low, high], [0, 0], color="black", linewidth=1)
    for part in outline.parts:
        colour = LEGEND[part.kind]
        place.plot(part.points[0], [0], "o", color=colour, markersize=8)
        side = "left" if part.normals[0, 0] < 0 else "right"
        place.annotate(part.name, (part.points[0, 0], 0), (0, 10), textcoords="offset points", color=colour,
                       fontsize=SMALL, ha={"left": "left", "right": "right"}[side])  # fmt: skip
    place.set_ylim(-0.5, 1.5)
    place.set_yticks([])
    place.spines[["left", "right", "top"]].set_visible(False)
    place.set_xlabel(outline.axes[0])
    explain(place, outline)


def draw_plane(figure: Figure, outline: Outline, room: float) -> None:
    """Curves in their colours, each with its name beside it, outside the region."""
    (left, right), (low, high) = outline.bounds
    shape = (high - low) / (right - left)
    scaled = 1 / LONGEST < shape < LONGEST
    height = 5.0 * min(shape, 1.0) if scaled else 3.5
    figure.set_size_inches(6.4, 1.0 + room + height)
    place = figure.subplots()
    for points in outline.samples:
        place.plot(*points, ".", markersize=4, markeredgewidth=0, **SAMPLES)
    for part in outline.parts:
        place.plot(*part.points, color=LEGEND[part.kind], linewidth=2)
    if scaled:
        place.set_aspect("equal")
    scale = 72 * np.array([height / shape, height] if scaled else [5.0, height]) / [right - left, high - low]
    for one in named(outline.parts, scale):
        place.annotate(
            one.part.name, tuple(one.at), tuple(one.away), textcoords="offset points", fontsize=SMALL, zorder=5,
            color=LEGEND[one.part.kind], ha="center", va="center", rotation=90 if one.upright else 0,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.75, "pad": 0.5},
        )  # fmt: skip
    place.set_xlabel(outline.axes[0])
    place.set_ylabel(outline.axes[1])
    across, up = MARGIN / scale
    place.set_xlim(left - across, right + across)
    place.set_ylim(low - up, high + up)
    place.spines[["right", "top"]].set_visible(False)
    explain(place, outline)


@dataclass(frozen=True)
class Label:
    """The name of a piece at a point of it, moved `away` [2] in points of the paper, where it fills `frame` [2, 2]."""

    part: Part
    at: Array
    away: Array
    upright: bool
    frame: Array


def named(parts: Sequence[Part], scale: Array) -> Iterator[Label]:
    """The name of each piece beside it: outside the region, and not over names or curves, where that can be.

    `scale` [2] are the points of the paper to a unit of the coordinates.
    """
    curves = np.concatenate([part.points for part in parts], axis=1) * scale[:, None]
    taken: list[Array] = []
    for part in parts:
        found = list(candidates(part, scale))
        crowded = [sum(overlap(one.frame, other) for other in taken) + crossed(one.frame, curves) for one in found]
        chosen = found[int(np.argmin(crowded))]
        taken.append(chosen.frame)
        yield chosen


def candidates(part: Part, scale: Array) -> Iterator[Label]:
    """Places for a name: the middle of a closed curve that has room for it, outside along the piece, then inside."""
    run = longest(part.points)
    points, normals = part.points[:, run], part.normals[:, run]
    size = np.array([LETTER * SMALL * len(part.name), 1.3 * SMALL])
    low, high = points.min(axis=1), points.max(axis=1)
    closed = np.abs((points[:, 0] - points[:, -1]) / (high - low + 1e-300)).max() < 1e-6
    middle = (low + high) / 2
    if closed and ((middle - points[:, 0]) @ normals[:, 0] > 0) and (0.7 * (high - low) * scale > size).all():
        yield Label(part, middle, np.zeros(2), False, framed(middle * scale, size))
    for sign in (1, -1):
        for share in TRIED:
            at = int(share * (points.shape[1] - 1))
            normal = sign * normals[:, at]
            upright = abs(normal[0]) > 0.9
            whole = size[::-1] if upright else size
            away = normal * (GAP + whole @ np.abs(normal) / 2)
            yield Label(part, points[:, at], away, upright, framed(points[:, at] * scale + away, whole))


def longest(points: Array) -> slice:
    """The longest run of points [2, N] between gaps."""
    gaps = np.flatnonzero(np.isnan([-np.inf, *points[0], np.nan]))
    starts = np.concatenate([[0], gaps])
    spans = [slice(int(a), int(b) - 1) for a, b in zip(starts, gaps) if b - 1 > a]
    return max(spans, key=lambda run: float(np.hypot(*np.diff(points[:, run])).sum()))


def framed(centre: Array, size: Array) -> Array:
    """The lower and the upper corner of a frame."""
    return np.stack([centre - size / 2, centre + size / 2])


def overlap(one: Array, other: Array) -> float:
    """The area common to two frames."""
    sides = np.minimum(one[1], other[1]) - np.maximum(one[0], other[0])
    return float(np.prod(np.maximum(sides, 0)))


def crossed(frame: Array, curves: Array) -> float:
    """How many points of curves [2, N] lie in a frame."""
    inside = (curves > frame[0][:, None]) & (curves < frame[1][:, None])
    return float(inside.all(axis=0).sum())


def draw_space(figure: Figure, outline: Outline, room: float) -> None:
    """Points of the surface, a colour for each piece, faint where it faces away; inside points are not shown."""
    figure.set_size_inches(6.4, 5.2 + room)
    place = figure.add_subplot(projection="3d")
    assert isinstance(place, Axes3D)
    turn, tilt = np.radians(place.azim), np.radians(place.elev)
    viewer = np.array([np.cos(tilt) * np.cos(turn), np.cos(tilt) * np.sin(turn), np.sin(tilt)])
    for number, part in enumerate(outline.parts):
        colour = COLOURS[number % len(COLOURS)]
        facing = viewer @ part.normals > 0
        place.plot(*part.points[:, ~facing], ".", color=colour, markersize=2, markeredgewidth=0, alpha=0.25)
        place.plot(*part.points[:, facing], ".", color=colour, markersize=4, markeredgewidth=0, alpha=0.9)
        place.plot([], [], [], color=colour, linewidth=3, label=f"{part.name} ({part.kind})")
    ends = np.array(outline.bounds)
    place.set(xlabel=outline.axes[0], ylabel=outline.axes[1], zlabel=outline.axes[2])
    place.set(xticks=ends[0], yticks=ends[1], zticks=ends[2], xlim=ends[0], ylim=ends[1], zlim=ends[2])
    place.set_box_aspect(np.clip(np.ptp(ends, axis=1) / np.ptp(ends, axis=1).max(), 1 / LONGEST, 1), zoom=0.85)
    place.grid(False)
    place.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3, fontsize=SMALL, frameon=False)


def explain(place: Axes, outline: Outline) -> None:
    """What the colours mean."""
    kinds = dict.fromkeys(part.kind for part in outline.parts)
    marks = [place.plot([], [], color=LEGEND[kind], linewidth=3)[0] for kind in kinds]
    place.legend(marks, list(kinds), loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=4, fontsize=SMALL,
                 frameon=False)  # fmt: skip


DRAWINGS = {1: draw_line, 2: draw_plane, 3: draw_space}
