"""The result file: one HDF5 that xarray, netCDF tools, NeXus viewers, image viewers and ParaView open."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Mapping

import h5py
import numpy as np

from kanpde.estimates import as_dictionary
from kanpde.quantities import Quantities
from kanpde.result import Field, Result
from kanpde.writers.atomic import write_bytes
from kanpde.writers.layout import (
    FORMAT,
    OF_THE_SPEC,
    RESERVED,
    TIME,
    VERSION,
    permutation,
    spatial,
    stored_names,
    stored_order,
    uniform,
)
from kanpde.writers.nested import compression, store, store_text
from kanpde.writers.png import pixels

LIBRARY = ("earliest", "v110")  # so that readers of ten years ago still open it
SHOWN_FIRST = ("loss", "held_out")
CARTESIAN = {"x": "X", "y": "Y", "z": "Z"}


def write(result: Result, plots: Mapping[str, bytes], path: Path) -> None:
    """Write `result` and its pictures (PNG bytes by name) to `path`, whole or not at all."""
    write_bytes(Path(path), content(result, plots))


def content(result: Result, plots: Mapping[str, bytes]) -> bytes:
    """The file's bytes, made in memory: HDF5 can neither finish nor close a file where the disk is full."""
    check(result)
    with h5py.File("memory", "w", driver="core", backing_store=False, libver=LIBRARY, track_order=True) as file:
        write_root(file, result)
        axes = write_axes(file, result)
        fields = write_fields(file, result, axes)
        write_entry(file, result, axes, fields)
        write_vtk(file, result, fields)
        store(file.create_group("network"), result.network)
        store(file.create_group("errors"), {name: vars(error) for name, error in result.errors.items()})
        store(file.create_group("estimated"), {name: vars(error) for name, error in result.estimated.items()})
        if result.quantities != Quantities():
            vectors = {name: list(parts) for name, parts in result.quantities.vectors.items()}
            store(file.create_group("quantities"), {**vars(result.quantities), "vectors": vectors})
        if result.outline:
            store(file.create_group("outline"), result.outline)
        if result.points:
            store(file.create_group("points"), result.points)
        store(file.create_group("summary", track_order=True), result.summary)
        if result.estimates is not None:
            store(file.create_group("fit"), as_dictionary(result.estimates))
        write_provenance(file, result)
        write_plots(file, plots)
        file.flush()
        return file.id.get_file_image()


def check(result: Result) -> None:
    """Refuse fields that do not lie on the grid and columns of unequal length."""
    shape = tuple(len(axis) for axis in result.axes.values())
    for name, field in result.fields.items():
        if field.values.shape != shape:
            raise ValueError(f"field '{name}' has the shape {field.values.shape} on a grid of {shape}")
    if len({len(column) for column in result.history.values()}) > 1:
        raise ValueError("the columns of the history differ in length")


def write_root(file: h5py.File, result: Result) -> None:
    """Say what the file is, in the words of CF, ACDD and NeXus."""
    file.attrs["Conventions"] = "CF-1.11 ACDD-1.3"
    file.attrs["title"] = result.title
    file.attrs["source"] = "kanpde"
    file.attrs["kanpde_format"] = FORMAT
    file.attrs["kanpde_format_version"] = VERSION
    file.attrs["NX_class"] = "NXroot"
    file.attrs["default"] = "entry"


def write_axes(file: h5py.File, result: Result) -> dict[str, h5py.Dataset]:
    """The coordinates, as dimension scales, by their own names."""
    names = stored_names(result.axes, RESERVED)
    written = {}
    for name in stored_order(result.axes):
        data = write_array(file, names[name], np.asarray(result.axes[name]))
        data.make_scale(names[name])
        units = result.quantities.units.get(name, "1")
        data.attrs.update({"long_name": result.quantities.labels.get(name, name), "units": units, "coordinate": name})
        if name in CARTESIAN:
            data.attrs["axis"] = CARTESIAN[name]
        written[name] = data
    return written


def write_fields(file: h5py.File, result: Result, axes: Mapping[str, h5py.Dataset]) -> dict[str, h5py.Dataset]:
    """The fields over the coordinates, the first coordinate varying fastest, by their own names."""
    order = stored_order(result.axes)
    taken = (*RESERVED, *(own_name(axis) for axis in axes.values()))
    names = stored_names(result.fields, taken)
    turn = permutation(tuple(result.axes), order)
    written = {}
    for position, (name, field) in enumerate(result.fields.items()):
        data = write_array(file, names[name], np.ascontiguousarray(field.values.transpose(turn)))
        attach(data, [axes[axis] for axis in order])
        describe(data, name, field, position, result.quantities)
        for what, found in (("error", result.errors), ("estimated_error", result.estimated)):
            if field.kind == "solution" and field.of in found:
                data.attrs[f"relative_l2_{what}"] = found[field.of].relative_l2
        written[name] = data
    return written


def describe(data: h5py.Dataset, name: str, field: Field, position: int, known: Quantities) -> None:
    """Say what a field is; errors and estimates have the units of their unknown, residuals have none that is known."""
    words = field.label or (known.labels.get(field.of, "") if field.kind in ("solution", "extra") else "") or name
    units = "1" if field.kind == "residual" else known.units.get(field.of, "1")
    about = {"long_name": words, "units": units, "field": name, "position": position}
    data.attrs.update({**about, "kind": field.kind, "of": field.of, "label": field.label})


def write_array(group: h5py.Group, name: str, values: np.ndarray) -> h5py.Dataset:
    """One array, deflated and with a checksum if it is large."""
    return group.create_dataset(name, data=values, **compression(values))


def own_name(data: h5py.Dataset) -> str:
    """The last part of the name of an array."""
    return str(data.name).rsplit("/", 1)[-1]


def attach(data: h5py.Dataset, scales: list[h5py.Dataset]) -> None:
    """Tie the dimensions of an array to coordinates."""
    for dimension, scale in zip(data.dims, scales, strict=True):
        dimension.attach_scale(scale)
        dimension.label = own_name(scale)


def write_entry(file: h5py.File, result: Result, axes: Mapping[str, h5py.Dataset],
                fields: Mapping[str, h5py.Dataset]) -> None:
    """NeXus' default plots: the fields over the coordinates, and the history."""
    entry = file.create_group("entry")
    entry.attrs["NX_class"] = "NXentry"
    entry.attrs["coordinates"] = json.dumps(list(result.axes))
    entry.attrs["outcome"] = result.outcome.name
    entry.attrs["outcome_message"] = result.outcome.message
    columns = {name: np.asarray(column) for name, column in result.history.items()}
    if fields:
        entry.attrs["default"] = "solution"
        order = stored_order(result.axes)
        solution = entry.create_group("solution")
        solution.attrs["title"] = result.title
        write_nexus(solution, [axes[name] for name in order], list(fields.values()))
    if columns:
        write_history(entry.create_group("history"), columns)


def write_nexus(group: h5py.Group, axes: list[h5py.Dataset], fields: list[h5py.Dataset]) -> None:
    """Hard links to arrays that exist, marked as one plot of the first over the axes."""
    name_axes(group, [own_name(axis) for axis in axes], [own_name(field) for field in fields])
    for position, axis in enumerate(axes):
        name = own_name(axis)
        group[name] = axis
        group.attrs[f"{name}_indices"] = position
    for field in fields:
        group[own_name(field)] = field


def name_axes(group: h5py.Group, axes: list[str], signals: list[str]) -> None:
    """Mark a group as an NXdata."""
    group.attrs["NX_class"] = "NXdata"
    group.attrs["axes"] = axes
    if signals:
        group.attrs["signal"] = signals[0]
    if signals[1:]:
        group.attrs["auxiliary_signals"] = signals[1:]


def write_history(group: h5py.Group, columns: Mapping[str, np.ndarray]) -> None:
    """The columns of the history against the first of them; the loss is what a viewer shows first."""
    names = stored_names(columns, ())
    first, *others = columns
    shown = sorted(others, key=lambda name: name not in SHOWN_FIRST)
    name_axes(group, [names[first]], [names[name] for name in shown])
    group.attrs["SILX_style"] = json.dumps({"signal_scale_type": "log"})
    group.attrs["columns"] = json.dumps({names[name]: name for name in columns})
    scale = write_array(group, names[first], columns[first])
    scale.make_scale(names[first])
    for name in others:
        attach(write_array(group, names[name], columns[name]), [scale])


def write_vtk(file: h5py.File, result: Result, fields: Mapping[str, h5py.Dataset]) -> None:
    """The fields once more as an image for ParaView, by hard links, where the grid is one that images know."""
    space = spatial(result.axes)
    coordinates = [np.asarray(result.axes[name], float) for name in space]
    regular = 1 <= len(space) <= 3 and all(len(axis) and uniform(axis) for axis in coordinates)
    shown = {own_name(data): data for data in fields.values()}
    if not regular or not shown:
        return
    group = file.create_group("VTKHDF")
    group.attrs["Version"] = np.array([2, 0] if TIME in result.axes else [1, 0], np.int64)
    group.attrs["Type"] = np.bytes_("ImageData")
    write_lattice(group, coordinates)
    points = group.create_group("PointData", track_order=True)
    points.attrs["Scalars"] = np.bytes_(next(iter(shown)).encode())
    for name, data in shown.items():
        points[name] = data
    if TIME in result.axes:
        steps = group.create_group("Steps")
        steps.attrs["NSteps"] = np.int64(len(result.axes[TIME]))
        steps["Values"] = np.asarray(result.axes[TIME], float)


def write_lattice(group: h5py.Group, coordinates: list[np.ndarray]) -> None:
    """Where the points of a VTK image lie: absent directions are flat."""
    flat = 3 - len(coordinates)
    ends = [end for axis in coordinates for end in (0, len(axis) - 1)] + [0, 0] * flat
    spacing = [(axis[-1] - axis[0]) / (len(axis) - 1) if len(axis) > 1 else 1.0 for axis in coordinates]
    group.attrs["WholeExtent"] = np.array(ends, np.int64)
    group.attrs["Origin"] = np.array([axis[0] for axis in coordinates] + [0.0] * flat)
    group.attrs["Spacing"] = np.array(spacing + [1.0] * flat)
    group.attrs["Direction"] = np.eye(3).ravel()


def write_provenance(file: h5py.File, result: Result) -> None:
    """How the result came about; the problem file's text as a dataset, since attributes end at 64 KiB."""
    group = file.create_group("provenance")
    store(group, {name: value for name, value in result.provenance.items() if name not in OF_THE_SPEC})
    group.create_dataset("spec_yaml", data=result.spec_text, dtype=h5py.string_dtype())
    group.attrs["spec_name"] = result.spec_name
    group.attrs["spec_sha256"] = hashlib.sha256(result.spec_text.encode()).hexdigest()
    store_text(group, "overrides", json.dumps(list(result.overrides)), "json")


def write_plots(file: h5py.File, plots: Mapping[str, bytes]) -> None:
    """Each picture twice: as an HDF5 image, which viewers show, and as the PNG's own bytes."""
    group = file.create_group("plots", track_order=True)
    for name, png in plots.items():
        rgb = pixels(png)
        picture = group.create_dataset(name, data=rgb, compression="gzip", chunks=(min(64, len(rgb)), *rgb.shape[1:]))
        for key, word in {"CLASS": "IMAGE", "IMAGE_VERSION": "1.2", "IMAGE_SUBCLASS": "IMAGE_TRUECOLOR",
                          "INTERLACE_MODE": "INTERLACE_PIXEL"}.items():
            picture.attrs[key] = np.bytes_(word)
        picture.attrs["interpretation"] = "rgb-image"
        picture.attrs["IMAGE_MINMAXRANGE"] = np.array([0, 255], np.uint8)
        own = group.create_dataset(f"{name}_png", data=np.frombuffer(png, np.uint8))
        own.attrs.update({"media_type": "image/png", "filename": f"{name}.png"})
