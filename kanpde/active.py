"""Networks of which only some edges are active: what they reach, and their training."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Sequence

import torch
from torch import Tensor

from kanpde.bases.bspline import BSpline
from kanpde.network import DenseLayer, KanLayer, Network
from kanpde.objective import Residuals
from kanpde.optimisers.base import Normal
from kanpde.problem import Problem

Edges = tuple[tuple[Tensor, ...], ...]  # [I, O] for each layer of each network


@dataclass(frozen=True)
class Active:
    """A sum of squares over some of the coefficients, the others held."""

    objective: Residuals
    theta: Tensor
    mask: Tensor

    def all_of(self, part: Tensor) -> Tensor:
        """All coefficients, with the active ones replaced."""
        found = self.theta.clone()
        found[self.mask] = part
        return found

    def residuals(self, part: Tensor) -> Tensor:
        """The weighted residuals [R]."""
        return self.objective.residuals(self.all_of(part))

    def normal(self, part: Tensor) -> Normal:
        """JᵀJ and Jᵀr of the active coefficients."""
        found = self.objective.normal(self.all_of(part))
        return Normal(found.matrix[self.mask][:, self.mask], found.gradient[self.mask], found.residuals, found.loss)

    def pullback(self, part: Tensor, weights: Tensor) -> Tensor:
        """Jᵀw for weights [R]."""
        return self.objective.pullback(self.all_of(part), weights)[self.mask]


def reaching(layers: Sequence[Tensor]) -> list[Tensor] | None:
    """The edges on a way from an input to an output; nothing where an output is not reached, or there is no way.

    Layers without inputs, of constants, are left as they are.
    """
    if not len(layers[0]):
        return list(layers)
    ahead = [torch.ones(len(layers[0]), dtype=torch.bool)]
    for layer in layers:
        ahead.append((layer & ahead[-1][:, None]).any(0))
    if not ahead[-1].all():
        return None
    back = [torch.ones(layers[-1].shape[1], dtype=torch.bool)]
    for layer in reversed(layers):
        back.insert(0, (layer & back[0]).any(1))
    return [layer & one[:, None] & other for layer, one, other in zip(layers, ahead, back[1:])]


def whole(problem: Problem) -> Edges:
    """All edges of all networks: [I, O] for each layer of each branch."""
    return tuple(
        tuple(torch.ones(layer.inputs, layer.outputs, dtype=torch.bool) for layer in branch.network.layers)
        for branch in problem.trial.branches
    )


def total(edges: Edges) -> int:
    """The number of edges left."""
    return sum(int(layer.sum()) for branch in edges for layer in branch)


def coefficients(problem: Problem, edges: Edges) -> Tensor:
    """Which coefficients [P] belong to edges that are left; offsets, and networks without inputs, keep theirs."""
    found = []
    for branch, own in zip(problem.trial.branches, edges):
        for layer, mask in zip(branch.network.layers, own):
            if isinstance(layer, KanLayer):
                found.append(mask[:, None, :].expand(layer.shape).reshape(-1))
            else:
                offsets = mask.any(0, keepdim=True) if len(mask) else mask.new_ones(1, layer.outputs)
                found.append(torch.cat([mask, offsets]).reshape(-1))
    return torch.cat(found)


def without_idle_nodes(
    problem: Problem, theta: Tensor, edges: Edges
) -> tuple[list[tuple[Network, tuple[str, ...]]], Tensor, Edges]:
    """The networks with their unknowns, all coefficients and the edges, without hidden nodes that no edge leads to."""
    theta = torch.where(coefficients(problem, edges).to(theta.device), theta, 0.0)
    shares = theta.split([branch.network.size for branch in problem.trial.branches])
    found = [removed_nodes(b.network, share, own) for b, share, own in zip(problem.trial.branches, shares, edges)]
    networks = [(network, branch.unknowns) for branch, (network, _, _) in zip(problem.trial.branches, found)]
    return networks, torch.cat([kept for _, kept, _ in found]), tuple(left for _, _, left in found)


def removed_nodes(
    network: Network, theta: Tensor, edges: Sequence[Tensor]
) -> tuple[Network, Tensor, tuple[Tensor, ...]]:
    """A network, its coefficients and its edges without the hidden nodes that no edge leads to."""
    layers, parts, left, inputs = [], [], [], torch.ones(network.layers[0].inputs, dtype=torch.bool)
    for number, ((layer, coefficients), own) in enumerate(zip(network.split(theta), edges), start=1):
        last = number == len(network.layers)
        outputs = torch.ones(layer.outputs, dtype=torch.bool) if last else own.any(0)
        if isinstance(layer, KanLayer):
            kept = coefficients[inputs][:, :, outputs]
        else:
            assert isinstance(layer, DenseLayer)
            kept = coefficients[:, torch.cat([inputs, inputs.new_ones(1)])][:, :, outputs]
        fewer = replace(layer, inputs=int(inputs.sum()), outputs=int(outputs.sum()))
        if isinstance(fewer, KanLayer) and isinstance(fewer.basis, BSpline) and len(fewer.basis.knots) > 1:
            fewer = replace(fewer, basis=replace(fewer.basis, knots=fewer.basis.knots[inputs]))
        layers.append(fewer)
        parts.append(kept.reshape(-1))
        left.append(own[inputs][:, outputs])
        inputs = outputs
    return replace(network, layers=tuple(layers)), torch.cat(parts), tuple(left)
