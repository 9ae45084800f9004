"""Problem files that are right: what they are read as."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kanpde.analysis import degree_in_unknowns, derivative_orders, survey
from kanpde.check import kind, summary
from kanpde.errors import SpecError
from kanpde.expression import Number, Tree, parse, show
from kanpde.resolution import Scope, resolve
from kanpde.sections import ProblemFile
from kanpde.spec import Face, NetworkSpec, Spec, Stage, json_schema, read_spec, read_spec_text

PROBLEMS = sorted((Path(__file__).parent.parent / "problems").glob("*.yaml"))
POISSON = """\
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations:
  poisson: -lap(u) = 1
boundary:
  all: u = 0
"""
HEAT = """\
unknowns: [u]
domain: {x: [0, 2*pi], t: [0, T]}
equations:
  heat: dt(u) = nu*dxx(u)
definitions: {nu: 0.01/pi, T: 1e-1}
initial: {u: sin(x)}
boundary: {x: periodic}
"""


def read(text: str, *overrides: str) -> Spec:
    """The problem that a text states."""
    return read_spec_text(text, "test.yaml", Path(__file__).parent, overrides)


@pytest.mark.parametrize("path", PROBLEMS, ids=lambda path: path.stem)
def test_every_problem_that_ships_is_read(path: Path) -> None:
    spec = read_spec(path)
    found = summary(spec)
    assert spec.text == path.read_text(encoding="utf-8")
    regions = {equation.zone for equation in spec.equations}
    assert len(spec.equations) == len(spec.unknowns) * len(regions) == len(found.equations)
    assert len({c.name for c in (*spec.initial, *spec.boundary)}) == len(spec.initial) + len(spec.boundary)
    assert not found.warnings


def test_the_smallest_file_has_every_choice_left_open() -> None:
    spec = read(POISSON)
    assert (spec.title, spec.enforce, spec.network) == ("test", "auto", NetworkSpec())
    assert spec.training.precision == "float64" and spec.output.save == ("h5", "png")
    assert [str(condition.face) for condition in spec.boundary] == ["x_min", "x_max", "y_min", "y_max"]
    assert [condition.name for condition in spec.boundary] == ["x_min.u", "x_max.u", "y_min.u", "y_max.u"]


def test_bounds_and_definitions_are_formulas() -> None:
    spec = read(HEAT)
    assert spec.box == {"x": (0.0, pytest.approx(6.283185307179586)), "t": (0.0, 0.1)}
    assert spec.periodic == ("x",)
    assert [c.name for c in spec.initial] == ["t_min.u"] and spec.initial[0].face == Face("t", "min")
    assert show(spec.equations[0].left) == "u_t" and show(spec.equations[0].right) == "nu*u_xx"


def test_scalars_are_typed_by_the_field_they_fill() -> None:
    spec = read(
        POISSON
        + "title: no\nnetwork: {width: 16, scale: 1e-3}\n"
        + "training: {seed: 007, stop: {error: 1e-3, time: 90}}\nsampling: {adapt: on}\n"
        + "output: {grid: 12, extra: {on: u_x}}\n"
    )
    assert spec.title == "no" and spec.sampling.adapt is True
    assert (spec.network.width, spec.network.scale) == (16, 1e-3)
    assert (spec.training.seed, spec.training.stop.error, spec.training.stop.time) == (7, 1e-3, 90.0)
    assert spec.output.grid == (12, 12) and list(spec.output.extra or ()) == ["on"]


@pytest.mark.parametrize("name", ["on", "no", "y1", "null", "true", "Yes"])
def test_words_that_yaml_converts_are_names(name: str) -> None:
    text = POISSON.replace("u", "@").replace("@nknowns", "unknowns").replace("eq@ations", "equations")
    text = text.replace("bo@ndary", "boundary").replace("@", name)
    assert read(text).unknowns == (name,)


def test_quotes_folding_and_byte_order_marks_change_nothing() -> None:
    plain = read(POISSON)
    quoted = read(POISSON.replace("-lap(u) = 1", '"-lap(u) = 1"'))
    folded = read(POISSON.replace("-lap(u) = 1", ">\n    -lap(u)\n    = 1"))
    windows = read(POISSON.replace("\n", "\r\n"))
    for other in (quoted, folded, windows):
        assert other.equations[0].left == plain.equations[0].left
        assert other.equations[0].right == plain.equations[0].right


def test_overrides_replace_entries_and_are_kept() -> None:
    overrides = ("network.width=32", "definitions.nu=0.02", "training.stop.time=60", "domain.x=[0, 1]", "title=a=b")
    spec = read(HEAT, *overrides)
    assert spec.overrides == overrides and spec.text == HEAT
    assert (spec.network.width, spec.training.stop.time, spec.title) == (32, 60.0, "a=b")
    assert spec.definitions["nu"] == Number(0.02) and spec.box["x"] == (0.0, 1.0)


def test_stages_and_networks_of_single_unknowns_are_read() -> None:
    spec = read(
        POISSON
        + "network: {basis: sine, width: auto, unknowns: {u: {degree: 7}}}\n"
        + "training:\n  stages:\n    - {optimiser: adam, steps: 10, rate: 1e-3}\n    - {optimiser: orthogonal}\n"
    )
    assert spec.network == NetworkSpec(basis="sine", unknowns={"u": NetworkSpec(degree=7)})
    assert spec.training.stages == (Stage("adam", steps=10, rate=1e-3), Stage("orthogonal"))


def test_definitions_stand_after_those_they_use() -> None:
    spec = read(POISSON.replace("= 1", "= a") + "definitions: {a: b*c, b: c_x, c: d0 + x^2, d0: 3}\n")
    order = list(spec.definitions)
    assert order.index("d0") < order.index("c") < order.index("b") < order.index("a")


SCOPE = Scope(("x", "y", "xi", "t"), ("u", "v", "u_1"), {})


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("u_xx", "d(u, x, x)"),
        ("u_xy", "d(d(u, x), y)"),
        ("u_xix", "d(u, xi, x)"),
        ("u_1_t", "d(u_1, t)"),
        ("u_1", "u_1"),
        ("dxy(u)", "u_xy"),
        ("dt(u*v)", "d(u*v, t)"),
        ("dxi(u)", "u_xi"),
    ],
)
def test_derivatives_have_several_spellings(text: str, same: str) -> None:
    first, second = resolve(parse(text), SCOPE), resolve(parse(same), SCOPE)
    assert not first.faults and not second.faults
    assert show(first.tree).replace("d(u_x, y)", "u_xy") == show(second.tree).replace("d(u_x, y)", "u_xy")


@pytest.mark.parametrize(
    ("text", "degree"),
    [
        ("x^2", 0),
        ("u", 1),
        ("2*u_xx + x*lap(v) - 1", 1),
        ("div(x*grad(u))", 1),
        ("u*x/2", 1),
        ("u^1", 1),
        ("where(x < 0, u, 2*u)", 1),
        ("dot((x, y), grad(u))", 1),
        ("w + k*u", 1),
        ("u*u_x", 2),
        ("u^2", 2),
        ("1/u", 2),
        ("sin(u)", 2),
        ("x^u", 2),
        ("where(u < 0, 1, 2)", 2),
        ("dot(grad(u), grad(u))", 2),
        ("w*u", 2),
    ],
)
def test_degrees_in_the_unknowns(text: str, degree: int) -> None:
    definitions: dict[str, Tree] = {"k": parse("x + 1"), "w": parse("2*u - k")}
    ground = survey(definitions, ("u", "v"), ("x", "y"))
    scope = Scope(("x", "y"), ("u", "v"), {name: resolve(parse("1"), SCOPE).shape for name in definitions})
    assert degree_in_unknowns(resolve(parse(text), scope).tree, ground) == degree


def test_orders_count_through_operators_and_definitions() -> None:
    scope = Scope(("x", "y", "t"), ("u",), {"w": resolve(parse("1"), SCOPE).shape})
    ground = survey({"w": resolve(parse("u_x"), scope).tree}, ("u",), ("x", "y"))
    orders = derivative_orders(resolve(parse("lap(w) + u_tt"), scope).tree, ground)
    assert orders == {"u": {"*": 3, "x": 3, "y": 2, "t": 2}}


@pytest.mark.parametrize(
    ("condition", "expected", "data"),
    [
        ("u = x", "dirichlet", "x"),
        ("x = u", "dirichlet", "x"),
        ("u - x = 0", "dirichlet", "x"),
        ("-u + y = 0", "dirichlet", "y"),
        ("2*u = u + sin(y)", "dirichlet", "sin(y)"),
        ("2*u + x = 4", "dirichlet", "-(x + -4)/2"),
        ("u_x = 1", "neumann", None),
        ("dn(u) = 0", "neumann", None),
        ("d(u, x) = 0", "neumann", None),
        ("dn(u) + 3*u = x", "robin", None),
        ("u^2 = 1", "operator", None),
        ("u_y = 1", "operator", None),
        ("u_xx = 1", "operator", None),
        ("x*u = 1", "operator", None),
        ("u + v = 1", "operator", None),
        ("dn(u) = v", "operator", None),
    ],
)
def test_kinds_of_conditions_are_recognised(condition: str, expected: str, data: str | None) -> None:
    spec = read(
        "unknowns: [u, v]\ndomain: {x: [0, 1], y: [0, 1]}\nequations:\n  a: lap(u) = 0\n  b: lap(v) = 0\n"
        f"boundary:\n  left: {condition}\n  rest: [u = 0, v = 0]\n"
    )
    found = kind(spec.boundary[0], spec)
    assert found.type == expected
    if data is not None:
        assert found.unknown == "u" and found.data is not None and show(found.data) == data


def test_the_schema_covers_every_section_and_refuses_others() -> None:
    schema = json_schema()
    assert set(schema["properties"]) == set(ProblemFile.model_fields)
    assert schema["additionalProperties"] is False
    objects = [part for part in schema["$defs"].values() if part.get("type") == "object"]
    assert objects and all(part["additionalProperties"] is False for part in objects)
    for part in (schema, *objects):
        assert all("description" in field for field in part["properties"].values())
    json.dumps(schema)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_file_is_read_or_refused_with_a_place(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([POISSON, HEAT]))
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(start, min(len(text), start + 8)))
        text = text[:start] + data.draw(st.text(alphabet=":[]{}()'\"\n \tu=,-*&!|>#%@x1²", max_size=4)) + text[end:]
    try:
        read(text)
    except SpecError as error:
        assert error.mistakes
        for mistake in error.mistakes:
            assert mistake.place.line >= 1 and mistake.place.column >= 1 and mistake.message
