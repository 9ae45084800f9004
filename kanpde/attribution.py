"""How much each edge of a network matters to the solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.functions import UNIVARIATE
from kanpde.jet import Jet
from kanpde.network import DenseLayer, KanLayer, Layer, Network
from kanpde.trial import Branch, Trial


@dataclass(frozen=True, eq=False)
class Trace:
    """What passes through a network at N points: each column's values [W, N], and the unknowns' slopes by the layers'
    outputs, [U, W, N] each, relative to the unknowns' standard deviations."""

    values: tuple[Tensor, ...]
    slopes: tuple[Tensor, ...]


def trace(network: Network, theta: Tensor, inputs: Tensor, distances: Tensor) -> Trace:
    """The trace at inputs [I, N] of a network whose outputs are multiplied by distances [U, N] to make unknowns."""
    values = [inputs.detach().requires_grad_()]
    with torch.enable_grad():
        for layer, coefficients in network.split(theta.detach()):
            values.append(layer.value(values[-1], coefficients))
        parts = (values[-1] * distances).detach()
        sizes = parts.std(1, correction=0, keepdim=True)
        weights = distances / torch.where(sizes > 0, sizes, 1.0)
        found = [
            torch.autograd.grad(row, values[1:], weight, retain_graph=True, materialize_grads=True, allow_unused=True)
            for row, weight in zip(values[-1], weights)
        ]
    return Trace(tuple(v.detach() for v in values), tuple(torch.stack(rows) for rows in zip(*found)))


def edge_values(layer: Layer, x: Tensor, coefficients: Tensor) -> Tensor:
    """The outputs [I, O, N] of all edges of a layer at x [I, N]; of affine layers without the offsets."""
    x = UNIVARIATE[layer.before].value(x) if layer.before else x
    if isinstance(layer, KanLayer):
        return torch.einsum("ikn,iko->ion", layer.basis.table(x, 0)[0], coefficients)
    assert isinstance(layer, DenseLayer)
    return x[:, None] * coefficients[0, :-1, :, None]


def importance(outputs: Tensor, slopes: Tensor) -> Tensor:
    """The importance [I, O] of edges with outputs [I, O, N], given slopes [U, O, N], in parts of the unknown's size.

    It is the root mean square over the points of ∂u/∂s for an edge φ̄ + s (φ − φ̄) at s = 1, which is (φ − φ̄) ∂u/∂z: to
    first order, and for the last layer exactly, what the solution changes by when the edge is replaced by its mean
    (Molchanov et al. 2017). Where slopes are constant, it is the standard deviation of the edge times the score of its
    target, as in Liu et al. (2024, KAN 2.0), whose scores are passed back by standard deviations instead of slopes.
    """
    centred = outputs - outputs.mean(2, keepdim=True)
    squares = sum((centred * slope).square().mean(2) for slope in slopes)
    return torch.as_tensor(squares).sqrt()


def shared(scores: Tensor) -> Tensor:
    """Scores divided by their sum."""
    total = scores.sum()
    return scores / total if total > 0 else scores


def distances(trial: Trial, branch: Branch, ground: Ground) -> Tensor:
    """What each output of a branch is multiplied by [U, N] before it is added to what is known of the unknown."""
    zero = (0,) * len(trial.box)
    ones = torch.ones_like(ground.points[0])

    def constrained(name: str, value: Tensor) -> Tensor:
        return torch.as_tensor(trial.constrained(name, Jet({zero: value}, frozenset({zero})), ground)[zero])

    return torch.stack([constrained(name, ones) - constrained(name, 0 * ones) for name in branch.unknowns])


def parts_of(branches: Sequence[Branch], theta: Tensor) -> list[Tensor]:
    """Each branch's share of all coefficients."""
    return list(theta.split([branch.network.size for branch in branches]))
