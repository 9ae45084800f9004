"""A training as it was at one of its steps: plain arrays to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

import numpy as np

from kanpde.graph import Graph


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The fields over one or two coordinates, and the networks, after a step."""

    step: int
    seconds: float
    residual: float  # root mean square on fresh points
    axes: Mapping[str, np.ndarray]
    fields: Mapping[str, np.ndarray]
    graphs: tuple[Graph, ...] = ()
