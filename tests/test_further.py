"""What is fitted, parameters, constraints and data: what right problem files are read as."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanpde.analysis import degree_in_unknowns
from kanpde.check import described, ground_of, kind, summary
from kanpde.columns import column_names, read_columns
from kanpde.errors import ResultError, SpecError
from kanpde.expression import show
from kanpde.fits import Fitted
from kanpde.folder import Folder
from kanpde.integrals import IntegralConstraint
from kanpde.measurements import measurements
from kanpde.point_values import PointConstraint
from kanpde.spec import Constraint, Spec, read_spec, read_spec_text

HEAT = """\
unknowns: [u]
domain: {x: [0, 1], t: [0, T]}
equations:
  heat: u_t = D*d(k*u_x, x)
definitions: {T: 2, flux: -k*u_x}
initial: {u: sin(pi*x)}
boundary: {all: u = 0}
fit:
  D: {range: [1/100, T]}
  k: {of: [x, t], start: T/2}
data:
  probe: {file: probe.csv}
exact: {D: 0.1*T, k: 1 + x*t}
"""
FLOW = """\
unknowns: [u, p]
domain: {x: [0, 1], y: [0, 2]}
equations:
  first: lap(u) + p_y = a
  second: lap(p) = b*nu
definitions: {two: 2, w: u_x*two, c: nu^2}
parameters: {nu: [0.5, two]}
fit: {a: {start: 1}, b: {of: [x], start: 1}}
boundary: {all: [u = 0, p = nu]}
constraints:
  it: IT
output: {extra: {v: w, r: c}}
"""


def read(text: str, folder: Path = Path(__file__).parent, files: bool = False) -> Spec:
    """The problem that a text states."""
    return read_spec_text(text, "test.yaml", Folder(folder, files))


def constraint(text: str) -> Constraint:
    """The constraint of a flow."""
    return read(FLOW.replace("IT", text)).constraints[0]


def test_constants_and_functions_are_fitted_from_the_middle_of_their_range_or_a_start() -> None:
    spec = read(HEAT)
    assert spec.fitted["D"] == Fitted(pytest.approx(np.sqrt(0.02)), (0.01, 2.0))
    assert spec.fitted["k"] == Fitted(1.0, None, ("x", "t"))
    assert read(HEAT.replace("[1/100, T]", "[-1, T]")).fitted["D"].start == 0.5


def test_what_is_fitted_counts_as_unknown_in_degrees_only() -> None:
    spec = read(HEAT)
    found = summary(spec)
    assert spec.unknowns == ("u",) and not found.linear and found.equations[0].order == 2
    assert {name: degree_in_unknowns(tree, ground_of(spec)) for name, tree in spec.definitions.items()} == {
        "T": 0,
        "flux": 2,
    }
    assert show(spec.exact["D"]) == "0.1*T" and show(spec.exact["k"]) == "1 + x*t"


@pytest.mark.parametrize("text", ["D_x", "d(D, x)", "dx(D)", "d(D_t, x)"])
def test_derivatives_of_a_fitted_constant_vanish(text: str) -> None:
    assert show(read(HEAT.replace("= D*d(", f"= {text} + D*d(")).equations[0].right) == "0 + D*d(k*u_x, x)"


@pytest.mark.parametrize("condition", ["u = D", "D*u = 1", "k = 1", "u_x = k", "dn(k) = 0", "u + D = 1", "D = 1"])
def test_conditions_with_something_fitted_prescribe_nothing(condition: str) -> None:
    spec = read(HEAT.replace("all: u = 0", f"left: {condition}, right: u = 0"))
    assert [kind(c, spec).type for c in spec.boundary] == ["operator", "dirichlet"]


@pytest.mark.parametrize(
    "more",
    [
        "constraints: {size: integral(u^2) = 1}",
        "boundary: {left: [u = 0, dn(u) = 1], right: u = 0}",
        "boundary: {left: [u = 0, dn(u) = 1], right: free}\nconstraints: {end: 'u(x=1, t=T) = 0'}",
    ],
)
def test_constraints_or_more_conditions_than_needed_determine_what_is_fitted(more: str) -> None:
    text = HEAT.replace("data:\n  probe: {file: probe.csv}\n", "")
    text = text.replace("boundary: {all: u = 0}\n", "") if "boundary" in more else text
    assert set(read(text + more + "\n").fitted) == {"D", "k"}


def test_parameters_are_the_last_coordinates_and_have_no_sides() -> None:
    spec = read(FLOW.replace("IT", "mean(p) = c"))
    assert spec.parameters == ("nu",) and spec.spatial == ("x", "y")
    assert spec.box == {"x": (0, 1), "y": (0, 2), "nu": (0.5, 2)}
    assert {str(c.face) for c in spec.boundary} == {"x_min", "x_max", "y_min", "y_max"}
    assert summary(spec).equations[0].orders == {"x": 2, "y": 2, "nu": 0}


@pytest.mark.parametrize(
    ("text", "left", "point"),
    [
        ("p(x=0, y=0) = 0", "p", {"x": 0.0, "y": 0.0}),
        ("u_x(y=two, x=1/2) = 1", "u_x", {"x": 0.5, "y": 2.0}),
        ("p(x=0, y=1) - 2*u_xy(x=0, y=1)^2 = c", "p - 2*u_xy^2", {"x": 0.0, "y": 1.0}),
        ("w(x=0, y=1) + a = nu", "w + a", {"x": 0.0, "y": 1.0}),
        ("b(x=1) = 1", "b", {"x": 1.0, "y": 1.0}),
        ("b_x(x=1)*p(x=1, y=0) = 1", "b_x*p", {"x": 1.0, "y": 0.0}),
    ],
)
def test_values_at_a_point_become_formulas_and_their_point(text: str, left: str, point: dict[str, float]) -> None:
    found = constraint(text)
    assert isinstance(found, PointConstraint) and found.name == "it" and found.text == text
    assert show(found.equation.left) == left and found.point == point


@pytest.mark.parametrize(
    ("text", "integrand", "mean", "value"),
    [
        ("integral(u) = 1", "u", None, 1.0),
        ("mean(p) = 0", None, "p", 0.0),
        ("1 = integral(u^2)", "-u^2", None, -1.0),
        ("integral(u) = integral(p)", "u + -p", None, 0.0),
        ("two*integral(u)/4 - 3 = -(mean(p) + 1)", "1/4*two*u", "p", 2.0),
        ("-(integral(u) - 2) = pi", "-u", None, np.pi - 2),
        ("2*3*integral(u) = two", "2*3*u", None, 2.0),
        ("integral(w*x) = a + nu + 1", "w*x", "-a + -nu", 1.0),
        ("a*integral(u) = 0", "a*u", None, 0.0),
        ("mean(b) = 1", None, "b", 1.0),
        ("integral(lap(u)) = 0", "lap(u)", None, 0.0),
    ],
)
def test_integrals_become_integrands_and_a_number(text: str, integrand: str, mean: str, value: float) -> None:
    found = constraint(text)
    assert isinstance(found, IntegralConstraint) and found.text == text
    shown = [None if tree is None else show(tree) for tree in (found.integrand, found.mean_integrand)]
    assert shown == [integrand, mean] and found.constant == pytest.approx(value)


def test_values_at_a_point_hold_at_every_time_where_none_is_named() -> None:
    found = read(HEAT + "constraints: {end: u(x=0) = T*exp(-t)}\n").constraints[0]
    assert isinstance(found, PointConstraint) and found.timeless and found.point == {"x": 0}
    with pytest.raises(SpecError, match=r"the point lacks t: u\(x=…, t=…\)"):
        read(HEAT + "constraints: {end: 'u(x=0) = u(x=1, t=T)'}\n")


def test_integrals_hold_at_every_time() -> None:
    spec = read(HEAT + "constraints: {heat left: integral(u) = T*exp(-t) + 1}\n")
    found = spec.constraints[0]
    assert isinstance(found, IntegralConstraint)
    assert found.mean_integrand is not None and show(found.mean_integrand) == "-(T*exp(-t))" and found.constant == 1


PROBE = {"x": [0.25, 0.5, 1.0], "t": [0.5, 1.0, 2.0], "u": [1.0, 2.5, -3e-2], "s": [0.1, 0.2, 0.3]}


def as_csv(path: Path) -> None:
    """Written with everything that a spreadsheet may add."""
    lines = [f'\n{x}, {t},"{u}",a note,{s}' for x, t, u, s in zip(*PROBE.values())]
    path.write_text("\ufeff# x, t,u,remark,s" + "\n\n# seen from above" + "".join(lines) + "\n", encoding="utf-8")


def as_hdf5(path: Path) -> None:
    """With something else beside."""
    with h5py.File(path, "w") as file:
        for name, column in PROBE.items():
            file[name] = column
        file["grid"] = np.zeros((3, 3))
        file["title"] = "a text"


WRITERS = {"probe.csv": as_csv, "probe.h5": as_hdf5}


@pytest.mark.parametrize("name", WRITERS)
def test_readings_are_matched_by_name(name: str, tmp_path: Path) -> None:
    WRITERS[name](tmp_path / name)
    text = HEAT.replace("{file: probe.csv}", f"{{file: {name}, sigma: s, columns: {{k: s}}}}")
    data = read(text, tmp_path, files=True).data[0]
    found = measurements(data)
    assert (data.name, data.readings, data.sigma, data.fields) == ("probe", 3, "s", {"u": "u", "k": "s"})
    for arrays, columns in ((found.points, ("x", "t")), (found.values, ("u",))):
        for column in columns:
            np.testing.assert_array_equal(arrays[column], PROBE[column])
    assert found.sigma is not None
    np.testing.assert_array_equal(found.sigma, PROBE["s"])
    np.testing.assert_array_equal(found.values["k"], PROBE["s"])


def test_a_deviation_is_a_number_or_to_be_estimated(tmp_path: Path) -> None:
    as_csv(tmp_path / "probe.csv")
    data = read(HEAT, tmp_path, files=True).data[0]
    assert data.sigma is None and measurements(data).sigma is None
    known = measurements(replace(data, sigma=0.5)).sigma
    assert known is not None and known.tolist() == [0.5, 0.5, 0.5]


def test_a_file_that_changed_for_the_worse_is_refused(tmp_path: Path) -> None:
    as_csv(tmp_path / "probe.csv")
    data = read(HEAT, tmp_path, files=True).data[0]
    for text, message in [("x,t,v\n1,1,1\n", "no column 'u'"), ("x,t,u\n1,1,inf\n", "line 2: 'u' is not finite")]:
        data.path.write_text(text)
        with pytest.raises(ResultError, match=message):
            measurements(data)
    data.path.unlink()
    with pytest.raises(ResultError, match=r"probe\.csv"):
        measurements(data)


def test_without_its_files_a_problem_is_still_read() -> None:
    data = read(HEAT).data[0]
    assert (data.readings, data.fields, data.path.name) == (0, {}, "probe.csv")


@pytest.mark.parametrize("suffix", [".csv", ".h5"])
@given(content=st.binary(max_size=60) | st.text(alphabet='xtu,\n01.-e"# ', max_size=60).map(str.encode))
@settings(max_examples=60, deadline=None)
def test_any_file_is_read_or_refused(suffix: str, content: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / f"any{suffix}"
    path.write_bytes(content)
    try:
        names = column_names(path)
        found = read_columns(path, names[:2])
        assert all(np.isfinite(column).all() for column in found.arrays.values())
    except ResultError as error:
        assert str(error)


def test_the_summary_tells_what_is_fitted_and_to_what(tmp_path: Path) -> None:
    as_csv(tmp_path / "probe.csv")
    more = "constraints: {gauge: 'u(x=1/2, t=0) = D', mass: integral(u^2) = 1}\nparameters: {nu: [1, 3]}\n"
    text = HEAT.replace("= D*", "= nu + D*").replace("{file: probe.csv}", "{file: probe.csv, columns: {nu: t}}")
    spec = read(text.replace("T: 2", "T: 3") + more, tmp_path, files=False)
    spec = replace(spec, data=(replace(spec.data[0], readings=7, fields={"u": "u"}, sigma=0.01),))
    told = described(spec, summary(spec)).splitlines()
    assert "  domain      x in [0, 1], t in [0, 3]" in told
    assert [line.strip() for line in told if line.split()[0] in ("parameter", "fitted", "constraint", "data")] == [
        "parameter   nu in [1, 3]",
        "fitted      D: a constant in [0.01, 3], 0.173205 at first",
        "fitted      k: a function of x, t, 1.5 at first",
        "constraint  gauge: linear, at x = 0.5, t = 0",
        "constraint  mass: nonlinear, over the domain",
        "data        probe: 7 readings of u; standard deviation 0.01",
    ]


def test_overrides_reach_into_fits_and_data(tmp_path: Path) -> None:
    as_csv(tmp_path / "probe.csv")
    path = tmp_path / "heat.yaml"
    path.write_text(HEAT)
    spec = read_spec(path, ("fit.D.start=1.5", "data.probe.sigma=0.1", "fit.k.range=[0.1, 2]"))
    assert spec.fitted["D"].start == 1.5 and spec.data[0].sigma == 0.1 and spec.fitted["k"].range == (0.1, 2.0)
