"""A result file read back into the Result that was written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from kanpde.errors import ResultError
from kanpde.estimates import from_dictionary
from kanpde.hdf5_heaps import check_heaps
from kanpde.hdf5_open import BROKEN, datasets, opened, subgroup
from kanpde.hdf5_values import attribute, text, values
from kanpde.quantities import Quantities
from kanpde.result import Field, FieldError, Outcome, Result
from kanpde.writers.layout import FILE, FORMAT, OF_THE_SPEC, VERSION, permutation, stored_order
from kanpde.writers.nested import load


def read(path: Path | str) -> Result:
    """The result in the file `path`, or in the run folder `path`."""
    path = found(Path(path))
    with opened(path) as file:
        check_format(file)
        entry = subgroup(file, "entry")
        if entry is None:
            raise ResultError("it has no group 'entry'")
        order = json.loads(text(attribute(entry, "coordinates")))
        return Result(
            title=text(attribute(file, "title")),
            axes=read_axes(file, order),
            fields=read_fields(file, order),
            errors={name: FieldError(**error) for name, error in nested(file, "errors").items()},
            estimated={name: FieldError(**error) for name, error in nested(file, "estimated").items()},
            history=read_history(subgroup(entry, "history")),
            network=nested(file, "network"),
            outcome=Outcome[text(attribute(entry, "outcome"))],
            outline=nested(file, "outline"),
            points=read_points(file, len(order)),
            quantities=read_quantities(file),
            summary=nested(file, "summary"),
            estimates=from_dictionary(nested(file, "fit")),
            **read_provenance(file),
        )


def read_plots(path: Path | str) -> dict[str, bytes]:
    """The pictures in a result file or run folder, as PNG bytes by name."""
    path = found(Path(path))
    with opened(path) as file:
        check_format(file)
        plots = subgroup(file, "plots")
        pictures = datasets(plots) if plots is not None else {}
        return {name.removesuffix("_png"): values(data).tobytes()
                for name, data in pictures.items() if name.endswith("_png")}


def found(path: Path) -> Path:
    """The result file that `path` means: itself, or the one in the run folder."""
    if not path.exists():
        raise ResultError(f"{path}: there is no such file or folder")
    if path.is_dir() and not (path / FILE).is_file():
        raise ResultError(f"{path}: not the folder of a finished run: there is no {FILE} in it")
    return path / FILE if path.is_dir() else path


def is_result(path: Path) -> bool:
    """Whether `path` is a result file, whole or not."""
    try:
        check_heaps(path)
        with h5py.File(path, "r", locking="best-effort") as file:
            return text(attribute(file, "kanpde_format", "")) == FORMAT
    except (ResultError, *BROKEN):
        return False


def check_format(file: h5py.File) -> None:
    """Refuse files of other programs and of later versions."""
    said = text(attribute(file, "kanpde_format", ""))
    if said != FORMAT:
        raise ResultError(f"an HDF5 file, but not a result of kanpde (no attribute kanpde_format = '{FORMAT}')")
    version = text(attribute(file, "kanpde_format_version", ""))
    if version.split(".")[0] != VERSION.split(".")[0]:
        known = VERSION.split(".")[0]
        hint = ": a newer kanpde wrote it" if later(version) else ""
        raise ResultError(f"format version {version or 'unknown'}; this kanpde reads versions {known}.x{hint}")


def later(version: str) -> bool:
    """Whether a version is above the one written here."""
    first = version.split(".")[0]
    return first.isdecimal() and int(first) > int(VERSION.split(".")[0])


def nested(file: h5py.File, name: str) -> dict[str, Any]:
    """The dictionary in the group `name`, empty if the group is absent."""
    group = subgroup(file, name)
    return {} if group is None else load(group)


def read_axes(file: h5py.File, order: list[str]) -> dict[str, np.ndarray]:
    """The coordinates in the problem's order."""
    axes = {text(attribute(data, "coordinate")): data for data in datasets(file).values() if "coordinate" in data.attrs}
    return {name: values(axes[name]) for name in order}


def read_fields(file: h5py.File, order: list[str]) -> dict[str, Field]:
    """The fields, indexed in the problem's order of the coordinates."""
    found = [data for data in datasets(file).values() if "field" in data.attrs]
    turn = permutation(stored_order(order), order)
    return {text(attribute(data, "field")): read_field(data, turn) for data in sorted(found, key=position)}


def position(data: h5py.Dataset) -> int:
    """Which field it was, as written."""
    return int(text(attribute(data, "position")))


def read_field(data: h5py.Dataset, turn: tuple[int, ...]) -> Field:
    """One field with what is said about it."""
    about = {name: text(attribute(data, name)) for name in ("kind", "of", "label")}
    return Field(np.ascontiguousarray(values(data).transpose(turn)), **about)


def read_quantities(file: h5py.File) -> Quantities:
    """Words, units and vectors; files of version 1.0 have none."""
    content = nested(file, "quantities")
    vectors = {name: tuple(parts) for name, parts in content.get("vectors", {}).items()}
    return Quantities(content.get("labels", {}), content.get("units", {}), vectors)


def read_points(file: h5py.File, dimensions: int) -> dict[str, np.ndarray]:
    """Points of so many coordinates; what is none is passed over."""
    found = {name: np.asarray(rows) for name, rows in nested(file, "points").items()}
    return {name: rows for name, rows in found.items()
            if rows.dtype.kind == "f" and rows.ndim == 2 and len(rows) == dimensions}  # fmt: skip


def read_history(group: h5py.Group | None) -> dict[str, np.ndarray]:
    """The columns of the history."""
    if group is None:
        return {}
    columns = datasets(group)
    return {name: values(columns[stored]) for stored, name in json.loads(text(attribute(group, "columns"))).items()}


def read_provenance(file: h5py.File) -> dict[str, Any]:
    """How the result came about: the problem file and the rest."""
    content = nested(file, "provenance")
    return {
        "spec_text": content.get("spec_yaml", ""),
        "spec_name": content.get("spec_name", ""),
        "overrides": tuple(content.get("overrides", ())),
        "provenance": {name: value for name, value in content.items() if name not in OF_THE_SPEC},
    }
