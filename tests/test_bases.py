"""Laws of every basis: its table holds its functions and their derivatives, and its arrays make it again."""

from __future__ import annotations

from dataclasses import fields
from typing import Callable, Mapping

import mpmath
import numpy as np
import pytest
import sympy
import torch
from scipy.interpolate import BSpline as SciPySpline
from torch import Tensor

from kanpde.architecture import basis_of
from kanpde.bases import BASES, Basis, BSpline, Chebyshev
from kanpde.bases.bspline import adapted_knots, uniform_knots
from kanpde.functions import UNIVARIATE
from kanpde.jet import closure, variable
from kanpde.network import KanLayer, Network, tables_of
from kanpde.spec import NetworkSpec
from kanpde.stored import layer_arrays, stored_layer
from kanpde.trial import stacked
from kanpde.vocabulary import BASES as WORDS

X = sympy.Symbol("x", real=True)
UNEVEN = torch.tensor([[-1.9, -1.6, -1.3, -1.0, -0.7, 0.0, 0.4, 1.0, 1.3, 1.6, 1.9]], dtype=torch.float64)


def splines(basis: Basis) -> list[sympy.Expr]:
    """silu and B-splines by sympy's own recurrence."""
    assert isinstance(basis, BSpline)
    knots = tuple(sympy.Rational(*float(t).as_integer_ratio()) for t in basis.knots[0])
    found = [sympy.bspline_basis(basis.degree, knots, k, X) for k in range(basis.size - 1)]
    return [X / (1 + sympy.exp(-X)), *found]


def even(intervals: int) -> list[sympy.Expr]:
    """The points of an even grid on [-1, 1]."""
    return [sympy.Rational(2 * k, intervals) - 1 for k in range(intervals + 1)]


def bumps(basis: Basis) -> list[sympy.Expr]:
    """relu(x - s) relu(e - x) with maximum one, to a power, over as many intervals of the grid as splines have."""
    found = []
    for k in range(basis.size):
        s = sympy.Rational(2 * (k - basis.degree), basis.grid) - 1
        e = s + sympy.Rational(2 * (basis.degree + 1), basis.grid)
        inside = ((X - s) * (e - X) * 4 / (e - s) ** 2) ** basis.degree
        found.append(sympy.Piecewise((inside, (X > s) & (X < e)), (0, True)))
    return found


FORMULAS: Mapping[str, Callable[[Basis], list[sympy.Expr]]] = {
    "chebyshev": lambda basis: [sympy.chebyshevt(k, X) for k in range(basis.size)],
    "sine": lambda basis: [sympy.sin(k * (X + sympy.pi / (basis.size + 1))) for k in range(1, basis.size + 1)],
    "bspline": splines,
    "legendre": lambda basis: [sympy.legendre(k, X) for k in range(basis.size)],
    "jacobi": lambda basis: [sympy.jacobi(k, *map(sympy.Rational, basis.exponents), X) for k in range(basis.size)],
    "fourier": lambda basis: [
        *(sympy.cos(k * X) for k in range(basis.degree + 1)),
        *(sympy.sin(k * X) for k in range(1, basis.degree + 1)),
    ],
    "rbf": lambda basis: [sympy.exp(-(((X - c) * basis.grid / 2) ** 2)) for c in even(basis.grid)],
    "wavelet": lambda basis: [
        (1 - t**2) * sympy.exp(-(t**2) / 2)
        for n in (basis.grid // 2**k for k in range(basis.grid.bit_length()))
        for t in ((X - c) * n / 2 for c in even(n))
    ],
    "relu-power": bumps,
}
SHAPES: Mapping[str, list[Basis]] = {
    "chebyshev": [BASES["chebyshev"](degree=1), BASES["chebyshev"](degree=7)],
    "sine": [BASES["sine"](degree=1), BASES["sine"](degree=5)],
    "bspline": [BSpline(1, 3), BSpline(4, 3), BSpline(3, 4, UNEVEN)],
    "legendre": [BASES["legendre"](degree=1), BASES["legendre"](degree=7)],
    "jacobi": [BASES["jacobi"](degree=n, exponents=e) for n, e in ((1, (2.0, 0.5)), (7, (1.0, 1.0)), (6, (-0.5, 1.5)))],
    "fourier": [BASES["fourier"](degree=1), BASES["fourier"](degree=5)],
    "rbf": [BASES["rbf"](grid=1), BASES["rbf"](grid=5)],
    "wavelet": [BASES["wavelet"](grid=1), BASES["wavelet"](grid=5)],
    "relu-power": [BASES["relu-power"](degree=1, grid=1), BASES["relu-power"](degree=3, grid=4)],
}
EVERY = [(name, basis) for name in BASES for basis in [BASES[name](), *SHAPES.get(name, [])]]
every_basis = pytest.mark.parametrize(("name", "basis"), EVERY, ids=[f"{n}-{b.size}" for n, b in EVERY])


def points(rows: int = 2, count: int = 9) -> Tensor:
    """Points that are no knots."""
    return 1.9 * torch.rand(rows, count, generator=torch.Generator().manual_seed(3), dtype=torch.float64) - 0.95


def assert_close(found: Tensor, expected: Tensor, tolerance: float) -> None:
    """Equal to within a fraction of the largest entry, each order of derivative for itself."""
    assert found.shape == expected.shape
    for m, (a, b) in enumerate(zip(found, expected)):
        assert (a - b).abs().max() <= tolerance * max(1.0, float(b.abs().max())), f"order {m}"


def test_every_basis_is_in_the_tables_of_this_test() -> None:
    assert set(FORMULAS) == set(SHAPES) == set(BASES)


def test_the_vocabulary_holds_every_basis_with_its_settings() -> None:
    settings = {field.name for field in fields(NetworkSpec)}
    shaped = {name: {field.name for field in fields(kind)} & settings for name, kind in BASES.items()}
    shaped |= {"auto": {"degree"}, "separable": {"degree", "grid"}, "mlp": set()}
    assert {name: set(family.settings) for name, family in WORDS.items()} == shaped


@pytest.mark.parametrize("name", BASES)
def test_settings_shape_the_basis(name: str) -> None:
    asked = NetworkSpec(basis=name, degree=4, grid=6, exponents=(0.5, 1.0))
    for setting in WORDS[name].settings:
        assert getattr(basis_of(asked), setting) == getattr(asked, setting)
    assert basis_of(NetworkSpec(basis=name)).size == BASES[name]().size


@every_basis
def test_derivatives_by_the_bounded_argument_are_those_of_automatic_differentiation(name: str, basis: Basis) -> None:
    # Beyond [-1, 1], where tanh flattens; 1e-11 as above.
    u = (3 * points()).requires_grad_()
    tables = torch.stack([one.transpose(0, 1) for one in tables_of(basis, basis.bound, u.detach(), 3)])
    values = basis.table(UNIVARIATE[basis.bound].value(u) if basis.bound else u, 0)[0]
    for k, found in enumerate(values.unbind(1)):
        expected = [found]
        for _ in range(3):
            slope = None
            if expected[-1].requires_grad:
                slope = torch.autograd.grad(expected[-1].sum(), u, create_graph=True, allow_unused=True)[0]
            expected.append(torch.zeros_like(u) if slope is None else slope)
        assert_close(tables[:, :, k], torch.stack(expected).detach(), 1e-11)


@every_basis
def test_a_table_has_a_row_per_order_and_function(name: str, basis: Basis) -> None:
    x = points()
    for order in (0, 1, 5):
        assert basis.table(x, order).shape == (order + 1, 2, basis.size, 9)
        assert torch.equal(basis.table(x, order)[0], basis.table(x, 0)[0])


@every_basis
def test_derivatives_are_those_of_automatic_differentiation(name: str, basis: Basis) -> None:
    # Each order loses about a digit to the growth K² of derivatives, hence 1e-11 of the largest at order 4.
    x = points().requires_grad_()
    columns = []
    for k in range(basis.size):
        found = [basis.table(x, 0)[0, :, k]]
        for _ in range(4):
            slope = None
            if found[-1].requires_grad:
                slope = torch.autograd.grad(found[-1].sum(), x, create_graph=True, allow_unused=True)[0]
            found.append(torch.zeros_like(x) if slope is None else slope)
        columns.append(torch.stack(found))
    assert_close(basis.table(x.detach(), 4), torch.stack(columns, dim=2).detach(), 1e-11)


@every_basis
def test_functions_and_derivatives_are_those_of_the_textbook(name: str, basis: Basis) -> None:
    x = points(1, 5)
    columns = []
    for formula in FORMULAS[name](basis):
        rows = []
        for m in range(4):
            function = sympy.lambdify(X, sympy.diff(formula, X, m), "mpmath")
            with mpmath.workdps(40):
                rows.append([float(function(mpmath.mpf(float(z)))) for z in x[0]])
        columns.append(torch.tensor(rows, dtype=torch.float64))
    assert_close(basis.table(x, 3), torch.stack(columns, dim=1)[:, None], 1e-12)


@every_basis
def test_arrays_make_the_same_basis_again(name: str, basis: Basis) -> None:
    layer = KanLayer(basis, 2, 3, basis.bound)
    again = stored_layer(layer_arrays(layer, torch.zeros(layer.shape, dtype=torch.float64)))
    assert again.before == layer.before and again.shape == layer.shape
    assert torch.equal(again.basis.table(points(), 3), basis.table(points(), 3))
    assert torch.equal(type(basis)(**basis.arrays()).table(points(), 3), basis.table(points(), 3))


@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("depth", [1, 2, 4, 8])
def test_initial_coefficients_keep_the_size_of_values_over_depth(name: str, depth: int) -> None:
    # Inputs U[-1, 1] have the size 0.58; outputs stay within a decade of it, at the median over ten starts.
    basis, sizes = BASES[name](), [2, *[10] * depth, 1]
    layers = tuple(KanLayer(basis, a, b, basis.bound if k else None) for k, (a, b) in enumerate(zip(sizes, sizes[1:])))
    x = 2 * torch.rand(2, 200, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1
    outputs = [
        Network(layers).value(x, Network(layers).initial(torch.Generator().manual_seed(seed))) for seed in range(10)
    ]
    assert 0.058 < float(torch.stack(outputs).square().mean(-1).sqrt().median()) < 5.8


@pytest.mark.parametrize("name", BASES)
def test_initial_coefficients_keep_the_sizes_of_slopes_and_laplacians_over_depth(name: str) -> None:
    basis, indices = BASES[name](), closure(frozenset({(2, 0), (0, 2)}))
    x = 2 * torch.rand(2, 200, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1
    inputs = stacked([variable(row, axis, 2, indices) for axis, row in enumerate(x)], indices, x)
    found = []
    for depth in (2, 3, 4):
        sizes = [2, *[10] * depth, 1]
        layers = [KanLayer(basis, a, b, basis.bound if k else None) for k, (a, b) in enumerate(zip(sizes, sizes[1:]))]
        network, rows = Network(tuple(layers)), []
        for seed in range(10):
            u, _ = network.forward(inputs, network.initial(torch.Generator().manual_seed(seed)))
            rows.append(torch.stack([u[1, 0], u[0, 1], u[2, 0] + u[0, 2]]).square().mean(dim=(1, 2)).sqrt())
        found.append(torch.stack(rows).median(0).values)
    medians = torch.stack(found)
    assert torch.isfinite(medians).all()
    assert (medians.amax(0) < 10 * medians.amin(0)).all()


SPLINES = [basis for _, basis in EVERY if isinstance(basis, BSpline)]
every_spline = pytest.mark.parametrize("basis", SPLINES, ids=lambda b: f"degree{b.degree}-grid{b.grid}")


@every_spline
def test_splines_add_up_to_one_on_the_grid(basis: BSpline) -> None:
    ends = torch.tensor([[-1.0, 1.0]], dtype=torch.float64)
    x = torch.cat([points(1, 50), ends, basis.knots[:, basis.degree : basis.degree + basis.grid + 1]], dim=1)
    table = basis.table(x, basis.degree - 1)[:, :, 1:]  # the derivative of order `degree` jumps at knots
    ones = torch.zeros(basis.degree, 1, x.shape[1], dtype=torch.float64)
    ones[0] = 1
    rounding = 1e-15 * table.abs().amax(dim=(1, 2, 3)).clamp_min(1) * basis.size
    assert ((table.sum(2) - ones).abs().amax(dim=(1, 2)) <= rounding).all()
    assert table[0].min() > -1e-16


@every_spline
def test_splines_are_those_of_scipy(basis: BSpline) -> None:
    # Outside the grid too: the functions continue over the outer knots and vanish beyond them.
    x = torch.linspace(-3.03, 3.07, 41, dtype=torch.float64)[None]
    reference = []
    for m in range(basis.degree):  # the derivative of order `degree` jumps at knots
        rows = []
        for k in range(basis.size - 1):
            local = basis.knots[0, k : k + basis.degree + 2].numpy()
            element = SciPySpline.basis_element(local, extrapolate=False)
            rows.append(np.nan_to_num((element.derivative(m) if m else element)(x[0].numpy())))
        reference.append(rows)
    assert_close(basis.table(x, basis.degree - 1)[:, 0, 1:], torch.tensor(np.array(reference)), 1e-12)


@every_spline
def test_splines_vanish_beyond_their_knots(basis: BSpline) -> None:
    far = torch.tensor([[-50.0, -5.5, 5.5, 50.0]], dtype=torch.float64)
    table = basis.table(far, 2)
    assert torch.isfinite(table).all()
    assert (table[:, :, 1:] == 0).all()


def test_adapted_knots_ascend_and_hold_all_values() -> None:
    generator = torch.Generator().manual_seed(0)
    values = torch.cat([torch.randn(3, 200, generator=generator).double() ** 3, torch.full((1, 200), 0.25).double()])
    knots = adapted_knots(values, 6, 3)
    assert knots.shape == (4, 6 + 2 * 3 + 1)
    assert (knots.diff(dim=1) > 0).all()
    assert (knots[:, 3] < values.amin(1)).all() and (knots[:, -4] > values.amax(1)).all()


def test_uniform_knots_divide_each_range_evenly() -> None:
    knots = uniform_knots(torch.tensor([[-1.0, 1.0], [0.0, 6.0]], dtype=torch.float64), 4, 2)
    expected = torch.stack([torch.linspace(-2, 2, 9), torch.linspace(-3, 9, 9)]).double()
    assert (knots - expected).abs().max() < 1e-14


def test_the_scale_of_a_network_is_a_factor_of_its_start() -> None:
    layers = (KanLayer(Chebyshev(5), 2, 4), KanLayer(Chebyshev(5), 4, 1, "tanh"))
    one, other = (Network(layers, scale).initial(torch.Generator().manual_seed(1)) for scale in (1.0, 0.577))
    assert torch.equal(other, 0.577 * one)
