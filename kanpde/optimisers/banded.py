"""Least squares whose rows touch a few neighbouring blocks of unknowns, factorised orthogonally along the band."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Sequence

import torch
from torch import Tensor


@dataclass(frozen=True)
class Band:
    """The rows of group i, [M_i, width, A], touch the blocks i … i + width − 1 of A unknowns each.

    With `cyclic` there are as many blocks as groups and they close around; else width − 1 more.
    """

    rows: Sequence[Tensor]
    rights: Sequence[Tensor]
    cyclic: bool = False

    @property
    def overlap(self) -> int:
        """The number of unknowns that a group shares with the next."""
        return (self.rows[0].shape[1] - 1) * self.rows[0].shape[2]

    def solution(self) -> Tensor:
        """The x [blocks, A] of least ‖rows x − rights‖ (Björck, Numerical Methods for Least Squares
        Problems, 1996, 6.3).

        Unknowns are eliminated in order; of a cyclic band the first `overlap` of them stay to the end, as a border.
        """
        _, width, size = self.rows[0].shape
        if self.cyclic and len(self.rows) < width:
            return self.wrapped().solution()
        border = self.overlap if self.cyclic else 0
        carried = torch.eye(border, self.overlap + border + 1).to(self.rows[0])
        done: list[Tensor] = []
        for part in self.parts(border):
            fresh = part.shape[1] - carried.shape[1]
            inserted = torch.cat([
                carried[:, : self.overlap], carried.new_zeros(len(carried), fresh), carried[:, self.overlap :]
            ], dim=1)
            triangle = torch.linalg.qr(torch.cat([inserted, part]), mode="r").R
            done.append(triangle[:fresh])
            carried = triangle[fresh:, fresh:]
        return self.back_substituted(done, carried, border).view(-1, size)

    def wrapped(self) -> Band:
        """All rows as one group of an open band: groups that reach around themselves leave no band to follow."""
        groups, (_, width, size) = len(self.rows), self.rows[0].shape
        found = []
        for k, rows in enumerate(self.rows):
            whole = rows.new_zeros(len(rows), groups, size)
            for j in range(width):
                whole[:, (k + j) % groups] += rows[:, j]
            found.append(whole)
        return Band([torch.cat(found)], [torch.cat(list(self.rights))])

    def parts(self, border: int) -> Iterator[Tensor]:
        """As many groups at a time as they have blocks: rows [M, fresh + overlap + border + 1], the right side last."""
        groups, (_, width, size) = len(self.rows), self.rows[0].shape
        for start in range(0, groups, width):
            count = min(width, groups - start)
            found = []
            for k in range(count):
                rows = self.rows[start + k]
                whole = rows.new_zeros(len(rows), (count + width - 1) * size + border + 1)
                whole[:, k * size : (k + width) * size] = rows.flatten(1)
                whole[:, -1] = self.rights[start + k]
                found.append(self.folded(whole, start, count + width - 1) if border else whole)
            yield torch.cat(found)

    def folded(self, whole: Tensor, start: int, blocks: int) -> Tensor:
        """The rows with what falls on the first blocks, from either end, moved to the border."""
        size = self.rows[0].shape[2]
        for k in range(blocks):
            at = (start + k) % len(self.rows) if start + k >= len(self.rows) else start + k
            if at * size < self.overlap:
                to = blocks * size + at * size
                whole[:, to : to + size] += whole[:, k * size : (k + 1) * size]
                whole[:, k * size : (k + 1) * size] = 0
        return whole

    def back_substituted(self, done: list[Tensor], carried: Tensor, border: int) -> Tensor:
        """The unknowns from the triangles, last first."""
        last = carried[:, self.overlap :] if border else carried
        rest = torch.linalg.qr(last, mode="r").R
        count = rest.shape[1] - 1
        final = solved(rest[:count, :count], rest[:count, -1])
        edge = final if border else final[:0]
        following = final.new_zeros(self.overlap) if border else final
        found = [] if border else [final]
        for triangle in reversed(done):
            fresh = len(triangle)
            known = torch.cat([following, edge])
            part = solved(triangle[:, :fresh], triangle[:, -1] - triangle[:, fresh:-1] @ known)
            found.insert(0, part)
            following = torch.cat([part, following])[: self.overlap]
        whole = torch.cat(found)
        return torch.cat([edge, whole[self.overlap :]]) if border else whole


def solved(triangle: Tensor, right: Tensor) -> Tensor:
    """R x = b for an upper triangle; unknowns that no row determines are 0."""
    if not len(right):
        return right
    diagonal = triangle.diagonal()
    empty = diagonal.abs() <= 1e-14 * diagonal.abs().amax()
    whole = torch.where(empty[:, None], 0.0, triangle) + torch.diag(empty.to(diagonal))
    return torch.linalg.solve_triangular(
        whole, torch.where(empty, torch.zeros_like(right), right)[:, None], upper=True
    )[:, 0]
