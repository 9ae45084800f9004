"""A description of solution.h5 for readers that do not know VTKHDF: its arrays stay where they are."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

import numpy as np

from kanpde.errors import KanpdeError
from kanpde.result import Result
from kanpde.writers.atomic import write_text
from kanpde.writers.layout import RESERVED, TIME, spatial, stored_names, stored_order

Sizes = Sequence[int]


def write(result: Result, target: Path, source: Path) -> Iterator[str]:
    """A rectilinear grid, or in time a collection of them; the path to the result is relative.

    Raises KanpdeError for one dimension of space, which these readers do not know, or more than three.
    """
    space = spatial(result.axes)
    if len(space) not in (2, 3):
        raise KanpdeError(f"XDMF grids have two or three coordinates beside the time, not {', '.join(space)}")
    place = os.path.relpath(source.resolve(), target.resolve().parent)
    axes = stored_names(result.axes, RESERVED)
    fields = stored_names(result.fields, (*RESERVED, *axes.values()))
    order = stored_order(result.axes)
    shape = [len(result.axes[name]) for name in order]
    if TIME not in result.axes:
        parts = [attribute(name, item(place, fields[name], shape)) for name in result.fields]
        content = grid(place, result, axes, parts)
    else:
        moments = [
            grid(place, result, axes, [
                attribute(name, slab(item(place, fields[name], shape), shape, number)) for name in result.fields
            ], float(time))
            for number, time in enumerate(np.asarray(result.axes[TIME]))
        ]  # fmt: skip
        head = '<Grid Name="time" GridType="Collection" CollectionType="Temporal">'
        content = "\n".join([head, *moments, "</Grid>"])
    document = f'<?xml version="1.0"?>\n<Xdmf Version="3.0"><Domain>\n{content}\n</Domain></Xdmf>\n'
    write_text(target, document)
    hint = '; in ParaView choose "XDMF Reader"' if TIME in result.axes else ""
    yield f"{target}: describes {place}, which it needs beside it{hint}"


def grid(place: str, result: Result, axes: dict[str, str], parts: Sequence[str], time: float | None = None) -> str:
    """One grid with its attributes."""
    space = spatial(result.axes)
    sizes = " ".join(str(len(result.axes[name])) for name in reversed(space))
    rank, kind = len(space), "VXVYVZ"[: 2 * len(space)]
    moment = "" if time is None else f'<Time Value="{time!r}"/>'
    return "\n".join([
        f'<Grid Name="grid" GridType="Uniform">{moment}',
        f'<Topology TopologyType="{rank}DRectMesh" Dimensions="{sizes}"/><Geometry GeometryType="{kind}">',
        *(item(place, axes[name], [len(result.axes[name])]) for name in space), "</Geometry>", *parts, "</Grid>",
    ])  # fmt: skip


def item(place: str, name: str, shape: Sizes) -> str:
    """An array in the result file."""
    sizes = " ".join(map(str, shape))
    where = escape(f"{place}:/{name}")
    return f'<DataItem Format="HDF" NumberType="Float" Precision="8" Dimensions="{sizes}">{where}</DataItem>'


def slab(whole: str, shape: Sizes, number: int) -> str:
    """One time of an array: its start, stride and count in each direction."""
    start, count = [number] + [0] * (len(shape) - 1), [1, *shape[1:]]
    numbers = " ".join(map(str, [*start, *[1] * len(shape), *count]))
    sizes = " ".join(map(str, shape[1:]))
    choice = f'<DataItem Dimensions="3 {len(shape)}" Format="XML">{numbers}</DataItem>'
    return f'<DataItem ItemType="HyperSlab" Dimensions="{sizes}">{choice}{whole}</DataItem>'


def attribute(name: str, content: str) -> str:
    """A field at the grid's points."""
    return f'<Attribute Name={quoteattr(name)} AttributeType="Scalar" Center="Node">{content}</Attribute>'
