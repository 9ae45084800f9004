"""Nested dictionaries of arrays, numbers and words in an HDF5 group, and back, exactly.

A dictionary is a group, an array a dataset, a number or word an attribute. A list of equal things is an attribute too;
what HDF5 cannot say (None, a mixed list, huge integers) is JSON text in a dataset. Tuples come back as lists.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Mapping

import h5py
import numpy as np

from kanpde.errors import ResultError
from kanpde.hdf5_open import members
from kanpde.hdf5_values import attribute, attributes, text, values, words

LONGEST_ATTRIBUTE = 16_000  # bytes of UTF-8; HDF5 ends at 64 KiB for all that belongs to one attribute
KIND = "kanpde_kind"
MOST_LETTERS = 10_000_000  # in an array of text, of which each entry is as wide as the widest
SMALLEST_COMPRESSED = 4096  # bytes: below this, chunks cost more than they save


def store(group: h5py.Group, content: Mapping[str, Any]) -> None:
    """Write every entry of `content` into `group`."""
    for name, value in content.items():
        store_value(group, escaped(name), plain(value))


def load(group: h5py.Group) -> dict[str, Any]:
    """The dictionary that was stored in `group`."""
    found: dict[str, Any] = {unescaped(name): value for name, value in attributes(group).items() if ours(name)}
    for name, member in members(group):
        found[unescaped(name)] = LOADERS[kind_of(member)](member)
    return found


def ours(name: str) -> bool:
    """Whether an attribute is an entry, and not said about the group."""
    return name != KIND


def escaped(name: str) -> str:
    """`name` without what HDF5 reads as a path."""
    inner = str(name).replace("%", "%25").replace("/", "%2F")
    return {"": "%", ".": "%2E", KIND: KIND + "%"}.get(inner, inner)


def unescaped(name: str) -> str:
    """The name that `escaped` was given."""
    special = {"%": "", "%2E": ".", KIND + "%": KIND}
    return special[name] if name in special else name.replace("%2F", "/").replace("%25", "%")


def plain(value: Any) -> Any:
    """NumPy's numbers as Python's, tuples as lists; the rest as it is."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    return value


def store_value(group: h5py.Group, name: str, value: Any) -> None:
    """Write one entry in the form that suits it."""
    if isinstance(value, Mapping):
        store(group.create_group(name), value)
    elif isinstance(value, np.ndarray):
        store_array(group, name, value)
    elif isinstance(value, bytes):
        group.create_dataset(name, data=np.frombuffer(value, np.uint8)).attrs[KIND] = "bytes"
    elif isinstance(value, list) and any(isinstance(entry, (Mapping, np.ndarray, bytes)) for entry in value):
        store_list(group, name, value)
    elif fits_attribute(value):
        group.attrs[name] = value
    else:
        store_text(group, name, json.dumps(value), "json")


def store_list(group: h5py.Group, name: str, entries: list[Any]) -> None:
    """Write a list that holds arrays or dictionaries as a group with numbered entries."""
    inner = group.create_group(name)
    inner.attrs[KIND] = "list"
    for position, entry in enumerate(entries):
        store_value(inner, str(position), plain(entry))


def store_array(group: h5py.Group, name: str, value: np.ndarray) -> None:
    """Write an array; NumPy's fixed-width text, which HDF5 lacks, as JSON."""
    if value.dtype.kind == "U":
        store_text(group, name, json.dumps(value.tolist()), f"text{value.dtype.itemsize // 4}")
    elif value.dtype.hasobject:
        raise TypeError(f"{group.name}/{name}: an array of Python objects cannot be stored")
    else:
        group.create_dataset(name, data=value, **compression(value))


def compression(value: np.ndarray) -> dict[str, Any]:
    """How to store an array: in one piece if small, else deflated, with a checksum."""
    if value.nbytes < SMALLEST_COMPRESSED or not value.shape:
        return {}
    sides = {1: 65536, 2: 256}.get(value.ndim, 64)
    leading = value.ndim - 3
    chunks = tuple(1 if axis < leading else min(n, sides) for axis, n in enumerate(value.shape))
    return dict(chunks=chunks, compression="gzip", compression_opts=4, shuffle=True, fletcher32=True)


def store_text(group: h5py.Group, name: str, content: str, kind: str) -> None:
    """Write text of any length as a dataset that says what it is."""
    group.create_dataset(name, data=content, dtype=h5py.string_dtype()).attrs[KIND] = kind


def fits_attribute(value: Any) -> bool:
    """Whether HDF5 gives `value` back as it was from an attribute."""
    if isinstance(value, list):
        kinds = {type(entry) for entry in value}
        short = len(value) <= 1000
        return short and kinds in ({int}, {float}, {str}, {bool}) and all(map(fits_attribute, value)) and brief(value)
    if isinstance(value, str):
        return "\0" not in value and value.encode(errors="ignore").decode() == value and brief([value])
    if isinstance(value, bool):
        return True
    if isinstance(value, int):
        return -(2**63) <= value < 2**63
    return isinstance(value, float)


def brief(entries: list[Any]) -> bool:
    """Whether the entries are short enough for one attribute."""
    return sum(len(str(entry)) for entry in entries) * 4 <= LONGEST_ATTRIBUTE


def kind_of(member: h5py.Group | h5py.Dataset) -> str:
    """What a stored group or dataset stands for: the key of its loader."""
    said = text(attribute(member, KIND, ""))
    default = "dictionary" if isinstance(member, h5py.Group) else "array"
    kind = "text" if said.startswith("text") else said or default
    if kind not in LOADERS or (kind in ("dictionary", "list")) != isinstance(member, h5py.Group):
        raise ResultError(f"'{member.name}' is of an unknown kind, '{kind}'")
    return kind


def load_list(group: h5py.Group) -> list[Any]:
    """The list that was stored in numbered entries."""
    found = load(group)
    return [found[str(position)] for position in range(len(found))]


def load_array(data: h5py.Dataset) -> np.ndarray | str:
    """A stored array, or text that another tool has put there."""
    return words(data) if h5py.check_string_dtype(data.dtype) and not data.shape else values(data)


def load_words(data: h5py.Dataset) -> np.ndarray:
    """A stored array of text, with its width."""
    width, found = int(text(attribute(data, KIND)).removeprefix("text")), np.array(json.loads(words(data)))
    if not (found.dtype.kind == "U" or not found.size) or found.size * width > MOST_LETTERS:
        raise ResultError(f"'{data.name}' is no array of text of {width} letters")
    return found.astype(f"<U{width}")


LOADERS: Mapping[str, Callable[[Any], Any]] = {
    "dictionary": load,
    "list": load_list,
    "array": load_array,
    "bytes": lambda data: values(data).tobytes(),
    "json": lambda data: json.loads(words(data)),
    "text": load_words,
}
