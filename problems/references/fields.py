"""Fields on a grid: how far apart two computations are, and the file that keeps one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

Array = np.ndarray


@dataclass(frozen=True)
class Fields:
    """Values by the name of the field, indexed in the order of the axes."""

    axes: Mapping[str, Array]
    values: Mapping[str, Array]


def in_time(x: Array, t: Array, **values: Array) -> Fields:
    """Fields u(t, x), one row per time."""
    return Fields({"t": t, "x": x}, values)


def difference(one: Fields, other: Fields) -> float:
    """The relative L2 difference on the same grid, of the field in which it is largest; NaN is outside."""
    pairs = [(one.values[name], known, np.isfinite(known)) for name, known in other.values.items()]
    return max(float(np.linalg.norm((a - b)[inside]) / np.linalg.norm(b[inside])) for a, b, inside in pairs)


def write(path: Path, title: str, fields: Fields, certified: float) -> None:
    """One HDF5 file: the fields over dimension scales."""
    with h5py.File(path, "w") as file:
        file.attrs["title"] = title
        file.attrs["certified_error"] = certified
        for name, axis in fields.axes.items():
            file[name] = axis
            file[name].make_scale(name)
        for name, values in fields.values.items():
            field = file.create_dataset(name, data=values, compression="gzip", compression_opts=9, shuffle=True)
            for number, axis in enumerate(fields.axes):
                field.dims[number].attach_scale(file[axis])


def read(path: Path) -> Fields:
    """The fields of such a file."""
    with h5py.File(path) as file:
        named = {name: data for name, data in file.items() if not data.is_scale}
        order = [Path(dimension[0].name).name for dimension in next(iter(named.values())).dims]
        return Fields({name: file[name][:] for name in order}, {name: data[:] for name, data in named.items()})
