"""The pictures of a result: the solution, its error, the residuals and how the training went."""

from __future__ import annotations

import warnings
from dataclasses import replace
from itertools import zip_longest
from typing import Any, Callable, Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from kanpde.errors import KanpdeError, nearest
from kanpde.result import Field, Result
from kanpde.writers.panels import COLOURS, Curve, Group, Panel, decades, draw_grid, label
from kanpde.writers.png import rendered
from kanpde.writers.points import points_figure
from kanpde.writers.ticks import decade_ticks
from kanpde.writers.vectors import vectors_figure
from kanpde.writers.views import View, views

STYLE: dict[Any, Any] = {
    "font.size": 9, "font.family": "DejaVu Sans", "text.usetex": False, "savefig.dpi": "figure", "figure.dpi": 160,
}
KNOWN = ("exact", "reference")
NORMAL = 1.959964  # standard deviations on either side of a mean that hold 95 % of what is normally distributed
FEW = 40  # steps: with fewer, each is marked by a dot
NEGLIGIBLE = 1e-5  # of all losses: what is smaller may lie below the picture
WIDE, LETTER, KEY = 7.0, 0.065, 0.45  # inches of the picture, and of a letter and a line in its legend
DASHES: tuple[Any, ...] = ("-", (0, (5, 2)), (0, (1, 1)))
EDGE = 1.3  # room for dots above and below


def draw(result: Result) -> dict[str, bytes]:
    """The pictures of `result` as PNG bytes, by name."""
    with warnings.catch_warnings(), rc_context(STYLE):
        warnings.filterwarnings("ignore", "Glyph .* missing")  # a title may be in any script
        return {name: rendered(figure) for name, figure in figures(result).items()}


def figure(result: Result, name: str) -> Figure:
    """One of the figures; raises KanpdeError for a name that is not known, or with nothing to show."""
    if name not in FIGURES:
        raise KanpdeError(f"no picture is called '{name}'{nearest(name, FIGURES)}; there are {', '.join(FIGURES)}")
    with rc_context(STYLE):
        made = FIGURES[name](result)
    if made is None:
        raise KanpdeError(f"this result has nothing to show under '{name}'")
    return made


def picture_of(made: Figure) -> bytes:
    """A figure as PNG bytes."""
    with warnings.catch_warnings(), rc_context(STYLE):
        warnings.filterwarnings("ignore", "Glyph .* missing")
        return rendered(made)


def figures(result: Result) -> dict[str, Figure]:
    """The figures of `result` by name; those without anything to show are left out."""
    with rc_context(STYLE):
        made = {name: make(result) for name, make in FIGURES.items()}
    return {name: figure for name, figure in made.items() if figure is not None}


def solution_figure(result: Result) -> Figure | None:
    """Each unknown, beside what it should be where that is known."""
    unknowns = {name: field for name, field in result.fields.items() if field.kind == "solution"}
    groups: list[Group] = []
    for name, field in unknowns.items():
        groups += unknown_groups(result, name, field)
    return draw_grid(result.title, groups, result.axes, result.quantities) if groups else None


def unknown_groups(result: Result, name: str, field: Field) -> list[Group]:
    """The panels of one unknown: curves together, planes side by side, several planes in a row for each."""
    shown = views(result.axes)
    known = [(f"{name}, {other.kind}", other) for other in result.fields.values()
             if other.kind in KNOWN and other.of == field.of]
    every = [(name, field), *known]
    if shown[0].up is None:
        return [tuple(profiles(result, view, name, every) for view in shown)]
    titled = [(told(result, title, name), one) for title, one in every]
    rows = [[panel(result, view, title, one.values, name) for view in shown] for title, one in titled]
    if len(shown) == 1:
        return [tuple(row[0] for row in rows)]
    return [tuple(row) for row in rows]


def profiles(result: Result, view: View, name: str, every: Sequence[tuple[str, Field]]) -> Panel:
    """One unknown along a line, and what it should be in dashes over it."""
    deviations = [other for other in result.fields.values() if other.kind == "sigma" and other.of == every[0][1].of]
    bands = [NORMAL * view.values(result.axes, one.values) for one in deviations[:1]]
    curves = tuple(Curve(view.values(result.axes, one.values), title, number > 0, band)
                   for number, ((title, one), band) in enumerate(zip_longest(every, bands)))
    title = told(result, name, name)
    return Panel(f"{title} at {view.title}" if view.title else title, view, curves, name)


def told(result: Result, title: str, name: str) -> str:
    """The title of a field with its word and unit."""
    word, unit = result.quantities.labels.get(name, ""), result.quantities.units.get(name, "")
    return "".join([f"{word}: " if word else "", title, f" ({unit})" if unit else ""])


def panel(result: Result, view: View, title: str, values: np.ndarray, scale: str) -> Panel:
    """One field in one view."""
    where = f"{title} at {view.title}" if view.title else title
    curve = Curve(view.values(result.axes, values), title)
    return Panel(where, view, (curve,), scale, outline=result.outline.get(view.plane))


def magnitudes(kind: str, title: str) -> Callable[[Result], Figure | None]:
    """A figure of the absolute values of all fields of a kind, on a logarithmic scale."""

    def figure(result: Result) -> Figure | None:
        found = {title.format(field.of): field for field in result.fields.values() if field.kind == kind}
        groups = [
            tuple(replace(panel(result, view, name, np.abs(field.values), name), logarithmic=True)
                  for view in views(result.axes))
            for name, field in found.items()
        ]
        return draw_grid(result.title, groups, result.axes, result.quantities) if groups else None

    return figure


def history_figure(result: Result) -> Figure | None:
    """Losses, held-out residual and true errors against steps and against seconds."""
    history = {name: np.asarray(column, float) for name, column in result.history.items()}
    clocks = [name for name in ("step", "seconds") if name in history]
    unknowns = {field.of for field in result.fields.values() if field.kind == "solution"}
    estimated = {name: one.relative_l2 for name, one in result.estimated.items() if name in unknowns}
    curves = [name for name in history if name not in ("step", "seconds") and np.any(history[name] > 0)]
    if not clocks or not curves:
        return None
    beside = max(1, min(4, int(WIDE / (max(len(curve_name(name)) for name in curves) * LETTER + KEY))))
    figure = Figure(figsize=(WIDE, 3.3 + 0.17 * (len(curves) // beside)), layout="constrained")
    figure.suptitle(label(result.title, 90), fontsize=10)
    places = figure.subplots(1, len(clocks), sharey=True, squeeze=False)[0]
    for place, clock in zip(places, clocks, strict=True):
        draw_history(place, history, clock, curves, np.array(list(estimated.values())))
        for number, size in enumerate(estimated.values()):
            named = "" if number else "estimated error" + "s" * (len(estimated) > 1)
            place.axhline(size, color="#CC3311", linestyle=":", linewidth=1.2, label=named)
    lines, names = places[0].get_legend_handles_labels()
    figure.legend(lines, names, loc="outside lower center", ncols=min(len(names), beside), fontsize=8, frameon=False)
    return figure


def draw_history(place: Axes, history: Mapping[str, np.ndarray], clock: str, curves: list[str],
                 estimates: np.ndarray) -> None:
    """Each column of the history against one clock."""
    marker = "o" if len(history[clock]) < FEW else ""
    blocks = [name for name in curves if style_of(name) is None]
    for name in curves:
        shown = np.where(history[name] > 0, history[name], np.nan)
        style = style_of(name) or block_style(blocks.index(name))
        place.plot(history[clock], shown, label=curve_name(name), marker=marker, markersize=2.5, **style)
    low, high = reach(history, curves, estimates)
    place.set_yscale("log")
    place.set_ylim(low / EDGE, high * EDGE)
    decade_ticks(place.yaxis, low, high)
    last = float(np.nanmax(history[clock])) or 1.0
    place.set_xlim(-0.04 * last, 1.04 * last)
    place.xaxis.set_major_locator(MaxNLocator("auto", steps=(1, 2, 2.5, 5, 10), integer=clock == "step"))
    place.set_xlabel(clock)
    place.tick_params(labelsize=8)
    place.grid(alpha=0.25, linewidth=0.5)


def reach(history: Mapping[str, np.ndarray], curves: Sequence[str], estimates: np.ndarray) -> tuple[float, float]:
    """The decades that are shown: of everything but losses so small that they do not matter beside the whole."""
    whole = history.get("loss", np.empty(0))
    least = NEGLIGIBLE * np.min(whole[np.isfinite(whole) & (whole > 0)], initial=np.inf)
    least = least if np.isfinite(least) else 0.0
    blocks = [history[name] for name in curves if style_of(name) is None]
    others = [history[name] for name in curves if style_of(name) is not None]
    every = np.concatenate([*(column[column >= least] for column in blocks), *others, estimates])
    return decades(every[np.isfinite(every) & (every > 0)], 30, 0.0)


def block_style(number: int) -> dict[str, Any]:
    """How the losses of blocks are drawn: six colours, then these in dashes, then in dots."""
    return {"color": COLOURS[number % 6], "linestyle": DASHES[number // 6 % 3], "linewidth": 0.9, "alpha": 0.8}


def style_of(name: str) -> dict[str, Any] | None:
    """How the columns that every run has are drawn; None for the loss of one block."""
    if name.startswith("error"):
        return {"color": "#CC3311", "linewidth": 2.0}
    return {"loss": {"color": "black", "linewidth": 1.6},
            "held_out_loss": {"color": "#777777", "linewidth": 1.2},
            "held_out": {"color": "black", "linewidth": 1.2, "linestyle": "--", "markerfacecolor": "white"}}.get(name)


def curve_name(name: str) -> str:
    """What a column of the history is called in a legend."""
    whole = {"loss": "loss", "held_out": "held-out residual", "held_out_loss": "held-out loss"}
    kind, _, of = name.partition("_")
    return label(whole.get(name, f"{kind} of {of}" if of else kind), 34)


FIGURES: Mapping[str, Callable[[Result], Figure | None]] = {
    "solution": solution_figure,
    "vectors": vectors_figure,
    "error": magnitudes("error", "|error of {}|"),
    "estimate": magnitudes("estimate", "estimated error of {}"),
    "sigma": magnitudes("sigma", "standard error of {}"),
    "residual": magnitudes("residual", "|residual of {}|"),
    "points": points_figure,
    "history": history_figure,
}
