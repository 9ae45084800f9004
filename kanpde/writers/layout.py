"""The names and attributes of a result file, which its writer and its reader share."""

from __future__ import annotations

from typing import Iterable, Mapping, Sequence

import numpy as np

FORMAT = "kanpde-solution"
VERSION = "1.2"
FILE = "solution.h5"
TIME = "t"
RESERVED = (
    "entry", "VTKHDF", "plots", "network", "errors", "estimated", "summary", "provenance", "fit", "outline",
    "quantities", "points",
)
OF_THE_SPEC = ("spec_yaml", "spec_name", "spec_sha256", "overrides")  # in /provenance, and not of Result.provenance


def stored_order(axes: Iterable[str]) -> tuple[str, ...]:
    """The axes as arrays are stored: time first, then the last coordinate to the first, which varies fastest."""
    names = tuple(axes)
    return tuple(name for name in names if name == TIME) + tuple(name for name in reversed(names) if name != TIME)


def permutation(given: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    """What to give `transpose` for an array over the axes `given` to become one over `wanted`."""
    return tuple(given.index(name) for name in wanted)


def stored_names(names: Iterable[str], taken: Iterable[str]) -> dict[str, str]:
    """A name that HDF5 allows for each of `names`, all different and none in `taken`."""
    found: dict[str, str] = {}
    for name in names:
        safe = name.replace("/", "_").replace(".", "_") or "_"
        while safe in found.values() or safe in taken:
            safe += "_"
        found[name] = safe
    return found


def uniform(axis: np.ndarray) -> bool:
    """Whether the points of an axis are equally far apart."""
    steps = np.diff(axis)
    return len(axis) < 3 or bool(np.allclose(steps, steps[0], rtol=1e-9, atol=0))


def spatial(axes: Mapping[str, np.ndarray]) -> list[str]:
    """The coordinates other than time, in the problem's order."""
    return [name for name in axes if name != TIME]
