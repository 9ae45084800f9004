"""The error of a problem solved for a whole range of a parameter, at single values of it.

    python benchmarks/parameters.py                      # solve the gallery's problem, then tell of it
    python benchmarks/parameters.py outputs/NAME-001     # tell of a run that there is

Points of a fit are random: none has any of the values of the table.
"""

from __future__ import annotations

import argparse
from itertools import product
from pathlib import Path

import numpy as np
import torch

from kanpde.solution import Solution, restored
from kanpde.solve import solve
from kanpde.spec import read_spec
from kanpde.truth import exact_values
from kanpde.writers.hdf5_reading import read

PROBLEM = Path(__file__).parent.parent / "problems" / "parabolic_1d_burgers_parametric.yaml"
VALUES, SIDE = 7, 101  # values of a parameter, ends among them, and points along every other coordinate


def error_at(solution: Solution, value: float) -> tuple[float, float]:
    """The relative L2 error of the worst unknown at one value of the parameter, and the largest error over the largest
    value."""
    spec = solution.spec
    ends = [value] * len(spec.parameters)
    axes = [np.linspace(*bounds, SIDE) for name, bounds in spec.box.items() if name not in spec.parameters]
    points = np.array([[*point, *ends] for point in product(*axes)])
    found, exact = solution.at(points), exact_values(spec, torch.as_tensor(points.T.copy()))
    pairs = [(found[name] - exact[name].numpy(), exact[name].numpy()) for name in spec.unknowns]
    return (
        max(float(np.linalg.norm(error) / np.linalg.norm(truth)) for error, truth in pairs),
        max(float(np.abs(error).max() / np.abs(truth).max()) for error, truth in pairs),
    )


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, nargs="?", help="a folder of a run")
    asked = parser.parse_args()
    solution = restored(read(asked.run / "solution.h5")) if asked.run else solve(read_spec(PROBLEM))
    (name,) = solution.spec.parameters
    print(f"| {name} | relative L2 error | largest error, of the largest value |\n|--:|--:|--:|")
    for value in np.geomspace(*solution.spec.box[name], VALUES):
        error, largest = error_at(solution, float(value))
        print(f"| {value:.4f} | {error:.1e} | {largest:.1e} |")


if __name__ == "__main__":
    main()
