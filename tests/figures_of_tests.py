"""Pictures for tests."""

from __future__ import annotations

from io import BytesIO

from PIL import Image


def png(width: int = 40, height: int = 20) -> bytes:
    """A small picture."""
    stream = BytesIO()
    Image.new("RGB", (width, height), "teal").save(stream, "PNG")
    return stream.getvalue()
