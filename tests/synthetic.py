"""Results with known contents, without any training."""

from __future__ import annotations

from typing import Mapping

import numpy as np

from kanpde.quantities import Quantities
from kanpde.result import Field, FieldError, Outcome, Result

GRIDS: Mapping[str, Mapping[str, int]] = {
    "line": {"x": 41},
    "line in time": {"x": 33, "t": 17},
    "square": {"x": 23, "y": 31},
    "square in time": {"x": 11, "y": 13, "t": 7},
    "cube": {"x": 9, "y": 11, "z": 8},
    "cube in time": {"x": 5, "y": 6, "z": 7, "t": 4},
    "time first": {"t": 5, "x": 9},
    "four dimensions": {"a": 4, "b": 5, "c": 6, "d": 7},
}


def synthetic(kind: str = "square", hole: bool = False, seed: int = 0) -> Result:
    """A result over the grid of this kind, with a field of every sort."""
    random = np.random.default_rng(seed)
    axes = {name: np.linspace(0, 1 + number, count) for number, (name, count) in enumerate(GRIDS[kind].items())}
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    exact = np.prod([np.sin(2 * axis + 0.3) for axis in mesh], axis=0)
    if hole:
        exact = np.where(mesh[0] < 0.3, np.nan, exact)
    error = 1e-6 * random.normal(size=exact.shape)
    fields = {
        "u": Field(exact + error, "solution", "u", "the temperature"),
        "u_exact": Field(exact, "exact", "u"),
        "u_error": Field(error, "error", "u"),
        "u_estimate": Field(2 * np.abs(error), "estimate", "u"),
        "u_sigma": Field(np.full_like(exact, 0.05), "sigma", "u"),
        "residual_heat": Field(random.normal(size=exact.shape) * 1e-4, "residual", "heat"),
        "network": Field(exact**2, "extra", "network"),
    }
    steps = np.arange(30)
    history = {"step": steps, "seconds": 0.1 * steps, "loss": np.exp(-steps / 5), "held_out": np.exp(-steps / 6),
               "loss_x_min.u": random.random(30), "error_u": np.exp(-steps / 9)}
    network = {"layers": [{"coefficients": random.random((3, 4, 5)), "basis": "sine", "degree": 4},
                          {"coefficients": random.random((300, 40)), "knots": np.arange(4, dtype=np.float32)}],
               "names": ["x", "t"], "shape": [2, 8, 1], "bounded": True, "scale": 2.5}
    return Result("Heat in a plate", axes, fields, {"u": FieldError(1e-6, 2e-6, "exact", 1e-12)}, history, network,
                  Outcome.CONVERGED, {"basis": "sine", "shape": [2, 8, 1], "coefficients": 720},
                  "title: Wärme\n" * 10_000, "heat.yaml", ("network.width=8",),
                  estimated={"u": FieldError(2e-6, 4e-6, "estimate")},
                  quantities=Quantities({"x": "length"}, {"x": "m", "u": "K"}, {"flux": ("u", "network")}),
                  points=points(axes, random),
                  provenance={"seed": 3, "versions": {"numpy": "2"}},
                  outline={"x y": np.array([[0.3, 0.3, np.nan, 1.0], [0.0, 2.0, np.nan, 1.0]])} if hole else {})


def points(axes: Mapping[str, np.ndarray], random: np.random.Generator) -> dict[str, np.ndarray]:
    """Points inside and on both ends of each coordinate."""
    low, high = np.array([[axis[0], axis[-1]] for axis in axes.values()]).T[:, :, None]
    found = {"interior": low + (high - low) * random.random((len(axes), 60))}
    for number, name in enumerate(axes):
        for end, at in (("min", low), ("max", high)):
            some = low + (high - low) * random.random((len(axes), 9 if len(axes) > 1 else 1))
            some[number] = at[number]
            found[f"{name}_{end}"] = some
    return found
