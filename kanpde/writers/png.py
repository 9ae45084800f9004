"""Figures as PNG bytes, and PNG bytes as pixels."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

PAD = 0.08  # inches around a picture


def drawn(figure: Figure) -> bytes:
    """The picture of a figure."""
    stream = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png", bbox_inches="tight", pad_inches=0.08, metadata={"Software": "kanpde"})
    return stream.getvalue()


def rendered(figure: Figure) -> bytes:
    """The picture of a figure that lies within its canvas, drawn once and cut to what is not white: half the work."""
    rgb = canvas_of(figure)
    rgb = rgb[inked((rgb < 255).any(axis=2), round(PAD * figure.dpi))]
    stream, words = BytesIO(), PngInfo()
    words.add_text("Software", "kanpde")
    Image.fromarray(np.ascontiguousarray(rgb)).save(stream, "PNG", pnginfo=words, dpi=(figure.dpi, figure.dpi))
    return stream.getvalue()


def inked(ink: np.ndarray, pad: int) -> tuple[slice, slice]:
    """The rows and columns of a picture that its ink [height, width] takes, and so many around it."""
    sides = [ink.any(axis=other).nonzero()[0] for other in (1, 0)]
    if not sides[0].size:
        return slice(None), slice(None)
    rows, columns = (slice(max(int(side[0]) - pad, 0), int(side[-1]) + 1 + pad) for side in sides)
    return rows, columns


def canvas_of(figure: Figure) -> np.ndarray:
    """The whole canvas of a figure: red, green and blue [height, width, 3]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def pixels(png: bytes) -> np.ndarray:
    """Red, green and blue, 0 to 255, row by row from the top: [height, width, 3]."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))
