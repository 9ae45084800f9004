"""Arrays and attributes of HDF5 files that somebody else may have written, read once it is known what they are.

The libraries below crash on some attributes of kinds that they do not expect, and unpack without a bound.
"""

from __future__ import annotations

from math import prod
from typing import Any

import h5py
import numpy as np

from kanpde.errors import ResultError

LARGEST_CHUNK = 64 * 2**20  # bytes
MOST_ENTRIES = 100_000  # of an attribute
MOST_WORDS = 1_000  # of variable length in an attribute
FILTERS = {1: "deflate", 2: "shuffle", 3: "fletcher32"}
NUMBERS = "fiubc"
PLAIN = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)


def values(data: h5py.Dataset) -> np.ndarray:
    """The array in memory, of numbers or of text of a fixed length."""
    kind = data.dtype
    if kind.kind not in NUMBERS + "S" or kind.hasobject:
        raise ResultError(f"'{data.name}' holds neither numbers nor text of a fixed length")
    check_chunks(data)
    return np.asarray(data[()])


def check_chunks(data: h5py.Dataset) -> None:
    """Refuse pieces that are large whatever the array is, and ways of packing that can be put into one another."""
    if data.chunks is None:
        return
    if (size := prod(data.chunks) * data.dtype.itemsize) > LARGEST_CHUNK:
        raise ResultError(f"'{data.name}' is stored in pieces of {size} bytes; at most {LARGEST_CHUNK} are read")
    filters = data.id.get_create_plist()
    used = [filters.get_filter(number)[0] for number in range(filters.get_nfilters())]
    if len(set(used)) < len(used) or not set(used) <= set(FILTERS):
        raise ResultError(f"'{data.name}' is packed in a way that is not read; known are {', '.join(FILTERS.values())}")


def words(data: h5py.Dataset) -> str:
    """The text in a dataset that holds one."""
    if data.shape != () or h5py.check_string_dtype(data.dtype) is None:
        raise ResultError(f"'{data.name}' is not a text")
    return text(data[()])


def attributes(place: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    """All attributes, by name."""
    return {name: attribute(place, name) for name in place.attrs}


def attribute(place: h5py.Group | h5py.Dataset, name: str, default: Any = None) -> Any:
    """An attribute as Python's own kind: a number, a text, or a list of such."""
    if name not in place.attrs:
        if default is None:
            raise ResultError(f"'{place.name}' has no attribute '{name}'")
        return default
    found = place.attrs.get_id(name)
    kind, space = found.get_type(), found.get_space()
    is_text = isinstance(kind, h5py.h5t.TypeStringID)
    if not is_text and kind.get_class() not in PLAIN:
        raise ResultError(f"the attribute '{name}' of '{place.name}' holds neither numbers nor text")
    if space.get_simple_extent_type() == h5py.h5s.NULL:
        raise ResultError(f"the attribute '{name}' of '{place.name}' is empty")
    most = MOST_WORDS if is_text and kind.is_variable_str() else MOST_ENTRIES
    if space.get_simple_extent_npoints() > most:
        raise ResultError(f"the attribute '{name}' of '{place.name}' has more than {most} entries")
    return plain(place.attrs[name])


def plain(value: Any) -> Any:
    """Numbers and texts of the library as Python's own."""
    if isinstance(value, np.ndarray):
        return [plain(entry) for entry in value]
    if isinstance(value, np.generic):
        value = value.item()
    return value.decode() if isinstance(value, bytes) else value


def text(value: object) -> str:
    """An attribute's or scalar dataset's value as text."""
    return value.decode() if isinstance(value, bytes) else str(value)


def dimensions(data: h5py.Dataset) -> tuple[str, ...]:
    """What the dimensions are called, by label or by the coordinate tied to them; '' where nobody says.

    The library's own functions for this trust the attributes.
    """
    labels = attribute(data, "DIMENSION_LABELS", [])
    named = [str(label) for label in labels] if isinstance(labels, list) else []
    named = named if len(named) == data.ndim else [""] * data.ndim
    return tuple(label or scale for label, scale in zip(named, scales(data), strict=True))


def scales(data: h5py.Dataset) -> tuple[str, ...]:
    """The names of the coordinates tied to the dimensions, as netCDF does it; '' where there is none."""
    none = ("",) * data.ndim
    if "DIMENSION_LIST" not in data.attrs:
        return none
    found = data.attrs.get_id("DIMENSION_LIST")
    kind = found.get_type()
    if found.shape != (data.ndim,) or not isinstance(kind, h5py.h5t.TypeVlenID):
        return none
    if not kind.get_super().equal(h5py.h5t.STD_REF_OBJ):
        return none
    return tuple(name_of(data, tied[0]) if len(tied) else "" for tied in data.attrs["DIMENSION_LIST"])


def name_of(data: h5py.Dataset, reference: h5py.Reference) -> str:
    """The last part of the name of what a reference leads to."""
    return str(h5py.h5r.get_name(reference, data.id).decode()).rsplit("/", 1)[-1] if reference else ""
