"""Networks made smaller: edges that matter little are removed, and the rest is trained on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from time import process_time
from typing import Callable, Sequence

import torch
from torch import Tensor

from kanpde.active import Active, Edges, coefficients, reaching, total, whole, without_idle_nodes
from kanpde.architecture import described
from kanpde.build import assemble
from kanpde.edges import graphs
from kanpde.errors import KanpdeError
from kanpde.network import DenseLayer, KanLayer
from kanpde.objective import residuals_of
from kanpde.optimisers import LevenbergMarquardt
from kanpde.points import balance, counts, row_sizes, samples
from kanpde.problem import Problem, everything
from kanpde.relative import relative_residual
from kanpde.solution import Solution
from kanpde.training import EMPHASIS

PORTION = 0.25  # of all edges, tried first at once
STEPS = 20  # of Levenberg–Marquardt after each removal
SLOW = 0.5  # of the loss: less gained over so many steps is not worth more
WINDOW = 5
VAIN = 2  # single edges one after another that cannot be removed
RATIO = 2.2  # residuals for each coefficient
SECONDS = 300.0  # of processor time


@dataclass(frozen=True)
class Trial:
    """One removal that was tried: edges left, the held-out residual after training on, and whether it was kept."""

    edges: int
    residual: float
    kept: bool


@dataclass(frozen=True)
class Pruned:
    """A smaller solution, the removals tried on the way to it, and the edges and held-out residual before."""

    solution: Solution
    trials: tuple[Trial, ...]
    edges: int
    residual: float


def pruned(
    solution: Solution, factor: float, watch: Callable[[Trial], None] = lambda trial: None, seconds: float = SECONDS
) -> Pruned:
    """Remove edges while the residual on fresh points stays below `factor` times what it is.

    The least important ones go first, as many at once as can; a removal that raises the residual too far, after the
    rest has been trained on, is taken back. Raises KanpdeError where the network has no edges or what is fitted rests
    on readings.
    """
    problem, theta = solution.problem, solution.theta.double()
    refuse(solution)
    seed, until = solution.spec.training.seed, process_time() + seconds
    edges = whole(problem)
    start = count = total(edges)
    before = relative_residual(problem, theta, seed)
    tried, portion, vain = [], PORTION, 0
    protected: set[tuple[int, int, int, int]] = set()
    while vain < VAIN and process_time() < until:
        number = max(1, ceil(portion * count)) if portion * count >= 1 else 1
        fewer = without(edges, ranked(problem, theta, edges, protected), number)
        if fewer is None:
            break
        found = refitted(solution, theta, fewer)
        residual = relative_residual(problem, found, seed)
        kept = residual <= factor * before
        tried.append(Trial(total(fewer), residual, kept))
        watch(tried[-1])
        if kept:
            edges, theta, count, vain = fewer, found, total(fewer), 0
        elif number > 1:
            portion = number / (4 * count)
        else:
            vain += 1
            protected |= lost(edges, fewer)
    return Pruned(smaller(solution, theta, edges), tuple(tried), start, before)


def refuse(solution: Solution) -> None:
    """Nothing is pruned that has no edges, or whose uncertainty would not be known any more."""
    if solution.spec.fitted and solution.spec.data:
        raise KanpdeError("what is fitted to readings is not pruned: its intervals hold for the whole network")
    if any(branch.span for branch in solution.problem.trial.branches):
        raise KanpdeError("networks of windows of time are not pruned")
    kinds = {type(layer) for branch in solution.problem.trial.branches for layer in branch.network.layers}
    if not kinds & {KanLayer}:
        raise KanpdeError("this network has no layer of edges that could be removed")
    if not kinds <= {KanLayer, DenseLayer}:
        raise KanpdeError("a network of separable splines or with singular functions is not pruned; "
                          "name another, as with network.basis=chebyshev")  # fmt: skip


def ranked(
    problem: Problem, theta: Tensor, edges: Edges, protected: set[tuple[int, int, int, int]]
) -> list[tuple[int, int, int, int]]:
    """The edges left (branch, layer, source, target), the least important of its layer first."""
    scores = {}
    branches = {branch.unknowns: number for number, branch in enumerate(problem.trial.branches)}
    for graph in graphs(problem, theta):
        for edge in graph.edges:
            key = (branches[graph.unknowns], edge.layer - 1, edge.source, edge.target)
            if edges[key[0]][key[1]][key[2], key[3]] and key not in protected:
                scores[key] = edge.importance
    return sorted(scores, key=lambda key: scores[key])


def without(edges: Edges, order: Sequence[tuple[int, int, int, int]], number: int) -> Edges | None:
    """The edges less the first so many that no unknown needs to be reached from any input; nothing if none can go."""
    found = [[layer.clone() for layer in branch] for branch in edges]
    gone = 0
    for branch, layer, source, target in order:
        if gone == number:
            break
        if not found[branch][layer][source, target]:
            continue  # already gone, as what led nowhere
        found[branch][layer][source, target] = False
        reached = reaching(found[branch])
        if reached is None:
            found[branch][layer][source, target] = True
            continue
        found[branch] = reached
        gone += 1
    return tuple(tuple(branch) for branch in found) if gone else None


def lost(edges: Edges, fewer: Edges) -> set[tuple[int, int, int, int]]:
    """What one has that the other has not."""
    return {
        (b, k, int(i), int(o))
        for b, (before, after) in enumerate(zip(edges, fewer))
        for k, (one, other) in enumerate(zip(before, after))
        for i, o in (one & ~other).nonzero()
    }


def refitted(solution: Solution, theta: Tensor, edges: Edges) -> Tensor:
    """The coefficients after training those of the edges left, all others being zero."""
    problem, mask = solution.problem, coefficients(solution.problem, edges)
    generator = torch.Generator().manual_seed(solution.spec.training.seed)
    theta = torch.where(mask, theta, 0.0)
    trained = everything(problem.trial)
    weights = balance(problem, row_sizes(problem, theta, trained, generator), EMPHASIS)
    number = counts(solution.spec.sampling, len(solution.spec.box), int(mask.sum()), RATIO)
    drawn = samples(problem, number, weights, generator, theta, False)
    objective = Active(residuals_of(problem, drawn, theta, trained), theta, mask)
    part, losses = theta[mask], []
    for number_of, step in enumerate(LevenbergMarquardt(damping=1e-6).iterate(lambda: objective, part, {}), start=1):
        part, losses = step.theta, [*losses, step.loss]
        slow = len(losses) > WINDOW and losses[-1] > SLOW * losses[-1 - WINDOW]
        if number_of == STEPS or slow or not step.moved:
            break
    return objective.all_of(part)


def smaller(solution: Solution, theta: Tensor, edges: Edges) -> Solution:
    """The solution with networks that have only the nodes to which edges lead."""
    networks, values, _ = without_idle_nodes(solution.problem, theta, edges)
    found, seed = assemble(solution.spec, networks), solution.spec.training.seed
    facts = {
        **solution.summary,
        "network": "; ".join(described(network) for network, _ in networks),
        "coefficients": len(values),
        "pruned": f"{total(edges)} of {total(whole(solution.problem))} edges are left",
        "training": "steps, time and held-out residual below are those of the whole network",
        "relative_residual": relative_residual(found, values, seed),
    }
    return replace(solution, problem=found, theta=values, summary=facts, replicas=())
