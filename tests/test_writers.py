"""What is written comes back bit for bit, opens elsewhere, and is never half there."""

from __future__ import annotations

from dataclasses import fields as parts
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray
from synthetic import GRIDS, synthetic

from kanpde.errors import KanpdeError, ResultError
from kanpde.result import Result
from kanpde.writers import WRITERS, figures, hdf5, nested, read, read_plots, write_run
from kanpde.writers.folders import chosen_run_folder, new_run_folder
from kanpde.writers.layout import stored_order

LINE = replace(synthetic("line"), history={}, points={}, fields={"u": synthetic("line").fields["u"]})  # quickly drawn
every_grid = pytest.mark.parametrize("kind", GRIDS)
PNG = figures.draw(synthetic("line"))["history"]


def same(one: object, other: object) -> bool:
    """Equal in kind and in every bit, whatever is nested in it."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and one.shape == other.shape and \
            (one.tolist() == other.tolist() if one.dtype.kind == "U" else one.tobytes() == other.tobytes())
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and same(vars(one), vars(other))
    return type(one) is type(other) and one == other


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A result file with a picture in it."""
    hdf5.write(synthetic(), {"history": PNG}, tmp_path / "solution.h5")
    return tmp_path / "solution.h5"


@every_grid
@pytest.mark.parametrize("hole", [False, True])
def test_a_result_comes_back_bit_for_bit(kind: str, hole: bool, tmp_path: Path) -> None:
    written = synthetic(kind, hole)
    hdf5.write(written, {}, tmp_path / "a.h5")
    for found in (read(tmp_path / "a.h5"),):
        for part in parts(Result):
            assert same(getattr(written, part.name), getattr(found, part.name)), part.name
        assert list(found.axes) == list(written.axes)
        assert list(found.fields) == list(written.fields)
        assert list(found.history) == list(written.history)


@pytest.mark.parametrize("value", [
    0, -(2**63), 2**80, 1.5, float("inf"), "", "ä\n€", "a\0b", "x" * 100_000, True, False, None, [], [1, 2], [1.0, 2.0],
    ["a", "ä"], [True, False], [1, 2.0, "a", None], [[1, 2], [3]], {}, {"a/b": {"": 1, ".": 2, "%2F": 3}}, b"\0\1",
    [{"a": np.arange(3)}, {"b": [{"c": "d"}]}], np.array(3.0), np.zeros((0, 3)), np.array([True, False]),
    np.arange(5, dtype=np.int8), np.array([1 + 2j]), np.array(["a", "bcd"]), np.array([np.nan, -0.0, np.inf]),
    np.random.default_rng(0).random((70, 80, 3)), {f"key {k}": k for k in range(300)}, {"kanpde_kind": "list"},
], ids=lambda value: repr(value)[:24])
def test_nested_values_come_back_bit_for_bit(value: object, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as group:
        nested.store(group, {"value": value})
    with h5py.File(tmp_path / "a.h5") as group:
        assert same(nested.load(group), {"value": value})


@every_grid
def test_xarray_opens_the_file_with_the_right_dimensions(kind: str, tmp_path: Path) -> None:
    result = synthetic(kind)
    hdf5.write(result, {"history": PNG}, tmp_path / "a.h5")
    with xarray.open_dataset(tmp_path / "a.h5", engine="h5netcdf") as data:
        assert data["u"].dims == stored_order(result.axes)
        np.testing.assert_array_equal(data["u"].transpose(*result.axes).values, result.fields["u"].values)
        for name, axis in result.axes.items():
            np.testing.assert_array_equal(data[name].values, axis)


def test_paraview_sees_the_same_arrays_without_a_copy(file: Path) -> None:
    with h5py.File(file) as data:
        assert data["VTKHDF"].attrs["Type"] == b"ImageData"
        assert data["VTKHDF/PointData/u"] == data["u"] == data["entry/solution/u"]
        assert data["VTKHDF"].attrs["WholeExtent"].tolist() == [0, 22, 0, 30, 0, 0]


def test_pictures_come_back(file: Path) -> None:
    assert read_plots(file) == {"history": PNG}
    with h5py.File(file) as data:
        assert data["plots/history"].attrs["CLASS"] == b"IMAGE"
        assert data["plots/history"].shape[2] == 3


def test_two_writings_of_a_result_are_equal(tmp_path: Path) -> None:
    for name in ("a.h5", "b.h5"):
        hdf5.write(synthetic("cube"), {}, tmp_path / name)
    assert same(read(tmp_path / "a.h5"), read(tmp_path / "b.h5"))


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(share: float, file: Path) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(ResultError, match="solution.h5"):
        read(file)


def test_a_damaged_file_is_refused_or_read_but_never_a_crash(file: Path) -> None:
    content, random = file.read_bytes(), np.random.default_rng(0)
    for _ in range(100):
        damaged = bytearray(content)
        for place in random.integers(0, len(content), 30):
            damaged[place] ^= 1 << random.integers(8)
        file.write_bytes(damaged)
        try:
            read(file)
        except ResultError as error:
            assert str(file) in str(error)


def change_nothing(data: h5py.File) -> None:
    for name in list(data.attrs):
        del data.attrs[name]


def change_version(data: h5py.File) -> None:
    data.attrs["kanpde_format_version"] = "9.0"


def change_link(data: h5py.File) -> None:
    del data["entry"]
    data["entry"] = h5py.ExternalLink("other.h5", "/entry")


def change_axis(data: h5py.File) -> None:
    del data["x"]


def change_size(data: h5py.File) -> None:
    data.create_dataset("network/huge", shape=(2**20, 2**20), dtype="f8", chunks=(1024, 1024))


def change_storage(data: h5py.File) -> None:
    data.create_dataset("network/outside", shape=(4,), dtype="f8", external=[("/etc/hostname", 0, 32)])


def change_depth(data: h5py.File) -> None:
    data["network/again"] = data["network"]


@pytest.mark.parametrize(("change", "message"), [
    (change_nothing, "not a result of kanpde"), (change_version, "9.0; this kanpde reads versions 1.x: a newer"),
    (change_link, "'entry'"),
    (change_axis, "broken"), (change_size, "cannot hold"), (change_storage, "another file"), (change_depth, "deeply"),
])
def test_a_foreign_file_is_refused(change: object, message: str, file: Path) -> None:
    with h5py.File(file, "a") as data:
        change(data)
    with pytest.raises(ResultError, match=message):
        read(file)


def test_links_by_path_are_not_followed(file: Path) -> None:
    with h5py.File(file, "a") as data:
        data["network/soft"] = h5py.SoftLink("/u")
        data["network/outside"] = h5py.ExternalLink("/etc/passwd", "/")
    assert same(read(file).network, synthetic().network)


@pytest.mark.parametrize(("name", "content"), [("absent.h5", None), ("text.h5", b"hello"), ("empty.h5", b"")])
def test_a_file_that_is_no_hdf5_is_refused(name: str, content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ResultError, match=name):
        read(tmp_path / name)


def test_a_folder_without_a_result_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="no solution.h5"):
        read(tmp_path)


def test_a_failure_while_writing_leaves_the_earlier_file(file: Path) -> None:
    before = file.read_bytes()
    broken = replace(synthetic(), network={"a": np.zeros(1000), "b": object()})
    with pytest.raises(TypeError):
        hdf5.write(broken, {}, file)
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_a_run_folder_holds_the_file_and_the_pictures(tmp_path: Path) -> None:
    files = write_run(synthetic(), tmp_path / "run", WRITERS)
    assert files[0] == tmp_path / "run" / "solution.h5"
    assert sorted(p.stem for p in files[1:]) == sorted(figures.FIGURES)
    assert same(read(tmp_path / "run"), synthetic())
    assert {path.stem: path.read_bytes() for path in files[1:]} == read_plots(tmp_path / "run")


def test_a_run_that_fails_leaves_the_earlier_one(tmp_path: Path) -> None:
    write_run(LINE, tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(TypeError):
        write_run(replace(LINE, title="new", network={"b": object()}), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_new_run_leaves_nothing_of_the_earlier_one_but_what_others_put_there(tmp_path: Path) -> None:
    write_run(replace(synthetic("line"), history={}), tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    write_run(LINE, tmp_path)
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert found == ["notes.txt", "plots/solution.png", "solution.h5"]


def test_an_unknown_format_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(KanpdeError, match="did you mean 'h5'"):
        write_run(synthetic(), tmp_path / "run", ("hd5",))
    assert not (tmp_path / "run").exists()


def test_each_run_gets_a_new_folder(tmp_path: Path) -> None:
    names = [new_run_folder(tmp_path / "outputs", "../heat 1").name for _ in range(3)]
    assert names == ["heat-1-001", "heat-1-002", "heat-1-003"]


def test_a_named_folder_may_be_new_empty_or_ours_but_not_somebody_elses(tmp_path: Path) -> None:
    run = chosen_run_folder(tmp_path / "run")
    assert chosen_run_folder(run) == run  # begun, not finished
    write_run(LINE, tmp_path / "copied", ("h5",))
    assert chosen_run_folder(tmp_path / "copied").is_dir()
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.tex").write_text("")
    for path in (tmp_path / "thesis", tmp_path / "thesis" / "chapter.tex", Path("/proc/run")):
        with pytest.raises(KanpdeError):
            chosen_run_folder(path)
