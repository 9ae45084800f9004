"""Ways to minimise a sum of squares."""

from __future__ import annotations

from typing import Callable, Mapping

from kanpde.optimisers.adam import Adam
from kanpde.optimisers.base import Normal, Objective, Optimiser, Step
from kanpde.optimisers.broyden import SelfScaledBroyden
from kanpde.optimisers.lbfgs import LBFGS
from kanpde.optimisers.levenberg_marquardt import LevenbergMarquardt
from kanpde.optimisers.orthogonal import Orthogonal

OPTIMISERS: Mapping[str, Callable[..., Optimiser]] = {
    "adam": Adam,
    "l-bfgs": LBFGS,
    "levenberg-marquardt": LevenbergMarquardt,
    "orthogonal": Orthogonal,
    "self-scaled-broyden": SelfScaledBroyden,
}

__all__ = [
    "OPTIMISERS", "Adam", "LBFGS", "LevenbergMarquardt", "Normal", "Objective", "Optimiser", "Orthogonal", "Step",
]
