"""Edges: their importance is what the solution loses without them, and all of them are drawn and listed."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from program import ONE_THREAD, line_problem, run
from small import KINDS, gallery, random_theta, small_problem
from torch import Tensor

from kanpde.attribution import distances, edge_values, importance, shared, trace
from kanpde.bases import Chebyshev
from kanpde.build import assemble
from kanpde.edges import graphs
from kanpde.evaluation import Ground
from kanpde.factors import pairs
from kanpde.graph import Graph
from kanpde.graph_table import listed
from kanpde.matching import POINTS, matches
from kanpde.network import KanLayer, Network
from kanpde.separable import ProductLayer
from kanpde.splines import Spline
from kanpde.writers.arrangement import MOST, arranged
from kanpde.writers.graphs import draw_graphs, graph_figure
from kanpde.writers.png import pixels

SPEC = replace(gallery("elliptic_2d_poisson"), enforce="soft")
DEGREE = 20
PROBLEMS = ("elliptic_2d_poisson", "dispersive_1d_kdv", "flow_2d_kovasznay", "parabolic_2d_heat_disc")


def chebyshev_coefficients(function) -> Tensor:
    """Those of a smooth function on [−1, 1]."""
    return torch.as_tensor(np.polynomial.chebyshev.chebinterpolate(function, DEGREE))


def sine_and_square() -> Graph:
    """The graph of u = sin(πx) + y² on [−1, 1]², of one layer."""
    problem = assemble(SPEC, [(Network((KanLayer(Chebyshev(DEGREE), 2, 1),)), ("u",))])
    functions = (lambda x: np.sin(np.pi * x), lambda y: y**2)
    (graph,) = graphs(problem, torch.cat([chebyshev_coefficients(f) for f in functions]))
    return graph


def test_importance_is_the_standard_deviation_where_edges_make_up_the_solution() -> None:
    """√(1/2) of sin πx and √(4/45) of y²; means over 1024 points of low discrepancy are right to 1 %."""
    spreads = np.sqrt([1 / 2, 4 / 45])
    assert list(sine_and_square().of_coordinates().values()) == pytest.approx(spreads / spreads.sum(), rel=1e-2)


def test_known_edges_match_what_they_are() -> None:
    sine, square = listed(sine_and_square())
    assert (sine["from"], sine["match"], sine["formula"]) == ("x", "sin", "sin(3.14 x)")
    assert (square["from"], square["match"], square["formula"]) == ("y", "quadratic", "y^2")
    assert min(sine["r2"], square["r2"]) > 1 - 1e-9
    assert (square["low"], square["high"]) == pytest.approx((0, 1), abs=1e-2)


@pytest.mark.parametrize("enforce", ["soft", "hard"])
@pytest.mark.parametrize("layer", [0, 1, 2])
def test_importance_is_the_slope_of_the_solution_by_an_edge_s_scale(layer: int, enforce: str) -> None:
    """An edge φ becomes φ̄ + s (φ − φ̄), by its coefficients; a central difference is right to h²."""
    problem = small_problem(SPEC, "chebyshev", enforce)
    (branch,), theta = problem.trial.branches, random_theta(problem)
    ground = Ground(torch.rand(2, 50, generator=torch.Generator().manual_seed(1), dtype=torch.float64) * 2 - 1)
    inputs = problem.trial.inputs(ground, frozenset({(0, 0)}), branch).value
    distance = distances(problem.trial, branch, ground)
    found = trace(branch.network, theta, inputs, distance)
    values, slopes = found.values[layer], found.slopes[layer]
    outputs = edge_values(branch.network.layers[layer], values, list(branch.network.split(theta))[layer][1])
    u = distance * branch.network.value(inputs, theta)

    def scaled(s: float) -> Tensor:
        changed = theta.clone()
        (_, part) = list(branch.network.split(changed))[layer]
        part[1, :, 0] *= s
        part[1, 0, 0] += (1 - s) * outputs[1, 0].mean()
        return distance * branch.network.value(inputs, changed)

    slope = (scaled(1 + 1e-5) - scaled(1 - 1e-5)) / 2e-5
    expected = slope.square().mean().sqrt() / u.std(correction=0)
    assert importance(outputs, slopes)[1, 0] == pytest.approx(float(expected), rel=1e-6)


@pytest.mark.parametrize("name", PROBLEMS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_network_is_a_graph_whose_layers_share_one(name: str, kind: str) -> None:
    problem = small_problem(gallery(name), kind)
    for graph in graphs(problem, random_theta(problem)):
        for number in range(1, len(graph.columns)):
            edges = graph.layer(number)
            assert len(edges) == len(graph.columns[number - 1]) * len(graph.columns[number])
            assert sum(edge.importance for edge in edges) == pytest.approx(1)
        assert set(graph.coordinates) == set(gallery(name).box)
        assert sum(node.importance for node in graph.columns[0]) == pytest.approx(1)
        box = gallery(name).box
        for edge in graph.layer(1):
            assert tuple(edge.curve[0, [0, -1]]) == pytest.approx(box[graph.coordinates[edge.source]])


@pytest.mark.parametrize("kind", ["chebyshev", "mlp", "ramps"])
def test_the_picture_has_as_many_axes_as_edges_with_functions(kind: str) -> None:
    problem = small_problem(SPEC, kind)
    (graph,) = graphs(problem, random_theta(problem))
    parts = {part.get_gid(): len(part.get_paths()) for part in graph_figure(graph, "a title").axes[0].collections}
    functions = sum(edge.weight is None for edge in graph.edges)
    assert (parts["axes"], parts["functions"], parts["weights"]) == (functions, functions, len(graph.edges) - functions)
    assert functions == {"chebyshev": 2 * 3 + 3 * 3 + 3, "mlp": 0, "ramps": 5}[kind]


def test_of_many_ridges_the_most_important_are_drawn_and_the_title_says_so() -> None:
    problem = small_problem(SPEC, "ramps")
    problem = replace(problem, trial=replace(problem.trial, branches=tuple(
        replace(b, network=Network((replace(b.network.layers[0], outputs=60), replace(b.network.layers[1], inputs=60))))
        for b in problem.trial.branches)))  # fmt: skip
    (graph,) = graphs(problem, torch.randn(problem.trial.size, generator=torch.Generator().manual_seed(2)).double())
    plan = arranged(graph)
    scores = [spot.node.importance for spot in plan.spots[1].values()]
    assert scores == sorted((node.importance for node in graph.columns[1]), reverse=True)[:MOST]
    words = [text.get_text() for text in graph_figure(graph, "a title").axes[0].texts]
    assert any(f"the {MOST} most important of 60 ridges" in text for text in words)


@pytest.mark.parametrize("form, start", [("png", b"\x89PNG"), ("svg", b"<?xml")])
def test_pictures_have_the_format_asked_for_and_are_the_same_each_time(form: str, start: bytes) -> None:
    (first, again) = (draw_graphs([sine_and_square()], "$x_1^", form) for _ in range(2))
    assert first == again and list(first) == ["edges"] and first["edges"].startswith(start)
    if form == "png":
        assert np.ptp(pixels(first["edges"])) > 100


def test_a_product_is_one_pair_of_its_factors() -> None:
    """sin πx · y² on splines, to the splines' accuracy; factors have mean square 1, means 0 and √5 / 3."""
    x, y = (Spline(7, torch.linspace(-1, 1, n, dtype=torch.float64), 6) for n in (13, 5))
    functions = ((x, lambda z: torch.sin(np.pi * z)), (y, torch.square))
    factors = []
    for spline, function in functions:
        places = spline.interpolation_points()
        index, tables = spline.local(places, 0)
        table = torch.zeros(len(places), spline.size, dtype=torch.float64).scatter_add_(1, index.T, tables[0].T)
        factors.append(torch.linalg.solve(table, function(places)))
    layer = ProductLayer((x, y), 1)
    coefficients = torch.outer(*factors).reshape(layer.shape)
    (found,) = pairs(layer, coefficients)
    assert len(found.sizes) == 1 and float(found.sizes[0]) == pytest.approx((1 / 2 / 5) ** 0.5, rel=1e-6)
    for factor, (_, function), size, mean in zip(found.factors, functions, (1 / 2, 1 / 5), (0, 5**0.5 / 3)):
        known, (row,) = function(factor.arguments) / size**0.5, factor.values
        assert min((row - known).abs().max(), (row + known).abs().max()) < 1e-6
        assert abs(float(factor.means)) == pytest.approx(mean, abs=1e-6)
    problem = assemble(SPEC, [(Network((layer,)), ("u",))])
    (graph,) = graphs(problem, coefficients.flatten())
    assert graph.product and [len(column) for column in graph.columns] == [2, 1, 1]
    assert [row["match"] for row in listed(graph)] == ["sin", "quadratic", "linear"]


FUNCTIONS = {
    "constant": lambda x: 0 * x - 3,
    "linear": lambda x: 3 * x - 1,
    "quadratic": lambda x: x**2 - x,
    "cubic": lambda x: 2 * x**3 + x**2,
    "sin": lambda x: 2 * np.sin(7 * x + 1) + 3,
    "exp": lambda x: np.exp(-3 * x) + 1,
    "tanh": lambda x: np.tanh(4 * (x - 0.7)),
    "abs": lambda x: 2 * np.abs(x - 1.2),
    "gaussian": lambda x: np.exp(-((3 * (x - 0.5)) ** 2)) - 2,
}


def test_each_simple_function_is_recognised_and_its_formula_gives_it_back() -> None:
    """Formulas have three digits: they are right to a few thousandths of the curve's size."""
    x = np.linspace(0, 2, POINTS)
    found = matches([np.stack([x, f(x)]) for f in FUNCTIONS.values()], ["x"] * len(FUNCTIONS))
    assert [match.name for match in found] == list(FUNCTIONS)
    assert min(match.r2 for match in found) > 1 - 1e-9
    assert [match.formula for match in found] == [
        "-3", "3 x - 1", "x^2 - x", "2 x^3 + x^2", "2 sin(7 x + 1) + 3", "exp(-3 x) + 1", "tanh(4 x - 2.8)",
        "2 |x - 1.2|", "exp(-(3 x - 1.5)^2) - 2",
    ]  # fmt: skip


def test_shares_of_nothing_are_nothing() -> None:
    assert not shared(torch.zeros(2, 3)).any()


def test_a_run_s_edges_are_drawn_shown_and_written(tmp_path: Path) -> None:
    folder, small = tmp_path / "run", ("--set", "network.width=8", "--set", "enforce=soft")
    run("solve", line_problem(tmp_path, 1), *ONE_THREAD, *small, "--quiet", "--out", folder)
    for form in ("png", "svg"):
        assert run("plot", folder, "--edges", "--format", form).exit_code == 0
        assert (folder / "plots" / f"edges.{form}").stat().st_size > 1000
    shown = run("show", folder, "--edges")
    assert shown.exit_code == 0 and "importance of x" in shown.stdout and "→" in shown.stdout
    rows = list(csv.DictReader(io.StringIO(run("show", folder, "--edges", "--csv", "-").stdout)))
    layers = [int(row["layer"]) for row in rows]
    assert layers == sorted(layers)
    for number in set(layers):
        shares = [float(row["importance"]) for row in rows if int(row["layer"]) == number]
        assert shares == sorted(shares, reverse=True) and sum(shares) == pytest.approx(1)
    assert run("show", folder, "--edges", "--csv", tmp_path / "edges.csv").exit_code == 0
    assert list(csv.DictReader(io.StringIO((tmp_path / "edges.csv").read_text()))) == rows


@pytest.mark.parametrize("words", [("show", "--csv", "x.csv"), ("plot", "--format", "svg")])
def test_options_of_edges_alone_are_refused(words: tuple[str, ...], tmp_path: Path) -> None:
    command, *options = words
    assert run(command, tmp_path, *options).exit_code == 2
