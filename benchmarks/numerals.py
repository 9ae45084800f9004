"""Numbers as the tables write them."""

from __future__ import annotations

from math import isfinite


def power(value: float) -> str:
    """Two digits and a power of ten, as short as it gets; a dash for what is not finite."""
    if not isfinite(value):
        return "–"
    digits, _, exponent = f"{value:.1e}".partition("e")
    return f"{digits}e{int(exponent)}" if value else "0"


def brief(value: float) -> str:
    """The same without a digit that is zero."""
    return power(value).replace(".0e", "e")


def short(seconds: float) -> str:
    """Seconds with as many digits as matter."""
    return "–" if not isfinite(seconds) else f"{seconds:.1f}" if seconds < 100 else f"{seconds:.0f}"
