"""A run's checkpoint: one file with a checksum and the one before it, written whole or not at all.

A line that names the format and the SHA-256 of all that follows; the length of a JSON text; that text, in which
{"#": [type, shape, start]} stands for an array; the bytes of the arrays.
"""

from __future__ import annotations

import hashlib
import json
import os
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any, Mapping

import numpy as np

from kanpde.errors import ResultError
from kanpde.writers.atomic import flush_to_disk, replacing

LATEST, BEFORE = "checkpoint.kanpde", "checkpoint-before.kanpde"
HEAD = b"kanpde checkpoint 1 "
LARGEST = 8 * 2**30  # bytes
TYPES = ("float64", "float32", "int64", "uint8", "bool")
BROKEN = (ValueError, KeyError, TypeError, IndexError, RecursionError, MemoryError, OverflowError)


def write(folder: Path, content: Mapping[str, Any]) -> None:
    """The new checkpoint, with the latest one kept as the one before; raises OSError, and nothing is lost."""
    latest = folder / LATEST
    with replacing(latest) as temporary:
        with temporary.open("wb") as stream:
            for part in packed(content):
                stream.write(part)
        flush_to_disk(temporary)
        if latest.exists():
            os.replace(latest, folder / BEFORE)


def read(folder: Path) -> tuple[dict[str, Any] | None, list[str]]:
    """The newest intact checkpoint, None if there has been none, and what to tell of those that are broken.

    Raises ResultError where all there are are broken.
    """
    wrong = []
    for name in (LATEST, BEFORE):
        if (folder / name).is_file():
            try:
                return unpacked(whole(folder / name)), wrong
            except ResultError as error:
                wrong.append(f"{folder / name}: {error}")
            except OSError as error:
                wrong.append(f"{folder / name}: {error.strerror}")
    if wrong:
        raise ResultError("\n".join([*wrong, f"{folder}: no intact checkpoint is left to resume from"]))
    return None, []


def whole(path: Path) -> bytes:
    """The bytes of a checkpoint; raises ResultError if there are too many."""
    if path.stat().st_size > LARGEST:
        raise ResultError(f"larger than {LARGEST // 2**30} GiB, the limit of a checkpoint")
    return path.read_bytes()


def exists(folder: Path) -> bool:
    """Whether there is a checkpoint, intact or not."""
    return any((folder / name).is_file() for name in (LATEST, BEFORE))


def remove(folder: Path) -> None:
    """Remove the checkpoints of a run that has been written."""
    for name in (BEFORE, LATEST):
        with suppress(OSError):
            (folder / name).unlink()


def packed(content: Mapping[str, Any]) -> list[bytes]:
    """The pieces of the file."""
    arrays: list[np.ndarray] = []
    text = json.dumps(referred(content, arrays, [0])).encode()
    parts = [len(text).to_bytes(8, "little"), text, *(array.tobytes() for array in arrays)]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return [HEAD + digest.hexdigest().encode() + b"\n", *parts]


def referred(value: Any, arrays: list[np.ndarray], end: list[int]) -> Any:
    """The value with each array in it replaced by where its bytes are going to be."""
    if isinstance(value, Mapping):
        return {name: referred(entry, arrays, end) for name, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [referred(entry, arrays, end) for entry in value]
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.name not in TYPES:
        raise TypeError(f"a checkpoint holds no array of {value.dtype}")
    start, end[0] = end[0], end[0] + value.nbytes
    arrays.append(value)
    return {"#": [value.dtype.name, list(value.shape), start]}


def unpacked(data: bytes) -> dict[str, Any]:
    """What a file holds; raises ResultError unless it is whole."""
    head, _, rest = data[:200].partition(b"\n")
    if not head.startswith(HEAD) or not rest:
        raise ResultError("not a checkpoint of this version, or the beginning of it is damaged")
    body = memoryview(data)[len(head) + 1 :]
    if hashlib.sha256(body).hexdigest().encode() != head[len(HEAD) :]:
        raise ResultError("damaged: its checksum does not fit what it holds")
    try:
        size = int.from_bytes(body[:8], "little")
        found = restored(json.loads(bytes(body[8 : 8 + size])), body[8 + size :], [0])
    except BROKEN as error:
        raise ResultError(f"damaged: {error}") from error
    if not isinstance(found, dict):
        raise ResultError("damaged: it does not hold what a checkpoint holds")
    return found


def restored(value: Any, room: memoryview, end: list[int]) -> Any:
    """The value with the arrays in their places, one after another, so that they take no more than the file."""
    if isinstance(value, list):
        return [restored(entry, room, end) for entry in value]
    if not isinstance(value, dict):
        return value
    if set(value) != {"#"}:
        return {name: restored(entry, room, end) for name, entry in value.items()}
    kind, shape, start = value["#"]
    if kind not in TYPES or start != end[0] or not all(type(side) is int and side >= 0 for side in shape):
        raise ValueError(f"an array of kind {kind!r}, shape {shape}, at {start}")
    if prod(shape) == 0:
        return np.empty(shape, kind)
    found = np.frombuffer(room, kind, prod(shape), start).reshape(shape).copy()
    end[0] += found.nbytes
    return found
