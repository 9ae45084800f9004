"""Coordinates and fields as NumPy arrays."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Iterator

import numpy as np

from kanpde.result import Result
from kanpde.writers.atomic import write_bytes
from kanpde.writers.layout import stored_names


def write(result: Result, target: Path, source: Path) -> Iterator[str]:
    """One archive; fields are indexed in the order of the coordinates, x first, and NaN outside of a region."""
    arrays = {**result.axes, **{name: field.values for name, field in result.fields.items()}}
    names = stored_names(arrays, ())
    stream = BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **{names[name]: np.asarray(a) for name, a in arrays.items()})
    write_bytes(target, stream.getvalue())
    yield f"{target}: {', '.join(names[name] for name in result.axes)}; fields [{', '.join(result.axes)}]"
