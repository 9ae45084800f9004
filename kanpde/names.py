"""Names taken apart, and names that were probably meant."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Iterable

HIGHEST_ORDER = 8
MOST_COMPARED = 300


def closest(name: str, known: Iterable[str]) -> str:
    """The known name most like `name`, preferring one that differs in case or in one letter; '' if none is near."""
    names = list(known)[:MOST_COMPARED]
    cased = [k for k in names if k.lower() == name.lower()]
    alike = [k for k in names if len(k) == len(name) > 1 and sum(a != b for a, b in zip(k, name)) == 1]
    return (cased or alike or get_close_matches(name, names, n=1, cutoff=0.5) or [""])[0]


def suggestion(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'nu'?`, or nothing if no known name is near."""
    found = closest(name, known)
    return f"; did you mean '{found}'?" if found else ""


def splits(subscript: str, coordinates: tuple[str, ...]) -> list[tuple[str, ...]]:
    """All ways to read a subscript as a row of coordinates; two are enough to call it ambiguous."""
    if len(subscript) > HIGHEST_ORDER * max(map(len, coordinates), default=1):
        return []
    ways: list[list[tuple[str, ...]]] = [[()]]
    for end in range(1, len(subscript) + 1):
        found = [
            (*way, name)
            for name in coordinates
            if len(name) <= end and subscript[end - len(name) : end] == name
            for way in ways[end - len(name)]
        ]
        ways.append(found[:2])
    return ways[-1]


def normal_name(axis: str) -> str:
    """What formulas call a component of the outward normal inside; no name in a problem file has a dot."""
    return f"normal.{axis}"


def subscripted(name: str, values: Iterable[str]) -> tuple[str, str] | None:
    """The longest known base of a name like `u_xx`, and its subscript."""
    known = set(values)
    cuts = [i for i, c in enumerate(name) if c == "_" and name[:i] in known and name[i + 1 :]]
    return (name[: cuts[-1]], name[cuts[-1] + 1 :]) if cuts else None
