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
    inked = (rgb < 255).any(axis=2)
    rows, columns = inked.any(axis=1).nonzero()[0], inked.any(axis=0).nonzero()[0]
    if rows.size:
        pad = round(PAD * figure.dpi)
        rgb = rgb[max(rows[0] - pad, 0) : rows[-1] + 1 + pad, max(columns[0] - pad, 0) : columns[-1] + 1 + pad]
    stream, words = BytesIO(), PngInfo()
    words.add_text("Software", "kanpde")
    Image.fromarray(np.ascontiguousarray(rgb)).save(stream, "PNG", pnginfo=words, dpi=(figure.dpi, figure.dpi))
    return stream.getvalue()


def canvas_of(figure: Figure) -> np.ndarray:
    """The whole canvas of a figure: red, green and blue [height, width, 3]."""
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3]


def pixels(png: bytes) -> np.ndarray:
    """Red, green and blue, 0 to 255, row by row from the top: [height, width, 3]."""
    return np.asarray(Image.open(BytesIO(png)).convert("RGB"))
