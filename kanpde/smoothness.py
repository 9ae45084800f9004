"""Fitted functions as smooth as the readings allow: a penalty on curvature whose strength the readings choose."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import log, prod, sqrt
from typing import Sequence

import torch
from torch import Tensor

from kanpde.elimination import Free
from kanpde.evaluation import Ground
from kanpde.expression import Derivative, Name
from kanpde.geometries.gauss import gauss
from kanpde.problem import Block, Problem, Row, needed_derivatives
from kanpde.separable import ProductLayer

NODES = 6  # of Gauss's on each interval, exact for the squares of second derivatives of splines of degree 5
WEAKEST, STRONGEST = -14.0, 8.0  # decimal logarithms of the strength, relative to what the readings say
TINY = 1e-100
NEGLIGIBLE = 1e-10  # of the largest singular value of a penalty: directions that it does not see


@dataclass(frozen=True)
class Roughness:
    """Rows [K, K] whose sum of squares is the mean squared curvature of a fitted function, and their rank.

    The thin-plate seminorm ∫ Σ f_ij² (Wahba 1990) of splines (O'Sullivan 1986), with each coordinate scaled to [0, 1].
    """

    name: str
    where: slice  # of the function's coefficients among the fitted ones
    rows: Tensor
    rank: int


def roughness(problem: Problem, theta: Tensor, branch: int, where: slice) -> Roughness:
    """The roughness of the function that a branch of splines is."""
    (layer,) = problem.trial.branches[branch].network.layers
    assert isinstance(layer, ProductLayer)
    (name,), axes = problem.trial.branches[branch].unknowns, problem.trial.branches[branch].axes or ()
    points, weights = nodes(problem, layer, axes)
    names = [problem.trial.scope.coordinates[axis] for axis in axes]
    lengths = dict(zip(names, (high - low for low, high in (problem.trial.box[axis] for axis in axes))))
    pairs = list(combinations_with_replacement(names, 2))
    rows = tuple(Row("".join(pair), Derivative(Name(name), pair)) for pair in pairs)
    block = Block("curvature", None, rows, needed_derivatives(problem.trial, rows))
    marks = tuple((k == branch,) * len(b.network.layers) for k, b in enumerate(problem.trial.branches))
    scales = [prod(lengths[axis] for axis in pair) * (1.0 if pair[0] == pair[1] else sqrt(2)) for pair in pairs]
    found = [j for _, j in problem.rows_and_jacobian(block, theta, Ground(points), marks, scales)]
    matrix = torch.cat([(j * weights.sqrt()).T for j in found])
    upper = torch.linalg.qr(matrix, mode="r").R
    values = torch.linalg.svdvals(upper)
    return Roughness(name, where, upper, int((values > NEGLIGIBLE * values[0]).sum()))


def nodes(problem: Problem, layer: ProductLayer, axes: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Points [d, N] along some coordinates, the others in the middle, and weights [N] whose sum is 1."""
    at, share = (torch.as_tensor(part) for part in gauss(NODES))
    lines, parts = [], []
    for axis, spline in zip(axes, layer.axes):
        low, high = problem.trial.box[axis]
        breaks = (spline.breaks - spline.breaks[0]) / (spline.breaks[-1] - spline.breaks[0])
        lines.append((low + (high - low) * (breaks[:-1, None] + breaks.diff()[:, None] * at)).flatten())
        parts.append((breaks.diff()[:, None] * share).flatten())
    points = torch.tensor([(low + high) / 2 for low, high in problem.trial.box], dtype=torch.float64)
    mesh = [m.flatten() for m in torch.meshgrid(*lines, indexing="ij")]
    found = points[:, None].repeat(1, len(mesh[0]))
    found[list(axes)] = torch.stack(mesh)
    return found, torch.stack([m.flatten() for m in torch.meshgrid(*parts, indexing="ij")]).prod(0)


def prior(functions: Sequence[Roughness], strengths: Sequence[float], size: int) -> Tensor:
    """The rows [M, F] of all penalties, by their strengths."""
    found = [torch.zeros(0, size, dtype=torch.float64)]
    for one, strength in zip(functions, strengths):
        rows = torch.zeros(len(one.rows), size, dtype=torch.float64)
        rows[:, one.where] = sqrt(strength) * one.rows
        found.append(rows)
    return torch.cat(found)


def strengths(
    reduced: Tensor,
    gap: Tensor,
    firm: Free,
    now: Tensor,
    functions: Sequence[Roughness],
    rest: float | None,
    count: int,
) -> list[float]:
    """The strengths that make `count` readings likeliest, given the equations and conditions (cf. Wood 2011).

    `reduced` [F, F] and `gap` [F] are the linearised problem at coefficients `now` [F]. Directions that equations and
    conditions hold are left out: a function known on a boundary tells nothing of how much it curves inside. `rest` is
    the remaining sum of squares if the readings' deviation is unknown, else None.
    """
    matrix, right = reduced @ firm.basis, gap + reduced @ firm.shift
    rows = [one.rows @ firm.basis[one.where] for one in functions]
    aims = [one.rows @ (now + firm.shift)[one.where] for one in functions]
    ranks = [int(torch.linalg.matrix_rank(r, rtol=NEGLIGIBLE)) for r in rows]
    scale = [float(matrix.square().sum().clamp_min(TINY) / r.square().sum().clamp_min(TINY)) for r in rows]

    def unlikeliness(logarithms: Sequence[float]) -> float:
        roots = [sqrt(s * 10.0**k) for s, k in zip(scale, logarithms)]
        left = torch.cat([matrix, *(root * r for root, r in zip(roots, rows))])
        sides = torch.cat([right, *(root * aim for root, aim in zip(roots, aims))])
        upper = torch.linalg.qr(torch.cat([left, sides[:, None]], dim=1), mode="r").R
        volume = 2 * float(upper.diagonal()[:-1].abs().clamp_min(1e-300).log().sum())
        squares = float(upper[-1, -1] ** 2)
        free = len(matrix.T) - sum(ranks)
        fit = squares if rest is None else (count - free) * log(max(squares + rest, 1e-300))
        return fit + volume - sum(2 * rank * log(root) for rank, root in zip(ranks, roots))

    chosen = [0.0] * len(functions)
    for reach in (STRONGEST - WEAKEST, 2.0)[: min(len(functions), 2)]:
        for k in range(len(functions)):
            for step in (1.0, 0.3, 0.1):
                low, high = max(WEAKEST, chosen[k] - reach), min(STRONGEST, chosen[k] + reach)
                tried = [low + step * i for i in range(int((high - low) / step) + 1)]
                chosen[k] = min(tried, key=lambda t, k=k: unlikeliness([*chosen[:k], t, *chosen[k + 1 :]]))
                reach = step
    return [s * 10.0**k for s, k in zip(scale, chosen)]
