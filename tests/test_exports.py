"""What is exported holds the same numbers, as the readers of those formats read them."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
import torch
from program import run
from small import random_theta, small_problem
from synthetic import GRIDS, synthetic

import kanpde
from kanpde.errors import KanpdeError
from kanpde.exports import EXPORTS, arrays, table, vtk_xml, xdmf
from kanpde.exports.traced import Function, checked, sample
from kanpde.result import Outcome, Result
from kanpde.solution import Solution
from kanpde.spec import read_spec_text
from kanpde.writers import hdf5
from kanpde.writers.layout import TIME, spatial, stored_order

SPACED = [kind for kind in GRIDS if kind != "four dimensions"]
STATEMENTS = {
    "conditions built in": "domain: {x: [0, 2], y: [0, 1]}\nequations: {p: lap(u) = x}\nboundary: {all: u = x*y}",
    "a circle": "domain: {x: [0, 1], t: [0, 1]}\nequations: {p: u_t = u_xx}\n"
                "initial: {u: sin(2*pi*x)}\nboundary: {x: periodic}",
    "a line": "domain: {x: [-1, 1]}\nequations: {p: u_xx = exp(x)}\nboundary: {all: u = 1}",
}  # fmt: skip


def solution(name: str, kind: str = "chebyshev") -> Solution:
    """A solution with random coefficients."""
    spec = read_spec_text(f"unknowns: [u]\n{STATEMENTS[name]}\noutput: {{grid: 5}}\n", "some.yaml", Path("."))
    problem = small_problem(spec, kind)
    step = {"step": np.arange(1), "loss": np.ones(1)}
    return Solution(spec, problem, random_theta(problem), step, Outcome.FINISHED, {}, {})


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A result file with a hole, in time."""
    hdf5.write(synthetic("square in time", hole=True), {}, tmp_path / "solution.h5")
    return tmp_path / "solution.h5"


@pytest.mark.parametrize("kind", GRIDS)
def test_numpy_reads_the_same_arrays(kind: str, tmp_path: Path) -> None:
    result = synthetic(kind, hole=True)
    list(arrays.write(result, tmp_path / "a.npz", tmp_path))
    with np.load(tmp_path / "a.npz", allow_pickle=False) as found:
        for name, axis in result.axes.items():
            np.testing.assert_array_equal(found[name], axis)
        for name, field in result.fields.items():
            np.testing.assert_array_equal(found[name], field.values)


@pytest.mark.parametrize("kind", GRIDS)
def test_a_table_holds_every_point_of_the_region_bit_for_bit(kind: str, tmp_path: Path) -> None:
    result = synthetic(kind, hole=True)
    only = {name: field for name, field in result.fields.items() if field.kind in ("solution", "exact")}
    result = Result(**{**vars(result), "fields": only})
    list(table.write(result, tmp_path / "a.csv", tmp_path))
    header, *lines = (tmp_path / "a.csv").read_text().splitlines()
    assert header.split(",") == [*result.axes, *only]
    inside = np.isfinite(only["u"].values)
    found = np.array([[float(cell) for cell in line.split(",")] for line in lines])
    np.testing.assert_array_equal(found[:, len(result.axes)], only["u"].values[inside])
    mesh = np.meshgrid(*result.axes.values(), indexing="ij")
    np.testing.assert_array_equal(found[:, 0], mesh[0][inside])


@pytest.mark.parametrize("kind", SPACED)
def test_vtk_reads_the_same_arrays(kind: str, tmp_path: Path) -> None:
    reader = pytest.importorskip("vtkmodules.vtkIOXML", reason="vtk is not installed").vtkXMLRectilinearGridReader()
    from vtkmodules.util.numpy_support import vtk_to_numpy

    result = synthetic(kind, hole=True)
    list(vtk_xml.write(result, tmp_path / "a.vtr", tmp_path))
    times = range(len(result.axes[TIME])) if TIME in result.axes else [None]
    for time in times:
        files = [tmp_path / "a.vtr"] if time is None else sorted((tmp_path / "a").glob("*.vtr"))
        reader.SetFileName(str(files[time or 0]))
        reader.Update()
        grid = reader.GetOutput()
        values = result.fields["u"].values
        if time is not None:
            values = np.take(values, time, axis=list(result.axes).index(TIME))
        np.testing.assert_array_equal(vtk_to_numpy(grid.GetPointData().GetArray("u")), values.T.ravel())
        flux = vtk_to_numpy(grid.GetPointData().GetArray("flux"))
        np.testing.assert_array_equal(flux[:, 0], values.T.ravel())
        first = spatial(result.axes)[0]
        np.testing.assert_array_equal(vtk_to_numpy(grid.GetXCoordinates()), result.axes[first])


@pytest.mark.parametrize("kind", ["square", "cube", "square in time", "cube in time"])
def test_an_old_paraview_reads_the_result_by_its_description(kind: str, tmp_path: Path) -> None:
    reader = pytest.importorskip("vtkmodules.vtkIOXdmf2", reason="vtk is not installed").vtkXdmfReader()
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonExecutionModel import vtkStreamingDemandDrivenPipeline

    result = synthetic(kind, hole=True)
    hdf5.write(result, {}, tmp_path / "solution.h5")
    list(xdmf.write(result, tmp_path / "a.xdmf", tmp_path / "solution.h5"))
    reader.SetFileName(str(tmp_path / "a.xdmf"))
    reader.UpdateInformation()
    times = reader.GetOutputInformation(0).Get(vtkStreamingDemandDrivenPipeline.TIME_STEPS())
    turned = result.fields["u"].values.transpose([list(result.axes).index(name) for name in stored_order(result.axes)])
    for number in range(len(times) if TIME in result.axes else 1):
        reader.UpdateTimeStep(times[number]) if TIME in result.axes else reader.Update()
        grid = reader.GetOutputDataObject(0)
        grid = grid.GetBlock(0) if grid.IsA("vtkMultiBlockDataSet") else grid
        expected = turned[number] if TIME in result.axes else turned
        np.testing.assert_array_equal(vtk_to_numpy(grid.GetPointData().GetArray("u")), expected.ravel())


@pytest.mark.parametrize(("module", "kind", "words"), [
    (xdmf, "line", "not x"), (xdmf, "four dimensions", "not a, b"), (vtk_xml, "four dimensions", "not a, b"),
])
def test_grids_that_a_format_does_not_know_are_refused(module: object, kind: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(KanpdeError, match=words):
        list(module.write(synthetic(kind), tmp_path / "a", tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("form", ["csv", "npz", "vtk", "xdmf"])
def test_the_command_writes_beside_the_result_and_elsewhere(form: str, source: Path, tmp_path: Path) -> None:
    result = run("export", source, "--to", form)
    assert result.exit_code == 0 and result.stdout.startswith(str(tmp_path / "solution."))
    assert run("export", source, "--to", form, "--output", tmp_path / f"other.{form}").exit_code == 0
    assert run("export", source, "--to", form, "--output", tmp_path / "no" / "folder").exit_code == 1


def test_a_missing_package_is_named(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> object:
        raise ModuleNotFoundError(f"No module named '{name}'", name="onnxruntime")

    monkeypatch.setattr(sys.modules["kanpde.commands.export"], "import_module", missing)
    result = run("export", source, "--to", "onnx")
    assert result.exit_code == 1 and "pip install 'kanpde[onnx]'" in result.stderr


@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("kind", ["chebyshev", "bspline", "mlp"])
def test_the_traced_function_is_the_solution(name: str, kind: str) -> None:
    one = solution(name, kind)
    points = sample(one)[:50]
    found = Function(one)(torch.as_tensor(points)).detach().numpy()
    np.testing.assert_allclose(found[:, 0], one.at(points)["u"], rtol=0, atol=1e-13)


def test_an_export_that_differs_is_not_kept(tmp_path: Path) -> None:
    one, target = solution("a line"), tmp_path / "a.pt2"
    target.write_bytes(b"wrong")
    with pytest.raises(KanpdeError, match="not kept"):
        checked(one, lambda points: np.stack(list(one.at(points).values()), axis=1) + 1e-3, 1e-12, target)
    assert not target.exists()


@pytest.mark.slow
@pytest.mark.parametrize("name", STATEMENTS)
@pytest.mark.parametrize("form", ["torch", "onnx"])
def test_programs_give_the_values_of_the_solution(name: str, form: str, tmp_path: Path) -> None:
    for package in EXPORTS[form].needs:
        pytest.importorskip(package, reason=f"{package} is not installed")
    result = solution(name).tabulate()
    (line,) = import_module(EXPORTS[form].home).write(result, tmp_path / "a", tmp_path)
    assert "differs by" in line and (tmp_path / "a").stat().st_size > 1000


SOLVED = {
    "splines": {"domain": {"x": [0, 1], "t": [0, 1]}, "equations": {"heat": "u_t = u_xx/10"},
                "initial": {"u": "sin(pi*x)"}, "boundary": {"left": "u = 0", "right": "u = 0"},
                "network": {"basis": "separable"}},
    "singular functions": {"domain": {"shapes": {"whole": "rectangle(x=[-1, 1], y=[-1, 1])",
                                                 "cut": "rectangle(x=[0, 1], y=[0, 1])"}, "region": "whole - cut"},
                           "equations": {"poisson": "-lap(u) = 1"}, "boundary": {"all": "u = 0"},
                           "network": {"width": 60, "scale": 2}},
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", SOLVED)
def test_what_onnx_lacks_is_refused_and_torch_has_it(name: str, tmp_path: Path) -> None:
    limits = {"training": {"threads": 1, "stop": {"time": 3}}, "output": {"grid": 7, "save": ["h5"]}}
    result = kanpde.solve({"unknowns": ["u"], **SOLVED[name], **limits}).result
    (line,) = import_module(EXPORTS["torch"].home).write(result, tmp_path / "a.pt2", tmp_path)
    assert "differs by" in line and (tmp_path / "a.pt2").stat().st_size > 1000
    for package in EXPORTS["onnx"].needs:
        pytest.importorskip(package, reason=f"{package} is not installed")
    with pytest.raises(KanpdeError, match="operations that ONNX lacks, as splines .* --to torch has them"):
        list(import_module(EXPORTS["onnx"].home).write(result, tmp_path / "a.onnx", tmp_path))
    assert not (tmp_path / "a.onnx").exists()
