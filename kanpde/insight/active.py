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


def removed_nodes(network: Network, theta: Tensor, edges: Sequence[Tensor]) -> tuple[Network, Tensor]:
    """A network and its coefficients without the hidden nodes that no edge leads to."""
    layers, parts, inputs = [], [], torch.ones(network.layers[0].inputs, dtype=torch.bool)
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
        inputs = outputs
    return replace(network, layers=tuple(layers)), torch.cat(parts)
