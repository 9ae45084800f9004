"""Networks read edge by edge: a simple function for each, by R² and by what the equations lose with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from kanpde.attribution import parts_of
from kanpde.edges import first_arguments, graph_of, input_axes
from kanpde.functions import UNIVARIATE
from kanpde.graph import Edge, Graph
from kanpde.matching import AS_GOOD, CONSTANTS, EXACT, Fit, fits, written
from kanpde.network import KanLayer
from kanpde.relative import relative_residual
from kanpde.solution import Solution
from kanpde.trial import Branch

MOST_EDGES = 60
TRIED = 3  # functions of each edge of which the equations are asked
NEARLY = 100.0  # times what the nearest function leaves of an edge's variance
FAINT = 1e-4  # of its layer: an edge that counts as a constant


@dataclass(frozen=True, eq=False)
class EdgeFit:
    """The function chosen for an edge, and the relative residual of the solution with that in the edge's place."""

    edge: Edge
    fit: Fit
    names: tuple[str, str]
    formula: str
    residual: float


@dataclass(frozen=True, eq=False)
class ReadNetwork:
    """A network with the functions chosen for its edges, and the relative residual of the solution as it is."""

    branch: Branch
    graph: Graph
    edges: tuple[EdgeFit, ...]
    residual: float


def readable(solution: Solution, branch: Branch) -> bool:
    """Whether a network consists of few edges, all of them functions."""
    layers = branch.network.layers
    alone = sum(set(other.unknowns) & set(branch.unknowns) != set() for other in solution.problem.trial.branches) == 1
    few = all(isinstance(layer, KanLayer) for layer in layers) and sum(n.inputs * n.outputs for n in layers)
    return alone and branch.span is None and bool(layers[0].inputs) and 0 < few <= MOST_EDGES


def read_networks(solution: Solution) -> list[ReadNetwork]:
    """The networks of a solution that can be read, each edge by the function that the equations bear best."""
    problem, theta, found = solution.problem, solution.theta.detach().double(), []
    before = relative_residual(problem, theta, solution.spec.training.seed)
    start = 0
    for branch, part in zip(problem.trial.branches, parts_of(problem.trial.branches, theta)):
        if readable(solution, branch):
            (graph,) = graph_of(problem, branch, part)
            rows = tuple(chosen(solution, theta, (branch, graph, start), before))
            found.append(ReadNetwork(branch, graph, rows, before))
        start += branch.network.size
    return found


def chosen(
    solution: Solution, theta: Tensor, place: tuple[Branch, Graph, int], before: float
) -> Iterator[EdgeFit]:
    """For each edge, of the functions that come nearest the one with the fewest constants that the equations bear.

    A function may leave twice the residual of the best one of them, or of the solution itself, and of the edge's
    variance a hundred times as much as the nearest one.
    """
    branch, graph, start = place
    near = fits([edge.curve for edge in graph.edges])
    starts = np.cumsum([start, *(int(np.prod(layer.shape)) for layer in branch.network.layers)])
    for edge, own in zip(graph.edges, near):
        first = sorted(own, key=lambda fit: (max(fit.left, EXACT), CONSTANTS[fit.name]))[:TRIED]
        if edge.importance < FAINT:
            first = [Fit("constant", 0.0, (float(edge.curve[1].mean()),))]
        layer = branch.network.layers[edge.layer - 1]
        size = int(np.prod(layer.shape))
        left = {}
        for fit in first:
            changed = theta.clone()
            view = changed[starts[edge.layer - 1] : starts[edge.layer - 1] + size].view(layer.shape)
            view[edge.source, :, edge.target] = projected(solution, branch, graph, edge, fit)
            left[fit.name] = relative_residual(solution.problem, changed, solution.spec.training.seed)
        enough = AS_GOOD * max(min(left.values()), before)
        nearest = NEARLY * max(first[0].left, EXACT)
        able = [f for f in first if left[f.name] <= enough and f.left <= nearest] or first[:1]
        best = min(able, key=lambda f: (CONSTANTS[f.name], left[f.name]))
        text = written(best, edge.curve[1], graph.variable(edge))
        yield EdgeFit(edge, best, graph.names(edge), text, left[best.name])


def projected(solution: Solution, branch: Branch, graph: Graph, edge: Edge, fit: Fit) -> Tensor:
    """The coefficients of an edge with which it comes nearest to a function."""
    layer = branch.network.layers[edge.layer - 1]
    assert isinstance(layer, KanLayer)
    if edge.layer == 1:
        trial = solution.problem.trial
        given = first_arguments(trial, branch, input_axes(trial, branch))[1]
    else:
        given = torch.zeros(layer.inputs, edge.curve.shape[1], dtype=torch.float64)
        given[edge.source] = torch.as_tensor(edge.curve[0])
    bounded = UNIVARIATE[layer.before].value(given) if layer.before else given
    table = layer.basis.table(bounded, 0)[0][edge.source]
    values = torch.as_tensor(fit.at(edge.curve[0]))
    return torch.linalg.lstsq(table.T, values[:, None], driver="gelsd").solution[:, 0]


def facts(networks: Sequence[ReadNetwork]) -> list[dict[str, object]]:
    """What was chosen, as data."""
    return [
        {
            "unknowns": list(network.graph.unknowns), "layer": row.edge.layer, "from": row.names[0],
            "to": row.names[1], "importance": row.edge.importance, "match": row.fit.name, "r2": row.fit.r2,
            "formula": row.formula, "residual": row.residual, "residual_before": network.residual,
        }
        for network in networks for row in sorted(
            network.edges, key=lambda row: (row.edge.layer, -row.edge.importance, row.edge.source, row.edge.target)
        )
    ]  # fmt: skip
