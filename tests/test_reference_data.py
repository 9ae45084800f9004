"""The shipped reference solutions: computed again coarsely, and held against laws of the equations themselves."""

from __future__ import annotations

from pathlib import Path

import generate
import h5py
import numpy as np
import pytest
from burgers import burgers
from cavity import cavity, lifted
from fields import difference, read
from fourier import allen_cahn, cahn_hilliard, gray_scott, kdv, kuramoto_sivashinsky
from harmonic import CORNERS, four_discs, l_shape
from schroedinger import HALF, initial, schroedinger, wavenumbers

FOLDER = Path(generate.__file__).parent

# The tolerance is the error of the coarse computation: 2048 modes miss 1e-11 of the Allen-Cahn layer, a step of 1/10000
# leaves 2e-10 in KdV and 1e-9 in Kuramoto-Sivashinsky, the trapezoidal rule is exact from 200 intervals on, 512 modes
# miss 1.2e-7 of the kink of the Schroedinger equation, 20 x 20 polynomials 7e-6 of the corners of the cavity; harmonic
# functions are certified as coarsely by their misfit on the boundary.
COARSE = {
    "burgers": (lambda: burgers(0.01 / np.pi, 300), 1e-14),
    "burgers_mild": (lambda: burgers(0.01, 300), 1e-14),
    "allen_cahn": (lambda: allen_cahn(2048, 20), 5e-11),
    "kdv": (lambda: kdv(512, 100), 5e-10),
    "kuramoto_sivashinsky": (lambda: kuramoto_sivashinsky(256, 100), 2e-9),
    "cahn_hilliard": (lambda: cahn_hilliard(512, 20), 2e-9),
    "gray_scott": (lambda: gray_scott(256, 5), 2e-9),
    "schroedinger": (lambda: schroedinger(512, 25), 2e-7),
    "cavity": (lambda: cavity(20), 1e-5),
    "four_discs": (lambda: four_discs(16, 8)[0], 2e-6),
    "l_shape": (lambda: l_shape(20, 20)[0], 1e-7),
}
# The kink of the Schroedinger equation lasts, and the corners of the cavity are singular: Fourier modes and polynomials
# converge with a power of their number only.
CERTIFIED = {"schroedinger": 5e-8, "cavity": 2e-7}
INITIAL = {
    "burgers": {"u": lambda x: -np.sin(np.pi * x)},
    "burgers_mild": {"u": lambda x: -np.sin(np.pi * x)},
    "allen_cahn": {"u": lambda x: x**2 * np.cos(np.pi * x)},
    "kdv": {"u": lambda x: np.cos(np.pi * x)},
    "kuramoto_sivashinsky": {"u": lambda x: -np.sin(np.pi * x)},
    "cahn_hilliard": {"u": lambda x: -np.cos(2 * np.pi * x)},
    "gray_scott": {
        "u": lambda x: 1 - np.exp(2 * np.cos(np.pi * x) - 2) / 2,
        "v": lambda x: np.exp(2 * np.cos(np.pi * x) - 2) / 4,
    },
    "schroedinger": {"u": lambda x: 2 / np.cosh(x), "v": lambda x: 0 * x},
}
AXES = dict.fromkeys(("cavity", "four_discs", "l_shape"), ["x", "y"])
PARITY = {"burgers": -1, "burgers_mild": -1, "allen_cahn": 1, "cahn_hilliard": 1, "kuramoto_sivashinsky": -1}
every_reference = pytest.mark.parametrize("name", generate.REFERENCES)


def shipped(name):
    return read(FOLDER / f"{name}.h5")


@every_reference
def test_coarse_computation_agrees_with_the_file(name):
    compute, tolerance = COARSE[name]
    assert difference(compute(), shipped(name)) < tolerance


@every_reference
def test_file_names_its_axes_and_its_error(name):
    with h5py.File(FOLDER / f"{name}.h5") as file:
        for field in shipped(name).values:
            scales = [dimension[0] for dimension in file[field].dims]
            assert [Path(scale.name).name for scale in scales] == AXES.get(name, ["t", "x"])
            assert file[field].shape == tuple(len(scale) for scale in scales)
        assert 0 < file.attrs["certified_error"] < CERTIFIED.get(name, 2e-11)
        assert file.attrs["title"] == generate.REFERENCES[name].title
    assert (FOLDER / f"{name}.h5").stat().st_size < 400_000


@pytest.mark.parametrize("name", INITIAL)
def test_first_row_is_the_initial_condition(name):
    found = shipped(name)
    for field, condition in INITIAL[name].items():
        assert np.abs(found.values[field][0] - condition(found.axes["x"])).max() < 1e-14


@pytest.mark.parametrize(("name", "parity"), PARITY.items())
def test_symmetry_of_the_initial_condition_is_kept(name, parity):
    u = shipped(name).values["u"]
    assert np.abs(u - parity * u[:, ::-1]).max() < 1e-12  # rounding grows by 1e3 in Kuramoto-Sivashinsky


@pytest.mark.parametrize("name", ["burgers", "burgers_mild", "allen_cahn"])
def test_solution_stays_within_its_initial_bounds(name):
    u = shipped(name).values["u"]
    assert np.abs(u).max() <= 1 + 1e-12


@pytest.mark.parametrize("power", [1, 2])
def test_kdv_conserves_mass_and_momentum(power):
    moments = (shipped("kdv").values["u"][:, :-1] ** power).mean(axis=1)
    assert np.abs(moments - moments[0]).max() < 1e-11  # the certified error


def test_schroedinger_conserves_mass():
    found = shipped("schroedinger").values
    mass = (found["u"][1:, :-1] ** 2 + found["v"][1:, :-1] ** 2).mean(axis=1)
    # The mean of 256 values takes the modes from 256 on, of size 2e-7 and less, for the mean mode.
    assert np.abs(mass / (4 * np.tanh(HALF) / HALF) - 1).max() < 1e-5


def test_schroedinger_stays_even():
    for values in shipped("schroedinger").values.values():  # rounding grows by 1e5 as the breather contracts
        assert np.abs(values - values[:, ::-1]).max() < 1e-9


def test_schroedinger_coefficients_are_those_of_the_initial_condition():
    z, w = np.polynomial.legendre.leggauss(200)
    n, x = np.arange(40.0), HALF * z
    integrals = (w / np.cosh(x) * np.cos(np.pi * n[:, None] * (x + HALF) / HALF)).sum(axis=1)
    assert np.abs(initial(n) - integrals).max() < 1e-13
    assert np.array_equal(initial(wavenumbers(64))[1:32], initial(wavenumbers(64))[:32:-1])


def test_cavity_satisfies_its_boundary_conditions():
    found = shipped("cavity")
    x, u, v = found.axes["x"], found.values["u"], found.values["v"]
    u = u - np.outer(4 * x * (1 - x), found.axes["y"] == 1)
    for values in (u, v, found.values["psi"]):
        assert max(np.abs(side).max() for side in (values[0], values[-1], values[:, 0], values[:, -1])) < 1e-13


def test_corner_flows_have_the_derivatives_they_state():
    x, y = np.random.default_rng(0).uniform(0.1, 0.9, (2, 50))
    h = 1e-3  # of a five-point rule: h^2 times the fourth derivatives, of size 100

    def psi(i, j):
        return lifted(x + i * h, y + j * h).value

    found = lifted(x, y)
    assert np.abs((psi(1, 0) - psi(-1, 0)) / (2 * h) - found.x).max() < 1e-4
    assert np.abs((psi(0, 1) - psi(0, -1)) / (2 * h) - found.y).max() < 1e-4
    five = psi(1, 0) + psi(-1, 0) + psi(0, 1) + psi(0, -1) - 4 * psi(0, 0)
    assert np.abs(five / h**2 - found.lap).max() < 1e-3


def test_exponential_runge_kutta_is_of_fourth_order():
    truth = shipped("kdv")
    coarse, fine = (difference(kdv(512, steps), truth) for steps in (50, 100))
    assert 3.8 < np.log2(coarse / fine) < 4.4


@pytest.mark.parametrize("name", ["four_discs", "l_shape"])
def test_the_misfit_on_the_boundary_bounds_the_error_inside(name):
    compute = {"four_discs": four_discs, "l_shape": l_shape}[name]
    for degree, order in ((8, 4), (12, 6), (16, 8)):
        found, bound = compute(degree, order)
        assert difference(found, shipped(name)) <= bound


def test_the_l_shape_satisfies_its_equation_and_is_symmetric():
    found = shipped("l_shape")
    u, h = found.values["u"], found.axes["x"][1] - found.axes["x"][0]
    five = u[:-2, 1:-1] + u[2:, 1:-1] + u[1:-1, :-2] + u[1:-1, 2:] - 4 * u[1:-1, 1:-1]
    z = found.axes["x"][1:-1, None] + 1j * found.axes["x"][1:-1]
    away = np.min([np.abs(z - corner) for corner in CORNERS], axis=0) > 0.3
    assert np.nanmax(np.abs(five / h**2 + 1)[away]) < 2e-3  # h^2 / 12 times fourth derivatives, of size 30
    assert np.nanmax(np.abs(u - u.T)) < 1e-13 and abs(u[25, 25] - 0.131053) < 1e-6
