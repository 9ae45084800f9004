"""Splines of one coordinate by their local support: at any point only degree + 1 of them differ from zero."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import pi

import torch
from torch import Tensor

MOST_INTERVALS = 4000
SHORTEST = 1e-6  # of all intervals together


@dataclass(frozen=True, eq=False)
class Spline:
    """B-splines on breaks [n + 1], with `smooth` continuous derivatives where intervals meet.

    Clamped at the ends, or closing around if `periodic` (then smooth = degree − 1).
    """

    degree: int
    breaks: Tensor
    smooth: int
    periodic: bool = False

    @property
    def intervals(self) -> int:
        """The number n of intervals."""
        return self.breaks.shape[0] - 1

    @property
    def multiplicity(self) -> int:
        """How often an inner break is a knot: the number of functions that each interval adds."""
        return self.degree - self.smooth

    @property
    def size(self) -> int:
        """The number of functions."""
        if self.periodic:
            return self.intervals
        return self.degree + 1 + (self.intervals - 1) * self.multiplicity

    @cached_property
    def knots(self) -> Tensor:
        """All knots, ascending: ends repeated, or breaks continued by the period."""
        inner, p = self.breaks, self.degree
        if self.periodic:
            steps = inner.diff()
            before = steps.repeat(-(-p // self.intervals))[-p:]
            after = steps.repeat(-(-p // self.intervals))[:p]
            return torch.cat([inner[0] - before.flip(0).cumsum(0).flip(0), inner, inner[-1] + after.cumsum(0)])
        middle = inner[1:-1].repeat_interleave(self.multiplicity)
        return torch.cat([inner[:1].expand(p + 1), middle, inner[-1:].expand(p + 1)])

    @cached_property
    def widths(self) -> Tensor:
        """The shares [K] of the functions in the integral over everything, (t_(k+p+1) − t_k) / (p + 1), of sum 1."""
        p = self.degree + 1
        spans = (self.knots[p:] - self.knots[:-p])[: self.size] / p
        return spans / (self.breaks[-1] - self.breaks[0])

    def interval_of(self, x: Tensor) -> Tensor:
        """The number of the interval in which each x [N] lies; beyond the ends the first or last."""
        return (torch.searchsorted(self.breaks.to(x), x, right=True) - 1).clamp(0, self.intervals - 1)

    def local(self, x: Tensor, order: int) -> tuple[Tensor, Tensor]:
        """Which functions differ from zero at x [N], [degree + 1, N], and their derivatives [order + 1, degree + 1, N].

        Values by the Cox–de Boor triangle, derivatives by differences (de Boor 2001, X.15).
        """
        place = self.interval_of(x)
        span = self.degree + place * self.multiplicity
        knots = self.knots.to(x)
        t = knots[span + torch.arange(1 - self.degree, self.degree + 1, device=x.device)[:, None]]
        values = triangle(x, t, self.degree)
        tables = []
        for m in range(order + 1):
            if m > self.degree:
                tables.append(torch.zeros_like(tables[0]))
                continue
            found = values[self.degree - m]
            for k in range(self.degree - m + 1, self.degree + 1):
                found = raised_degree(found, t, k, self.degree)
            tables.append(found)
        index = place * self.multiplicity + torch.arange(self.degree + 1, device=x.device)[:, None]
        return (index % self.size if self.periodic else index), torch.stack(tables)

    def divided(self, marked: Tensor) -> Spline:
        """The spline with each marked interval [n] cut into halves."""
        middle = (self.breaks[:-1] + self.breaks[1:]) / 2
        return replace(self, breaks=torch.cat([self.breaks, middle[marked]]).sort().values)

    def transfer(self, finer: Spline) -> Tensor:
        """The matrix [K', K] that gives the coefficients on a finer spline of the same functions."""
        where = finer.interpolation_points()
        after, before = dense(finer, where), dense(self, where)
        return torch.linalg.solve(after, before)

    def interpolation_points(self) -> Tensor:
        """As many points as functions, at which interpolation is well posed: the means of their knots (Greville)."""
        windows = self.knots.unfold(0, self.degree, 1)[1 : self.size + 1]
        means = windows.mean(1)
        if not self.periodic:
            return means.clamp(self.breaks[0], self.breaks[-1])
        low, high = self.breaks[0], self.breaks[-1]
        return low + (means - low) % (high - low)

    def truncation(self, coefficients: Tensor) -> Tensor:
        """Roughly the error [n, …] on each interval of coefficients [K, …], from the jumps of the highest derivative.

        h^p |jump| · (4/π) / π^(p+1): Favard's bound with the jump over h in place of the next derivative.
        """
        middle = (self.breaks[:-1] + self.breaks[1:]) / 2
        index, tables = self.local(middle, self.degree)
        highest = torch.einsum("an,an...->n...", tables[-1], coefficients[index])
        jumps = (highest - highest.roll(1, 0)).abs()
        if not self.periodic:
            jumps[0] = jumps[1] if self.intervals > 1 else highest[0].abs()
        later = jumps.roll(-1, 0)
        if not self.periodic:
            later[-1] = jumps[-1]
        scale = self.breaks.diff() ** self.degree * (4 / pi) / pi ** (self.degree + 1)
        return torch.maximum(jumps, later) * scale.view(-1, *[1] * (coefficients.ndim - 1))


def triangle(x: Tensor, t: Tensor, degree: int) -> list[Tensor]:
    """The values [k + 1, N] of the B-splines of degree k = 0 … degree that differ from zero, from 2·degree knots."""
    found = [torch.ones_like(x)[None]]
    for k in range(1, degree + 1):
        left, right = t[degree - k : degree], t[degree : degree + k]
        share = found[-1] / (right - left)
        nothing = torch.zeros_like(x)[None]
        found.append(torch.cat([(right - x) * share, nothing]) + torch.cat([nothing, (x - left) * share]))
    return found


def raised_degree(values: Tensor, t: Tensor, k: int, degree: int) -> Tensor:
    """The derivatives [k + 1, N] of B-splines of degree k from the values [k, N] of those of degree k − 1."""
    share = k * values / (t[degree : degree + k] - t[degree - k : degree])
    nothing = torch.zeros_like(share[:1])
    return torch.cat([nothing, share]) - torch.cat([share, nothing])


def dense(spline: Spline, x: Tensor, order: int = 0) -> Tensor:
    """One derivative of all functions at x [N]: a matrix [N, K]."""
    index, tables = spline.local(x, order)
    found = x.new_zeros(x.shape[0], spline.size)
    return found.scatter_add_(1, index.T, tables[order].T)


def cut_off(spline: Spline, cube: Tensor, size: Tensor) -> Tensor:
    """What intervals [n] that may be halved lack of coefficients [K, …, O], relative to the sizes [O] of unknowns."""
    lengths = spline.breaks.diff() / (spline.breaks[-1] - spline.breaks[0])
    share = (lengths * spline.intervals).sqrt().clamp_max(1.0)  # in the mean square; at most as at a point
    return (spline.truncation(cube) / size).amax(dim=(1, 2)) * share * (lengths > SHORTEST)


def refined(spline: Spline, cube: Tensor, size: Tensor, tolerance: float) -> Spline:
    """The spline with intervals, and their neighbours, halved where coefficients [K, …, O] are cut off too early."""
    wrong = cut_off(spline, cube, size) > tolerance
    if not wrong.any() or spline.intervals >= MOST_INTERVALS:
        return spline
    return spline.divided(wrong | wrong.roll(1) | wrong.roll(-1) if spline.periodic else widened(wrong))


def widened(marked: Tensor) -> Tensor:
    """The marks and those beside them."""
    found = marked.clone()
    found[1:] |= marked[:-1]
    found[:-1] |= marked[1:]
    return found
