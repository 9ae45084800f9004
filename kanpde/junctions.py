"""Whether conditions on the pieces of a region's boundary agree where these meet, and at the first time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from kanpde.agreement import POINTS, largest
from kanpde.build import domain_of, scope_of, statements
from kanpde.check import kind
from kanpde.domain import Domain
from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.geometries import Region
from kanpde.laws import SEED, spot
from kanpde.operators import Scene, expand, normal_name
from kanpde.problem import Block, Row, needed_derivatives, residual_rows
from kanpde.spec import Piece, Spec
from kanpde.tree import Tree, free_names
from kanpde.trial import Trial, no_unknowns

FINE = 257  # points along an arc at which it is asked what piece they belong to
HALVINGS = 45
NEAR = 1e-9  # of the region's size: ends this close are one point


@dataclass(frozen=True)
class Given:
    """A condition by its name, and the value that it prescribes of an unknown on a piece."""

    name: str
    unknown: str
    piece: Piece
    data: Tree


@dataclass(frozen=True)
class Meeting:
    """A point of the plane [2] at which two pieces meet."""

    point: np.ndarray
    pieces: tuple[Piece, Piece]


def disagreements(spec: Spec, scope: Scope) -> Iterator[str]:
    """A warning for each two values given at a point where pieces meet, and for each condition that is not met
    by what is given at the first time."""
    if spec.region is None:
        return
    domain, trial = domain_of(spec, scope_of(spec)), Trial(scope, tuple(spec.box.values()), (), (), {})
    if len(spec.region.axes) == 2:
        yield from at_points(spec, scope, domain, spec.region)
    if spec.initial:
        yield from at_first(spec, scope, domain, trial)


def at_points(spec: Spec, scope: Scope, domain: Domain, region: Region) -> Iterator[str]:
    """A warning for each two conditions that give an unknown different values where their pieces meet."""
    found = list(givens(spec))
    warned: set[tuple[str, str]] = set()
    for meeting in meetings(region, domain, tuple(dict.fromkeys(given.piece for given in found))):
        points = raised(meeting.point, spec)
        for one, other in combinations(found, 2):
            met = {one.piece, other.piece} == set(meeting.pieces) and one.unknown == other.unknown
            if met and (one.name, other.name) not in warned:
                values = [value(given.data, scope, points) for given in (one, other)]
                if difference := largest(*values):
                    warned.add((one.name, other.name))
                    size, at = difference
                    where = spot(tuple(spec.box), points[:, at])
                    yield f"the conditions {one.name} and {other.name} disagree by {size:.3g} at {where}"


def givens(spec: Spec) -> Iterator[Given]:
    """The conditions that give an unknown's values on a piece; not those by the normal, of which corners have two."""
    scene = Scene(spec.spatial, spec.definitions)
    for condition in spec.boundary:
        found = kind(condition, spec)
        by_normal = found.data is not None and free_names(found.data) & set(map(normal_name, spec.spatial))
        if isinstance(condition.face, Piece) and found.type == "dirichlet" and found.data and not by_normal:
            yield Given(condition.name, found.unknown, condition.face, expand(found.data, scene))


def raised(point: np.ndarray, spec: Spec) -> Tensor:
    """A point of the plane with the other coordinates' ends and random values between them [d, N]."""
    others = list(spec.box.values())[len(point) :]
    low, high = (torch.tensor(side, dtype=torch.float64)[:, None] for side in (zip(*others) if others else ((), ())))
    share = torch.rand(len(others), POINTS if others else 1, generator=torch.Generator().manual_seed(SEED))
    share[:, :2] = torch.tensor([0.0, 1.0])[: share.shape[1]]
    return torch.cat([torch.as_tensor(point)[:, None].expand(2, share.shape[1]), low + (high - low) * share.double()])


def value(tree: Tree, scope: Scope, points: Tensor) -> Tensor:
    """A formula of the coordinates at points [d, N]."""
    ground, zero = Ground(points), frozenset({(0,) * len(points)})
    return points[0] * 0.0 + as_jet(evaluate(tree, zero, scope, ground, no_unknowns), zero, ground).value


def meetings(region: Region, domain: Domain, pieces: Sequence[Piece]) -> Iterator[Meeting]:
    """The points at which two pieces meet: ends of arcs, and where one is cut from another."""
    ends: list[tuple[np.ndarray, Piece]] = []
    for key, arcs in region.boundary.arcs.items():  # type: ignore[union-attr]
        own = [piece for piece in pieces if (piece.shape, piece.part) == key]
        for arc in arcs:

            def holder(t: np.ndarray, own: Sequence[Piece] = own, arc=arc) -> np.ndarray:
                return holders(own, domain, *arc.at(t))

            t = np.linspace(arc.start, arc.end, FINE)
            held = holder(t)
            ends += [(arc.at(t[[k]])[0][:, 0], own[held[k]]) for k in (0, -1) if held[k] >= 0]
            for k in np.flatnonzero(np.diff(held)):
                low, high = t[k], t[k + 1]
                for _ in range(HALVINGS):
                    middle = (low + high) / 2
                    low, high = (middle, high) if holder(np.array([middle]))[0] == held[k] else (low, middle)
                if min(held[k], held[k + 1]) >= 0:
                    yield Meeting(arc.at(np.array([low]))[0][:, 0], (own[held[k]], own[held[k + 1]]))
    near = NEAR * max(high - low for low, high in region.bounds)
    for (point, one), (other_point, other) in combinations(ends, 2):
        if one != other and np.abs(point - other_point).max() < near:
            yield Meeting(point, (one, other))


def holders(own: Sequence[Piece], domain: Domain, points: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Which of some pieces each point of an arc belongs to [N], -1 for none."""
    others = np.array([[low] * points.shape[1] for low, _ in domain.box[2:]]).reshape(-1, points.shape[1])
    assert domain.region is not None
    known = {normal_name(axis): torch.as_tensor(row) for axis, row in zip(domain.region.axes, normals)}
    ground = Ground(torch.as_tensor(np.concatenate([points, others])), attached=known)
    found = np.full(points.shape[1], -1)
    for number, piece in enumerate(own):
        found[domain.belongs(piece, ground).numpy()] = number
    return found


def at_first(spec: Spec, scope: Scope, domain: Domain, trial: Trial) -> Iterator[str]:
    """A warning for each condition on a piece that the initial values leave unfulfilled."""
    time = tuple(spec.box).index("t")
    found = statements(spec, scope)
    start = {item[0]: item[1].data for _, _, item in found if item and item[1].axis == time and not item[1].order}
    for condition, row, _ in found:
        if not isinstance(condition.face, Piece):
            continue
        needed = needed_derivatives(trial, (row,))
        if not set(needed) <= set(start) or any(index[time] for some in needed.values() for index in some):
            continue
        ground = domain.draw(condition.face, POINTS, torch.Generator().manual_seed(SEED))
        points = ground.points.clone()
        points[time] = spec.box["t"][0]
        ground = Ground(points, attached=ground.attached)
        left, right = (side_values(trial, row, side, ground, start, needed) for side in (0, 1))
        if difference := largest(left, right):
            size, at = difference
            where = spot(tuple(spec.box), points[:, at])
            yield f"the initial values do not fulfil {condition.name}: its sides differ by {size:.3g} at {where}"


def side_values(
    trial: Trial, row: Row, side: int, ground: Ground, start: Mapping[str, Tree], needed: Mapping[str, frozenset]
) -> Tensor:
    """One side of a condition [N] with the initial values in place of the unknowns."""
    fields = {
        name: as_jet(evaluate(start[name], wanted, trial.scope, ground, no_unknowns), wanted, ground)
        for name, wanted in needed.items()
    }
    formula = (row.formula.left, row.formula.right)[side]  # type: ignore[union-attr]
    block = Block(row.name, None, (Row(row.name, formula),), needed)
    return ground.points[0] * 0.0 + residual_rows(trial, block, ground, fields)[0]
