"""Moving pictures of a training: fields and networks as they were at its steps."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Callable, Iterator, Mapping, Sequence

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FFMpegWriter, PillowWriter, writers
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kanpde.errors import KanpdeError, nearest
from kanpde.graph import Graph
from kanpde.snapshots import Snapshot
from kanpde.writers.figures import STYLE
from kanpde.writers.graphs import STYLE as GRAPH_STYLE
from kanpde.writers.graphs import graph_figure
from kanpde.writers.png import pixels

PER_SECOND = 6
LAST = 2 * PER_SECOND  # times the last frame is shown
DPI = 100
WIDTH, HEIGHT = 4.2, 3.6  # inches of a field
MOST = 260  # edges in a picture that moves

FORMS: Mapping[str, Callable[[], object]] = {
    "gif": lambda: PillowWriter(fps=PER_SECOND),
    "mp4": lambda: FFMpegWriter(fps=PER_SECOND),
}


def possible(form: str) -> None:
    """Raise KanpdeError where a form is unknown, or what writes it is not on this machine."""
    if form not in FORMS:
        raise KanpdeError(f"unknown form '{form}'{nearest(form, FORMS)}; known are {', '.join(FORMS)}")
    if form == "mp4" and not writers.is_available("ffmpeg"):
        raise KanpdeError("mp4 needs the program ffmpeg, which is not here; gif needs nothing")


def animate(snapshots: Sequence[Snapshot], title: str, form: str, folder: Path) -> list[Path]:
    """Write training.gif or .mp4 with the fields and, where networks can be drawn, training_edges beside it."""
    possible(form)
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {"training": fields_frames(snapshots, title)}
    if any(small(shot.graphs) for shot in snapshots):
        pictures["training_edges"] = edges_frames(snapshots)
    found = []
    for name, frames in pictures.items():
        path = folder / f"{name}.{form}"
        write(list(frames), form, path)
        found.append(path)
    return found


def small(graphs: Sequence[Graph]) -> bool:
    """Whether there is a network few enough edges of which are drawn."""
    return bool(graphs) and sum(len(graph.edges) for graph in graphs) <= MOST


def write(frames: Sequence[np.ndarray], form: str, path: Path) -> None:
    """Pixels [height, width, 3] as a film; smaller frames are padded with white."""
    height, width = (max(frame.shape[axis] for frame in frames) for axis in (0, 1))
    height, width = height + height % 2, width + width % 2
    figure = Figure(figsize=(width / DPI, height / DPI), dpi=DPI)
    place = figure.add_axes((0, 0, 1, 1))
    place.axis("off")
    image = place.imshow(np.full((height, width, 3), 255, dtype=np.uint8))
    writer = FORMS[form]()
    temporary = path.with_name(f".new-{path.name}")
    try:
        with writer.saving(figure, str(temporary), DPI):  # type: ignore[attr-defined]
            for frame in [*frames, *frames[-1:] * LAST]:
                whole = np.full((height, width, 3), 255, dtype=np.uint8)
                whole[: frame.shape[0], : frame.shape[1]] = frame
                image.set_data(whole)
                writer.grab_frame()  # type: ignore[attr-defined]
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def caption(shot: Snapshot) -> str:
    """What a frame is of."""
    return f"step {shot.step}, {shot.seconds:.1f} s, residual {shot.residual:.1e}"


def fields_frames(snapshots: Sequence[Snapshot], title: str) -> Iterator[np.ndarray]:
    """The fields, one beside the other, with the scales that they have at the end."""
    last = snapshots[-1]
    scales = {name: (float(np.nanmin(values)), float(np.nanmax(values))) for name, values in last.fields.items()}
    for shot in snapshots:
        with rc_context(STYLE):
            figure = Figure(figsize=(WIDTH * len(shot.fields), HEIGHT), dpi=DPI, layout="constrained")
            figure.suptitle(f"{title}\n{caption(shot)}", fontsize=9)
            for place, (name, values) in zip(figure.subplots(1, len(shot.fields), squeeze=False)[0],
                                             shot.fields.items()):
                draw_field(place, shot, name, values, scales[name])
            yield pixels(drawn_whole(figure))


def draw_field(place: Axes, shot: Snapshot, name: str, values: np.ndarray, scale: tuple[float, float]) -> None:
    """One field: a line over one coordinate, colours over two."""
    low, high = scale if scale[1] > scale[0] else (scale[0] - 1, scale[1] + 1)
    names, arrays = list(shot.axes), list(shot.axes.values())
    place.set_title(name)
    place.set_xlabel(names[0])
    if len(names) == 1:
        margin = 0.1 * (high - low)
        place.plot(arrays[0], values)
        place.set_ylim(low - margin, high + margin)
        return
    shown = place.pcolormesh(*arrays, values.T, vmin=low, vmax=high, shading="nearest", rasterized=True)
    place.set_ylabel(names[1])
    place.figure.colorbar(shown, ax=place)


def edges_frames(snapshots: Sequence[Snapshot]) -> Iterator[np.ndarray]:
    """The first network, with the function of each edge."""
    for shot in snapshots:
        if small(shot.graphs):
            with rc_context(GRAPH_STYLE):
                yield pixels(drawn_whole(graph_figure(shot.graphs[0], f"step {shot.step}")))


def drawn_whole(figure: Figure) -> bytes:
    """The picture of a figure, always of the same size."""
    stream = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png", dpi=DPI)
    return stream.getvalue()
