"""The families of functions on a KAN's edges."""

from __future__ import annotations

from typing import Mapping

from kanpde.bases.base import Basis
from kanpde.bases.bspline import BSpline
from kanpde.bases.chebyshev import Chebyshev
from kanpde.bases.fourier import Fourier
from kanpde.bases.jacobi import Jacobi
from kanpde.bases.legendre import Legendre
from kanpde.bases.rbf import GaussianRbf
from kanpde.bases.relu_power import ReluPower
from kanpde.bases.sine import Sine
from kanpde.bases.wavelet import Wavelet

BASES: Mapping[str, type[Basis]] = {
    "bspline": BSpline,
    "chebyshev": Chebyshev,
    "legendre": Legendre,
    "jacobi": Jacobi,
    "sine": Sine,
    "fourier": Fourier,
    "rbf": GaussianRbf,
    "wavelet": Wavelet,
    "relu-power": ReluPower,
}

__all__ = ["BASES", "BSpline", "Basis", "Chebyshev", "Sine"]
