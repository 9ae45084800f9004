"""Makes the readings of the inverse problems of the gallery: exact solutions with normally distributed errors.

    python problems/references/readings.py
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

Columns = dict[str, np.ndarray]


def thermocouples(random: np.random.Generator) -> Columns:
    """100 temperatures of a rod with D = 0.2, to 0.01."""
    x, t = random.uniform(0, 1, (2, 100))
    u = np.exp(-0.2 * np.pi**2 * t) * np.sin(np.pi * x)
    return {"x": x, "t": t, "u": u + 0.01 * random.normal(size=100)}


def conductor(random: np.random.Generator) -> Columns:
    """2500 potentials in a square, to 0.1."""
    x, y = random.uniform(0, 1, (2, 2500))
    u = np.sin(np.pi * x) * np.sin(np.pi * y)
    return {"x": x, "y": y, "u": u + 0.1 * random.normal(size=2500)}


def probes(random: np.random.Generator) -> Columns:
    """100 velocities of Burgers' equation with nu = 0.01, to 0.01, by the integral of Cole and Hopf."""
    x, t, nu = random.uniform(-1, 1, 100), random.uniform(0.1, 1, 100), 0.01
    nodes, weights = np.polynomial.hermite.hermgauss(200)
    y = x[:, None] - np.sqrt(4 * nu * t)[:, None] * nodes
    exponents = -np.cos(np.pi * y) / (2 * np.pi * nu)
    heights = np.exp(exponents - exponents.max(1, keepdims=True)) * weights
    u = -(np.sin(np.pi * y) * heights).sum(1) / heights.sum(1)
    return {"x": x, "t": t, "u": u + 0.01 * random.normal(size=100)}


def main() -> None:
    """Writes each set beside this file, with the seed of its number."""
    for seed, make in enumerate((thermocouples, conductor, probes)):
        columns = make(np.random.default_rng(seed))
        path = Path(__file__).with_name(f"{make.__name__}.csv")
        np.savetxt(path, np.stack(list(columns.values()), 1), "%.5f", ",", header=",".join(columns), comments="")


if __name__ == "__main__":
    main()
