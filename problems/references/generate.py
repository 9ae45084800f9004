"""Computes the reference solutions of the gallery and certifies each by a second, coarser computation.

    python problems/references/generate.py [burgers] [allen_cahn] [kdv] ...

The certified error is the relative L2 difference of the two computations, of the field in which it is largest, or 1e-15
where rounding is all that is left; the finer one is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from burgers import burgers
from cavity import cavity
from fields import Fields, difference, write
from fourier import allen_cahn, cahn_hilliard, gray_scott, kdv, kuramoto_sivashinsky
from schroedinger import schroedinger


@dataclass(frozen=True)
class Reference:
    """A solution to compute twice, coarsely and finely."""

    title: str
    coarse: Callable[[], Fields]
    fine: Callable[[], Fields]


REFERENCES = {
    "burgers": Reference(
        "Viscous Burgers equation, nu = 0.01/pi: Cole-Hopf integral, trapezoidal rule with 2000 intervals",
        coarse=lambda: burgers(0.01 / np.pi, 1300),
        fine=lambda: burgers(0.01 / np.pi, 2000),
    ),
    "burgers_mild": Reference(
        "Viscous Burgers equation, nu = 0.01: Cole-Hopf integral, trapezoidal rule with 2000 intervals",
        coarse=lambda: burgers(0.01, 1300),
        fine=lambda: burgers(0.01, 2000),
    ),
    "allen_cahn": Reference(
        "Allen-Cahn equation, D = 0.0001: 16384 Fourier modes, ETDRK4 with step 1/8000",
        coarse=lambda: allen_cahn(8192, 40),
        fine=lambda: allen_cahn(16384, 80),
    ),
    "kdv": Reference(
        "Korteweg-de Vries equation, delta = 0.022: 1024 Fourier modes, ETDRK4 with step 1/40000",
        coarse=lambda: kdv(512, 200),
        fine=lambda: kdv(1024, 400),
    ),
    "kuramoto_sivashinsky": Reference(
        "Kuramoto-Sivashinsky equation: 512 Fourier modes, ETDRK4 with step 1/80000",
        coarse=lambda: kuramoto_sivashinsky(256, 400),
        fine=lambda: kuramoto_sivashinsky(512, 800),
    ),
    "cahn_hilliard": Reference(
        "Cahn-Hilliard equation: 1024 Fourier modes, ETDRK4 with step 1/20000",
        coarse=lambda: cahn_hilliard(512, 100),
        fine=lambda: cahn_hilliard(1024, 200),
    ),
    "gray_scott": Reference(
        "Gray-Scott equations: 512 Fourier modes, ETDRK4 with step 1/200",
        coarse=lambda: gray_scott(256, 20),
        fine=lambda: gray_scott(512, 40),
    ),
    "schroedinger": Reference(
        "Nonlinear Schroedinger equation: 4096 Fourier modes, their tail added, fourth-order splitting, step pi/32000",
        coarse=lambda: schroedinger(2048, 100),
        fine=lambda: schroedinger(4096, 200),
    ),
    "cavity": Reference(
        "Cavity under a lid 4 x (1 - x), Re = 100: corner flows and 44 x 44 polynomials, Galerkin, Newton",
        coarse=lambda: cavity(36),
        fine=lambda: cavity(44),
    ),
}


def main(names: list[str]) -> None:
    """Writes the named references, or all, beside this file."""
    for name in names or REFERENCES:
        reference = REFERENCES[name]
        found = reference.fine()
        certified = max(difference(reference.coarse(), found), 1e-15)
        write(Path(__file__).with_name(f"{name}.h5"), reference.title, found, certified)
        print(f"{name}: certified relative L2 error {certified:.1e}")


if __name__ == "__main__":
    main(sys.argv[1:])
