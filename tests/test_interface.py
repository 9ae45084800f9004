"""The program from Python: what docs/python.md shows, and what is refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import xarray
from program import ROOT
from synthetic import GRIDS, synthetic

import kanpde
from kanpde.interface import Run, plain, written
from kanpde.next_step import STEPS, next_step
from kanpde.presentation import html
from kanpde.result import Outcome
from kanpde.sparkline import BARS, sparkline
from kanpde.writers.layout import stored_order

DOCUMENT = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```python\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """The names after all examples of the document, run one after another."""
    names: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("python"))
        for text in EXAMPLES:
            exec(compile(text, "python.md", "exec"), names)
        names["folder"] = Path.cwd()
    return names


def test_the_examples_of_the_document_run(told: dict) -> None:
    assert len(EXAMPLES) >= 5
    assert (told["folder"] / "error.png").read_bytes().startswith(b"\x89PNG")
    np.testing.assert_allclose(told["found"]["u_x"][:2], [np.pi / 2**0.5, 0], atol=1e-6)
    assert np.isnan(told["found"]["u"][2]) and told["data"]["x"].attrs["units"] == "m"


def test_a_run_shows_itself(told: dict) -> None:
    shown = told["run"]._repr_mimebundle_()
    assert set(shown) == {"text/html", "text/plain"} and shown["text/plain"].startswith("<A rod")
    assert "data:image/png;base64," in shown["text/html"] and "http" not in shown["text/html"]
    assert told["run"].plot()._repr_png_().startswith(b"\x89PNG")


def test_a_run_tells_where_its_points_were(told: dict) -> None:
    points = told["run"].result.points
    assert "interior" in points and all(rows.shape[0] == 1 for rows in points.values())
    assert all((0 <= rows).all() and (rows <= 1).all() for rows in points.values())
    assert told["run"].plot("points")._repr_png_().startswith(b"\x89PNG")


def test_a_problem_in_python_is_that_of_its_file(told: dict, tmp_path: Path) -> None:
    (tmp_path / "rod.yaml").write_text(told["rod"].text)
    same = kanpde.read_spec(tmp_path / "rod.yaml")
    assert [law.text for law in same.equations] == [law.text for law in told["rod"].equations]
    assert same.text == told["rod"].text and same.box == told["rod"].box
    with pytest.raises(kanpde.KanpdeError, match="did you mean 'width'"):
        kanpde.solve(told["rod"], {"network.wdth": 3})


def test_points_and_coordinates_are_checked(told: dict) -> None:
    for given in ({}, {"y": 0.5}, {"x": 0.5, "y": 1}, {"points": [0.5]}, {"points": [[0.5, 1]]}):
        with pytest.raises(kanpde.KanpdeError, match="x"):
            told["run"].at(**given)
    with pytest.raises(kanpde.KanpdeError, match="unknown name 'w'"):
        told["run"].at(x=0.5, fields="w")
    with pytest.raises(kanpde.KanpdeError, match="did you mean 'error'"):
        told["run"].plot("eror")


@pytest.mark.parametrize("kind", GRIDS)
def test_xarray_gets_what_it_reads_from_the_file(kind: str, tmp_path: Path) -> None:
    result = synthetic(kind, hole=True)
    found = Run(None, result).to_xarray()
    kanpde.writers.hdf5.write(result, {}, tmp_path / "a.h5")
    with xarray.open_dataset(tmp_path / "a.h5", engine="h5netcdf") as data:
        xarray.testing.assert_equal(found["u"].transpose(*stored_order(result.axes)), data["u"])
        assert found["u"].attrs["units"] == data["u"].attrs["units"] == "K"


def test_values_are_written_as_problem_files_have_them() -> None:
    some = {"a": "x^2", "b": 1e-9, "c": [1, 2.5], "d": {"grid": 5}}
    values = {**some, "e": np.float64(2), "f": (1, np.arange(2)), "g": True}
    assert [written(value) for value in values.values()] == [
        "x^2", "1.0e-09", "[1, 2.5]", "{grid: 5}", "2.0", "[1, [0, 1]]", "true"
    ]  # fmt: skip
    assert plain(values)["f"] == [1, [0, 1]]


def test_html_holds_no_tags_of_strangers() -> None:
    odd = "<script>alert(1)</script>"
    result = synthetic("line")
    page = html(type(result)(**{**vars(result), "title": odd, "errors": {odd: result.errors["u"]}}), {odd: b""})
    assert "<script>" not in page


# what a run says at its end and on its way

@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_a_next_step(outcome: Outcome) -> None:
    result = type(synthetic())(**{**vars(synthetic("line")), "outcome": outcome})
    assert next_step(result, Path("outputs/heat-001")) and set(STEPS) == set(Outcome)


def test_the_loss_that_dominates_is_named() -> None:
    result = synthetic("line")
    losses = {"loss_momentum-x": np.array([1.0, 0.9]), "loss_continuity": np.array([1.0, 0.1])}
    result = type(result)(**{**vars(result), "outcome": Outcome.UNRESOLVED, "history": losses})
    assert next_step(result, Path("run")).startswith("90% of the loss is that of momentum-x; try ")


def test_a_sparkline_falls_where_the_residual_falls() -> None:
    assert sparkline([1.0, 1e-2, 1e-4]) == BARS[-1] + sparkline([1, 1e-2, 1e-4])[1] + BARS[0]
    assert sparkline([]) == sparkline([1.0]) == sparkline([float("nan"), 0.0]) == ""
    assert len(sparkline([10.0**-k for k in range(300)], 40)) == 40
    assert len(set(sparkline([1.0, 1.01, 0.99]))) == 1  # noise is flat
