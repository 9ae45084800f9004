"""Least squares along a band are least squares."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kanpde.optimisers.banded import Band

OPEN = [(1, 1, 1), (1, 4, 3), (2, 4, 3), (3, 4, 2), (4, 4, 2), (5, 4, 3), (8, 4, 1), (9, 4, 2), (13, 10, 2), (7, 1, 3)]
CLOSED = [(2, 2, 1), (3, 2, 3), (4, 4, 2), (5, 4, 3), (6, 4, 2), (7, 4, 1), (9, 4, 3), (13, 10, 2), (6, 1, 2)]
CROWDED = [(1, 1, 2), (1, 4, 2), (2, 4, 3), (3, 4, 1), (3, 10, 2), (9, 10, 1)]  # overlaps that go round more than once
TABLE = [(*sizes, False) for sizes in OPEN] + [(*sizes, True) for sizes in (*CLOSED, *CROWDED)]
every_size = pytest.mark.parametrize(("groups", "width", "size", "cyclic"), TABLE)


def random_band(groups: int, width: int, size: int, cyclic: bool, more: int = 3, seed: int = 0) -> Band:
    """As many rows in each group as its own unknowns, and some more, of which each group has another number."""
    generator = torch.Generator().manual_seed(seed)
    counts = [(width if k in (0, groups - 1) else 1) * size + more + k % 2 for k in range(groups)]
    rows = [torch.randn(n, width, size, generator=generator, dtype=torch.float64) for n in counts]
    rights = [torch.randn(n, generator=generator, dtype=torch.float64) for n in counts]
    return Band(rows, rights, cyclic)


def whole(band: Band) -> tuple[Tensor, Tensor]:
    """The same rows as one matrix, and the right side."""
    groups, (_, width, size) = len(band.rows), band.rows[0].shape
    blocks = groups if band.cyclic else groups + width - 1
    parts = []
    for k, rows in enumerate(band.rows):
        part = rows.new_zeros(len(rows), blocks, size)
        for j in range(width):
            part[:, (k + j) % blocks] += rows[:, j]
        parts.append(part.flatten(1))
    return torch.cat(parts), torch.cat(list(band.rights))


@every_size
def test_the_solution_is_that_of_all_rows_together(groups: int, width: int, size: int, cyclic: bool) -> None:
    # Both are backward stable: they differ by rounding times the condition number, with residuals of order one its
    # square (Björck 1996, 1.4.3).
    band = random_band(groups, width, size, cyclic)
    matrix, right = whole(band)
    expected = torch.linalg.lstsq(matrix, right, driver="gelsd").solution
    found = band.solution()
    assert found.shape == (matrix.shape[1] // size, size)
    assert (found.flatten() - expected).abs().max() < 1e-13 * torch.linalg.cond(matrix) ** 2 * expected.abs().max()
    gradient = matrix.T @ (matrix @ found.flatten() - right)
    assert gradient.abs().max() < 1e-13 * torch.linalg.matrix_norm(matrix, 2) ** 2 * (1 + expected.abs().max())


@every_size
def test_what_can_be_fulfilled_is_to_rounding(groups: int, width: int, size: int, cyclic: bool) -> None:
    band = random_band(groups, width, size, cyclic, seed=1)
    matrix, _ = whole(band)
    wanted = torch.randn(matrix.shape[1], generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    rights = (matrix @ wanted).split([len(rows) for rows in band.rows])
    found = Band(band.rows, rights, cyclic).solution().flatten()
    assert (found - wanted).abs().max() < 1e-13 * torch.linalg.cond(matrix) * wanted.abs().max()


@every_size
def test_a_band_stays_as_it_is(groups: int, width: int, size: int, cyclic: bool) -> None:
    band = random_band(groups, width, size, cyclic)
    before = [part.clone() for part in (*band.rows, *band.rights)]
    first, second = band.solution(), band.solution()
    assert torch.equal(first, second)
    assert all(torch.equal(a, b) for a, b in zip(before, (*band.rows, *band.rights)))


def test_a_closed_band_may_begin_anywhere() -> None:
    """Groups shifted around give the same unknowns shifted around, if the band is closed."""
    band = random_band(9, 4, 2, True)
    shifted = Band([*band.rows[4:], *band.rows[:4]], [*band.rights[4:], *band.rights[:4]], True)
    gap = (shifted.solution() - band.solution().roll(-4, 0)).abs().max()
    assert gap < 1e-11


@pytest.mark.parametrize("cyclic", [False, True])
@pytest.mark.parametrize("group", [0, 3, 7])
def test_groups_may_have_few_rows_where_others_have_enough(group: int, cyclic: bool) -> None:
    band = random_band(8, 3, 2, cyclic, more=8)
    rows, rights = list(band.rows), list(band.rights)
    if 0 < group < 7:
        rows[group], rights[group] = rows[group][:0], rights[group][:0]
    else:
        rows[group], rights[group] = rows[group][:5], rights[group][:5]
    sparse = Band(rows, rights, cyclic)
    matrix, right = whole(sparse)
    expected = torch.linalg.lstsq(matrix, right, driver="gelsd").solution
    assert (sparse.solution().flatten() - expected).abs().max() < 1e-10


@pytest.mark.parametrize("cyclic", [False, True])
def test_unknowns_in_no_row_are_zero(cyclic: bool) -> None:
    band = random_band(8, 3, 2, cyclic, more=8)
    for rows in band.rows:
        rows[:, :, 1] = 0
    found = band.solution()
    assert torch.isfinite(found).all() and not found[:, 1].any() and found[:, 0].all()
