"""A process that tries inputs, and says in a shared piece of memory which one is in the making."""

from __future__ import annotations

import mmap
import os
import shutil
import sys
import tempfile
from pathlib import Path

HEAD = 16  # bytes: the number of cases tried, and the length of the present one
SIZE = 1 << 20


class Board:
    """The number of cases tried and the present one, in a file that two processes map."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(SIZE))
        with path.open("r+b") as stream:
            self.memory = mmap.mmap(stream.fileno(), SIZE)

    def write(self, count: int, data: bytes) -> None:
        """The present case."""
        data = data[: SIZE - HEAD]
        self.memory[HEAD : HEAD + len(data)] = data
        self.memory[:HEAD] = count.to_bytes(8, "little") + len(data).to_bytes(8, "little")

    @property
    def count(self) -> int:
        """The number of cases tried, with the present one."""
        return int.from_bytes(self.memory[:8], "little")

    @property
    def data(self) -> bytes:
        """The present case."""
        return bytes(self.memory[HEAD : HEAD + int.from_bytes(self.memory[8:HEAD], "little")])


def work(name: str, engine: str, seed: int, cases: int, board: Path, finds: Path) -> None:
    """Try so many cases; each that does what it must not is written into the folder of finds."""
    from . import engines

    if engine == "atheris":
        engines.instrumented()
    from .guard import Guard, limited
    from .targets import TARGETS, furnish

    target, place = TARGETS[name], Board(board)
    scratch = Path(tempfile.mkdtemp(prefix="fuzz_", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    guard = Guard(scratch).install()
    folder = furnish(scratch)
    for data in target.seeds():
        guard.trouble(lambda data=data: target.run(data, folder))  # what is loaded at first use is loaded now
    limited()
    seen: set[str] = set()
    count = 0

    def attempt(data: bytes) -> None:
        nonlocal count
        count += 1
        place.write(count, data)
        said = guard.trouble(lambda: target.run(data, folder))
        place.write(count, b"")  # from here on it is not the program that runs
        kind = said.strip().rpartition("\n  File")[2] or said
        if said and kind not in seen:
            seen.add(kind)
            keep(finds, name, data, said)

    try:
        engines.ENGINES[engine](target, seed, cases, attempt, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def keep(finds: Path, name: str, data: bytes, said: str) -> None:
    """Write a find: the input, and what happened."""
    number = len(list(finds.glob(f"{name}-*.bin")))
    (finds / f"{name}-{number:03d}-{os.getpid()}.bin").write_bytes(data)
    (finds / f"{name}-{number:03d}-{os.getpid()}.txt").write_text(said, errors="replace")


def again(name: str, path: Path) -> str:
    """What happens with an input that was found."""
    from .guard import Guard
    from .targets import TARGETS, furnish

    scratch, data = Path(tempfile.mkdtemp(prefix="fuzz_")), path.read_bytes()
    try:
        folder = furnish(scratch)
        return Guard(scratch).install().trouble(lambda: TARGETS[name].run(data, folder))
    finally:
        shutil.rmtree(scratch)


if __name__ == "__main__":
    kind, way, start, number, where, found = sys.argv[1:]
    work(kind, way, int(start), int(number), Path(where), Path(found))
