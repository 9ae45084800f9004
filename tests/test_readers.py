"""Result files in the programs of others: the same numbers, and not a warning; in ours: those of older versions."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path

import h5py
import numpy as np
import pytest
import xarray
from program import ROOT, rows, run
from synthetic import GRIDS, synthetic
from test_writers import PNG

from kanpde.writers import hdf5, read
from kanpde.writers.layout import TIME, VERSION, stored_order
from kanpde.writers.schema import ARRAY, GROUP, SCHEMA, described

OLD = Path(__file__).parent / "results" / "corner_1_0.h5"
every_grid = pytest.mark.parametrize("kind", GRIDS)
OF_OLD = [0.13106125679374747, 0.078230689562087896]  # what the version that wrote it gave
TOOLS = {"ncdump": ["-h"], "h5dump": ["-H"], "h5ls": ["-r"], "h5stat": []}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files are."""
    return tmp_path_factory.mktemp("results")


@lru_cache
def written(kind: str, folder: Path) -> Path:
    """The file of a result with a hole and a picture."""
    path = folder / f"{kind}.h5"
    hdf5.write(synthetic(kind, hole=True), {"history": PNG}, path)
    return path


def stored(kind: str) -> np.ndarray:
    """The values of u in the order of files."""
    result = synthetic(kind, hole=True)
    return result.fields["u"].values.transpose([list(result.axes).index(name) for name in stored_order(result.axes)])


@every_grid
@pytest.mark.parametrize("engine", ["h5netcdf", "netcdf4"])
def test_xarray_opens_fields_and_history(kind: str, engine: str, folder: Path) -> None:
    if engine == "netcdf4":
        pytest.importorskip("netCDF4", reason="netCDF4 is not installed")
    path, result = written(kind, folder), synthetic(kind, hole=True)
    with xarray.open_dataset(path, engine=engine) as data:
        assert data["u"].dims == stored_order(result.axes) and set(data.coords) == set(result.axes)
        np.testing.assert_array_equal(data["u"].values, stored(kind))
        assert data["u"].attrs["units"] == "K" and data["u"].attrs["long_name"] == "the temperature"
    with xarray.open_dataset(path, engine=engine, group="entry/history") as data:
        np.testing.assert_array_equal(data["loss"].values, result.history["loss"])


@every_grid
def test_netcdf_reads_the_same_values(kind: str, folder: Path) -> None:
    netcdf = pytest.importorskip("netCDF4", reason="netCDF4 is not installed")
    with netcdf.Dataset(written(kind, folder)) as data:
        np.testing.assert_array_equal(np.ma.filled(data["u"][:], np.nan), stored(kind))
        assert data["u"].dimensions == stored_order(synthetic(kind).axes)


@pytest.mark.parametrize("tool", TOOLS)
def test_command_line_tools_read_it(tool: str, folder: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    done = subprocess.run([tool, *TOOLS[tool], written("square", folder)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr and len(done.stdout) > 500


@pytest.mark.parametrize("kind", [kind for kind in GRIDS if kind != "four dimensions"])
def test_vtk_reads_the_same_values(kind: str, folder: Path) -> None:
    reader = pytest.importorskip("vtkmodules.vtkIOHDF", reason="vtk is not installed").vtkHDFReader()
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline

    result = synthetic(kind)
    assert reader.CanReadFile(str(written(kind, folder)))
    reader.SetFileName(str(written(kind, folder)))
    reader.UpdateInformation()
    times = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS())
    if TIME not in result.axes:
        reader.Update()
        np.testing.assert_array_equal(
            vtk_to_numpy(reader.GetOutputDataObject(0).GetPointData().GetArray("u")), stored(kind).ravel()
        )
        return
    np.testing.assert_array_equal(times, result.axes[TIME])
    for time, values in zip(times, stored(kind)):
        reader.UpdateTimeStep(time)
        found = vtk_to_numpy(reader.GetOutputDataObject(0).GetPointData().GetArray("u"))
        np.testing.assert_array_equal(found, values.ravel())


@pytest.mark.parametrize("kind", ["line", "square", "square in time"])
def test_nexus_viewers_plot_the_solution_and_the_loss_by_themselves(kind: str, folder: Path) -> None:
    pytest.importorskip("silx", reason="silx is not installed")
    import silx.io
    from silx.io.nxdata import NXdata, get_default

    with silx.io.open(str(written(kind, folder))) as file:
        shown, history = get_default(file, validate=True), NXdata(file["entry/history"])
        assert shown.is_valid and history.is_valid and not shown.issues
        assert shown.axes_names == [{"x": "length"}.get(n, n) for n in stored_order(synthetic(kind).axes)]
        np.testing.assert_array_equal(shown.signal, stored(kind))
        assert history.signal_name == "loss" and history.plot_style.signal_scale_type == "log"


# the schema

def matching(path: str) -> list[str]:
    """The parts of the schema that a path may be."""
    found = []
    for part in SCHEMA:
        pattern = re.escape(part.path).replace("…", ".+")
        if re.fullmatch(re.sub(r"<[^>]*>", "[^/]+", pattern), path):
            found.append(part.path)
    return found


@every_grid
def test_files_hold_what_the_schema_says_and_nothing_else(kind: str, folder: Path) -> None:
    met: set[str] = set()

    def visit(path: str, item: h5py.HLObject) -> None:
        form = GROUP if isinstance(item, h5py.Group) else ARRAY
        fitting = [part.path for part in SCHEMA if part.path in matching(path)
                   and set(part.attributes) <= set(item.attrs) and ("…" in part.path or part.kind == form)]
        assert fitting, f"{path} has {sorted(item.attrs)}"
        met.update(fitting)
        for name in item if form == GROUP else ():
            visit(f"{path.rstrip('/')}/{name}", item[name])

    with h5py.File(written(kind, folder)) as file:
        visit("/", file)
    assert {part.path for part in SCHEMA if part.needed} <= met


def test_the_document_is_that_of_the_schema() -> None:
    """Else: `kanpde show --schema > docs/results.md`."""
    text = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    assert text == "".join(described()) == run("show", "--schema").stdout and f"**{VERSION}**" in text


# other versions

def test_a_result_of_version_1_0_can_be_evaluated_still() -> None:
    found = rows(run("eval", OLD, "--at", "-", stdin="x,y\n-0.5,-0.5\n0.5,-0.25\n").stdout)
    assert [row["u"] for row in found] == pytest.approx(OF_OLD, rel=1e-13)
    assert run("show", OLD).exit_code == 0 and not read(OLD).quantities.units


def test_what_a_later_minor_version_adds_is_passed_over(tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.attrs["kanpde_format_version"] = "1.99"
        file.create_group("future")["array"] = np.arange(3)
        file["u"].attrs["future"] = 1
    assert read(tmp_path / "a.h5").title == read(OLD).title


@pytest.mark.parametrize(("version", "words"), [("2.0", "a newer kanpde wrote it"), ("0.9", "reads versions 1.x"),
                                                ("", "unknown"), ("one", "version one")])
def test_other_versions_are_refused_by_their_number(version: str, words: str, tmp_path: Path) -> None:
    shutil.copy(OLD, tmp_path / "a.h5")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        file.attrs["kanpde_format_version"] = version
    result = run("show", tmp_path / "a.h5")
    assert result.exit_code == 1 and words in result.stderr
