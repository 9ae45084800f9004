"""Fields on a grid as VTK's XML files: a RectilinearGrid, or in time one for each and a list of them."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from typing import Iterator, Mapping, Sequence
from xml.sax.saxutils import quoteattr

import numpy as np

from kanpde.errors import KanpdeError
from kanpde.result import Result
from kanpde.writers.atomic import write_text
from kanpde.writers.layout import TIME, permutation, spatial, stored_order

HEAD = '<?xml version="1.0"?>\n<VTKFile type="{}" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n'


def write(result: Result, target: Path, source: Path) -> Iterator[str]:
    """The grid with all fields and vectors as point data, NaN outside of a region.

    Raises KanpdeError in more than three dimensions of space.
    """
    space = spatial(result.axes)
    if len(space) > 3:
        raise KanpdeError(f"VTK knows three coordinates beside the time, not {', '.join(space)}")
    turn = permutation(tuple(result.axes), stored_order(result.axes))
    fields = {name: np.asarray(field.values, float).transpose(turn) for name, field in result.fields.items()}
    axes = [np.asarray(result.axes[name], float) for name in space]
    vectors = result.quantities.vectors
    if TIME not in result.axes:
        write_text(target, grid(axes, fields, vectors))
        yield f"{target}: {len(fields)} fields, {len(vectors)} vectors"
        return
    times = np.asarray(result.axes[TIME], float)
    folder = target.with_suffix("")
    folder.mkdir(exist_ok=True)
    width = len(str(len(times) - 1))
    names = [f"{number:0{width}d}.vtr" for number in range(len(times))]
    for number, name in enumerate(names):
        now = {field: values[number] for field, values in fields.items()}
        write_text(folder / name, grid(axes, now, vectors))
    write_text(target.with_suffix(".pvd"), collection(times, [f"{folder.name}/{name}" for name in names]))
    yield f"{target.with_suffix('.pvd')}: {len(times)} times, {len(fields)} fields, {len(vectors)} vectors"


def grid(axes: Sequence[np.ndarray], fields: Mapping[str, np.ndarray], vectors: Mapping[str, Sequence[str]]) -> str:
    """One RectilinearGrid; fields are indexed [z, y, x], and absent directions are flat."""
    whole = [*axes, *[np.zeros(1)] * (3 - len(axes))]
    extent = " ".join(f"0 {len(axis) - 1}" for axis in whole)
    scalars = [array(name, values) for name, values in fields.items()]
    joined = [array(name, together([fields[part] for part in parts]), 3) for name, parts in vectors.items()]
    places = [array(name, axis) for name, axis in zip("xyz", whole)]
    first = f" Scalars={quoteattr(next(iter(fields)))}" if fields else ""
    return "\n".join([
        HEAD.format("RectilinearGrid") + f'<RectilinearGrid WholeExtent="{extent}"><Piece Extent="{extent}">',
        f"<PointData{first}>", *scalars, *joined, "</PointData>",
        "<Coordinates>", *places, "</Coordinates>", "</Piece></RectilinearGrid></VTKFile>", "",
    ])  # fmt: skip


def together(parts: Sequence[np.ndarray]) -> np.ndarray:
    """The components of a vector side by side, three of them."""
    return np.stack([*parts, *[np.zeros_like(parts[0])] * (3 - len(parts))], axis=-1)


def array(name: str, values: np.ndarray, components: int = 1) -> str:
    """Numbers in base 64, after their number of bytes."""
    content = np.ascontiguousarray(values, "<f8").tobytes()
    text = b64encode(len(content).to_bytes(8, "little") + content).decode()
    return (
        f'<DataArray type="Float64" Name={quoteattr(name)} NumberOfComponents="{components}" format="binary">'
        f"{text}</DataArray>"
    )


def collection(times: np.ndarray, files: Sequence[str]) -> str:
    """The list of the files of all times."""
    rows = [f'<DataSet timestep="{float(time)!r}" file={quoteattr(name)}/>' for time, name in zip(times, files)]
    return "\n".join([HEAD.format("Collection") + "<Collection>", *rows, "</Collection></VTKFile>", ""])
