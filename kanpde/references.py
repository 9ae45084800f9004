"""Solutions computed elsewhere, on a grid or at scattered points, from .h5, .npz and .csv files."""

from __future__ import annotations

import csv
import zipfile
from dataclasses import dataclass, field
from itertools import permutations
from pathlib import Path
from typing import Callable, Mapping, Sequence

import numpy as np
from numpy.lib import format as npy

from kanpde.columns import LARGEST
from kanpde.errors import ResultError, nearest
from kanpde.hdf5_open import datasets, first_line, most, opened
from kanpde.hdf5_values import attribute, dimensions, values

CUSTOMARY = ("x", "y", "z", "r", "theta", "phi", "t")  # the names of coordinates, where nobody says which they are
CERTIFIED = "certified_error"
KINDS = ("solution", "")  # of the fields in a result file, those that count


@dataclass(frozen=True)
class Samples:
    """Fields at known points: on the grid of the axes, or scattered, when all axes and fields are equally long.

    Fields on a grid are indexed in the order of the axes. `certified` bounds the relative error of a field.
    """

    source: str
    axes: Mapping[str, np.ndarray]
    fields: Mapping[str, np.ndarray]
    certified: Mapping[str, float] = field(default_factory=dict)
    scattered: bool = False

    def points(self, coordinates: Sequence[str]) -> np.ndarray:
        """The points [number, coordinate], their coordinates in the order asked for."""
        if missing := [name for name in coordinates if name not in self.axes]:
            raise ResultError(f"{self.source}: no coordinate '{missing[0]}'{nearest(missing[0], self.axes)}; "
                              f"there are {', '.join(self.axes)}")
        columns = list(self.axes.values())
        mesh = columns if self.scattered else np.meshgrid(*columns, indexing="ij")
        found = dict(zip(self.axes, mesh, strict=True))
        return np.stack([found[name].ravel() for name in coordinates], axis=1)


def read_reference(path: Path | str, coordinates: Sequence[str] | None = None) -> Samples:
    """The fields in a file, by the kind of its name; `coordinates` says which arrays are axes, and their order."""
    path = Path(path)
    if path.is_dir():
        path = path / "solution.h5"
    if not path.is_file():
        raise ResultError(f"{path}: there is no such file")
    if path.suffix not in READERS:
        raise ResultError(f"{path}: a file of an unknown kind; known are {', '.join(READERS)}")
    found = READERS[path.suffix](path, coordinates)
    if not found.fields:
        raise ResultError(f"{path}: no field over {', '.join(found.axes) or 'any coordinate'} in it")
    return found


@dataclass(frozen=True)
class Table:
    """The arrays of a file by name, with what it says of their dimensions and of their errors."""

    source: str
    arrays: Mapping[str, np.ndarray]
    dimensions: Mapping[str, tuple[str, ...]]
    certified: Mapping[str, float]


def read_h5(path: Path, coordinates: Sequence[str] | None) -> Samples:
    """The arrays at the root of an HDF5 or netCDF-4 file."""
    with opened(path) as file:
        found = {name: data for name, data in datasets(file).items()
                 if data.dtype.kind in "fiu" and attribute(data, "kind", "") in KINDS}
        stated = values(found[CERTIFIED]) if CERTIFIED in found else attribute(file, CERTIFIED, 0.0)
        errors = {name: float(np.max(attribute(data, CERTIFIED, stated))) for name, data in found.items()}
        named = {name: dimensions(data) for name, data in found.items()}
        arrays = {name: values(data) for name, data in found.items()}
    return arranged(Table(str(path), arrays, named, errors), coordinates)


def read_npz(path: Path, coordinates: Sequence[str] | None) -> Samples:
    """The arrays of a NumPy archive; an array of names `<field>_axes` says over what a field is."""
    try:
        check_archive(path)
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, KeyError, EOFError, MemoryError, zipfile.BadZipFile) as error:
        raise ResultError(f"{path}: not a readable NumPy archive: {first_line(error)}") from error
    numbers = {name: array for name, array in arrays.items() if array.dtype.kind in "fiu"}
    named = {name: tuple(map(str, arrays[f"{name}_axes"])) for name in numbers if f"{name}_axes" in arrays}
    everywhere = numbers.get(CERTIFIED, 0.0)
    errors = {name: float(np.max(arrays.get(f"{name}_{CERTIFIED}", everywhere))) for name in numbers}
    return arranged(Table(str(path), numbers, named, errors), coordinates)


def check_archive(path: Path) -> None:
    """Refuse an archive whose arrays would fill the memory, or are larger than the bytes they are made from."""
    total = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with archive.open(member) as stream:
                read_header = {(1, 0): npy.read_array_header_1_0}.get(npy.read_magic(stream), npy.read_array_header_2_0)
                shape, _, kind = read_header(stream)
            size = int(np.prod(shape, dtype=object)) * kind.itemsize
            total += size
            if size > member.file_size or total > most(path.stat().st_size):
                raise ValueError(f"'{member.filename}' claims {size} bytes")


def read_csv(path: Path, coordinates: Sequence[str] | None) -> Samples:
    """The columns of a CSV file with a header: scattered points."""
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(f"larger than {LARGEST // 10**6} MB; HDF5 files may be larger")
        with open(path, encoding="utf-8-sig", newline="") as stream:
            header = [name.strip().lstrip("#").strip() for name in next(csv.reader(stream), [])]
            lines = [line for line in stream if line.strip()]
        if not lines:
            raise ValueError("it is empty")
        rows = np.loadtxt(lines, delimiter=",", ndmin=2)
    except (OSError, ValueError, MemoryError, csv.Error) as error:
        reason = first_line(error).partition(";")[0]  # what follows is NumPy's advice to programmers
        raise ResultError(f"{path}: not a table of numbers below a line of names: {reason}") from error
    if rows.shape[1] != len(header):
        raise ResultError(f"{path}: {len(header)} names, but {rows.shape[1]} columns of numbers")
    arrays = dict(zip(header, rows.T.copy(), strict=True))
    names = chosen_axes(str(path), arrays, coordinates)
    fields = {name: column for name, column in arrays.items() if name not in names}
    return Samples(str(path), {name: arrays[name] for name in names}, fields, {}, scattered=True)


def arranged(table: Table, coordinates: Sequence[str] | None) -> Samples:
    """Tell axes from fields, and turn each field to the order of the axes."""
    names = chosen_axes(table.source, table.arrays, coordinates)
    axes = {name: np.asarray(table.arrays[name], float) for name in names}
    others = {name: np.asarray(array, float) for name, array in table.arrays.items()
              if name not in names and array.ndim and CERTIFIED not in name}
    errors = {name: table.certified[name] for name in others if table.certified.get(name)}
    lengths = {len(axis) for axis in axes.values()}
    if len(names) > 1 and len(lengths) == 1 and others and all(a.shape == (*lengths,) for a in others.values()):
        return Samples(table.source, axes, others, errors, scattered=True)
    check_axes(table.source, axes)
    turned = {name: oriented(array, axes, table.dimensions.get(name, ())) for name, array in others.items()}
    fields = {name: array for name, array in turned.items() if array is not None}
    return Samples(table.source, axes, fields, {name: errors[name] for name in fields if name in errors})


def chosen_axes(source: str, arrays: Mapping[str, np.ndarray], coordinates: Sequence[str] | None) -> tuple[str, ...]:
    """The names of the axes: those asked for, else the customary ones."""
    one_dimensional = [name for name, array in arrays.items() if array.ndim == 1]
    names = tuple(coordinates or (name for name in CUSTOMARY if name in one_dimensional))
    for name in names:
        if name not in one_dimensional:
            raise ResultError(f"{source}: no coordinate '{name}' in it{nearest(name, one_dimensional)}; "
                              f"it has {', '.join(arrays) or 'nothing'}")
    if not names:
        raise ResultError(f"{source}: none of the coordinates {', '.join(CUSTOMARY)} in it")
    return names


def check_axes(source: str, axes: Mapping[str, np.ndarray]) -> None:
    """Refuse axes that are empty or do not increase."""
    for name, axis in axes.items():
        if not len(axis) or not np.all(np.diff(axis) > 0):
            raise ResultError(f"{source}: the coordinate '{name}' does not increase from point to point")


def oriented(array: np.ndarray, axes: Mapping[str, np.ndarray], named: Sequence[str]) -> np.ndarray | None:
    """The array indexed in the order of the axes, or None if it is not over all of them.

    Its order is the one it states; else the first that fits its shape, beginning with the last axis first: (t, y, x).
    """
    if set(named) == set(axes) and len(named) == len(axes):
        orders = [tuple(named)]
    else:
        orders = list(permutations(reversed(tuple(axes))))
    for order in orders:
        if array.shape == tuple(len(axes[name]) for name in order):
            return np.ascontiguousarray(array.transpose([order.index(name) for name in axes]))
    return None


READERS: Mapping[str, Callable[[Path, Sequence[str] | None], Samples]] = {
    ".h5": read_h5, ".hdf5": read_h5, ".nc": read_h5, ".npz": read_npz, ".csv": read_csv,
}
