"""Pictures made small."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, UnidentifiedImageError

from kanpde.errors import ResultError

WIDTH, HEIGHT = 240, 120
COLOURS = 64
LARGEST = 50_000_000  # pixels of a picture that is opened


def thumbnail(png: bytes) -> bytes:
    """A picture in a frame of 240 by 120 pixels at most, in few colours; raises ResultError where it is none."""
    try:
        with Image.open(BytesIO(png), formats=("PNG",)) as image:
            if image.width * image.height > LARGEST:
                raise ResultError("a picture in it is too large")
            whole = Image.new("RGB", image.size, "white")
            whole.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    except (UnidentifiedImageError, OSError, ValueError) as error:
        raise ResultError(f"a picture in it cannot be read ({error})") from error
    whole.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    stream = BytesIO()
    whole.quantize(COLOURS).save(stream, "PNG", optimize=True)
    return stream.getvalue()
