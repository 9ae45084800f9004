"""HDF5 files that somebody else may have written, opened so that they neither lead elsewhere nor fill the memory."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

import h5py

from kanpde.bounded import spare_memory
from kanpde.errors import ResultError
from kanpde.hdf5_heaps import check_heaps

LARGEST_TOTAL = 8 * 2**30  # bytes in memory of all the arrays of one file
UNPACKED = 16  # times its size on disk that a file may become, beyond what is
HARMLESS = 512 * 2**20  # bytes
DEEPEST = 32
MOST_OBJECTS = 100_000
BEST_COMPRESSION = 1100  # deflate cannot do better than 1032 to 1
BROKEN = (OSError, RuntimeError, KeyError, ValueError, TypeError, IndexError, AttributeError, MemoryError)


@contextmanager
def opened(path: Path) -> Iterator[h5py.File]:
    """The HDF5 file at `path` for reading; whatever fails in it becomes one clear ResultError."""
    if not path.is_file():
        raise ResultError(f"{path}: there is no such file")
    if not h5py.is_hdf5(path):
        raise ResultError(f"{path}: not an HDF5 file, or the beginning of it is damaged")
    try:
        check_heaps(path)
        size = path.stat().st_size
        with spare_memory(2 * most(size)), h5py.File(path, "r", locking="best-effort") as file:
            check_size(file, size)
            yield file
    except ResultError as error:
        raise ResultError(f"{path}: {error}") from error
    except MemoryError as error:
        raise ResultError(f"{path}: it takes more memory than a file of {size} bytes may") from error
    except BROKEN as error:
        raise ResultError(f"{path}: the file is broken: {first_line(error)}") from error


def most(size: int) -> int:
    """The bytes that the arrays of a file of a given size may take in memory."""
    return min(max(UNPACKED * size, HARMLESS), LARGEST_TOTAL)


def first_line(error: BaseException) -> str:
    """The first line of an error's text, or its kind if it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def members(group: h5py.Group) -> Iterator[tuple[str, h5py.Group | h5py.Dataset]]:
    """The groups and arrays in `group` by name; links by path or into other files are passed over."""
    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            member = group[name]
            if isinstance(member, (h5py.Group, h5py.Dataset)):
                yield name, member


def subgroup(group: h5py.Group, name: str) -> h5py.Group | None:
    """The group linked as `name`, if there is one."""
    found = dict(members(group)).get(name)
    return found if isinstance(found, h5py.Group) else None


def datasets(group: h5py.Group) -> dict[str, h5py.Dataset]:
    """The arrays linked in `group` itself, by name."""
    return {name: member for name, member in members(group) if isinstance(member, h5py.Dataset)}


def check_size(file: h5py.File, bytes_on_disk: int) -> None:
    """Refuse a file whose arrays would fill the memory or could not have come from as few bytes."""
    total = 0
    for data in every_dataset(file):
        if data.is_virtual or data.external:
            raise ResultError(f"'{data.name}' keeps its values in another file")
        if data.nbytes > BEST_COMPRESSION * bytes_on_disk:
            raise ResultError(f"'{data.name}' claims {data.nbytes} bytes; a file of {bytes_on_disk} cannot hold them")
        total += data.nbytes
    if total > most(bytes_on_disk):
        allowed = f"at most {most(bytes_on_disk) / 2**20:.0f} are read from a file of {bytes_on_disk} bytes"
        raise ResultError(f"its arrays take {total / 2**20:.0f} MiB; {allowed}")


def every_dataset(group: h5py.Group) -> Iterator[h5py.Dataset]:
    """Each array at or below `group`, once for each hard link to it."""
    waiting = [(group, 0)]
    seen = 0
    while waiting:
        here, depth = waiting.pop()
        for _, member in members(here):
            seen += 1
            if seen > MOST_OBJECTS or depth > DEEPEST:
                raise ResultError("too many objects, or groups nested too deeply")
            if isinstance(member, h5py.Dataset):
                yield member
            else:
                waiting.append((member, depth + 1))

