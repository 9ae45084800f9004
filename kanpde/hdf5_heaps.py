"""The heaps in which HDF5 keeps texts of variable length, looked at before the library does, which may never return.

A heap is `GCOL`, version 1, three zero bytes and its size, then objects: a number, references, four bytes left free, a
size, and so many bytes, up to a multiple of eight. Object 0 is the room that is left, its head included, and the last.
"""

from __future__ import annotations

import mmap
from pathlib import Path

from kanpde.errors import ResultError

MARK = b"GCOL\x01\x00\x00\x00"
HEAD = 16  # bytes, of a heap and of an object


def check_heaps(path: Path) -> None:
    """Refuse a file with a heap whose objects do not lie one after the other within it."""
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        start = data.find(MARK)
        while start >= 0:
            if not is_sound(data, start):
                raise ResultError(f"the file is broken: its texts at byte {start} do not end where they should")
            start = data.find(MARK, start + len(MARK))


def is_sound(data: mmap.mmap, start: int) -> bool:
    """Whether the objects of the heap at `start` lead to its end."""
    end = start + number(data, start + 8)
    place = start + HEAD
    if not place <= end <= len(data):
        return False
    while place + HEAD <= end:
        index, size = int.from_bytes(data[place : place + 2], "little"), number(data, place + 8)
        if index == 0:
            return place + size == end
        place += HEAD + (size + 7) // 8 * 8
    return place <= end


def number(data: mmap.mmap, place: int) -> int:
    """Eight bytes as a number."""
    return int.from_bytes(data[place : place + 8], "little")
