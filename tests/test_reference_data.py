"""The shipped reference solutions: computed again coarsely, and held against laws of the equations themselves."""

from __future__ import annotations

from pathlib import Path

import generate
import h5py
import numpy as np
import pytest

FOLDER = Path(generate.__file__).parent

# The tolerance is the error of the coarse computation: 2048 modes miss 1e-11 of the Allen-Cahn layer,
# a step of 1/10000 leaves 2e-10 in KdV, the trapezoidal rule is exact from 200 intervals on.
COARSE = {
    "burgers": (lambda: generate.burgers(300), 1e-14),
    "allen_cahn": (lambda: generate.allen_cahn(2048, 20), 5e-11),
    "kdv": (lambda: generate.kdv(512, 100), 5e-10),
}
every_reference = pytest.mark.parametrize("name", generate.REFERENCES)


def shipped(name: str) -> generate.Field:
    with h5py.File(FOLDER / f"{name}.h5") as file:
        return generate.Field(file["x"][:], file["t"][:], file["u"][:])


@every_reference
def test_coarse_computation_agrees_with_the_file(name):
    compute, tolerance = COARSE[name]
    assert generate.difference(compute(), shipped(name)) < tolerance


@every_reference
def test_file_names_its_axes_and_its_error(name):
    with h5py.File(FOLDER / f"{name}.h5") as file:
        u = file["u"]
        scales = [dimension[0] for dimension in u.dims]
        assert [Path(scale.name).name for scale in scales] == ["t", "x"]
        assert u.shape == tuple(len(scale) for scale in scales)
        assert 0 < file.attrs["certified_error"] < 2e-11
        assert file.attrs["title"] == generate.REFERENCES[name].title


@pytest.mark.parametrize(
    ("name", "initial"),
    [
        ("burgers", lambda x: -np.sin(np.pi * x)),
        ("allen_cahn", lambda x: x**2 * np.cos(np.pi * x)),
        ("kdv", lambda x: np.cos(np.pi * x)),
    ],
)
def test_first_row_is_the_initial_condition(name, initial):
    field = shipped(name)
    assert np.abs(field.u[0] - initial(field.x)).max() < 1e-14


@pytest.mark.parametrize(("name", "parity"), [("burgers", -1), ("allen_cahn", 1)])
def test_symmetry_of_the_initial_condition_is_kept(name, parity):
    u = shipped(name).u
    assert np.abs(u - parity * u[:, ::-1]).max() < 1e-13


@pytest.mark.parametrize("name", ["burgers", "allen_cahn"])
def test_solution_stays_within_its_initial_bounds(name):
    u = shipped(name).u
    assert np.abs(u).max() <= 1 + 1e-12


@pytest.mark.parametrize("power", [1, 2])
def test_kdv_conserves_mass_and_momentum(power):
    moments = (shipped("kdv").u[:, :-1] ** power).mean(axis=1)
    assert np.abs(moments - moments[0]).max() < 1e-11  # the certified error


def test_exponential_runge_kutta_is_of_fourth_order():
    truth = shipped("kdv")
    coarse, fine = (generate.difference(generate.kdv(512, steps), truth) for steps in (50, 100))
    assert 3.8 < np.log2(coarse / fine) < 4.4
