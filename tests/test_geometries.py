"""Shapes are what they say to rounding, and so are regions made of them in the plane."""

from __future__ import annotations

import sys
from functools import cache
from math import pi, sqrt
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kanpde.geometries import SHAPES, Join, Leaf, Region, Shape, Tree
from kanpde.geometries.even import even
from kanpde.geometries.gauss import gauss

CORNERS = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
FACES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
WAYS = {
    "interval": dict(x=[-1, 2]),
    "rectangle": dict(x=[-1, 2], y=[0.5, 1]),
    "disc": dict(center=[0.3, -0.2], radius=0.7),
    "ellipse": dict(center=[0.1, 0.2], radii=[0.5, 2], angle=0.4),
    "annulus": dict(center=[0.3, -0.2], inner=0.5, outer=1.5),
    "polygon": dict(points=[[0, 3], [1, 3], [1, 1], [2, 1], [2, 0], [0, 0]]),
    "box": dict(x=[-1, 2], y=[0.5, 1], z=[0, 4]),
    "ball": dict(center=[0.3, -0.2, 1], radius=0.7),
    "cylinder": dict(center=[0.3, -0.2, 1], radius=0.7, height=3, axis="x"),
    "mesh": dict(file="tetrahedron.stl"),
}
PERIMETER = 8.578421775156216  # of the ellipse, 4 · 2 · E(1 - 1/16)
VOLUMES = {
    "interval": 3, "rectangle": 1.5, "disc": 0.49 * pi, "ellipse": pi, "annulus": 2 * pi, "polygon": 4,
    "box": 6, "ball": 4 / 3 * pi * 0.343, "cylinder": 1.47 * pi, "mesh": 1 / 6,
}  # fmt: skip
SIZES = {
    "interval": [1, 1], "rectangle": [0.5, 0.5, 3, 3], "disc": [1.4 * pi], "ellipse": [PERIMETER],
    "annulus": [pi, 3 * pi], "polygon": [1, 2, 1, 1, 2, 3], "box": [2, 2, 12, 12, 1.5, 1.5], "ball": [1.96 * pi],
    "cylinder": [4.2 * pi, 0.49 * pi, 0.49 * pi], "mesh": [1.5 + sqrt(3) / 2],
}  # fmt: skip
every_shape = pytest.mark.parametrize("shape", WAYS, indirect=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tetrahedron in it."""
    found = tmp_path_factory.mktemp("geometries")
    write_stl(found / "tetrahedron.stl", FACES)
    return found


@pytest.fixture(scope="module")
def shape(request: pytest.FixtureRequest, folder: Path) -> Shape:
    """One of the shapes."""
    return made(request.param, folder)


def made(name: str, folder: Path) -> Shape:
    """The example of a kind of shape."""
    way = {key: folder / value if key == "file" else value for key, value in WAYS[name].items()}
    return SHAPES[name](**way)


def write_stl(path: Path, faces: np.ndarray) -> None:
    """Triangles as text."""
    lines = [f"vertex {x} {y} {z}" for x, y, z in CORNERS[faces].reshape(-1, 3)]
    facets = [
        "\n".join(["facet normal 0 0 0", "outer loop", *lines[k : k + 3], "endloop", "endfacet"])
        for k in range(0, len(lines), 3)
    ]
    path.write_text("\n".join(["solid s", *facets, "endsolid s", ""]))


def inner(shape: Shape, part: str, count: int = 200) -> np.ndarray:
    """Points of the unit cube on which a part's chart lives, away from its faces and from where pieces meet."""
    unit = 0.1 + 0.8 * even(len(shape.axes) - 1, count)
    if len(unit):
        cuts = np.array([0, *shape.breaks(part)[0], 1])
        piece = np.arange(count) % (len(cuts) - 1)
        unit[0] = cuts[piece] + np.diff(cuts)[piece] * unit[0]
    return unit


def test_there_is_an_example_of_every_shape() -> None:
    assert set(WAYS) == set(SHAPES)


@every_shape
def test_charts_lie_on_the_boundary_and_inside_the_bounds(shape: Shape) -> None:
    for part in shape.parts:
        points, _ = shape.chart(part, even(len(shape.axes) - 1, 300))
        assert np.abs(shape.level(points)).max() < 1e-14
        for row, (low, high) in zip(points, shape.bounds):
            assert row.min() >= low - 1e-14 and row.max() <= high + 1e-14


@every_shape
def test_no_points_are_no_trouble(shape: Shape) -> None:
    none = np.empty((len(shape.axes), 0))
    assert shape.level(none).shape == (0,)
    assert all(shape.chart(part, none[1:])[0].shape == none.shape for part in shape.parts)
    assert Region({"it": shape}, Leaf("it")).interior(0, even).shape == none.shape


@every_shape
def test_the_bounds_are_reached(shape: Shape) -> None:
    points = np.concatenate([shape.chart(part, even(len(shape.axes) - 1, 4000))[0] for part in shape.parts], axis=1)
    reach = np.stack([points.min(1), points.max(1)], axis=1)
    assert np.abs(reach - shape.bounds).max() < 0.05  # 4000 points are about 1/60 apart on a surface


@every_shape
def test_the_level_is_the_signed_distance_along_the_normals(shape: Shape) -> None:
    for part in shape.parts:
        points, normals = shape.chart(part, inner(shape, part))
        assert np.abs(np.square(normals).sum(0) - 1).max() < 1e-14
        for far in (1e-3, 1e-8, -1e-8, -1e-3):
            assert np.abs(shape.level(points + far * normals) - far).max() < 1e-14


@every_shape
def test_the_level_grows_along_the_normals_and_across_them_does_not(shape: Shape) -> None:
    h = 1e-5  # for an error h² = 1e-10 and as much rounding
    for part in shape.parts:
        points, normals = shape.chart(part, inner(shape, part))
        steps = h * np.eye(len(shape.axes))[:, :, None]
        slopes = np.stack([(shape.level(points + e) - shape.level(points - e)) / (2 * h) for e in steps])
        assert np.abs(slopes - normals).max() < 1e-8


@every_shape
def test_the_level_changes_no_faster_than_the_distance(shape: Shape) -> None:
    low, high = (np.array(side)[:, None] - middle for side, middle in zip(zip(*shape.bounds), (1, -1)))
    one, other = (low + (high - low) * even(len(shape.axes), 2 * 500)).reshape(len(shape.axes), 2, -1).swapaxes(0, 1)
    away = np.sqrt(np.square(one - other).sum(0))
    assert (np.abs(shape.level(one) - shape.level(other)) <= away + 1e-14).all()


@every_shape
def test_charts_preserve_measure(shape: Shape) -> None:
    """Their Gram determinant is everywhere the square of the part's size."""
    h = 1e-6
    for part in shape.parts if len(shape.axes) > 1 else ():
        unit = inner(shape, part)
        steps = h * np.eye(len(unit))[:, :, None]
        slopes = np.stack([(shape.chart(part, unit + e)[0] - shape.chart(part, unit - e)[0]) / (2 * h) for e in steps])
        gram = np.einsum("adn,bdn->nab", slopes, slopes)
        assert np.sqrt(np.linalg.det(gram)) == pytest.approx(shape.size(part), rel=1e-7)


@pytest.mark.parametrize("name", WAYS)
def test_sizes_and_volumes_are_those_of_the_textbook(name: str, folder: Path) -> None:
    shape = made(name, folder)
    assert shape.volume == pytest.approx(VOLUMES[name], rel=1e-14)
    assert [shape.size(part) for part in shape.parts] == pytest.approx(SIZES[name], rel=1e-14)


@every_shape
def test_a_shape_by_itself_is_a_region(shape: Shape) -> None:
    region = Region({"it": shape}, Leaf("it"))
    assert region.pieces == tuple(("it", part) for part in shape.parts)
    assert [region.measure(*piece) for piece in region.pieces] == pytest.approx([shape.size(p) for p in shape.parts])
    total = sum((w * (x * n).sum(0)).sum() for x, n, w in (region.boundary_quadrature(*p, 12) for p in region.pieces))
    coarse = 1e-3 if "surface" in dir(shape) else 1e-9  # surfaces from files are sampled
    assert total / len(shape.axes) == pytest.approx(shape.volume, rel=coarse)


def test_a_flat_ellipse_is_measured_too() -> None:
    """Four times the quarter's length by its hypergeometric series, which converges like (a-b)²ⁿ/(a+b)²ⁿ."""
    a, b = 1.0, 0.02
    h, term, series = ((a - b) / (a + b)) ** 2, 1.0, 1.0
    for n in range(1, 600):
        term *= ((n - 1.5) / n) ** 2 * h
        series += term
    assert SHAPES["ellipse"](center=[0, 0], radii=[a, b]).size("") == pytest.approx(pi * (a + b) * series, rel=1e-13)


# Regions


def chain(sign: str, *names: str) -> Tree:
    """Shapes joined from left to right, all by one sign."""
    tree: Tree = Leaf(names[0])
    for name in names[1:]:
        tree = Join(sign, tree, Leaf(name))
    return tree


def disc(x: float, y: float, radius: float) -> Shape:
    """A disc."""
    return SHAPES["disc"](center=[x, y], radius=radius)


def rectangle(*ends: float) -> Shape:
    """A rectangle, from its left, right, bottom and top."""
    return SHAPES["rectangle"](x=ends[:2], y=ends[2:])


def box(*ends: float) -> Shape:
    """A box."""
    return SHAPES["box"](x=ends[:2], y=ends[2:4], z=ends[4:])


def ball(x: float, y: float, z: float, radius: float) -> Shape:
    """A ball."""
    return SHAPES["ball"](center=[x, y, z], radius=radius)


PLATE = rectangle(-1, 1, -1, 1)
FOUR = {f"d{k}": disc(x, y, 0.2) for k, (x, y) in enumerate([(-0.5, -0.5), (0.5, -0.5), (-0.5, 0.5), (0.5, 0.5)])}
LENS = 2 * pi / 3 - sqrt(3) / 2  # of two circles of radius 1 through each other's centres
PLANE: dict[str, tuple[dict[str, Shape], Tree, float]] = {
    "plate with a hole": ({"plate": PLATE, "hole": disc(0.3, 0, 0.25)}, chain("-", "plate", "hole"), 4 - pi / 16),
    "plate with a bite": ({"plate": PLATE, "bite": disc(1, 0.2, 0.3)}, chain("-", "plate", "bite"), 4 - 0.045 * pi),
    "L": ({"big": rectangle(0, 2, 0, 2), "small": rectangle(1, 2, 1, 2)}, chain("-", "big", "small"), 3),
    "two discs": ({"a": disc(0, 0, 1), "b": disc(1, 0, 1)}, chain("+", "a", "b"), 2 * pi - LENS),
    "lens": ({"a": disc(0, 0, 1), "b": disc(1, 0, 1)}, chain("&", "a", "b"), LENS),
    "four discs": ({"plate": PLATE, **FOUR}, chain("-", "plate", *FOUR), 4 - 0.16 * pi),
    "stadium": ({"a": disc(0, 0, 1), "r": rectangle(0, 2, -1, 1), "b": disc(2, 0, 1)}, chain("+", *"arb"), 4 + pi),
    "inscribed": ({"plate": PLATE, "hole": disc(0, 0, 1)}, chain("-", "plate", "hole"), 4 - pi),
    "flush": ({"a": rectangle(0, 1, 0, 1), "b": rectangle(0.5, 2, 0, 1)}, chain("+", "a", "b"), 2),
    "touching": ({"a": rectangle(0, 1, 0, 1), "b": rectangle(1, 2, 0.1 + 0.2, 2)}, chain("+", "a", "b"), 2.7),
    "nested": (
        {"plate": PLATE, "ring": SHAPES["annulus"](center=[0, 0], inner=0.3, outer=0.8)},
        chain("-", "plate", "ring"),
        4 - 0.55 * pi,
    ),
    "polygon and ellipse": (
        {
            "p": SHAPES["polygon"](points=[[-2, 0], [2, 0], [2, 1], [-2, 1]]),
            "e": SHAPES["ellipse"](center=[0, 0], radii=[1.5, 0.5], angle=pi / 2),
        },
        chain("&", "p", "e"),
        0.75 * (2 * sqrt(5) / 9 + np.arcsin(2 / 3)),
    ),
}
SPACE: dict[str, tuple[dict[str, Shape], Tree, float]] = {
    "box with a ball bitten off": (
        {"box": box(-1, 1, -1, 1, -1, 1), "ball": ball(1, 0.2, 0.1, 0.5)}, chain("-", "box", "ball"), 8 - pi / 12,
    ),
    "drilled box": (
        {"box": box(-1, 1, -1, 1, -1, 1), "drill": SHAPES["cylinder"](center=[0.1, 0.2, 0], radius=0.5, height=4)},
        chain("-", "box", "drill"),
        8 - pi / 2,
    ),
    "two balls": ({"a": ball(0, 0, 0, 1), "b": ball(0, 0, 1, 1)}, chain("+", "a", "b"), 8 / 3 * pi - 5 / 12 * pi),
    "corner": ({"a": box(-1, 1, -1, 1, -1, 1), "b": box(0, 1, 0, 1, 0, 1)}, chain("-", "a", "b"), 7),
}  # fmt: skip
LINE: dict[str, tuple[dict[str, Shape], Tree, float]] = {
    "a gap": (
        {"a": SHAPES["interval"](x=[0, 4]), "b": SHAPES["interval"](x=[1, 2])}, chain("-", "a", "b"), 3,
    ),
    "joined": (
        {"a": SHAPES["interval"](x=[0, 1]), "b": SHAPES["interval"](x=[1, 2])}, chain("+", "a", "b"), 2,
    ),
}  # fmt: skip
ALL = {**LINE, **PLANE, **SPACE}
every_region = pytest.mark.parametrize("name", ALL)
FIELDS = {  # in d dimensions, where the middle coordinate of an odd number is its own mirror image
    "x": (lambda x: x, lambda x, own: float(len(x))),
    "x³": (lambda x: x**3, lambda x, own: 3 * np.square(x).sum(0)),
    "mixed": (lambda x: x[::-1] ** 2 * x, lambda x, own: np.square(x).sum(0) + own * 2 * x[len(x) // 2] ** 2),
    "smooth": (lambda x: np.exp(x) + np.sin(x[::-1]), lambda x, own: np.exp(x).sum(0) + own * np.cos(x[len(x) // 2])),
}


@cache
def region(name: str) -> Region:
    """A region by its name."""
    return Region(*ALL[name][:2])


def loss(name: str, n: int) -> float:
    """The greatest difference of ∮ F·n and ∫ div F, by the two quadratures."""
    it = region(name)
    boundary = [it.boundary_quadrature(*piece, n) for piece in it.pieces]
    points, weights = it.interior_quadrature(n)
    return max(
        abs(
            sum((w * (field(x) * normal).sum(0)).sum() for x, normal, w in boundary)
            - (weights * div(points, len(points) % 2)).sum()
        )
        for field, div in FIELDS.values()
    )


@pytest.mark.parametrize("name", {**LINE, **PLANE})
def test_the_divergence_theorem_holds_to_rounding_on_the_line_and_in_the_plane(name: str) -> None:
    assert loss(name, 16) < 1e-11


@pytest.mark.parametrize("name", SPACE)
def test_the_divergence_theorem_holds_in_space(name: str) -> None:
    assert loss(name, 8) < 1e-5


@pytest.mark.parametrize("name", PLANE)
def test_quadrature_converges_faster_than_any_power(name: str) -> None:
    coarse, fine = loss(name, 4), loss(name, 8)
    assert fine < max(coarse**1.5, 1e-12)  # a power would divide it by the same factor from 2 to 4


@every_region
def test_volumes_are_those_of_the_textbook(name: str) -> None:
    assert region(name).volume == pytest.approx(ALL[name][2], rel=1e-12 if name not in SPACE else 1e-8)


@every_region
def test_points_inside_are_inside_and_spread_evenly(name: str) -> None:
    it = region(name)
    points = it.interior(2000, even)
    assert points.shape == (len(it.axes), 2000) and it.inside(points, closed=False).all()
    nodes, weights = it.interior_quadrature(4)
    mean = (weights * nodes).sum(1) / weights.sum()
    assert it.inside(nodes).all() and np.abs(points.mean(1) - mean).max() < 0.01


@every_region
def test_points_of_a_piece_have_the_region_on_one_side_and_spread_evenly(name: str) -> None:
    it = region(name)
    for piece in it.pieces:
        points, normals = it.on(*piece, 500, even)
        assert points.shape == normals.shape == (len(it.axes), 500)
        assert it.inside(points).all() and not it.inside(points, closed=False).any()
        # A step to either side may leave through another piece, near corners and where a tangent runs into a circle.
        assert (it.inside(points - 1e-9 * normals) & ~it.inside(points + 1e-9 * normals)).mean() > 0.99
        nodes, _, weights = it.boundary_quadrature(*piece, 12)
        assert weights.sum() == pytest.approx(it.measure(*piece), rel=1e-12 if name not in SPACE else 1e-7)
        assert np.abs(points.mean(1) - (weights * nodes).sum(1) / weights.sum()).max() < 0.01


@pytest.mark.parametrize("name", [*LINE, *PLANE, "two balls"])
def test_the_same_draw_gives_the_same_points(name: str) -> None:
    one, other = region(name), Region(*ALL[name][:2])
    assert np.array_equal(one.interior(100, even), other.interior(100, even))
    for piece in one.pieces:
        assert all(map(np.array_equal, one.on(*piece, 100, even), other.on(*piece, 100, even)))


def test_pieces_are_what_remains() -> None:
    assert region("L").pieces == (
        ("big", "left"), ("big", "right"), ("big", "bottom"), ("big", "top"), ("small", "left"), ("small", "bottom"),
    )  # fmt: skip
    assert region("inscribed").pieces == tuple(("plate", part) for part in PLATE.parts) + (("hole", ""),)
    assert region("joined").pieces == (("a", "left"), ("b", "right"))
    assert region("L").measure("small", "top") == 0
    assert region("corner").measure("a", "x_max") == pytest.approx(3)


def test_cut_pieces_have_exact_lengths() -> None:
    bite = region("plate with a bite")
    assert bite.measure("plate", "right") == pytest.approx(1.4, rel=1e-13)
    assert bite.measure("bite", "") == pytest.approx(0.3 * pi, rel=1e-13)
    assert region("lens").measure("a", "") == pytest.approx(2 * pi / 3, rel=1e-13)
    assert region("stadium").measure("b", "") == pytest.approx(pi, rel=1e-13)


def test_what_two_shapes_share_is_the_first_ones() -> None:
    flush = region("flush")
    assert flush.measure("a", "bottom") == pytest.approx(1, rel=1e-12)
    assert flush.measure("b", "bottom") == pytest.approx(1, rel=1e-12)
    shared = Region({"a": PLATE, "b": PLATE}, chain("+", "a", "b"))
    assert shared.pieces == tuple(("a", part) for part in PLATE.parts)


def test_normals_of_what_is_taken_away_point_into_it() -> None:
    points, normals = region("plate with a hole").on("hole", "", 50, even)
    assert ((points - [[0.3], [0]]) * normals).sum(0) == pytest.approx(-0.25)


def test_a_part_cut_in_two_is_drawn_on_both_sides() -> None:
    slit = Region({"a": rectangle(0, 3, 0, 1), "b": rectangle(1, 2, -1, 2)}, chain("-", "a", "b"))
    x = np.sort(slit.on("a", "top", 1000, lambda d, n: np.linspace(0, 1, n)[None])[0][0])
    assert slit.measure("a", "top") == pytest.approx(2, rel=1e-13)
    assert np.abs(x - np.concatenate([np.linspace(0, 1, 500), np.linspace(2, 3, 500)])).max() < 3e-3
    assert slit.interior_quadrature(2)[1].sum() == pytest.approx(2, rel=1e-13)


def test_the_boundary_belongs_to_the_closed_region_only() -> None:
    it = region("plate with a hole")
    edge = np.array([[1.0, 0.55, 0.05, 0.3], [0.0, 0.0, 0.0, 0.0]])
    assert it.inside(edge).tolist() == [True, True, True, False]
    assert not it.inside(edge, closed=False).any()


def test_no_edge_remains_where_nothing_is_beside_it() -> None:
    """What is taken away with a side along a side of the rest leaves no line of points there."""
    square = SHAPES["rectangle"](x=(-1, 1), y=(-1, 1))
    shapes = {"square": square, "corner": SHAPES["rectangle"](x=(0, 1), y=(0, 1))}
    x, y = np.meshgrid(np.linspace(-1, 1, 9), np.linspace(-1, 1, 9))
    found = Region(shapes, Join("-", Leaf("square"), Leaf("corner"))).inside(np.stack([x.ravel(), y.ravel()]))
    np.testing.assert_array_equal(found, ((x <= 0) | (y <= 0)).ravel())
    cube = SHAPES["box"](x=(0, 1), y=(0, 1), z=(0, 1))
    shapes = {"cube": cube, "half": SHAPES["box"](x=(0, 0.5), y=(0, 1), z=(0, 1))}
    points = np.stack([axis.ravel() for axis in np.meshgrid(*[np.linspace(0, 1, 5)] * 3, indexing="ij")])
    found = Region(shapes, Join("-", Leaf("cube"), Leaf("half"))).inside(points)
    np.testing.assert_array_equal(found, points[0] >= 0.5)


def test_random_regions_obey_the_divergence_theorem() -> None:
    """Also where sides are flush, and circles touch corners and sides: all numbers are multiples of 1/4."""
    generator = np.random.default_rng(3)
    for _ in range(12):
        x, y, a, b = generator.integers(-3, 4, (4, 4)) / 4
        a, b = np.abs(a) + 0.25, np.abs(b) + 0.25
        shapes = {
            "r": rectangle(x[0], x[0] + a[0], y[0], y[0] + b[0]),
            "d": disc(x[1], y[1], a[1]),
            "e": SHAPES["ellipse"](center=[x[2], y[2]], radii=[a[2], b[2]]),
            "s": rectangle(x[3], x[3] + a[3], y[3], y[3] + b[3]),
        }
        signs = generator.choice(["+", "-"], 3)
        tree: Tree = Leaf("r")
        for sign, name in zip(signs.tolist(), "des"):
            tree = Join(sign, tree, Leaf(name))
        it = Region(shapes, tree)
        points, weights = it.interior_quadrature(16)
        flow = sum(
            (w * (x**3 * n).sum(0)).sum() for x, n, w in (it.boundary_quadrature(*piece, 16) for piece in it.pieces)
        )
        assert flow == pytest.approx(3 * (weights * np.square(points).sum(0)).sum(), abs=1e-11), tree


# Files and mistakes


def test_a_polygon_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("x,y\n0,0\n2,0\n\n2,1\n0,1\n0,0\n")
    assert SHAPES["polygon"](file=tmp_path / "p.csv").volume == 2


def test_many_sides_are_as_exact_as_few() -> None:
    turns = np.arange(400) / 400
    star = (1 + 0.3 * np.cos(14 * pi * turns)) * np.stack([np.cos(2 * pi * turns), np.sin(2 * pi * turns)])
    shape = SHAPES["polygon"](points=star.T)
    points, normals = shape.chart("side7", np.linspace(0.1, 0.9, 9)[None])
    assert np.abs(shape.level(points + 1e-4 * normals) - 1e-4).max() < 1e-14
    it = Region({"star": shape, "hole": disc(0.2, 0, 0.3)}, chain("-", "star", "hole"))
    assert it.interior_quadrature(12)[1].sum() == pytest.approx(shape.volume - 0.09 * pi, rel=1e-12)


def test_solids_come_from_tetrahedra_and_triangles_alike(tmp_path: Path, folder: Path) -> None:
    meshio = pytest.importorskip("meshio")
    meshio.write_points_cells(tmp_path / "t.vtu", CORNERS, [("tetra", np.array([[0, 1, 2, 3]]))])
    meshio.gmsh.write(tmp_path / "t.msh", meshio.Mesh(CORNERS, [("triangle", FACES)]), fmt_version="4.1")
    for file in (tmp_path / "t.vtu", tmp_path / "t.msh"):
        assert SHAPES["mesh"](file=file).volume == pytest.approx(1 / 6, rel=1e-14)


def test_a_solid_from_a_file_is_cut_like_others(folder: Path) -> None:
    it = Region({"t": made("mesh", folder), "b": box(0, 1, 0, 1, 0, 0.5)}, chain("-", "t", "b"))
    # 8192 points that know nothing of where the surfaces are cut: about N^(-3/4) = 1e-3 of what they are spread over.
    assert it.volume == pytest.approx(1 / 48, abs=1e-3)
    assert it.interior_quadrature(8)[1].sum() == pytest.approx(1 / 48, abs=1e-3)
    assert it.measure("b", "z_max") == pytest.approx(1 / 8, abs=1e-3)


def test_a_surface_must_be_closed(tmp_path: Path) -> None:
    write_stl(tmp_path / "open.stl", FACES[:3])
    with pytest.raises(ValueError, match="open.stl is not closed"):
        SHAPES["mesh"](file=tmp_path / "open.stl")


def test_what_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setitem(sys.modules, "trimesh", None)
    with pytest.raises(ValueError, match=r"pip install 'kanpde\[mesh\]'"):
        made("mesh", folder)


@pytest.mark.parametrize(
    "name, way, message",
    [
        ("interval", dict(x=[1, 0]), "x must run from a smaller to a greater number, not from 1 to 0"),
        ("interval", dict(x=3), "x must be a list of 2 numbers, not 3"),
        ("rectangle", dict(x=[0, 1], y=[0, float("inf")]), "y must be finite, not inf"),
        ("disc", dict(center=[0, 0], radius=-1), "radius must be greater than 0, not -1"),
        ("disc", dict(center=[0, "a"], radius=1), "center must be a number, not 'a'"),
        ("ellipse", dict(center=[0, 0], radii=[1, 0]), "radii must be greater than 0, not 0"),
        ("annulus", dict(center=[0, 0], inner=2, outer=1), "inner must be less than outer, but 2 is not less than 1"),
        ("cylinder", dict(center=[0, 0, 0], radius=1, height=1, axis="t"), "axis must be x, y or z, not 't'"),
        ("polygon", dict(points=[[0, 0], [1, 0]]), "a polygon has at least 3 points, not 2"),
        ("polygon", dict(points=[[0, 0], [1, 1], [1, 0], [0, 1]]), "the sides of the polygon cross or touch"),
        ("polygon", dict(points=[[0, 0], [0, 0], [1, 1], [1, 0]]), "points[0] and points[1] are the same"),
        ("polygon", dict(points=[[0, 0]] * 10_001), "a polygon has at most 10000 points, not 10001"),
        ("polygon", dict(), "a polygon is made from either points=[[x, y], …] or file=…"),
        ("polygon", dict(file="nowhere.csv"), "there is no file nowhere.csv"),
        ("mesh", dict(file="nowhere.stl"), "there is no file nowhere.stl"),
        ("mesh", dict(file=__file__), "must be a file of surfaces: .stl, .vtu, .msh"),
    ],
)
def test_mistakes_are_explained(name: str, way: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as found:
        SHAPES[name](**way)
    assert message in str(found.value)


def test_regions_refuse_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="there is no shape called b"):
        Region({"a": PLATE}, chain("+", "a", "b"))
    with pytest.raises(ValueError, match="different coordinates"):
        Region({"a": PLATE, "b": ball(0, 0, 0, 1)}, chain("+", "a", "b"))
    with pytest.raises(ValueError, match="empty"):
        Region({"a": PLATE, "b": disc(5, 0, 1)}, chain("&", "a", "b"))
    with pytest.raises(ValueError, match="regions are joined by"):
        Join("*", Leaf("a"), Leaf("b"))


def test_an_empty_region_has_nothing() -> None:
    it = Region({"a": disc(0, 0, 0.5), "b": PLATE}, chain("-", "a", "b"))
    assert it.pieces == () and it.volume == 0 and it.interior_quadrature(3)[0].shape == (2, 0)
    with pytest.raises(ValueError, match="empty"):
        it.interior(10, even)


def test_gauss_is_exact_for_polynomials() -> None:
    points, weights = gauss(5)
    assert [(weights * points**k).sum() for k in range(10)] == pytest.approx(
        [1 / (k + 1) for k in range(10)], rel=1e-14
    )
