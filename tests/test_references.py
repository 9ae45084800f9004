"""References of every format say the same, and comparisons measure what they say."""

from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from synthetic import GRIDS, synthetic

from kanpde.comparison import compare, difference, samples_of
from kanpde.errors import ResultError
from kanpde.references import Samples, read_reference
from kanpde.writers import hdf5

X, T = np.linspace(-1, 1, 7), np.linspace(0, 1, 4)
U = np.sin(X)[:, None] + T


def write_scaled(path: Path) -> None:
    with h5py.File(path, "w") as file:
        for name, axis in {"x": X, "t": T}.items():
            file[name] = axis
            file[name].make_scale(name)
        file["u"] = U.T
        file["u"].dims[0].attach_scale(file["t"])
        file["u"].dims[1].attach_scale(file["x"])
        file.attrs["certified_error"] = 1e-9


def write_plain(path: Path) -> None:
    with h5py.File(path, "w") as file:
        file.update({"x": X, "t": T, "u": U})
        file["u"].attrs["certified_error"] = 1e-9


def write_npz(path: Path) -> None:
    np.savez(path, x=X, t=T, u=U.T, certified_error=1e-9)


def write_csv(path: Path) -> None:
    x, t = np.meshgrid(X, T, indexing="ij")
    rows = np.column_stack([t.ravel(), U.ravel(), x.ravel()])
    np.savetxt(path, rows, delimiter=",", header="t,u,x", fmt="%.17g", comments="")


@pytest.mark.parametrize(("name", "write"), [
    ("a.h5", write_scaled), ("b.h5", write_plain), ("c.npz", write_npz), ("d.csv", write_csv)])
@pytest.mark.parametrize("coordinates", [("x", "t"), None])
def test_every_format_gives_the_same_values_at_the_same_points(name, write, coordinates, tmp_path: Path) -> None:
    write(tmp_path / name)
    found = read_reference(tmp_path / name, coordinates)
    assert list(found.axes) == ["x", "t"]
    np.testing.assert_array_equal(found.fields["u"].ravel(), U.ravel())
    np.testing.assert_array_equal(found.points(("t", "x"))[:, 0], np.tile(T, 7))
    assert found.certified == ({} if found.scattered else {"u": 1e-9})


def test_a_square_array_is_read_by_its_labels_else_last_axis_first(tmp_path: Path) -> None:
    u = np.arange(16.0).reshape(4, 4)
    np.savez(tmp_path / "a.npz", x=T, y=T, u=u)
    np.savez(tmp_path / "b.npz", x=T, y=T, u=u, u_axes=["x", "y"])
    np.testing.assert_array_equal(read_reference(tmp_path / "a.npz").fields["u"], u.T)
    np.testing.assert_array_equal(read_reference(tmp_path / "b.npz").fields["u"], u)


@pytest.mark.parametrize("kind", [kind for kind in GRIDS if kind != "four dimensions"])
def test_a_result_file_is_a_reference_for_itself(kind: str, tmp_path: Path) -> None:
    result = synthetic(kind)
    hdf5.write(result, {}, tmp_path / "solution.h5")
    reference = read_reference(tmp_path, tuple(result.axes))
    assert list(reference.fields) == ["u"]
    found = compare(result, reference)
    assert found.differences["u"].maximum == 0 and found.how == "the same grid"


class Evil:
    """What a pickle would run."""


@pytest.mark.parametrize(("name", "content", "message"), [
    ("a.txt", b"", "unknown kind"), ("a.npz", b"PK", "archive"), ("a.npz", b"", "archive"), ("a.h5", b"", "HDF5"),
    ("a.csv", b"", "numbers"), ("a.csv", b"x,u\n1,a\n", "numbers"), ("a.csv", b"x,u\n1,2,3\n", "2 names"),
    ("a.csv", b"q,u\n1,2\n", "coordinate"), ("a.csv", b"x\n1\n", "no field"), ("b.npz", None, "no such file"),
], ids=str)
def test_a_file_that_is_no_reference_is_refused(name: str, content: bytes | None, message: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ResultError, match=message) as caught:
        read_reference(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)


def test_pickles_and_bombs_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "pickle.npz", x=np.array([Evil()], dtype=object))
    with open(tmp_path / "x.npy", "wb") as stream:
        np.lib.format.write_array_header_1_0(stream, {"descr": "<f8", "fortran_order": False, "shape": (2**40,)})
    zipped(tmp_path / "bomb.npz", tmp_path / "x.npy")
    for name in ("pickle.npz", "bomb.npz"):
        with pytest.raises(ResultError, match=name):
            read_reference(tmp_path / name)


def zipped(path: Path, member: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(member, member.name)


def test_axes_must_increase(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X[::-1], t=T, u=U)
    with pytest.raises(ResultError, match="'x' does not increase"):
        read_reference(tmp_path / "a.npz")


@pytest.mark.parametrize("kind", ["line", "line in time", "square in time", "time first"])
def test_interpolation_is_exact_for_cubics(kind: str) -> None:
    result = synthetic(kind)
    points = np.random.default_rng(0).random((500, len(result.axes)))
    cubic = lambda *x: sum((n + 1) * axis**3 - axis**2 for n, axis in enumerate(x)) + np.prod(x, axis=0)  # noqa: E731
    mesh = np.meshgrid(*result.axes.values(), indexing="ij")
    result = replace(result, fields={"u": replace(result.fields["u"], values=cubic(*mesh))})
    reference = Samples("r", dict(zip(result.axes, points.T, strict=True)), {"u": cubic(*points.T)}, scattered=True)
    assert compare(result, reference).differences["u"].maximum < 1e-13


def test_interpolation_converges_with_the_fourth_power() -> None:
    errors = []
    for count in (20, 40, 80):
        x = np.linspace(0, 1, count)
        result = synthetic("line")
        result = replace(result, axes={"x": x}, fields={"u": replace(result.fields["u"], values=np.sin(9 * x))})
        fine = np.linspace(0, 1, 1001)
        errors.append(compare(result, Samples("r", {"x": fine}, {"u": np.sin(9 * fine)})).differences["u"].maximum)
    assert np.log2(errors[0] / errors[1]) > 3.5 and np.log2(errors[1] / errors[2]) > 3.5


def test_the_network_is_asked_at_the_points_of_the_reference_in_the_order_of_the_result() -> None:
    result = synthetic("line in time")
    reference = Samples("r", {"t": T, "x": X + 5}, {"u": U.T}, {"u": 1e-9})
    found = compare(result, reference, lambda points: {"u": np.sin(points[:, 0] - 5) + points[:, 1]})
    assert found.differences["u"].maximum < 1e-14 and found.differences["u"].certified == 1e-9


def test_points_outside_and_holes_do_not_count() -> None:
    result = synthetic("line in time", hole=True)
    reference = Samples("r", {"x": np.array([-1.0, 0.1, 0.5]), "t": np.array([0.5])}, {"u": np.ones((3, 1))})
    assert compare(result, reference).differences["u"].points == 1
    with pytest.raises(ResultError, match="no point in common"):
        compare(result, replace(reference, axes={"x": X + 9, "t": T}, fields={"u": U}))


def test_fields_and_coordinates_must_match() -> None:
    result = synthetic("line in time")
    with pytest.raises(ResultError, match="coordinates are x, y"):
        compare(result, Samples("r", {"x": X, "y": T}, {"u": U}))
    with pytest.raises(ResultError, match="fields are v, w"):
        compare(result, Samples("r", {"x": X, "t": T}, {"v": U, "w": U}))
    with pytest.raises(ResultError, match="no coordinate 'y'"):
        Samples("r", {"x": X, "t": T}, {"u": U}).points(("x", "y"))
    assert compare(result, Samples("r", {"x": X, "t": T}, {"temperature": U})).differences.keys() == {"u"}


def test_a_difference_is_relative_to_the_reference() -> None:
    assert difference(np.array([3.0, 4.5]), np.array([3.0, 4.0])).relative_l2 == pytest.approx(0.1)
    assert difference(np.zeros(3), np.zeros(3)).relative_l2 == 0
    assert difference(np.ones(3), np.zeros(3)).relative_l2 == np.inf


def test_a_result_is_compared_with_another_one() -> None:
    one, other = synthetic("square"), synthetic("square", seed=1)
    assert 0 < compare(one, samples_of(other, "other")).differences["u"].relative_l2 < 1e-4
