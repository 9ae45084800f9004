"""The grid on which a solution is written: the user's, the reference's own, or the usual one."""

from __future__ import annotations

from dataclasses import replace
from math import prod

import numpy as np

from kanpde.references import Samples, read_reference
from kanpde.settings import usual_sides
from kanpde.spec import Spec

LARGEST_REFERENCE = 1_000_000  # points of a reference's grid on which the output is put
SLACK = 1e-12  # of a coordinate's interval: points this far outside still count as inside


def reference_grid(spec: Spec) -> Samples | None:
    """The reference on its own grid, if the output may be put there: inside the domain, where no other is asked for.

    Nothing is interpolated, so that the error at a point is the error and nothing else.
    """
    if spec.reference is None or spec.output.grid is not None or spec.output.times is not None:
        return None
    samples = read_reference(spec.reference.file, tuple(spec.box))
    if samples.scattered or set(samples.axes) != set(spec.box):
        return None
    order = [list(samples.axes).index(name) for name in spec.box]
    axes = {name: np.asarray(samples.axes[name], dtype=float) for name in spec.box}
    slack = {name: SLACK * (high - low) for name, (low, high) in spec.box.items()}
    inside = all(
        axes[name].min() >= low - slack[name] and axes[name].max() <= high + slack[name]
        for name, (low, high) in spec.box.items()
    )
    if not inside or prod(map(len, axes.values())) > LARGEST_REFERENCE:
        return None
    fields = {name: np.transpose(f, order).astype(float) for name, f in samples.fields.items() if name in spec.unknowns}
    return replace(samples, axes=axes, fields=fields)


def output_axes(spec: Spec) -> dict[str, np.ndarray]:
    """The coordinates of the output grid: as asked, else 101 a side in the plane and fewer in more dimensions.

    A coordinate of one point stands in the middle.
    """
    sizes = usual_sides(tuple(spec.box)) | dict(zip(spec.spatial, spec.output.grid or ()))
    found = {
        name: np.linspace(low, high, sizes[name]) if sizes[name] > 1 else np.array([(low + high) / 2])
        for name, (low, high) in spec.box.items()
    }
    times = spec.output.times
    if "t" in found and times is not None:
        start, end = spec.box["t"]
        every = np.linspace(start, end, times) if isinstance(times, int) else np.asarray(times, float)
        found["t"] = every if times != 1 else np.array([end])
    return found
