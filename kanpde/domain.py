"""Where a problem holds: points of its interior and of the pieces of its boundary, and what is known at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

import numpy as np
import torch
from torch import Tensor

from kanpde.errors import KanpdeError
from kanpde.evaluation import WEIGHTS, Ground, Scope, compare
from kanpde.geometries import Region, Zones
from kanpde.operators import normal_name
from kanpde.piecewise import beside
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


@dataclass(frozen=True)
class Inside:
    """The interior of one of the regions in which different equations hold."""

    zone: str


@dataclass(frozen=True)
class Joined:
    """Whole parts of shapes on the boundary of the region, as one place."""

    pieces: tuple[Piece, ...]


# the interior, or a face (axis, side) of the box, …
Where = Union[None, "tuple[int, int]", Piece, Joined, Inside, Fixed, At, Over]
MOMENTS = 32  # values of the other coordinates at which integrals over space are taken
ASIDE = 1e-6  # of the size: how far from an interface the choices of `where` are made
TRIES = 24  # doublings of the candidates before a place counts as empty


@dataclass(frozen=True)
class Domain:
    """A box [d], and in its first coordinates a region where it does not fill the box, or consists of several."""

    scope: Scope
    box: tuple[tuple[float, float], ...]
    region: Region | None = None
    zones: Zones | None = None

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
        if isinstance(where, Inside):
            return self.inside(where).draw(None, count, generator, sampler)
        if where is not None and len(self.box) == 1:
            count = 1
        if isinstance(where, Joined):
            return self.on_pieces(where, count, generator, sampler)
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

    def inside(self, where: Inside) -> Domain:
        """The part of the domain that lies in one region."""
        assert self.zones is not None
        region = self.zones.parts[where.zone]
        return Domain(self.scope, (*region.bounds, *self.box[len(region.bounds) :]), region)

    def home(self, piece: Piece) -> Region:
        """The region on whose boundary a piece lies: a single shape for what lies between two regions."""
        region = self.zones.alone(piece.shape) if piece.between and self.zones else self.region
        assert region is not None
        return region

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
        """Points on a piece of a boundary, spread over the other coordinates too, with normals.

        Between two regions, they are those of the shape, and points a little inside of each region are attached.
        """
        home = self.home(piece)
        spatial = len(home.axes)
        state, size = generator.get_state(), count
        for _ in range(TRIES):
            generator.set_state(state)
            points, normals = home.on(
                piece.shape, piece.part, size, lambda d, n: sampler(d, n, generator).numpy() if d else np.zeros((0, n))
            )
            size_here = points.shape[1]
            others = place(sampler(len(self.box), size_here, generator), self.box, None)[spatial:]
            whole = torch.cat([torch.as_tensor(points), others])
            known = {normal_name(axis): torch.as_tensor(n) for axis, n in zip(home.axes, normals)}
            for zone, sign in zip(piece.between or (), (-1, 1)):
                moved = points + sign * ASIDE * home.members.scale * normals
                known[beside(zone)] = torch.cat([torch.as_tensor(moved), others])
            ground = Ground(whole, attached=known)
            ground = ground.chosen(self.belongs(piece, ground))
            if ground.count >= count or len(self.box) == 1:
                return ground.chosen(torch.arange(min(count, ground.count)))
            size *= 2
        raise KanpdeError(f"domain.parts: '{piece}' has no points that random ones find")

    def on_pieces(self, where: Joined, count: int, generator: torch.Generator, sampler: Draw) -> Ground:
        """Points on several parts, as many on each as its size asks for, with normals."""
        assert self.region is not None
        spatial = len(self.region.axes)
        unit = sampler(len(self.box), count, generator).numpy()
        ends = np.cumsum([0.0, *(self.region.measure(piece.shape, piece.part) for piece in where.pieces)])
        along = unit[0] * ends[-1]
        which = np.clip(np.searchsorted(ends, along, side="right") - 1, 0, len(where.pieces) - 1)
        unit[0] = np.clip((along - ends[which]) / (ends[which + 1] - ends[which]), 0, 1)
        points, normals = np.empty((spatial, count)), np.empty((spatial, count))
        for k in np.unique(which):
            here, piece = which == k, where.pieces[k]
            points[:, here], normals[:, here] = self.region.on(
                piece.shape, piece.part, int(here.sum()), lambda d, n, own=unit[:, here]: own[:d]
            )
        others = place(torch.as_tensor(unit), self.box, None)[spatial:]
        known = {normal_name(axis): torch.as_tensor(row) for axis, row in zip(self.region.axes, normals)}
        return Ground(torch.cat([torch.as_tensor(points), others]), attached=known)

    def belongs(self, piece: Piece, ground: Ground) -> Tensor:
        """Which points of a part, with normals, belong to the piece cut from it, as indices."""
        found = torch.ones(ground.count, dtype=torch.bool)
        if piece.between and self.zones:
            axes = self.zones.whole.axes
            normals = np.stack([ground.attached[normal_name(axis)].numpy() for axis in axes])
            points = ground.points[: len(axes)].numpy()
            found &= torch.as_tensor(self.zones.between(piece.between, piece.shape, points, normals))
        if piece.where is not None:
            found &= compare(piece.where, self.scope, ground, no_unknowns).bool()
        for other in piece.unlike:
            found &= ~compare(other, self.scope, ground, no_unknowns).bool()
        return found.nonzero()[:, 0]

    def contains(self, points: Tensor, where: Where = None) -> Tensor:
        """Which of the points [d, N] lie in the region, or on its boundary, as a mask [N]."""
        if isinstance(where, Inside):
            return self.inside(where).contains(points)
        if self.region is None:
            return torch.ones(points.shape[1], dtype=torch.bool)
        return torch.as_tensor(self.region.inside(points[: len(self.region.axes)].numpy()))
