"""The fields as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Iterator

import numpy as np

from kanpde.result import Result
from kanpde.writers.table import write_table


def write(result: Result, target: Path, source: Path) -> Iterator[str]:
    """A row for each grid point, but for those where no field has a value, as outside of a region."""
    mesh = np.meshgrid(*result.axes.values(), indexing="ij")
    points = np.stack([axis.ravel() for axis in mesh], axis=1)
    fields = {name: np.asarray(field.values, float).ravel() for name, field in result.fields.items()}
    some = np.isfinite(np.stack(list(fields.values()))).any(axis=0) if fields else np.ones(len(points), bool)
    write_table(target, tuple(result.axes), points[some], {name: values[some] for name, values in fields.items()})
    yield f"{target}: {int(some.sum())} points, {len(fields)} fields"
