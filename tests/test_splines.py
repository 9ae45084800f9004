"""Splines by their local support are the B-splines, and their estimates are estimates from above."""

from __future__ import annotations

from dataclasses import replace
from math import pi

import numpy as np
import pytest
import torch
from scipy.interpolate import BSpline
from torch import Tensor

from kanpde.splines import SHORTEST, Spline, dense, refined, widened

UNEVEN = (-1.0, -0.8, -0.3, 0.05, 0.25, 0.7, 1.0)
SPLINES = {
    "cubic": Spline(3, torch.tensor(UNEVEN, dtype=torch.float64), 2),
    "degree 9": Spline(9, torch.tensor(UNEVEN, dtype=torch.float64), 8),
    "linear": Spline(1, torch.tensor(UNEVEN, dtype=torch.float64), 0),
    "continuous only": Spline(8, torch.tensor(UNEVEN, dtype=torch.float64), 0),
    "slopes continuous": Spline(5, torch.tensor(UNEVEN, dtype=torch.float64), 1),
    "one interval": Spline(8, torch.tensor([-1.0, 1.0], dtype=torch.float64), 0),
    "periodic cubic": Spline(3, torch.tensor(UNEVEN, dtype=torch.float64), 2, True),
    "periodic degree 9": Spline(9, torch.linspace(-1, 1, 13, dtype=torch.float64), 8, True),
    "periodic, fewer intervals than its degree": Spline(7, torch.linspace(-1, 1, 5, dtype=torch.float64), 6, True),
}
every_spline = pytest.mark.parametrize("spline", SPLINES.values(), ids=SPLINES)


def inside(spline: Spline, count: int = 9) -> Tensor:
    """Points within every interval, and the two ends."""
    shares = torch.linspace(0, 1, count + 2, dtype=torch.float64)[1:-1]
    points = spline.breaks[:-1, None] + spline.breaks.diff()[:, None] * shares
    return torch.cat([points.flatten(), spline.breaks[[0, -1]]])


def by_scipy(spline: Spline, x: Tensor, order: int) -> Tensor:
    """The same matrix [N, K] by scipy; functions of a period that overlap themselves are added up."""
    knots, p = spline.knots.numpy(), spline.degree
    found = np.zeros((len(x), spline.size))
    for k in range(len(knots) - p - 1):
        one = BSpline(knots, np.eye(len(knots) - p - 1)[k], p)
        found[:, k % spline.size] += one(x.numpy(), nu=order)
    return torch.from_numpy(found)


def random_coefficients(spline: Spline, outputs: int = 2, seed: int = 0) -> Tensor:
    """Coefficients [K, O] drawn at random."""
    return torch.randn(spline.size, outputs, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@every_spline
def test_values_and_derivatives_are_those_of_scipy(spline: Spline) -> None:
    # Each derivative multiplies rounding by no more than what it multiplies the functions by: 1e-13 of the largest.
    x = inside(spline)
    for order in range(min(spline.degree, 5)):
        expected = by_scipy(spline, x, order)
        assert (dense(spline, x, order) - expected).abs().max() < 1e-13 * expected.abs().max(), order


@every_spline
def test_derivatives_above_the_degree_vanish(spline: Spline) -> None:
    _, tables = spline.local(inside(spline), spline.degree + 2)
    assert tables.shape[0] == spline.degree + 3 and tables[spline.degree].abs().max() > 0
    assert not tables[spline.degree + 1 :].any()


@every_spline
def test_functions_are_a_partition_of_unity(spline: Spline) -> None:
    # Every step of the triangle is a convex combination: roundings are those of degree sums.
    values = dense(spline, inside(spline))
    assert values.min() >= 0
    assert (values.sum(1) - 1).abs().max() < 2e-15 * (spline.degree + 1)


@pytest.mark.parametrize("name", [name for name, spline in SPLINES.items() if spline.intervals > 1])
def test_derivatives_are_continuous_up_to_smooth_and_not_beyond(name: str) -> None:
    # From the left the last point of an interval, from the right the first of the next: tables of both by `local`.
    # Two intervals' roundings of the p-th derivative differ by the p-th power of the ratio of their lengths, below 3.
    spline = SPLINES[name]
    at = spline.breaks[1:-1]
    below = torch.nextafter(at, at - 1)
    for order in range(spline.smooth + 2):
        left, right = (dense(spline, x, order) for x in (below, at))
        jump = (left - right).abs().max() / right.abs().max()
        assert jump < 1e-11 if order <= spline.smooth else jump > 1e-3, order


@pytest.mark.parametrize("name", [name for name in SPLINES if "periodic" in name])
def test_periodic_splines_close_up(name: str) -> None:
    spline = SPLINES[name]
    ends = spline.breaks[[0, -1]]
    for order in range(spline.smooth + 1):
        values = dense(spline, ends, order)
        assert (values[0] - values[1]).abs().max() < 1e-11 * values.abs().max(), order


@every_spline
def test_widths_are_the_shares_in_the_integral(spline: Spline) -> None:
    # Gauss's rule with degree + 1 points is exact on every interval.
    a, w = map(torch.from_numpy, np.polynomial.legendre.leggauss(spline.degree + 1))
    lengths = spline.breaks.diff()[:, None]
    x, weights = spline.breaks[:-1, None] + lengths * (a + 1) / 2, lengths * w / 4  # shares of [−1, 1]
    integrals = weights.flatten() @ dense(spline, x.flatten())
    assert spline.widths.sum() == pytest.approx(1, abs=1e-14)
    assert (spline.widths - integrals).abs().max() < 1e-14


@every_spline
def test_a_finer_spline_holds_the_same_functions(spline: Spline) -> None:
    # The interpolation at the finer spline's Greville points multiplies rounding by its condition, which grows with
    # the degree like 2^p (de Boor 2001, XI): 2^9 · 2e-16 and room for the sums.
    marked = torch.arange(spline.intervals) % 3 == 0
    finer = spline.divided(marked)
    assert finer.intervals == spline.intervals + int(marked.sum()) and (finer.breaks.diff() > 0).all()
    coefficients, x = random_coefficients(spline), inside(finer)
    moved = spline.transfer(finer) @ coefficients
    assert (dense(finer, x) @ moved - dense(spline, x) @ coefficients).abs().max() < 1e-12


@every_spline
def test_interpolation_is_well_posed(spline: Spline) -> None:
    # Greville points fulfil Schoenberg and Whitney's condition; of a period they may sit between each other's.
    matrix = dense(spline, spline.interpolation_points())
    assert matrix.shape == (spline.size, spline.size)
    assert torch.linalg.cond(matrix) < 4 * 2**spline.degree


FUNCTIONS = {"wave": lambda x: torch.sin(pi * x + 0.3), "bump": lambda x: 1 / (1.3 + torch.cos(pi * x))}
every_degree = pytest.mark.parametrize("degree", [2, 3, 4, 5, 7, 9])
closed = pytest.mark.parametrize("periodic", [False, True], ids=["clamped", "periodic"])


def interpolated(name: str, degree: int, intervals: int, periodic: bool) -> tuple[float, float]:
    """The error of a function interpolated on even breaks, and what `truncation` makes of it."""
    spline = Spline(degree, torch.linspace(-1, 1, intervals + 1, dtype=torch.float64), degree - 1, periodic)
    where, x = spline.interpolation_points(), inside(spline, 20)
    coefficients = torch.linalg.solve(dense(spline, where), FUNCTIONS[name](where))
    gap = (dense(spline, x) @ coefficients - FUNCTIONS[name](x)).abs().max()
    return float(gap), float(spline.truncation(coefficients[:, None]).max())


@every_degree
def test_truncation_is_above_the_error_of_a_smooth_function_by_a_known_factor(degree: int) -> None:
    # Favard's bound, of the worst function, is (4/π) π^−r h^r |f^(r)|, r = p + 1. Where f^(r) hardly varies over an
    # interval, interpolation leaves the monospline B_r(x/h) h^r f^(r) / r!, shifted so as to vanish at breaks for
    # even r and at midpoints for odd: of size 2 (2π)^−r for odd r and twice that for even r, and 3^−r more.
    error, estimate = interpolated("wave", degree, 20, periodic=True)
    expected = (pi if degree % 2 else pi / 2) / 2 ** (degree + 1)
    assert error / estimate == pytest.approx(expected, rel=0.15)


@every_degree
@closed
@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("intervals", [12, 16, 24])
def test_truncation_is_above_the_error_also_where_little_is_resolved(
    name: str, intervals: int, degree: int, periodic: bool
) -> None:
    # Interpolation may be worse than the best approximation by its Lebesgue constant, here up to 3.
    error, estimate = interpolated(name, degree, intervals, periodic)
    assert error < 3 * estimate


@every_degree
@closed
def test_error_and_truncation_fall_with_the_length_to_the_degree_plus_one(degree: int, periodic: bool) -> None:
    coarse, fine = (interpolated("wave", degree, intervals, periodic) for intervals in (10, 20))
    for before, after in zip(coarse, fine):
        assert np.log2(before / after) == pytest.approx(degree + 1, abs=0.7)


@pytest.mark.parametrize("name", [name for name in SPLINES if "periodic" not in name])
def test_polynomials_are_not_cut_off(name: str) -> None:
    # Rounding in the highest derivative is p! 2^p / h^p of that in the coefficients.
    spline = replace(SPLINES[name], breaks=torch.linspace(-1, 1, 9, dtype=torch.float64))
    where = spline.interpolation_points()
    coefficients = torch.linalg.solve(dense(spline, where), where[:, None] ** min(spline.degree, 4))
    assert spline.truncation(coefficients).max() < 1e-10


def test_one_interval_is_cut_off_where_its_highest_derivative_is_large() -> None:
    spline = SPLINES["one interval"]
    where = spline.interpolation_points()
    sharp, flat = (torch.linalg.solve(dense(spline, where), f)[:, None] for f in (torch.tanh(20 * where - 6), where**3))
    assert spline.truncation(sharp).max() > 0.01 and spline.truncation(flat).max() < 1e-10


def test_only_what_is_cut_off_is_refined() -> None:
    """A kink in one place is met there, its neighbours with it; a smooth function leaves everything as it is."""
    breaks = torch.linspace(-1, 1, 21, dtype=torch.float64)
    spline = Spline(3, breaks, 2)
    x = spline.interpolation_points()
    kinked, smooth = (torch.linalg.solve(dense(spline, x), f)[:, None, None] for f in ((x - 0.5).abs(), x**3 - x))
    one = torch.ones(1, dtype=torch.float64)
    assert refined(spline, smooth, one, 1e-10) is spline
    finer = refined(spline, kinked, one, 1e-3)
    added = sorted(set(finer.breaks.tolist()) - set(breaks.tolist()))
    assert added and all(abs(b - 0.5) < 0.4 for b in added)
    assert refined(spline, kinked, one, 1e3) is spline


def test_refinement_ends_at_the_shortest_interval() -> None:
    spline = Spline(3, torch.linspace(-1, 1, 9, dtype=torch.float64), 2)
    for _ in range(60):
        x = spline.interpolation_points()
        cube = torch.linalg.solve(dense(spline, x), torch.sign(x - 0.1))[:, None, None]
        finer = refined(spline, cube, torch.ones(1, dtype=torch.float64), 1e-6)
        if finer is spline:
            break
        spline = finer
    assert finer is spline and spline.breaks.diff().min() > SHORTEST / 4


def test_marks_are_widened_by_one_on_either_side() -> None:
    marks = torch.tensor([True, False, False, False, True, False, False])
    assert widened(marks).tolist() == [True, True, False, True, True, True, False]
    assert marks.sum() == 2


def test_refining_a_period_wraps_around() -> None:
    spline = replace(SPLINES["periodic cubic"], breaks=torch.linspace(-1, 1, 17, dtype=torch.float64))
    x = spline.interpolation_points()
    kink = torch.linalg.solve(dense(spline, x), torch.cos(pi * x / 2))[:, None, None]  # has one where the ends meet
    finer = refined(spline, kink, torch.ones(1, dtype=torch.float64), 1e-3)
    assert finer.breaks.diff()[0] < 0.1 and finer.breaks.diff()[-1] < 0.1
