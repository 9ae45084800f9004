"""Files that describe shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LARGEST = 100_000_000


def readable(file: Any) -> Path:
    """The path of a file that is there and not too large."""
    path = Path(file)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if path.stat().st_size > LARGEST:
        raise ValueError(f"{path} is larger than {LARGEST // 1_000_000} MB")
    return path


def read_bytes(file: Any) -> bytes:
    """What a file holds."""
    return readable(file).read_bytes()
