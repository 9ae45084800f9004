"""The problems that all peers solve, and how far a peer's solution is from the truth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import h5py
import numpy as np

PROBLEMS = Path(__file__).resolve().parents[2] / "problems"
REFERENCES = PROBLEMS / "references"
FINE = 101

Array = np.ndarray
Solution = Callable[[Array], Array]


@dataclass(frozen=True)
class Truth:
    """The solution on a fine grid: `values[j, i]` at `first[i]`, `second[j]`."""

    first: Array
    second: Array
    values: Array

    @cached_property
    def points(self) -> Array:
        """The grid's points, one in a row, in the order of `values.ravel()`."""
        return np.stack(np.meshgrid(self.first, self.second), axis=-1).reshape(-1, 2)

    def error_of(self, solution: Solution) -> float:
        """The relative L2 error of a function of points (n, 2)."""
        found = np.asarray(solution(self.points), dtype=float).reshape(self.values.shape)
        return float(np.linalg.norm(found - self.values) / np.linalg.norm(self.values))


@dataclass(frozen=True)
class Sines:
    """Laplace(u) + shift u = amplitude sin(a pi x) sin(b pi y) on [-1, 1]^2, u = 0 around it; the sines solve it."""

    file: str
    shift: float
    a: int
    b: int

    @property
    def amplitude(self) -> float:
        return self.shift - (self.a**2 + self.b**2) * np.pi**2

    def truth(self) -> Truth:
        x = np.linspace(-1, 1, FINE)
        return Truth(x, x, np.outer(np.sin(self.b * np.pi * x), np.sin(self.a * np.pi * x)))


@dataclass(frozen=True)
class Evolution:
    """u(x, t) on [-1, 1] x [0, 1] from a given start; the truth is in a file of the gallery."""

    file: str
    reference: str
    initial: Callable[[Array], Array]

    def truth(self) -> Truth:
        with h5py.File(REFERENCES / self.reference) as file:
            return Truth(file["x"][:], file["t"][:], file["u"][:])


Problem = Sines | Evolution

VISCOSITY = 0.01 / np.pi  # B1: u_t + u u_x = VISCOSITY u_xx, u(-1, t) = u(1, t) = 0
DIFFUSION = 1e-4  # AC1: u_t = DIFFUSION u_xx + REACTION (u - u^3), periodic
REACTION = 5.0

TABLE: dict[str, Problem] = {
    "P1": Sines("elliptic_2d_poisson.yaml", shift=0, a=1, b=1),
    "HZ1": Sines("elliptic_2d_helmholtz.yaml", shift=1, a=1, b=4),
    "B1": Evolution("parabolic_1d_burgers.yaml", "burgers.h5", lambda x: -np.sin(np.pi * x)),
    "AC1": Evolution("parabolic_1d_allen_cahn.yaml", "allen_cahn.h5", lambda x: x**2 * np.cos(np.pi * x)),
}
