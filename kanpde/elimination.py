"""The read-outs eliminated from a least-squares problem, so that only what is fitted is left."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from kanpde.optimisers.base import Objective

LIGHT = 1e-14  # rows that ask nearly dependent read-outs to vanish, which disturb no more than rounding does
HOLDS = 1e-10  # of the length of a column: conditions with more than this hold a coefficient


@dataclass(frozen=True)
class Order:
    """How the rows follow one another: `inner` read-outs; at the end rows of what is fitted `alone`, then readings."""

    inner: int
    alone: int
    readings: int


@dataclass(frozen=True)
class Elimination:
    """The triangle U of J = Q U diag(lengths) [P, P] with `inner` read-outs first, Qᵀr [P], and ‖r‖² − ‖Qᵀr‖².

    Variable projection (Golub & Pereyra 1973): `reduced` and `gap` are what the rows say of the fitted coefficients
    once the read-outs follow them. `equations` [F + 1, F + 1] and `held` are such ends of triangles, residuals last,
    of the first rows alone, and of those of what is fitted alone.
    """

    upper: Tensor
    right: Tensor
    rest: float
    lengths: Tensor
    inner: int
    equations: Tensor
    held: Tensor

    @property
    def reduced(self) -> Tensor:
        """The triangle [F, F] of the F fitted coefficients."""
        return self.upper[self.inner :, self.inner :] * self.lengths[self.inner :]

    @property
    def gap(self) -> Tensor:
        """The residual [F] that the fitted coefficients can still change."""
        return self.right[self.inner :]

    @property
    def left(self) -> float:
        """The sum of squares once the read-outs have followed."""
        return self.rest + float(self.gap.square().sum())

    @property
    def followed(self) -> float:
        """The sum of squares that the read-outs take away."""
        return float(self.right[: self.inner].square().sum())

    def step(self, change: Tensor) -> Tensor:
        """The change [P] of all coefficients, for a change [F] of the fitted ones."""
        scaled = change * self.lengths[self.inner :]
        first = self.right[: self.inner] + self.upper[: self.inner, self.inner :] @ scaled
        inner = torch.linalg.solve_triangular(self.upper[: self.inner, : self.inner], -first[:, None], upper=True)
        return torch.cat([inner[:, 0] / self.lengths[: self.inner], change])


@dataclass(frozen=True)
class Free:
    """Where conditions put the fitted coefficients, by a shift [F], and the directions [F, f] they leave free."""

    basis: Tensor
    shift: Tensor


def free_part(found: Elimination) -> Free:
    """What conditions on the fitted quantities alone leave free of them."""
    left, sizes, right = torch.linalg.svd(found.held[:-1, :-1])
    held, lengths = sizes > HOLDS, found.lengths[found.inner :]
    shift = -right[held].T @ ((left[:, held].T @ found.held[:-1, -1]) / sizes[held])
    return Free(right[~held].T / lengths[:, None], shift / lengths)


def eliminated(objective: Objective, theta: Tensor, order: Order) -> Elimination:
    """QR factorisation of all rows, the readings after the heavy ones (cf. Cox & Higham 1998)."""
    rows, residuals, lengths = scaled_rows(objective, theta, order.inner)
    whole, size = torch.cat([rows, residuals[:, None]], dim=1), len(theta)
    end = len(whole) - order.readings
    first = triangle(whole[: end - order.alone])
    upper = triangle(torch.cat([first, whole[end - order.alone :]])) if order.alone + order.readings else first
    rest = float(upper[size, size] ** 2)
    held = triangle(whole[end - order.alone : end, order.inner :])
    equations = first[order.inner :, order.inner :]
    return Elimination(upper[:size, :size], upper[:size, size], rest, lengths, order.inner, equations, held)


def triangle(rows: Tensor) -> Tensor:
    """The triangle [K, K] of rows [N, K], however many they are."""
    missing = rows.new_zeros(max(rows.shape[1] - len(rows), 0), rows.shape[1])
    return torch.linalg.qr(torch.cat([rows, missing]), mode="r").R


def scaled_rows(objective: Objective, theta: Tensor, inner: int) -> tuple[Tensor, Tensor, Tensor]:
    """Light rows, then the Jacobian, as [L + R, P] with columns of unit length; residuals [L + R], and lengths [P]."""
    transposed, residuals = objective.jacobian(theta)
    lengths = transposed.norm(dim=1)
    lengths = torch.where(lengths > 0, lengths, torch.ones_like(lengths))
    light = LIGHT * torch.eye(len(theta), dtype=theta.dtype, device=theta.device)[:inner]
    rows = torch.cat([light, (transposed / lengths[:, None]).T])
    return rows, torch.cat([LIGHT * (lengths * theta)[:inner], residuals]), lengths


def leverages(objective: Objective, theta: Tensor, inner: int, prior: Tensor) -> Tensor:
    """How much of each residual [R] the fit can follow, 0 to 1, with rows `prior` [M, F] that hold what is fitted."""
    rows, residuals, lengths = scaled_rows(objective, theta, inner)
    below = torch.cat([prior.new_zeros(len(prior), inner), prior / lengths[inner:]], dim=1)
    q = torch.linalg.qr(torch.cat([rows, below])).Q
    return q[inner : len(residuals)].square().sum(1)


def bounded(matrix: Tensor, right: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """The x within bounds [F] that minimises ‖Mx − b‖, by an active set (Stark & Parker 1995)."""
    held = torch.zeros(matrix.shape[1], dtype=torch.bool)
    found = torch.zeros_like(low).clamp(low, high)
    for _ in range(4 * matrix.shape[1] + 4):
        free = ~held
        trial = found.clone()
        if free.any():
            rest = right - matrix[:, held] @ found[held]
            trial[free] = torch.linalg.lstsq(matrix[:, free], rest[:, None], driver="gelsd").solution[:, 0]
        outside = free & ((trial < low) | (trial > high))
        if outside.any():
            ends = torch.where(trial > high, high, low)
            share = torch.where(outside, (ends - found) / (trial - found), torch.ones_like(trial))
            most = float(share.min())
            found = found + most * (trial - found)
            stopped = outside & (share <= most)
            found[stopped] = ends[stopped]
            held |= stopped
            continue
        found = trial
        slope = matrix.T @ (matrix @ found - right)
        wrong = held & (low < high) & torch.where(found <= low, slope < 0, slope > 0)
        worst = torch.where(wrong, slope.abs() / matrix.norm(dim=0).clamp_min(1e-300), torch.zeros_like(slope))
        if not wrong.any() or float(worst.max()) <= 1e-12 * float(right.norm()):
            break
        held[int(worst.argmax())] = False
    return found
