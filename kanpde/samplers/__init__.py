"""Ways to scatter points over a box."""

from __future__ import annotations

from typing import Mapping

from kanpde.samplers.adaptive import chosen_by_residual
from kanpde.samplers.base import Draw, place
from kanpde.samplers.edged import edged
from kanpde.samplers.sobol import sobol
from kanpde.samplers.uniform import uniform

SAMPLERS: Mapping[str, Draw] = {"sobol": sobol, "uniform": uniform, "edged": edged}

__all__ = ["SAMPLERS", "Draw", "chosen_by_residual", "edged", "place", "sobol", "uniform"]
