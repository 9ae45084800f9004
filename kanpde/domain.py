"""Where a problem holds: points of its interior and of the pieces of its boundary, and what is known at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence, Union

import numpy as np
import torch
from torch import Tensor

from kanpde.errors import KanpdeError
from kanpde.evaluation import WEIGHTS, Ground, Scope, compare
from kanpde.geometries import Region
from kanpde.operators import normal_name
from kanpde.samplers import Draw, place, sobol
from kanpde.statement import Piece
from kanpde.trial import no_unknowns


@dataclass(frozen=True, eq=False)
class Fixed:
    """Points that are given, as of measurements."""

    ground: Ground


@dataclass(frozen=True)
class At:
    """One point: its coordinates, None for those that may have any value."""

    point: tuple[float | None, ...]


@dataclass(frozen=True, eq=False)
class Over:
    """The whole of space, to integrate over: nodes [s, Q] in the first coordinates and their weights [Q]."""

    nodes: Tensor
    weights: Tensor


Where = Union[None, "tuple[int, int]", Piece, Fixed, At, Over]  # the interior, or a face (axis, side) of the box, …
MOMENTS = 32  # values of the other coordinates at which integrals over space are taken
TRIES = 24  # doublings of the candidates before a place counts as empty


@dataclass(frozen=True)
class Domain:
    """A box [d], and in its first coordinates a region where it does not fill the box."""

    scope: Scope
    box: tuple[tuple[float, float], ...]
    region: Region | None = None

    def draw(self, where: Where, count: int, generator: torch.Generator, sampler: Draw = sobol) -> Ground:
        """As many points of a place, evenly spread; a single one where the place is a point.

        On a piece of a boundary the components of the outward normal are known too.
        """
        if isinstance(where, Fixed):
            return (
                where.ground
                if where.ground.count <= count
                else where.ground.chosen(torch.randperm(where.ground.count, generator=generator)[:count])
            )
        if isinstance(where, At):
            return self.at(where, count, generator, sampler)
        if isinstance(where, Over):
            return self.over(where, generator, sampler)
        if where is not None and len(self.box) == 1:
            count = 1
        if isinstance(where, Piece):
            return self.on_piece(where, count, generator, sampler)
        if self.region is None:
            return Ground(place(sampler(len(self.box), count, generator), self.box, where))
        state, size = generator.get_state(), count
        for _ in range(TRIES):
            generator.set_state(state)
            points = place(sampler(len(self.box), size, generator), self.box, where)
            points = points[:, self.contains(points, where)]
            if points.shape[1] >= count:
                return Ground(points[:, :count].contiguous())
            size *= 2
        raise KanpdeError("domain.region: it has no inside that random points find")

    def at(self, where: At, count: int, generator: torch.Generator, sampler: Draw) -> Ground:
        """A point, or points that share all but their free coordinates."""
        points = place(sampler(len(self.box), count if None in where.point else 1, generator), self.box, None)
        for axis, value in enumerate(where.point):
            if value is not None:
                points[axis] = value
        return Ground(points)

    def over(self, where: Over, generator: torch.Generator, sampler: Draw) -> Ground:
        """All of space at some values of the other coordinates, or at once where there are none."""
        spatial, nodes = where.nodes.shape
        others = place(sampler(len(self.box), MOMENTS if len(self.box) > spatial else 1, generator), self.box, None)
        moments = others[spatial:].repeat_interleave(nodes, dim=1)
        points = torch.cat([where.nodes.repeat(1, others.shape[1]), moments])
        return Ground(points, attached={WEIGHTS: where.weights.repeat(others.shape[1])}, group=nodes)

    def on_piece(self, piece: Piece, count: int, generator: torch.Generator, sampler: Draw) -> Ground:
        """Points on a piece of the region's boundary, spread over the other coordinates too, with normals."""
        assert self.region is not None
        spatial = len(self.region.axes)
        state, size = generator.get_state(), count
        for _ in range(TRIES):
            generator.set_state(state)
            points, normals = self.region.on(
                piece.shape, piece.part, size, lambda d, n: sampler(d, n, generator).numpy() if d else np.zeros((0, n))
            )
            size_here = points.shape[1]
            others = place(sampler(len(self.box), size_here, generator), self.box, None)[spatial:]
            whole = torch.cat([torch.as_tensor(points), others])
            known = {normal_name(axis): torch.as_tensor(n) for axis, n in zip(self.region.axes, normals)}
            ground = Ground(whole, attached=known)
            ground = ground.chosen(self.belongs(piece, ground))
            if ground.count >= count or len(self.box) == 1:
                return ground.chosen(torch.arange(min(count, ground.count)))
            size *= 2
        raise KanpdeError(f"domain.parts: '{piece}' has no points that random ones find")

    def belongs(self, piece: Piece, ground: Ground) -> Tensor:
        """Which points of a part belong to the piece cut from it, as indices."""
        found = torch.ones(ground.count, dtype=torch.bool)
        if piece.where is not None:
            found &= compare(piece.where, self.scope, ground, no_unknowns).bool()
        for other in piece.unlike:
            found &= ~compare(other, self.scope, ground, no_unknowns).bool()
        return found.nonzero()[:, 0]

    def contains(self, points: Tensor, where: Where = None) -> Tensor:
        """Which of the points [d, N] lie in the region, or on its boundary, as a mask [N]."""
        if self.region is None:
            return torch.ones(points.shape[1], dtype=torch.bool)
        return torch.as_tensor(self.region.inside(points[: len(self.region.axes)].numpy()))


def scattered(box: Sequence[tuple[float, float]], count: int, seed: int) -> Tensor:
    """Points [d, N] evenly spread over a box, the same at every call."""
    return place(sobol(len(box), count, torch.Generator().manual_seed(seed)), box, None)
