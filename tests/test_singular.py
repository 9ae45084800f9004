"""Singular functions: exact derivatives, harmonic, right at corners and around holes; regions solved with them."""

from __future__ import annotations

from math import pi
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from kanpde.contours import Hole, corners, holes, images
from kanpde.enrichment import enrichment
from kanpde.jet import Jet, closure
from kanpde.problem import differentiated
from kanpde.ramps import Ramps, linear_fit, ramps_problem
from kanpde.singular import SingularLayer, corner_modes, hole_modes, inner_corner_modes, slit_modes
from kanpde.solution import unknown_values
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec, read_spec_text
from kanpde.truth import truth_of

BOX = ((-1.0, 2.0), (0.0, 3.0))
ZERO = (0, 0)
CASES = {
    "fixed": corner_modes((0.1, 0.2), 1.0, 1.5 * pi, (True, True), 2.0, 4),
    "mixed": corner_modes((0.1, 0.2), 1.0, 0.8 * pi, (True, False), 2.0, 4),
    "right angle": corner_modes((0.1, 0.2), 0.3, pi / 2, (False, False), 1.0, 3),
    "hole": hole_modes((0.5, 1.0), 0.3, 3),
    "elliptic hole": slit_modes((0.5, 1.0), 0.4, (0.5, 0.1), 3, False),
    "corner of a hole": inner_corner_modes((0.1, 0.2), 1.0, 1.5 * pi, (True, True), 2.0, 0.5),
}
COUPLED = {
    "hole of a system": hole_modes((0.5, 1.0), 0.3, 4, coupled=True),
    "elliptic hole of a system": slit_modes((0.5, 1.0), 0.4, (0.5, 0.1), 4, True),
}

L_SHAPE = """
unknowns: [u]
domain:
  shapes:
    plate: rectangle(x=[-1, 1], y=[-1, 1])
    notch: rectangle(x=[0, 1], y=[0, 1])
  region: plate - notch
equations: {poisson: -lap(u) = 1}
boundary: {all: u = 0}
"""


def spec(text: str) -> Spec:
    return read_spec_text(text, "test.yaml", Path("."))


def mapped(points: Tensor) -> Tensor:
    """Points [2, N] of the box in [−1, 1]²."""
    return torch.stack([2 * (x - low) / (high - low) - 1 for x, (low, high) in zip(points, BOX)])


@pytest.mark.parametrize("name", [*CASES, *COUPLED])
def test_derivatives_agree_with_automatic_ones(name: str) -> None:
    layer = SingularLayer(BOX, tuple({**CASES, **COUPLED}[name]), 1)
    generator = torch.Generator().manual_seed(0)
    points = torch.rand(2, 9, generator=generator, dtype=torch.float64) * 3 - torch.tensor([[1.0], [0.0]])
    points.requires_grad_()
    coefficients = torch.randn(layer.shape, generator=generator, dtype=torch.float64)
    wanted = closure(frozenset({(2, 1), (0, 3), (4, 0)}))
    expected = differentiated(layer.value(mapped(points), coefficients)[0], points, wanted)
    found, _ = layer.forward(Jet({ZERO: mapped(points).detach()}, wanted), coefficients, True)
    for alpha in wanted:
        assert torch.allclose(found[alpha][0], expected[alpha].detach(), rtol=1e-11, atol=1e-12), alpha


@pytest.mark.parametrize("name", CASES)
def test_they_are_harmonic_and_finite_everywhere(name: str) -> None:
    layer = SingularLayer(BOX, tuple(CASES[name]), 1)
    points = torch.tensor([[0.1, 0.7, -0.4], [0.2, 1.9, 0.6]], dtype=torch.float64)
    table = layer.features(Jet({ZERO: mapped(points)}, closure(frozenset({(2, 0), (0, 2)}))))
    away = table[2, 0][:, 1:], table[0, 2][:, 1:]
    assert ((away[0] + away[1]).abs() <= 1e-12 * (1 + away[0].abs())).all()
    assert table[ZERO].isfinite().all()


@pytest.mark.parametrize("name", COUPLED)
def test_those_of_coupled_unknowns_are_biharmonic(name: str) -> None:
    layer = SingularLayer(BOX, tuple(COUPLED[name]), 1)
    points = torch.tensor([[0.1, 0.7, -0.4], [0.2, 1.9, 0.6]], dtype=torch.float64)
    table = layer.features(Jet({ZERO: mapped(points)}, closure(frozenset({(4, 0), (2, 2), (0, 4)}))))
    left = table[4, 0] + 2 * table[2, 2] + table[0, 4]
    assert (left.abs() <= 1e-11 * (1 + table[4, 0].abs())).all()
    assert ((table[2, 0] + table[0, 2]).abs() > 1e-3).any()


def test_a_cut_inside_a_hole_ends_there() -> None:
    """Along a ray from the corner, values on both sides differ up to the cut's end only."""
    corner, turn, length = np.array([0.1, 0.2]), 1.0, 0.5
    layer = SingularLayer(BOX, tuple(CASES["corner of a hole"]), 1)
    away, aside = -np.array([np.cos(turn), np.sin(turn)]), 1e-9 * np.array([-np.sin(turn), np.cos(turn)])
    for share, meets in ((0.5, False), (0.9, False), (1.1, True), (2.0, True)):
        points = np.stack([corner + share * length * away + side * aside for side in (-1, 1)], axis=1)
        values = layer.features(Jet({ZERO: mapped(torch.as_tensor(points))}, frozenset({ZERO})))[ZERO]
        steps = (values[:, 1] - values[:, 0]).abs() / values.abs().max()
        assert bool((steps < 1e-6).all()) is meets


@pytest.mark.parametrize(("name", "order"), [("fixed", (0, 0)), ("mixed", (0, 1))])
def test_they_meet_the_conditions_on_both_sides_of_a_corner(name: str, order: tuple[int, int]) -> None:
    turn, angle = 1.0, {"fixed": 1.5, "mixed": 0.8}[name] * pi
    layer = SingularLayer(BOX, tuple(mode for mode in CASES[name] if not mode.logarithm), 1)
    for side, derivative in zip((-1, 1), order):
        along = turn + side * angle / 2
        direction, normal = (np.cos(along), np.sin(along)), (-np.sin(along), np.cos(along))
        r = torch.linspace(0.1, 0.6, 5, dtype=torch.float64)
        points = torch.stack([0.1 + r * direction[0], 0.2 + r * direction[1]])
        table = layer.features(Jet({ZERO: mapped(points)}, closure(frozenset({(1, 0), (0, 1)}))))
        slope = normal[0] * table[1, 0] + normal[1] * table[0, 1]
        assert (table[ZERO] if not derivative else slope).abs().max() < 1e-12


def test_corners_of_the_l_shape_have_their_angles() -> None:
    region = spec(L_SHAPE).region
    assert region is not None
    found = {(round(c.point[0], 9), round(c.point[1], 9)): c.angle for c in corners(region)}
    right = [(-1, -1), (1, -1), (1, 0), (0, 1), (-1, 1)]
    assert found == pytest.approx({**dict.fromkeys(right, pi / 2), (0, 0): 1.5 * pi})


def test_boxes_with_conditions_built_in_and_time_have_none() -> None:
    plain = L_SHAPE.replace("plate - notch", "plate").replace("    notch: rectangle(x=[0, 1], y=[0, 1])\n", "")
    assert not enrichment(spec(plain))
    timed = L_SHAPE.replace("region:", "t: [0, 1]\n  region:").replace("= 1", "= u_t") + "initial: {u: 0}\n"
    assert not enrichment(spec(timed))


def test_holes_are_found() -> None:
    text = L_SHAPE.replace("notch: rectangle(x=[0, 1], y=[0, 1])", "notch: disc(center=[0.3, 0], radius=0.25)")
    ((network, unknowns),) = enrichment(spec(text))
    (layer,) = network.layers
    assert unknowns == ("u",)
    centres = np.array([mode.centre for mode in layer.modes if mode.power < 0])  # type: ignore[union-attr]
    assert len(centres) and np.allclose(centres, (0.3, 0.0))


HOLES = {
    "annulus": ("ring: 'annulus(center=[0.2, 0.1], inner=0.5, outer=1)'", "ring", [Hole((0.2, 0.1), 0.5)]),
    "triangle": (
        "plate: 'rectangle(x=[0, 3], y=[0, 3])', hole: 'polygon(points=[[1, 1], [2, 1], [1.5, 2.5]])'",
        "plate - hole",
        [Hole((1.5, 1.5), 0.1**0.5)],
    ),
    "merged": (
        "plate: 'rectangle(x=[-2, 2], y=[-2, 2])', one: 'disc(center=[-0.3, 0], radius=0.5)', "
        "two: 'disc(center=[0.3, 0], radius=0.5)'",
        "plate - one - two",
        [Hole((0.0, 0.0), 0.4)],
    ),
    "cut": ("plate: 'rectangle(x=[-2, 2], y=[-2, 2])', bay: 'disc(center=[2, 0], radius=1)'", "plate - bay", []),
}


@pytest.mark.parametrize("name", HOLES)
def test_holes_lie_where_the_outward_normals_point_in(name: str) -> None:
    shapes, region, expected = HOLES[name]
    text = f"unknowns: [u]\ndomain: {{shapes: {{{shapes}}}, region: {region}}}\n"
    found = spec(text + "equations: {a: lap(u) = 0}\nboundary: {all: u = 1}\n").region
    assert found is not None
    assert [hole.centre for hole in holes(found)] == [pytest.approx(hole.centre, abs=1e-9) for hole in expected]
    assert [hole.radius for hole in holes(found)] == pytest.approx([hole.radius for hole in expected], rel=0.03)


@pytest.mark.parametrize(
    ("outer", "image"),
    [
        ("rectangle(x=[-2, 1], y=[-2, 2])", (1.4, 0.1)),
        ("disc(center=[-0.4, 0.1], radius=1.4)", (-0.4 + 1.4**2 / (1 - 0.05**2), 0.1)),
    ],
)
def test_images_lie_behind_straight_sides_and_circles(outer: str, image: tuple[float, float]) -> None:
    """In a circle, that of the hole as a whole: from the centre R² c / (c² − a²) away."""
    shapes = f"{{plate: '{outer}', hole: 'disc(center=[0.6, 0.1], radius=0.05)'}}"
    text = f"unknowns: [u]\ndomain: {{shapes: {shapes}, region: plate - hole}}\n"
    found = spec(text + "equations: {a: lap(u) = 0}\nboundary: {all: u = 1}\n").region
    assert found is not None
    (nearest, *_) = images(found, holes(found))
    assert nearest.centre == pytest.approx(image, abs=1e-9)


def test_images_let_few_ramps_solve_beside_holes() -> None:
    """Four discs: 2e-4 with 300 ramps where holes had no images."""
    four = read_spec(Path(__file__).parent.parent / "problems" / "elliptic_2d_four_discs.yaml")
    fit = linear_fit(ramps_problem(four, 2), four, Ramps(100, (2.0, 2.0)))
    truth = truth_of(four)
    assert truth is not None
    found = unknown_values(fit.problem, fit.theta, tuple(truth.values), truth.points)
    assert truth.errors(found)["u"].relative_l2 < 1e-7


THIN = """
unknowns: [u]
domain:
  shapes:
    plate: rectangle(x=[-1.5, 1.5], y=[-1, 1])
    slit: ellipse(center=[0, 0], radii=[1, 1/8], angle=pi/6)
  region: plate - slit
equations: {laplace: lap(u) = 0}
definitions:
  c: sqrt(63)/8
  p: x*cos(pi/6) + y*sin(pi/6)
  q: y*cos(pi/6) - x*sin(pi/6)
  s: (sqrt((p - c)^2 + q^2) + sqrt((p + c)^2 + q^2))/(2*c)
  g: log(s + sqrt(s^2 - 1)) + x*y
boundary: {plate: u = g, slit: u = g}
exact: {u: g}
"""


def test_a_thin_hole_takes_few_ramps() -> None:
    """The potential around an ellipse eight times as long as wide is a logarithm of Joukowski's variable."""
    problem = spec(THIN)
    fit = linear_fit(ramps_problem(problem, 100), problem, Ramps(100, (2.0, 2.0)))
    truth = truth_of(problem)
    assert truth is not None
    values = unknown_values(fit.problem, fit.theta, ("u",), truth.points)
    assert truth.errors(values)["u"].relative_l2 < 1e-8


def test_stresses_around_a_hole_take_few_ramps() -> None:
    """Kirsch's plate, whose displacements have terms (z/z̄)^k beside Laurent's."""
    plate = read_spec(Path(__file__).parent.parent / "problems" / "elliptic_2d_elasticity_hole.yaml")
    fit = linear_fit(ramps_problem(plate, 2), plate, Ramps(60, (1.0, 1.0)))
    assert fit.held_out < 1e-7


def test_a_right_angle_where_data_and_equation_clash_costs_no_digits() -> None:
    text = "unknowns: [u]\ndomain: {x: [0, 1], y: [0, 1]}\nequations: {torsion: -lap(u) = 1}\nboundary: {all: u = 0}\n"
    solution = solve(spec(text + "training: {threads: 1}\n"))
    x, y = np.array([[0.5, 0.1, 0.01, 0.3], [0.5, 0.1, 0.02, 0.9]])
    n = np.arange(1, 400, 2)[:, None] * pi  # Timoshenko & Goodier (1951, article 109)
    decay = (np.exp(-n * y) + np.exp(-n * (1 - y))) / (1 + np.exp(-n))
    exact = x * (1 - x) / 2 - (4 / n**3 * np.sin(n * x) * decay).sum(0)
    assert "corners" in solution.summary["chosen as"]
    assert np.abs(solution.at(np.stack([x, y], axis=1))["u"] - exact).max() < 1e-10


def test_the_residual_at_a_corner_itself_is_not_a_number() -> None:
    text = L_SHAPE + "network: {width: 100}\ntraining: {threads: 1}\noutput: {grid: [11, 11]}\n"
    values = solve(spec(text)).tabulate().fields["residual_poisson"].values
    corners_on_grid = {(0, 0), (10, 0), (0, 10), (5, 5), (5, 10), (10, 5)}
    outside = {(i, j) for i in range(6, 11) for j in range(6, 11)}
    assert {tuple(where) for where in np.argwhere(np.isnan(values))} == corners_on_grid | outside
    assert np.nanmax(np.abs(values)) < 1e-3
