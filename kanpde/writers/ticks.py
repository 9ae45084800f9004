"""Numbers beside axes."""

from __future__ import annotations

from math import log10

from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def round_ticks(most: int = 5) -> MaxNLocator:
    """At most so many intervals, of the lengths people like."""
    return MaxNLocator(most, steps=(1, 2, 2.5, 5, 10))


def decade_ticks(axis: Axis, low: float, high: float, most: int = 8) -> None:
    """Powers of ten, every one or every so many, between positive ends; as plain text, which is quickly drawn."""
    first, last = round(log10(low)), round(log10(high))
    step = max(1, -(-(last - first) // most))
    axis.set_major_locator(FixedLocator([10.0**power for power in range(first, last + 1, step)]))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(power_of_ten))


def power_of_ten(value: float, position: int | None = None) -> str:
    """10⁻³ for 1e-3."""
    return "10" + str(round(log10(value))).translate(RAISED) if value > 0 else ""
