"""A row of letters that shows how a positive number fell or rose."""

from __future__ import annotations

from math import isfinite, log10
from typing import Sequence

BARS = "▁▂▃▄▅▆▇█"
LEAST = 1.0  # decades that the letters span, at least, so that noise looks small


def sparkline(values: Sequence[float], width: int = 40) -> str:
    """At most `width` letters for the logarithms of the values, the least of each part; '' for less than two."""
    heights = [log10(value) for value in values if isfinite(value) and value > 0]
    if len(heights) < 2:
        return ""
    count = min(width, len(heights))
    ends = [round(k * len(heights) / count) for k in range(count + 1)]
    shown = [min(heights[start:end]) for start, end in zip(ends, ends[1:])]
    high = max(shown)
    span = max(high - min(shown), LEAST)
    return "".join(BARS[max(round((1 - (high - height) / span) * (len(BARS) - 1)), 0)] for height in shown)
