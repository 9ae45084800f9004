"""Linear least squares by a triangle into which rows are folded as they come."""

from __future__ import annotations

from typing import Iterable

import torch
from torch import Tensor
from torch.nn.functional import pad

GATHERED = 6  # rows per column before a fold, which then costs an eighth more than the rows by themselves
LOST = 0.01  # of the right-hand side: larger roundings of a solution betray dependent columns


def triangle(pieces: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """R [P + 1, P + 1] of a QR factorisation of J with b beside it, from pieces b [N], Jᵀ [P, N] of their rows.

    The triangle of some rows stands for them in the factorisation with the next ones (sequential TSQR; Demmel,
    Grigori, Hoemmen & Langou 2012). A coefficient that is in no row gets one that asks it to vanish.
    """
    waiting = gathered(pieces)
    empty = torch.stack([part[:-1].norm(dim=1) for part in waiting]).norm(dim=0) == 0
    waiting.append(torch.eye(len(empty) + 1).to(waiting[0])[:, :-1][:, empty])
    return square(folded(waiting).T)


def rows_folded(pieces: Iterable[tuple[Tensor, Tensor]]) -> Tensor:
    """The same of some rows only, where a coefficient may be in none: its column is empty."""
    return square(folded(gathered(pieces)).T)


def square(upper: Tensor) -> Tensor:
    """A triangle with rows of zeros below, as many as it lacks."""
    return pad(upper, (0, 0, 0, upper.shape[1] - upper.shape[0]))


def gathered(pieces: Iterable[tuple[Tensor, Tensor]]) -> list[Tensor]:
    """Transposed rows with their right-hand sides below, folded where there are many."""
    waiting: list[Tensor] = []
    for right, transposed in pieces:
        if sum(part.shape[1] for part in waiting) > GATHERED * len(transposed):
            waiting.append(folded(waiting))
        waiting.append(torch.cat([transposed, right[None]]))
    return waiting


def folded(waiting: list[Tensor]) -> Tensor:
    """The transposed triangle of transposed rows, which are taken out of the list."""
    rows = torch.cat(waiting, dim=1)
    waiting.clear()
    return torch.linalg.qr(rows.T, mode="r").R.T


def lengths(triangle: Tensor) -> Tensor:
    """The lengths [P] of the columns of J: those of its triangle."""
    return triangle[:, :-1].norm(dim=0)


def least_squares(triangle: Tensor) -> Tensor:
    """The x [P] of least ‖Jx − b‖, a small one where columns are dependent; NaN for what is not finite.

    Columns, here of unit length, are dependent where a field is determined up to a constant, as a pressure may be.
    Rows that ask the solution to vanish, so light that they change nothing else, decide then. (torch's `gelsy` finds
    wrong ranks.)
    """
    if not triangle.isfinite().all():
        return triangle.new_full((triangle.shape[1] - 1,), torch.nan)
    scaled = triangle[:-1, :-1] / lengths(triangle)
    right, size = triangle[:-1, -1:], float(triangle[:, -1].norm())
    epsilon = torch.finfo(triangle.dtype).eps
    found = torch.linalg.solve_triangular(scaled, right, upper=True)
    if not epsilon * float(found.norm()) <= LOST * size:
        light = epsilon ** (2 / 3)  # it leaves out as much as it lets the undecided part, epsilon / light², disturb
        below = light * torch.eye(len(scaled), dtype=scaled.dtype, device=scaled.device)
        rows = torch.cat([right, torch.zeros_like(right)])
        found = torch.linalg.lstsq(torch.cat([scaled, below]), rows, driver="gels").solution
    return found[:, 0] / lengths(triangle)
