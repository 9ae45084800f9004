"""What of each of many curves belongs to something that changes only where the curve crosses a shape's boundary."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

import numpy as np

from kanpde.geometries.base import Array, Shape
from kanpde.geometries.crossings import EXACT, Care, Curves, Integers, bisect, crossings
from kanpde.geometries.gauss import rooted

CRUMB = 1e-12  # a shorter strand is a matter of rounding
VOTES = (0.29, 0.53, 0.77)  # where to look at a strand; at one of these it may touch something
INSET = 1e-6  # of the first node from a cut


@dataclass(frozen=True)
class Strands:
    """Intervals from `start` [K] to `end` [K] of curves `which` [K], of which `kind` [K], not 0, each one is, and what
    its ends are due to [2, K]: the place of a shape, or -1 at the end of the curve."""

    which: Integers
    start: Array
    end: Array
    kind: Integers
    causes: Integers

    def codes(self, count: int) -> Integers:
        """A number [count] for each curve, equal where the kinds and causes of its intervals are the same, in order."""
        found = np.zeros(count, dtype=np.int64)
        place = np.arange(len(self.which)) - np.searchsorted(self.which, self.which)
        each = self.kind + 2 + 5 * (self.causes[0] + 2) + 1009 * (self.causes[1] + 2)
        with np.errstate(over="ignore"):
            np.add.at(found, self.which, each * (1_000_003 * (place + 1)) ** 2)
        return found

    def lengths(self, count: int) -> Array:
        """How much [count] of each curve they cover."""
        return np.bincount(self.which, self.end - self.start, count)


def strands(
    shapes: Sequence[Shape],
    curves: Curves,
    speeds: Array,
    kind: Callable[[Integers, Array], Integers],
    scale: float,
    care: Care = EXACT,
) -> Strands:
    """The intervals in which `kind(which, t)` is not 0, in order; neighbours of one kind are made one."""
    count = len(speeds)
    cuts = [crossings(shape.level, curves, speeds, scale, care) for shape in shapes]
    which = np.concatenate([np.arange(count), np.arange(count), *(m for m, _ in cuts)])
    t = np.concatenate([np.zeros(count), np.ones(count), *(at for _, at in cuts)])
    cause = np.repeat(np.arange(-1, len(cuts)), [2 * count, *(len(m) for m, _ in cuts)])
    order = np.lexsort((t, which))
    which, t, cause = which[order], t[order], cause[order]
    apart = (which[1:] != which[:-1]) | (np.diff(t) > CRUMB)
    cause = np.maximum.reduceat(cause, np.flatnonzero([True, *apart]))[np.cumsum([0, *apart])]
    kept = np.flatnonzero((which[1:] == which[:-1]) & apart)
    m, low, high, causes = which[kept], t[kept], t[kept + 1], np.stack([cause[kept], cause[kept + 1]])
    votes = [kind(m, low + (high - low) * share) for share in VOTES]
    kinds = np.sort(votes, axis=0)[1]
    m, low, high, kinds, causes = (rows[..., kinds != 0] for rows in (m, low, high, kinds, causes))
    joined = (m[1:] == m[:-1]) & (kinds[1:] == kinds[:-1]) & (low[1:] - high[:-1] <= CRUMB)
    first, last = np.concatenate([[True], ~joined]), np.concatenate([~joined, [True]])
    first, last = first[: len(m)], last[len(last) - len(m) :]
    return Strands(m[first], low[first], high[last], kinds[first], np.stack([causes[0, first], causes[1, last]]))


def panels(
    code: Callable[[Integers, Array], Integers], count: int, cuts: Array, few: int
) -> tuple[Integers, Array, Array]:
    """Each of `count` unit intervals divided at `cuts` and where the code changes: which, start and end of each panel.

    `cuts` go from 0 to 1; changes are seen between `few` nodes per panel, then bisected.
    """
    nodes = panel_nodes(cuts, few).ravel()
    which, at = np.repeat(np.arange(count), len(nodes)), np.tile(nodes, count)
    codes = code(which, at).reshape(count, -1)
    changed = codes[:, 1:] != codes[:, :-1]
    changed[:, few + 1 :: few + 2] = False
    m, k = np.nonzero(changed)
    before = codes[m, k]
    found = bisect(lambda t: code(m, t) == before, nodes[k], nodes[k + 1], 42) if len(m) else np.empty(0)
    which = np.concatenate([np.repeat(np.arange(count), len(cuts)), m])
    at = np.concatenate([np.tile(cuts, count), found])
    order = np.lexsort((at, which))
    which, at = which[order], at[order]
    kept = np.flatnonzero((which[1:] == which[:-1]) & (np.diff(at) > CRUMB))
    return which[kept], at[kept], at[kept + 1]


def panel_nodes(cuts: Array, few: int) -> Array:
    """Nodes [panels, few + 2] between cuts: close to the ends, and in the middles of `few` equal pieces."""
    inner = np.concatenate([[INSET], (np.arange(few) + 0.5) / few, [1 - INSET]])
    return cuts[:-1, None] + np.diff(cuts)[:, None] * inner


def settled(share: Callable[[Array], Array], low: Array, high: Array) -> tuple[Array, Array]:
    """Panels halved, ten times at most, until Gauss's rule agrees with itself on their halves."""
    nodes, weights = rooted(8)

    def integral(low: Array, high: Array) -> Array:
        at = low[:, None] + (high - low)[:, None] * nodes
        return (high - low) * (share(at.ravel()).reshape(at.shape) @ weights)

    whole, found = integral(low, high), []
    for _ in range(10):
        middle = (low + high) / 2
        halves = np.stack([integral(low, middle), integral(middle, high)])
        rough = np.abs(halves.sum(0) - whole) > 1e-11
        found.append((low[~rough], high[~rough]))
        low, high = np.stack([low, middle])[:, rough].ravel(), np.stack([middle, high])[:, rough].ravel()
        whole = halves[:, rough].ravel()
        if not len(low):
            break
    low, high = (np.concatenate(rows) for rows in zip(*found, (low, high)))
    order = np.argsort(low)
    return low[order], high[order]
