"""Pruned networks: smaller, never severed, no less accurate than asked, and solutions like any other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from kanpde.active import reaching, removed_nodes, whole
from kanpde.bases import Chebyshev
from kanpde.edges import graphs
from kanpde.errors import KanpdeError, ResultError
from kanpde.filming import Film
from kanpde.insight.pruning import pruned, smaller, without
from kanpde.network import DenseLayer, KanLayer, Network
from kanpde.next_step import next_step
from kanpde.relative import relative_residual
from kanpde.repetition import repeated
from kanpde.result import Outcome
from kanpde.solution import Solution, restored
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec
from kanpde.writers import read, write_run
from kanpde.writers.animation import animate, possible

ROD = Path(__file__).parent.parent / "problems" / "elliptic_1d_poisson.yaml"
FACTOR = 5.0
SMALL = ("network.basis=chebyshev", "network.width=4", "network.depth=1", "network.degree=6",
         "training.stop.steps=30", "training.threads=1")  # fmt: skip


def rod(*changes: str) -> Spec:
    """The problem of a rod, with other settings."""
    return read_spec(ROD, changes)


@pytest.fixture(scope="module")
def film() -> Film:
    return Film(rod(*SMALL))


@pytest.fixture(scope="module")
def solution(film: Film) -> Solution:
    return solve(film.spec, film.watch)


def layers(generator: torch.Generator) -> list[torch.Tensor]:
    """Random edges of a network of three layers."""
    return [torch.rand(i, o, generator=generator) < 0.5 for i, o in ((2, 5), (5, 4), (4, 2))]


def test_what_is_left_lies_on_a_way_from_an_input_to_an_unknown() -> None:
    generator, severed = torch.Generator().manual_seed(0), 0
    for _ in range(200):
        edges = layers(generator)
        found = reaching(edges)
        if found is None:
            severed += 1
            continue
        ways = found[0].double() @ found[1].double() @ found[2].double()
        assert (ways.sum(0) > 0).all()
        assert all(torch.equal(a.any(0), b.any(1)) for a, b in zip(found, found[1:]))
        assert all(not (new & ~old).any() for new, old in zip(found, edges))
    assert 0 < severed < 200


def test_no_removal_severs_a_network() -> None:
    """Edge by edge until nothing can go: each unknown keeps a way from an input."""
    edges = (tuple(torch.ones(i, o, dtype=torch.bool) for i, o in ((2, 3), (3, 2))),)
    order = [(0, k, i, o) for k, layer in enumerate(edges[0]) for i in range(len(layer)) for o in range(layer.shape[1])]
    while (fewer := without(edges, order, 1)) is not None:
        edges = fewer
        assert (edges[0][0].double() @ edges[0][1].double()).sum(0).min() > 0
    assert sum(int(layer.sum()) for layer in edges[0]) in (3, 4)


@pytest.mark.parametrize("first", [KanLayer(Chebyshev(5), 2, 5), DenseLayer(2, 5)])
def test_a_network_without_dead_nodes_has_the_same_values(first: KanLayer | DenseLayer) -> None:
    generator = torch.Generator().manual_seed(1)
    network = Network((first, KanLayer(Chebyshev(4), 5, 4, "tanh"), KanLayer(Chebyshev(3), 4, 1, "tanh")))
    edges = [torch.ones(layer.inputs, layer.outputs, dtype=torch.bool) for layer in network.layers]
    edges[0][:, [1, 3]], edges[1][[1, 3]], edges[1][:, 2], edges[2][2] = False, False, False, False
    theta, parts = network.initial(generator), []
    for (layer, coefficients), own in zip(network.split(theta), edges):
        if isinstance(layer, KanLayer):
            parts.append((coefficients * own[:, None, :]).reshape(-1))
        else:
            parts.append((coefficients * torch.cat([own, own.any(0, keepdim=True)])).reshape(-1))
    smaller, kept, _ = removed_nodes(network, torch.cat(parts), edges)
    x = torch.rand(2, 50, generator=generator, dtype=torch.float64)
    assert [layer.outputs for layer in smaller.layers] == [3, 3, 1] and len(kept) == smaller.size
    assert torch.allclose(smaller.value(x, kept), network.value(x, torch.cat(parts)), rtol=0, atol=1e-13)


def test_a_pruned_solution_is_smaller_and_as_good_as_asked(solution: Solution, tmp_path: Path) -> None:
    found = pruned(solution, FACTOR)
    small, seed = found.solution, solution.spec.training.seed
    left = min((trial.edges for trial in found.trials if trial.kept), default=found.edges)
    assert all(trial.residual <= FACTOR * found.residual for trial in found.trials if trial.kept)
    assert relative_residual(small.problem, small.theta, seed) <= FACTOR * found.residual * (1 + 1e-9)
    assert left < found.edges and len(small.theta) < len(solution.theta)
    assert small.errors()["u"].relative_l2 < 1e3 * solution.errors()["u"].relative_l2 + 1e-12
    assert len(graphs(small.problem, small.theta)[0].edges) == left
    write_run(small.tabulate(), tmp_path, ["h5"])
    again = restored(read(tmp_path))
    at = np.linspace(0, 1, 7)[:, None]
    assert np.array_equal(again.at(at)["u"], small.at(at)["u"]) and graphs(again.problem, again.theta)


def test_what_was_pruned_is_neither_resumed_nor_solved_again(solution: Solution, tmp_path: Path) -> None:
    """It has no checkpoint, and solving its problem makes a whole network."""
    edges = whole(solution.problem)
    result = replace(smaller(solution, solution.theta, edges).tabulate(), outcome=Outcome.LIMIT)
    assert "--resume" not in next_step(result, tmp_path)
    with pytest.raises(ResultError, match="kanpde prune"):
        repeated(result)


def test_what_has_no_edges_is_not_pruned() -> None:
    spec = rod("network.basis=mlp", "training.stop.steps=1", "training.threads=1")
    with pytest.raises(KanpdeError, match="no layer of edges"):
        pruned(solve(spec), 2.0)


def test_a_film_has_the_fields_and_the_edges(solution: Solution, film: Film, tmp_path: Path) -> None:
    from matplotlib.image import imread

    assert film.snapshots and film.snapshots[-1].graphs
    paths = animate(film.snapshots[-2:], "a title", "gif", tmp_path)
    assert [path.name for path in paths] == ["training.gif", "training_edges.gif"]
    assert all(imread(path).ndim == 3 for path in paths) and len(list(tmp_path.iterdir())) == 2
    with pytest.raises(KanpdeError, match="did you mean 'gif'"):
        possible("gi")
