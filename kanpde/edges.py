"""The networks of a problem as graphs, in the problem's own coordinates."""

from __future__ import annotations

from typing import Iterator, Sequence

import torch
from torch import Tensor

from kanpde.architecture import described
from kanpde.attribution import distances, edge_values, importance, parts_of, shared, trace
from kanpde.domain import Inside
from kanpde.evaluation import Ground
from kanpde.factors import Pairs, pairs
from kanpde.functions import UNIVARIATE
from kanpde.graph import Edge, Graph, Node, sums
from kanpde.lattice import LatticeLayer
from kanpde.matching import POINTS, polynomial
from kanpde.network import DenseLayer, Layer
from kanpde.piecewise import home
from kanpde.problem import Problem
from kanpde.separable import ProductLayer
from kanpde.singular import SingularLayer
from kanpde.trial import Branch, Trial
from kanpde.waves import WaveLayer

COUNT, SEED = 1024, 0  # of the domain's points over which importance is a mean
MUCH = 30.0  # times what they add up to: edges whose sizes together are larger cancel
FEW = 3  # coordinates, up to which a sum of them is written out

Piece = tuple[Layer, Tensor]  # a layer with its coefficients


def graphs(problem: Problem, theta: Tensor) -> tuple[Graph, ...]:
    """One graph for each network that consists of univariate functions: singular functions and constants do not."""
    trial = problem.trial
    parts = parts_of(trial.branches, theta.detach().cpu().double())
    return tuple(graph for branch, part in zip(trial.branches, parts) for graph in graph_of(problem, branch, part))


def graph_of(problem: Problem, branch: Branch, theta: Tensor) -> Iterator[Graph]:
    """The graph of one network, if there is one."""
    first = branch.network.layers[0]
    if isinstance(first, (SingularLayer, LatticeLayer, WaveLayer)) or not first.inputs:
        return
    if not isinstance(first, ProductLayer):
        yield layered(problem, branch, theta)
    elif len(first.axes) == 2:
        yield factored(problem.trial, branch, first, theta.view(first.shape))


def layered(problem: Problem, branch: Branch, theta: Tensor) -> Graph:
    """Layers of edges, one after another, each edge drawn over the interval of what it is given."""
    trial, network = problem.trial, branch.network
    zone = home(branch.unknowns[0])
    generator = torch.Generator().manual_seed(SEED)
    ground = Ground(problem.domain.draw(Inside(zone) if zone else None, COUNT, generator).points.double())
    zero = frozenset({(0,) * len(trial.box)})
    inputs = trial.inputs(ground, zero, branch).value
    found = trace(network, theta, inputs, distances(trial, branch, ground))
    axes = input_axes(trial, branch)
    intervals, given = first_arguments(trial, branch, axes)
    arguments, edges = intervals, []
    pieces = list(network.split(theta))
    for number, ((layer, coefficients), values, slopes) in enumerate(zip(pieces, found.values, found.slopes), start=1):
        if number > 1:
            arguments = given = spread(values)
        outputs = edge_values(layer, values, coefficients)
        curves = edge_values(layer, given, coefficients)
        weights = coefficients[0] if isinstance(layer, DenseLayer) else None
        scores = importance(outputs, slopes)
        edges += edges_of(number, arguments, curves, outputs, shared(scores), weights)
    return Graph(
        branch.unknowns,
        described(network),
        tuple(trial.scope.coordinates[axis] for axis in axes),
        columns(trial, branch, (intervals, *found.values[1:]), edges, pieces),
        tuple(edges),
        notes=(*cancelling(float(scores.sum())), *notes(trial, branch)),
    )


def edges_of(
    number: int, arguments: Tensor, curves: Tensor, outputs: Tensor, scores: Tensor, weights: Tensor | None
) -> Iterator[Edge]:
    """The edges of one layer, with curves [I, O, n] over arguments [I, n] and outputs [I, O, N] at the points.

    Without functions that have been removed, which are nothing everywhere, unless all are.
    """
    low, high = outputs.amin(2), outputs.amax(2)
    there = (curves != 0).any(2) | (outputs != 0).any(2)
    whole = weights is not None or not there.any()
    for i, o in (torch.ones_like(there) if whole else there).nonzero().tolist():
        curve = torch.stack([arguments[i], curves[i, o]]).numpy()
        weight = None if weights is None else float(weights[i, o])
        yield Edge(number, i, o, curve, float(low[i, o]), float(high[i, o]), float(scores[i, o]), weight)


def columns(
    trial: Trial, branch: Branch, values: Sequence[Tensor], edges: Sequence[Edge], pieces: Sequence[Piece]
) -> tuple[tuple[Node, ...], ...]:
    """The nodes, whose values or intervals are given: inputs by coordinate, hidden ones by number, then unknowns."""
    inputs, labels = input_labels(trial, branch), []
    for k, column in enumerate(values):
        last = k + 1 == len(values)
        labels.append(inputs if not k else branch.unknowns if last else [str(n + 1) for n in range(len(column))])
    found = []
    for k, (column, names) in enumerate(zip(values, labels)):
        here = [edge for edge in edges if edge.layer == min(k + 1, len(pieces))]
        scores = sums(here, len(column), outgoing=k < len(pieces))
        formulas = affine(trial, branch, pieces[0]) if k == 1 and len(pieces) > 1 else [""] * len(column)
        before = pieces[k][0].before if 0 < k < len(pieces) and isinstance(pieces[k][0], DenseLayer) else None
        curves = activations(column, before)
        rows = zip(names, column.amin(1).tolist(), column.amax(1).tolist(), scores, formulas, curves)
        found.append(tuple(Node(*row) for row in rows))
    return tuple(found)


def activations(values: Tensor, before: str | None) -> list:
    """The curves of what is done to the values [W, N] of nodes before weights, None where nothing is."""
    if before is None:
        return [None] * len(values)
    x = spread(values)
    return list(torch.stack([x, UNIVARIATE[before].value(x)], 1).numpy())


def spread(values: Tensor) -> Tensor:
    """Equally spaced arguments [W, n] from the least to the greatest of values [W, N]."""
    low, high = values.amin(1, keepdim=True), values.amax(1, keepdim=True)
    return low + (high - low) * torch.linspace(0, 1, POINTS, dtype=torch.float64)


def input_axes(trial: Trial, branch: Branch) -> list[int]:
    """The coordinate to which each input belongs."""
    axes = range(len(trial.box)) if branch.axes is None else branch.axes
    circles = () if branch.winds(len(trial.box)) else trial.periodic
    return [axis for axis in axes for _ in range(2 if axis in circles else 1)]


def input_labels(trial: Trial, branch: Branch) -> list[str]:
    """The inputs by coordinate; of a point on a circle, its cosine and sine."""
    axes = input_axes(trial, branch)
    names = [trial.scope.coordinates[axis] for axis in axes]
    twice = [axes.count(axis) == 2 for axis in axes]
    return [f"{('cos', 'sin')[axes[:k].count(axis)]} {name}" if two else name
            for k, (axis, name, two) in enumerate(zip(axes, names, twice))]


def first_arguments(trial: Trial, branch: Branch, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Each input's coordinate over its interval [I, n], and the input there [I, n]."""
    box = branch.box or trial.box
    middle = torch.tensor([(low + high) / 2 for low, high in box], dtype=torch.float64)
    zero = frozenset({(0,) * len(trial.box)})
    rows = []
    for k, axis in enumerate(axes):
        points = middle[:, None].repeat(1, POINTS)
        points[axis] = torch.linspace(*box[axis], POINTS, dtype=torch.float64)
        rows.append((points[axis], trial.inputs(Ground(points), zero, branch).value[k]))
    return torch.stack([x for x, _ in rows]), torch.stack([z for _, z in rows])


def affine(trial: Trial, branch: Branch, piece: Piece) -> list[str]:
    """The sums of few coordinates that an affine first layer makes, written out; nothing for other layers."""
    layer, coefficients = piece
    axes, box = input_axes(trial, branch), branch.box or trial.box
    if not isinstance(layer, DenseLayer) or len(axes) > FEW or len(set(axes)) < len(axes):
        return [""] * layer.outputs
    names = [trial.scope.coordinates[axis] for axis in axes]
    low, high = torch.tensor([box[axis] for axis in axes], dtype=torch.float64).T
    weights, offsets = coefficients[0, :-1], coefficients[0, -1]
    slopes = 2 * weights / (high - low)[:, None]
    offsets = offsets - ((high + low) / 2 @ slopes)
    return [added(column, names, float(offset)) for column, offset in zip(slopes.T.tolist(), offsets)]


def added(slopes: Sequence[float], names: Sequence[str], offset: float) -> str:
    """Coordinates times slopes and a number, in words."""
    terms = [polynomial([slope, 0.0], name) for slope, name in zip(slopes, names) if abs(slope) > 1e-9]
    if abs(offset) > 1e-9 or not terms:
        terms.append(f"{offset:.3g}")
    return " + ".join(terms).replace("+ -", "- ")


def cancelling(total: float) -> Iterator[str]:
    """What to say of last edges whose sizes add up to so many times the sum's."""
    if total > MUCH:
        yield f"the last edges cancel: their sizes add up to {total:.1e} times the network's"


def notes(trial: Trial, branch: Branch) -> Iterator[str]:
    """What a reader of the graph must know beside it."""
    own = [name for name in branch.unknowns if trial.built_in.get(name)]
    if own and not trial.vanishing:
        yield f"conditions are built in: {', '.join(own)} = known part + distance · network"
    elif own:
        yield f"conditions are built in: {', '.join(own)} = known part + network"
    axes = input_axes(trial, branch)
    for axis in dict.fromkeys(axis for axis in axes if axes.count(axis) == 2):
        name, (low, high) = trial.scope.coordinates[axis], trial.box[axis]
        yield f"{name} is periodic: edges see cos and sin of 2π({name} - {low:g})/{high - low:g}, drawn over {name}"
    shared = sum(other.unknowns == branch.unknowns for other in trial.branches) > 1
    if shared:
        yield "singular functions, which are not univariate, are added"


def factored(trial: Trial, branch: Branch, layer: ProductLayer, coefficients: Tensor) -> Graph:
    """The singular pairs of a separable network: two factors meet in each product, and products add up.

    Each spline has its own basis of factors, of which the singular ones are the fewest that will do. Importance is as
    for other edges: what the sum loses when a factor, or a product, is replaced by its mean.
    """
    axes = list(range(len(trial.box))) if branch.axes is None else list(branch.axes)
    box = [(branch.box or trial.box)[axis] for axis in axes]
    found = pairs(layer, coefficients)
    raw, nodes = [], []
    for output, one in enumerate(found):
        scale = float(one.sizes.norm()) or 1.0
        for r in range(len(one.sizes)):
            raw += pair_edges(one, r, output, len(nodes), box, scale)
            nodes.append(f"{r + 1}")
    totals = {n: sum(edge.importance for edge in raw if edge.layer == n) or 1.0 for n in (1, 2)}
    edges = [Edge(e.layer, e.source, e.target, e.curve, e.low, e.high, e.importance / totals[e.layer], e.weight)
             for e in raw]
    first, second = ([edge for edge in edges if edge.layer == n] for n in (1, 2))
    names = tuple(trial.scope.coordinates[axis] for axis in axes)
    scores = sums(second, len(nodes))
    left = max(one.left for one in found)
    return Graph(
        branch.unknowns,
        " × ".join(f"{axis.intervals} splines of degree {axis.degree}" for axis in layer.axes),
        names,
        (
            tuple(Node(n, *ends, score) for n, ends, score in zip(names, box, sums(first, 2))),
            tuple(Node(n, e.curve[0, 0], e.curve[0, -1], s) for n, e, s in zip(nodes, second, scores)),
            tuple(Node(n, 0.0, 0.0, s) for n, s in zip(branch.unknowns, sums(second, len(found), outgoing=False))),
        ),
        tuple(edges),
        product=True,
        notes=(f"singular pairs: all others together have {left:.1e} of the root mean square", *notes(trial, branch)),
    )


def pair_edges(
    one: Pairs, r: int, output: int, node: int, box: Sequence[tuple[float, float]], scale: float
) -> Iterator[Edge]:
    """The two factors of a pair and the edge from their product to the sum."""
    size, means, ends = float(one.sizes[r]), [], []
    for axis, (factor, (low, high)) in enumerate(zip(one.factors, box)):
        x, y = low + (factor.arguments + 1) * (high - low) / 2, factor.values[r]
        mean = float(factor.means[r])
        means.append(mean)
        ends.append((float(y.min()), float(y.max())))
        score = size * max(1 - mean**2, 0.0) ** 0.5 / scale
        yield Edge(1, axis, node, torch.stack([x, y]).numpy(), *ends[-1], score)
    corners = [a * b for a in ends[0] for b in ends[1]]
    low, high = min(corners), max(corners)
    line = torch.tensor([[low, high], [size * low, size * high]], dtype=torch.float64).numpy()
    score = size * max(1 - (means[0] * means[1]) ** 2, 0.0) ** 0.5 / scale
    yield Edge(2, node, output, line, size * low, size * high, score, size)
