"""Tables of points: read by name, written exactly, refused with the line."""

from __future__ import annotations

import sys
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from kanpde.errors import KanpdeError
from kanpde.writers.table import read_points, write_table


def test_a_written_table_comes_back_bit_for_bit(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    points, u = random.normal(size=(100, 2)), random.normal(size=100) * 1e-300
    write_table(tmp_path / "a.csv", ("x", "t"), points, {"u": u})
    assert (tmp_path / "a.csv").read_text().startswith("x,t,u\n")
    found = read_points(tmp_path / "a.csv", ("u", "t", "x"))
    assert found.tobytes() == np.column_stack([u, points[:, 1], points[:, 0]]).tobytes()


def test_a_table_can_be_written_to_a_stream() -> None:
    stream = StringIO()
    write_table(stream, ("x",), np.array([[0.1]]), {"u": np.array([np.nan])})
    assert stream.getvalue() == "x,u\n0.10000000000000001,nan\n"


@pytest.mark.parametrize("content", [
    "x,t\n1,2\n3,4\n", "t,name,x\n2,a,1\n4,b,3\n", "\ufeffx,t\n1,2\n3,4\n", "# x, t\r\n1, 2\r\n\r\n3, 4",
    '"x","t"\n1.0,2e0\n3,4.\n',
])
def test_columns_are_found_by_name(content: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(content, newline="")
    np.testing.assert_array_equal(read_points(tmp_path / "a.csv", ("x", "t")), [[1, 2], [3, 4]])


def test_a_dash_is_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", StringIO("x\n1\n"))
    np.testing.assert_array_equal(read_points("-", ("x",)), [[1]])


@pytest.mark.parametrize(("content", "message"), [
    ("", ":1: empty"), ("x\n1\n", ":1: no column 't'"), ("x,T\n1,2\n", ":1: no column 't'"),
    ("x,t,x\n1,2,3\n", ":1: two columns"), ("x,t\n", "no points"), ("x,t\n1,2\n\n3\n", ":4: no value for 't'"),
    ("x,t\n1,2\n1,a\n", ":3: 'a' is not a number"), ("x,t\n1,inf\n", ":2: t = inf"), ("x,t\n1;2\n", ":2: "),
    ("x,t\n\udcff", "not a CSV"),
])
def test_a_mistake_is_reported_with_its_line(content: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(content, errors="surrogateescape")
    with pytest.raises(KanpdeError) as caught:
        read_points(tmp_path / "a.csv", ("x", "t"))
    assert message in str(caught.value) and "a.csv" in str(caught.value)


def test_an_absent_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(KanpdeError, match="cannot be read"):
        read_points(tmp_path / "a.csv", ("x",))
