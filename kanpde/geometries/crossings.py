"""Where curves cross the boundary of a shape.

A level changes no faster than the distance moved. So an interval of a curve whose ends have levels of one sign, whose
sum exceeds its length, holds no crossing; the others are halved until they are tiny. Crossings are then bisected to
rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable

import numpy as np
from numpy.typing import NDArray

from kanpde.geometries.base import Array

Integers = NDArray[np.int64]
Curves = Callable[[Integers, Array], Array]
"""`curves(which, t)`: the points [d, K] at parameters t [K] in [0, 1] of curves which [K]."""

FLUSH = 1e-10  # closer to each other than this, relative to their size, two boundaries coincide
ROUNDING = 1e-15
TOUCH, LONG = 1e-13, 2.0**-6  # what is flush for less than so long, and not nearer than so, touches like a tangent
FLAT = 2.0**-10  # length of the intervals at whose ends two boundaries must coincide to be taken as one


@dataclass(frozen=True)
class Care:
    """How many intervals there are at first, how small they may become, and how often a crossing is halved."""

    first: int
    finest: float
    halvings: int


EXACT = Care(32, 2.0**-16, 56)
FIRM = Care(16, 2.0**-10, 56)
QUICK = Care(16, 2.0**-10, 20)


def crossings(
    level: Callable[[Array], Array], curves: Curves, speeds: Array, scale: float, care: Care = EXACT
) -> tuple[Integers, Array]:
    """The curves and parameters where curves 0 … len(speeds)-1 cross the zero of `level`, or come to run along it.

    Curve m moves no faster than speeds[m]; `scale` is the size of the coordinates.
    """

    def values(which: Integers, t: Array) -> Array:
        return level(curves(which, t)) / scale

    which, t, f = scan(values, speeds / scale, care)
    flat = np.abs(f) <= FLUSH
    joined = which[1:] == which[:-1]
    jumps = np.flatnonzero(joined & ~flat[1:] & ~flat[:-1] & ((f[1:] > 0) != (f[:-1] > 0)))
    signed, edged = [(k, k + 1) for k in jumps], []
    for first, last in runs(flat, joined):
        outer = [k for k, there in ((first - 1, first > 0 and joined[first - 1]),) if there]
        outer += [last + 1] if last < len(t) - 1 and joined[last] else []
        gap, length = float(np.median(np.abs(f[first : last + 1]))), t[last] - t[first]
        if length > 4 * care.finest and (gap < TOUCH or length > LONG):
            edged += [((first + last) // 2, k, 8 * gap + ROUNDING) for k in outer]
        elif len(outer) == 2 and (f[outer[0]] > 0) != (f[outer[1]] > 0):
            signed.append((outer[0], outer[1]))
    low, high = np.array(signed, dtype=np.int64).reshape(-1, 2).T
    found = [(which[low], signs_change(values, which[low], t[low], t[high], care.halvings))]
    if edged:
        inner, beyond = np.array([pair[:2] for pair in edged], dtype=np.int64).T
        bound = np.array([pair[2] for pair in edged])
        curve = which[inner]
        found.append((curve, bisect(lambda at: np.abs(values(curve, at)) > bound, t[inner], t[beyond], care.halvings)))
    where, at = (np.concatenate(rows) for rows in zip(*found))
    order = np.lexsort((at, where))
    return where[order], at[order]


def scan(values: Callable[[Integers, Array], Array], speeds: Array, care: Care) -> tuple[Integers, Array, Array]:
    """Curves, parameters and values, sorted, fine enough to see each change of sign."""
    count = len(speeds)
    nodes = np.linspace(0, 1, care.first + 1)
    which, t = np.repeat(np.arange(count), care.first + 1), np.tile(nodes, count)
    f = values(which, t)
    known = [(which, t, f)]
    table = f.reshape(count, -1)
    m, a = np.repeat(np.arange(count), care.first), np.tile(nodes[:-1], count)
    left, right, step = table[:, :-1].ravel(), table[:, 1:].ravel(), 1 / care.first
    while step > care.finest:
        apart = (left * right > 0) & (np.abs(left) + np.abs(right) > 1.001 * speeds[m] * step)
        along = (np.abs(left) <= FLUSH) & (np.abs(right) <= FLUSH) & (step <= max(FLAT, care.finest))
        open_ = ~(apart | along)
        m, a, left, right, step = m[open_], a[open_], left[open_], right[open_], step / 2
        if not len(m):
            break
        middle = values(m, a + step)
        known.append((m, a + step, middle))
        m, a = np.concatenate([m, m]), np.concatenate([a, a + step])
        left, right = np.concatenate([left, middle]), np.concatenate([middle, right])
    which, t, f = (np.concatenate(rows) for rows in zip(*known))
    order = np.lexsort((t, which))
    return which[order], t[order], f[order]


def runs(flat: NDArray[np.bool_], joined: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """The first and last places of each run of trues on one curve."""
    at = np.flatnonzero(flat)
    if not len(at):
        return []
    parted = (np.diff(at) > 1) | ~joined[at[:-1]]
    starts = np.concatenate([[0], np.flatnonzero(parted) + 1])
    stops = np.concatenate([np.flatnonzero(parted), [len(at) - 1]])
    return [(int(at[i]), int(at[j])) for i, j in zip(starts, stops)]


def bisect(
    holds: Callable[[Array], NDArray[np.bool_]], low: Array, high: Array, halvings: int = EXACT.halvings
) -> Array:
    """Where `holds`, which differs at `low` and `high` [K], changes; to rounding unless `halvings` are few."""
    start = holds(low)
    for _ in range(halvings):
        middle = (low + high) / 2
        same = holds(middle) == start
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return (low + high) / 2


def signs_change(
    values: Callable[[Integers, Array], Array], m: Integers, low: Array, high: Array, halvings: int
) -> Array:
    """Where values of opposite signs at `low` and `high` change sign.

    Where they are flat on one side, as where a circle runs into its tangent, rounding hides the zero: it is then at
    the steep side's end of the band in which nothing but rounding is seen.
    """
    if not len(low):
        return low
    up = np.sign(values(m, high))
    before = bisect(lambda at: up * values(m, at) > -ROUNDING, low, high, halvings)
    after = bisect(lambda at: up * values(m, at) > ROUNDING, low, high, halvings)
    wide = after - before
    ends = (np.clip(at, 0, 1) for at in (before - wide, after + wide))
    steep = np.greater(*(np.abs(values(m, at)) for at in ends))
    return np.where(wide < 1e-12, (before + after) / 2, np.where(steep, before, after))
