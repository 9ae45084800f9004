"""Domains of shapes as text: what they are read as."""

from __future__ import annotations

import json
from dataclasses import asdict
from math import pi
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from kanpde.check import described, kind, summary
from kanpde.errors import SpecError
from kanpde.expression import show
from kanpde.formulas import Log
from kanpde.geometries import Join, Leaf
from kanpde.joins import read_join
from kanpde.plan import plan
from kanpde.ramps import Ramps, linear_fit, ramps_problem
from kanpde.reading import Scalar, read_tree
from kanpde.solution import unknown_values
from kanpde.spec import Condition, Face, Piece, Spec, read_spec_text

PLATE = """\
unknowns: [u]
domain:
  shapes:
    plate: rectangle(x=[-1, 1], y=[-1, 1])
    hole: disc(center=[0.3, 0], radius=r)
  region: plate - hole
  t: [0, 2*r]
  parts:
    inlet: {of: plate.left, where: abs(y) < 2*w}
definitions: {r: 1/4, w: r*(2 + x)/5}
equations:
  heat: u_t = lap(u)
initial: {u: 0}
boundary:
  inlet: u = 1
  plate: u = 0
  hole: dn(u) = 0
"""
STEADY = """\
unknowns: [u]
domain:
  shapes:
    plate: rectangle(x=[-1, 1], y=[-1, 1])
    slot: rectangle(x=[-0.5, 2], y=[-0.5, 0.5])
    hole: disc(center=[-0.8, 0.8], radius=1/10)
  region: plate - slot - hole
  parts: {}
equations:
  poisson: -lap(u) = 1
boundary:
  all: u = 0
"""


def read(text: str, *overrides: str) -> Spec:
    """The problem that a text states."""
    return read_spec_text(text, "test.yaml", Path(__file__).parent, overrides)


def places(spec: Spec) -> dict[str, str]:
    """The names of the conditions on the boundary, and their equations."""
    return {condition.name: condition.equation.text for condition in spec.boundary}


def test_a_region_stands_beside_its_box() -> None:
    spec = read(PLATE)
    assert spec.box == {"x": (-1.0, 1.0), "y": (-1.0, 1.0), "t": (0.0, 0.5)}
    assert spec.region is not None and spec.region.axes == ("x", "y")
    assert spec.region.tree == Join("-", Leaf("plate"), Leaf("hole"))
    assert spec.region.shapes["hole"].radius == 0.25  # type: ignore[attr-defined]


def test_conditions_stand_on_pieces_and_initial_values_on_a_face() -> None:
    spec = read(PLATE)
    assert spec.initial[0].face == Face("t", "min")
    assert places(spec) == {
        "inlet.u": "u = 1",
        **{f"plate.{side}.u": "u = 0" for side in ("left", "right", "bottom", "top")},
        "hole.dn_u": "dn(u) = 0",
    }
    assert spec.boundary[-1].face == Piece("hole", "hole", "")
    assert str(spec.boundary[1].face) == "plate.left"


def test_what_is_cut_from_a_piece_is_taken_out_of_it() -> None:
    inlet, left, right = (condition.face for condition in read(PLATE).boundary[:3])
    assert isinstance(inlet, Piece) and isinstance(left, Piece) and isinstance(right, Piece)
    assert (inlet.name, inlet.shape, inlet.part) == ("inlet", "plate", "left")
    assert inlet.where is not None and show(inlet.where) == "abs(y) < 2*w" and not inlet.unlike
    assert left.where is None and left.unlike == (inlet.where,)
    assert right.where is None and right.unlike == ()


def test_a_part_may_be_cut_from_several_pieces() -> None:
    text = STEADY.replace("parts: {}", "parts: {upper: {of: plate, where: y > 0.75}}")
    spec = read(text.replace("all: u = 0", "upper: u = 1\n  rest: u = 0"))
    found = places(spec)
    assert {name for name, equation in found.items() if equation == "u = 1"} == {
        "upper.plate.left.u",
        "upper.plate.right.u",
        "upper.plate.top.u",
    }
    assert "plate.top.u" not in found and "plate.left.u" in found
    assert "plate.bottom.u" in found and "hole.u" in found and "slot.bottom.u" in found


def test_a_part_that_one_shape_has_needs_no_shape_before_it() -> None:
    text = STEADY.replace("plate - slot - hole", "plate - hole").replace(
        "    slot: rectangle(x=[-0.5, 2], y=[-0.5, 0.5])\n", ""
    )
    names = (
        "left: u = 1\n  x_max, plate.y_min: u = 2\n  rest: u = 3",
        "plate.x_min: u = 1\n  right, bottom: u = 2\n  top: u = 3\n  hole: u = 3",
    )
    first, second = (places(read(text.replace("all: u = 0", given))) for given in names)
    assert first == second
    assert first["plate.left.u"] == "u = 1" and first["plate.bottom.u"] == "u = 2" and first["hole.u"] == "u = 3"


def test_pieces_may_be_free() -> None:
    spec = read(PLATE.replace("hole: dn(u) = 0", "hole: free"))
    assert [str(piece) for piece in spec.free] == ["hole"]


@pytest.mark.parametrize("region", ["", "  region: plate\n", "  region: (plate)\n"])
def test_a_region_of_one_box_is_a_plain_box(region: str) -> None:
    shaped = f"""\
unknowns: [u]
domain:
  shapes:
    plate: rectangle(x=[0, 2], y=[0, L])
{region}  t: [0, 1]
definitions: {{L: 3}}
equations:
  heat: u_t = lap(u)
initial: {{u: 0}}
boundary:
  plate.left: u = 1
  right, y_min: dn(u) = 0
  plate.y_max: u = 2
"""
    spec = read(shaped)
    plain = read(
        "unknowns: [u]\ndomain: {x: [0, 2], y: [0, L], t: [0, 1]}\ndefinitions: {L: 3}\n"
        "equations:\n  heat: u_t = lap(u)\ninitial: {u: 0}\n"
        "boundary:\n  left: u = 1\n  right, bottom: dn(u) = 0\n  top: u = 2\n"
    )
    assert spec.region is None and spec.box == plain.box
    assert [(c.name, c.face) for c in spec.boundary] == [(c.name, c.face) for c in plain.boundary]
    assert places(
        read(
            shaped.replace("plate.left: u = 1", "y: periodic")
            .replace("right, y_min: dn(u)", "right, left: u")
            .replace("  plate.y_max: u = 2\n", "")
        )
    ).keys() == {"x_max.u", "x_min.u"}
    assert len(places(read(shaped[: shaped.index("  plate.left")] + "  plate: u = 0\n"))) == 4


def test_intervals_are_shapes_of_one_coordinate() -> None:
    spec = read(
        "unknowns: [u]\ndomain:\n  shapes:\n    rod: interval(x=[0, 3])\n    gap: interval(x=[1, 2])\n"
        "  region: rod - gap\nequations:\n  a: u_xx = 1\nboundary:\n  gap: u = 0\n  rod: u = 1\n"
    )
    assert set(places(spec)) == {"rod.left.u", "rod.right.u", "gap.left.u", "gap.right.u"}
    assert spec.box == {"x": (0.0, 3.0)}


A, B, C = Leaf("a"), Leaf("b"), Leaf("c")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a", A),
        ("a - b - c", Join("-", Join("-", A, B), C)),
        ("a - (b + c)", Join("-", A, Join("+", B, C))),
        ("a + b&c", Join("+", A, Join("&", B, C))),
        ("a & b + c", Join("+", Join("&", A, B), C)),
        ("((a))+((b - c))", Join("+", A, Join("-", B, C))),
    ],
)
def test_regions_are_read_from_left_to_right_and_intersections_first(text: str, tree: Leaf | Join) -> None:
    log = Log()
    root, _ = read_tree(f"region: {text}", "test.yaml")
    node = root.get("region")
    assert isinstance(node, Scalar)
    assert read_join(node, ("a", "b", "c"), log) == tree and not log.mistakes


@pytest.mark.parametrize(
    ("place", "condition", "expected"),
    [
        ("hole", "u = x", "dirichlet"),
        ("hole", "dn(u) = x", "neumann"),
        ("hole", "dn(u) + 3*u = x", "robin"),
        ("hole", "u_x = 0", "operator"),
        ("hole", "u^2 = 1", "operator"),
        ("plate.right", "u_x = 0", "neumann"),
        ("plate.right", "u_y = 0", "operator"),
        ("plate.right", "u_x + u = 0", "robin"),
    ],
)
def test_kinds_of_conditions_are_recognised_on_pieces(place: str, condition: str, expected: str) -> None:
    spec = read(STEADY.replace("all: u = 0", f"{place}: {condition}\n  rest: u = 0"))
    found: Condition = next(c for c in spec.boundary if str(c.face) == place)
    assert kind(found, spec).type == expected


def test_the_summary_says_what_the_region_is_and_how_large() -> None:
    spec = read(PLATE)
    found = summary(spec)
    assert found.region is not None
    assert found.region.shapes == {"plate": "rectangle", "hole": "disc"}
    assert found.region.region == "plate - hole"
    assert found.region.volume == pytest.approx(4 - 3.141592653589793 / 16, rel=1e-12)
    assert found.region.parts["plate.left"] == pytest.approx(2) and len(found.region.parts) == 5
    assert json.loads(json.dumps(asdict(found)))["region"]["region"] == "plate - hole"
    assert "region      plate - hole: area 3.80365" in described(spec, found)
    assert "boundary    hole: length 1.5708" in described(spec, found)


def test_shapes_are_overridden_by_name() -> None:
    spec = read(PLATE, "domain.shapes.hole=disc(center=[0, 0], radius=2*r)", "domain.t=[0, 1]")
    assert spec.region is not None and spec.region.shapes["hole"].radius == 0.5  # type: ignore[attr-defined]
    with pytest.raises(SpecError, match="there is no 'domain.shapes.hol' to override; did you mean 'hole'?"):
        read(PLATE, "domain.shapes.hol=disc(center=[0, 0], radius=2*r)")


def test_folded_and_quoted_shapes_are_the_same() -> None:
    plain = read(PLATE)
    text = "disc(center=[0.3, 0], radius=r)"
    quoted = read(PLATE.replace(text, f"'{text}'"))
    folded = read(PLATE.replace(text, "disc(center=[0.3, 0],\n      radius=r,)"))
    for other in (quoted, folded):
        assert plain.region and other.region and other.region.shapes == plain.region.shapes


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_damaged_domain_is_read_or_refused_with_a_place(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from([PLATE, STEADY]))
    start = data.draw(st.integers(text.index("domain"), text.index("equations")))
    end = data.draw(st.integers(start, min(len(text), start + 8)))
    text = text[:start] + data.draw(st.text(alphabet=":[]{}()'\"\n u=,-+*&.|#%@x1²", max_size=4)) + text[end:]
    try:
        read(text)
    except SpecError as error:
        assert error.mistakes
        for mistake in error.mistakes:
            assert mistake.place.line >= 1 and mistake.place.column >= 1 and mistake.message


CELL = """\
unknowns: [u]
domain:
  shapes:
    cell: rectangle(x=[0, 2], y=[0, 1])
    hole: disc(center=[1, 0.5], radius=0.25)
  region: cell - hole
equations:
  laplace: lap(u) = 0
definitions:
  g: sin(pi*x)*cosh(pi*y) + cos(2*pi*(x - 0.3))*sinh(2*pi*(y - 1/2))
boundary:
  x: periodic
  bottom, top, hole: u = g
exact:
  u: g
"""


def test_opposite_sides_of_a_box_with_holes_may_be_one() -> None:
    found = read(CELL)
    assert found.periodic == ("x",)
    assert set(places(found)) == {"cell.bottom.u", "cell.top.u", "hole.u"}
    fit = linear_fit(ramps_problem(found, 2), found, Ramps(300, (4.2, 4.2)))
    y = torch.linspace(0, 1, 9, dtype=torch.float64)
    ends = [torch.stack([torch.full_like(y, x), y]) for x in (0.0, 2.0)]
    left, right = (unknown_values(fit.problem, fit.theta, ("u",), points)["u"] for points in ends)
    exact = torch.cos(torch.tensor(-0.6 * pi)) * torch.sinh(2 * pi * (y - 0.5))
    assert (left - right).abs().max() < 1e-9 and (left - exact).abs().max() < 1e-6  # read-outs of 1e4 cancel


@pytest.mark.parametrize(
    "change",
    [
        ("center=[1, 0.5]", "center=[2, 0.5]"),
        ("region: cell - hole", "region: cell - hole\n  parts: {inlet: {of: left, where: y < 0.5}}"),
        ("rectangle(x=[0, 2], y=[0, 1])", "polygon(points=[[0, 0], [2, 0], [2, 1], [0, 1]])"),
    ],
)
def test_sides_that_are_not_whole_and_opposite_may_not(change: tuple[str, str]) -> None:
    with pytest.raises(SpecError, match="along 'x' no two sides can be one"):
        read(CELL.replace(*change))


HEXAGON = """\
unknowns: [u]
domain: {shapes: {body: "polygon(points=[[1, 0], [0.5, 0.9], [-0.5, 0.9], [-1, 0], [-0.5, -0.9], [0.8, -0.9]])"}}
equations: {e: lap(u) = 0}
boundary: {all: u = x + dn(u)}
"""


def test_many_sides_with_one_condition_are_one_place() -> None:
    problem = ramps_problem(read(HEXAGON), 2)
    (block,) = [block for block in problem.blocks if not block.inside]
    assert block.name == "body.side1 and 5 more" and block.rows[0].name == "body.side1 and 5 more.u"
    body = problem.domain.region
    assert body is not None
    ground = problem.domain.draw(block.face, 4096, torch.Generator().manual_seed(0))
    outward = torch.stack([ground.attached[f"normal.{axis}"] for axis in "xy"])
    for step, inside in ((-1e-6, True), (1e-6, False)):
        assert (body.inside((ground.points + step * outward).numpy()) == inside).all()
    shares = [float((outward == outward[:, [k]]).all(0).double().mean()) for k in range(64)]
    sides = [body.measure("body", f"side{k}") for k in range(1, 7)]
    assert sorted({round(share, 2) for share in shares}) == sorted({round(side / sum(sides), 2) for side in sides})


def test_a_plan_tells_the_weight_of_many_sides_with_one_condition() -> None:
    found = plan(read(HEXAGON))
    assert not found.built_in and found.penalised == ("body.side1 and 5 more.u",)


def test_sides_with_another_condition_are_places_of_their_own() -> None:
    changed = HEXAGON.replace("{all: u = x + dn(u)}", "{body.side3: u = 1, rest: u = 0}")
    names = [block.name for block in ramps_problem(read(changed), 2).blocks]
    assert names == ["interior", "body.side3", "body.side1 and 4 more"]
