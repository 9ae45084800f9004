"""What a fit says of the quantities fitted: values, standard deviations, intervals, and how well the readings agree."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from math import floor, isfinite, log10
from typing import Any, Mapping

import numpy as np


@dataclass(frozen=True)
class Scatter:
    """The readings of a data set, less what the fit follows; their deviation; their root mean square residual."""

    readings: int
    freedom: float
    sigma: float
    estimated: bool
    residual: float


@dataclass(frozen=True)
class Estimates:
    """Fitted constants with standard errors, 95 % intervals [low, high] and correlations; NaN where nothing scatters.

    `spread` holds for each fitted function a matrix L [K, K] with covariance L Lᵀ of its K coefficients.
    """

    names: tuple[str, ...]
    values: np.ndarray
    sigma: np.ndarray
    low: np.ndarray
    high: np.ndarray
    correlation: np.ndarray
    chi_square: float  # of the data sets whose deviation is given, NaN without any
    freedom: float
    chance: float  # of a larger χ²
    scatter: Mapping[str, Scatter]
    spread: Mapping[str, np.ndarray] = field(default_factory=dict)
    smoothing: Mapping[str, float] = field(default_factory=dict)  # functions: effective number of coefficients
    method: str = "linear"
    warnings: tuple[str, ...] = ()
    verdict: str = ""  # why the fit has failed: unsettled, undetermined, misfit, unresolved

    def line(self, name: str) -> str:
        """One constant for a person, as in `0.2003 ± 0.0011, 95 % in [0.1981, 0.2025]`."""
        k = self.names.index(name)
        value, sigma = float(self.values[k]), float(self.sigma[k])
        if not sigma > 0 or not isfinite(sigma):
            return f"{value:.12g}" if np.isnan(sigma) or sigma == 0 else f"{value:.4g} ± ∞"
        low, high = (rounded(float(end[k]), sigma) for end in (self.low, self.high))
        return f"{rounded(value, sigma)} ± {rounded(sigma, sigma)}, 95 % in [{low}, {high}]"


def rounded(value: float, sigma: float) -> str:
    """A number to the second digit of its standard error."""
    if not isfinite(value):
        return str(value)
    place = 1 - floor(log10(sigma))
    size = max(abs(value), sigma)
    if -6 <= place <= 8 and size < 1e7:
        return f"{round(value, place):.{max(place, 0)}f}"
    return f"{value:.{max(0, floor(log10(size)) + place)}e}"


def as_dictionary(found: Estimates) -> dict[str, Any]:
    """Estimates as nested dictionaries of arrays, numbers and words."""
    plain = {one.name: getattr(found, one.name) for one in fields(found)}
    return {
        **plain,
        "names": list(found.names),
        "warnings": list(found.warnings),
        "scatter": {name: asdict(one) for name, one in found.scatter.items()},
        "spread": dict(found.spread),
        "smoothing": dict(found.smoothing),
    }


def from_dictionary(content: Mapping[str, Any]) -> Estimates | None:
    """Estimates from what `as_dictionary` gave; None for nothing."""
    if not content:
        return None
    scatter = {name: Scatter(**one) for name, one in content["scatter"].items()}
    lists = {name: tuple(content[name]) for name in ("names", "warnings")}
    return Estimates(**{**content, **lists, "scatter": scatter})
