"""The families of functions on a KAN's edges."""

from __future__ import annotations

from typing import Mapping

from kanpde.bases.base import Basis
from kanpde.bases.bspline import BSpline
from kanpde.bases.chebyshev import Chebyshev
from kanpde.bases.sine import Sine

BASES: Mapping[str, type[Basis]] = {
    "bspline": BSpline,
    "chebyshev": Chebyshev,
    "sine": Sine,
}

__all__ = ["BASES", "BSpline", "Basis", "Chebyshev", "Sine"]
