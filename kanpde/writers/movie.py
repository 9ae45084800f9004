"""A solution in time as a moving picture."""

from __future__ import annotations

from io import BytesIO
from typing import Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from PIL import Image

from kanpde.errors import KanpdeError
from kanpde.result import Field, Result
from kanpde.writers.figures import KNOWN, STYLE, panel, profiles, told
from kanpde.writers.layout import TIME, spatial
from kanpde.writers.panels import Colours, Curve, Group, Panel, colours, draw_grid
from kanpde.writers.png import canvas_of, inked
from kanpde.writers.views import View, plane

FRAMES = 25  # at most
MARGIN = 12  # dots around the frames
PAUSE = 120  # milliseconds from one frame to the next


def movie(result: Result) -> bytes:
    """The unknowns at up to 25 times as an animated GIF, with the same colours and axes throughout.

    Raises KanpdeError where there is no time.
    """
    if TIME not in result.axes or len(result.axes[TIME]) < 2 or not spatial(result.axes):
        raise KanpdeError("this result has no time along which it could move")
    unknowns = {name: field for name, field in result.fields.items() if field.kind == "solution"}
    scales = {name: whole(result, name, field) for name, field in unknowns.items()}
    times = sorted({round(k) for k in np.linspace(0, len(result.axes[TIME]) - 1, FRAMES)})
    with rc_context(STYLE):
        frames = cut([frame(result, unknowns, scales, time) for time in times])
    some = np.concatenate([np.asarray(frames[k]) for k in (0, len(frames) // 2, -1)])
    palette = Image.fromarray(some).quantize(256)  # one for all, so that colours stay what they mean
    frames = [one.quantize(palette=palette, dither=Image.Dither.NONE) for one in frames]
    stream = BytesIO()
    frames[0].save(stream, "GIF", save_all=True, append_images=frames[1:], duration=PAUSE, loop=0)
    return stream.getvalue()


def cut(frames: Sequence[Image.Image]) -> list[Image.Image]:
    """The frames without what is white in all of them."""
    ink = np.any([(np.asarray(one) < 255).any(axis=2) for one in frames], axis=0)
    rows, columns = inked(ink, MARGIN)
    return [Image.fromarray(np.ascontiguousarray(np.asarray(one)[rows, columns])) for one in frames]


def frame(result: Result, unknowns: Mapping[str, Field], scales: Mapping[str, Colours], time: int) -> Image.Image:
    """The picture at one time."""
    view = view_at(result, time)
    groups: list[Group] = []
    for name, field in unknowns.items():
        known = [other for other in result.fields.values() if other.kind in KNOWN and other.of == field.of]
        every = [(name, field), *((f"{name}, {other.kind}", other) for other in known)]
        if view.up is None:
            groups.append((profiles(result, view, name, every),))
        else:
            groups.append((panel(result, view, told(result, name, name), field.values, name),))
    figure = draw_grid(result.title, groups, result.axes, result.quantities, scales)
    return Image.fromarray(np.ascontiguousarray(canvas_of(figure)))


def view_at(result: Result, time: int) -> View:
    """The line or plane of space at one time."""
    space = spatial(result.axes)
    if len(space) > 1:
        return plane(result.axes, space[0], space[1], {TIME: time})
    return View(space[0], None, {TIME: time}, f"t = {float(result.axes[TIME][time]):.3g}")


def whole(result: Result, name: str, field: Field) -> Colours:
    """Colours for a field at all times."""
    return colours([Panel(name, view_at(result, 0), (Curve(field.values, name),), name)])
