"""Computes the reference solutions of the gallery with a bound on the error of each.

    python problems/references/generate.py [burgers] [allen_cahn] [kdv] ...

The certified error is the relative L2 difference from a second, coarser computation, of the field in which it is
largest, or follows from the maximum principle; or it is 1e-15 where rounding is all that is left.
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
from harmonic import four_discs, l_shape
from schroedinger import schroedinger


@dataclass(frozen=True)
class Reference:
    """A solution to compute, with a bound on its relative L2 error."""

    title: str
    computed: Callable[[], tuple[Fields, float]]


def twice(coarse: Callable[[], Fields], fine: Callable[[], Fields]) -> Callable[[], tuple[Fields, float]]:
    """The finer one of two computations, and how far they are apart."""

    def computed() -> tuple[Fields, float]:
        found = fine()
        return found, max(difference(coarse(), found), 1e-15)

    return computed


REFERENCES = {
    "burgers": Reference(
        "Viscous Burgers equation, nu = 0.01/pi: Cole-Hopf integral, trapezoidal rule with 2000 intervals",
        twice(coarse=lambda: burgers(0.01 / np.pi, 1300), fine=lambda: burgers(0.01 / np.pi, 2000)),
    ),
    "burgers_mild": Reference(
        "Viscous Burgers equation, nu = 0.01: Cole-Hopf integral, trapezoidal rule with 2000 intervals",
        twice(coarse=lambda: burgers(0.01, 1300), fine=lambda: burgers(0.01, 2000)),
    ),
    "allen_cahn": Reference(
        "Allen-Cahn equation, D = 0.0001: 16384 Fourier modes, ETDRK4 with step 1/8000",
        twice(coarse=lambda: allen_cahn(8192, 40), fine=lambda: allen_cahn(16384, 80)),
    ),
    "kdv": Reference(
        "Korteweg-de Vries equation, delta = 0.022: 1024 Fourier modes, ETDRK4 with step 1/40000",
        twice(coarse=lambda: kdv(512, 200), fine=lambda: kdv(1024, 400)),
    ),
    "kuramoto_sivashinsky": Reference(
        "Kuramoto-Sivashinsky equation: 512 Fourier modes, ETDRK4 with step 1/80000",
        twice(coarse=lambda: kuramoto_sivashinsky(256, 400), fine=lambda: kuramoto_sivashinsky(512, 800)),
    ),
    "cahn_hilliard": Reference(
        "Cahn-Hilliard equation: 1024 Fourier modes, ETDRK4 with step 1/20000",
        twice(coarse=lambda: cahn_hilliard(512, 100), fine=lambda: cahn_hilliard(1024, 200)),
    ),
    "gray_scott": Reference(
        "Gray-Scott equations: 512 Fourier modes, ETDRK4 with step 1/200",
        twice(coarse=lambda: gray_scott(256, 20), fine=lambda: gray_scott(512, 40)),
    ),
    "schroedinger": Reference(
        "Nonlinear Schroedinger equation: 4096 Fourier modes, their tail added, fourth-order splitting, step pi/32000",
        twice(coarse=lambda: schroedinger(2048, 100), fine=lambda: schroedinger(4096, 200)),
    ),
    "cavity": Reference(
        "Cavity under a lid 4 x (1 - x), Re = 100: corner flows and 44 x 44 polynomials, Galerkin, Newton",
        twice(coarse=lambda: cavity(36), fine=lambda: cavity(44)),
    ),
    "four_discs": Reference(
        "Laplace equation on a square with four holes: polynomials and Laurent's terms, certified on the boundary",
        lambda: four_discs(36, 24),
    ),
    "l_shape": Reference(
        "Poisson equation on an L-shaped domain: polynomials and corner functions, certified on the boundary",
        lambda: l_shape(50, 60),
    ),
}


def main(names: list[str]) -> None:
    """Writes the named references, or all, beside this file."""
    for name in names or REFERENCES:
        reference = REFERENCES[name]
        found, certified = reference.computed()
        write(Path(__file__).with_name(f"{name}.h5"), reference.title, found, certified)
        print(f"{name}: certified relative L2 error {certified:.1e}")


if __name__ == "__main__":
    main(sys.argv[1:])
