"""Figures as PNG bytes, and PNG bytes as pixels."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import imread


def drawn(figure: Figure) -> bytes:
    """The picture of a figure."""
    stream = BytesIO()
    FigureCanvasAgg(figure)
    figure.savefig(stream, format="png", bbox_inches="tight", pad_inches=0.08, metadata={"Software": "kanpde"})
    return stream.getvalue()


def pixels(png: bytes) -> np.ndarray:
    """Red, green and blue, 0 to 255, row by row from the top: [height, width, 3]."""
    image = np.asarray(imread(BytesIO(png), format="png"))
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    return np.rint(image[..., :3] * 255).astype(np.uint8)
