"""What a picture of a problem's domain shows."""

from __future__ import annotations

from typing import Sequence

import numpy as np
import torch

from kanpde.build import domain_of, scope_of
from kanpde.domain import Domain as Where
from kanpde.evaluation import Ground
from kanpde.geometries import Region
from kanpde.operators import normal_name
from kanpde.places import is_inner, named_faces
from kanpde.plan import Plan
from kanpde.spec import Condition, Face, Piece, Spec
from kanpde.writers.domain import Domain, Side, draw_domain
from kanpde.writers.outline import Array, Outline, Part, draw_outline

FINE = 400  # points along an arc
DENSE = 1500  # points of a piece of a surface


def portrait(spec: Spec, planned: Plan) -> bytes:
    """The domain with its named sides or pieces and sampling points, as PNG bytes."""
    if spec.region is not None:
        return draw_outline(outline(spec, planned, spec.region))
    faces = [Face(axis, end) for axis in spec.box for end in ("min", "max")]
    sides = tuple(side_of(face, spec, planned) for face in faces)
    points = tuple(found.numpy() for found in planned.samples().values())
    return draw_domain(Domain(spec.title, spec.box, sides, points))


def side_of(face: Face, spec: Spec, planned: Plan) -> Side:
    """One side of the box with what is stated there."""
    here = [condition for condition in (*spec.initial, *spec.boundary) if condition.face == face]
    spoken = {known: word for word, known in named_faces(tuple(n for n in spec.box if n != "t")).items()}
    axis, end = tuple(spec.box).index(face.axis), int(face.side == "max")
    unstated = "periodic" if face.axis in spec.periodic else "no condition"
    return Side(axis, end, spoken.get(face, str(face)), *stated(here, planned, unstated))


def stated(here: Sequence[Condition], planned: Plan, otherwise: str) -> tuple[str, str]:
    """What some conditions say, and how they are kept."""
    exact = all(condition.name in planned.built_in for condition in here)
    kind = otherwise if not here else "holds exactly" if exact else "penalised"
    return ", ".join(condition.equation.text for condition in here) or otherwise, kind


def outline(spec: Spec, planned: Plan, region: Region) -> Outline:
    """A region in space; on the line, with time."""
    shown = len(region.axes) + ("t" in spec.box and len(region.axes) == 1)
    pieces = dict.fromkeys([c.face for c in spec.boundary if isinstance(c.face, Piece)] + list(spec.free))
    domain = domain_of(spec, scope_of(spec))
    parts = tuple(part_of(piece, spec, planned, domain) for piece in pieces if isinstance(piece, Piece))
    samples = tuple(found[:shown].numpy() for found in planned.samples().values())
    axes, bounds = tuple(spec.box)[:shown], tuple(spec.box.values())[:shown]
    if shown > len(region.axes):
        outer = [part for piece, part in zip(pieces, parts) if not is_inner(piece)]
        return Outline(spec.title, axes, bounds, (*parts, *ends_of_time(spec, planned, outer)), samples)
    others = [f"{name} in [{low:g}, {high:g}]" for name, (low, high) in list(spec.box.items())[shown:]]
    initial = [f"t_min: {stated(spec.initial, planned, '')[0]}"] if spec.initial else []
    return Outline(spec.title, axes, bounds, parts, samples, (*initial, *([", ".join(others)] if others else [])))


def part_of(piece: Piece, spec: Spec, planned: Plan, domain: Where) -> Part:
    """A piece of a region's boundary with what is stated there."""
    points, normals = LOCATED[len(spec.spatial)](piece, domain)
    return Part(
        str(piece), *stated([c for c in spec.boundary if c.face == piece], planned, "no condition"), points, normals
    )


def ends(piece: Piece, domain: Where) -> tuple[Array, Array]:
    """A point, or a line of points in time."""
    points, normals = domain.home(piece).on(piece.shape, piece.part, 1, lambda d, n: np.zeros((d, n)))
    if len(domain.box) == 1:
        return points, normals
    times = np.linspace(*domain.box[1], FINE)
    whole = [np.stack([np.repeat(rows[0], FINE), other]) for rows, other in ((points, times), (normals, 0 * times))]
    return whole[0], whole[1]


def curves(piece: Piece, domain: Where) -> tuple[Array, Array]:
    """Points in order along each arc, NaN between arcs and where they belong to other pieces."""
    home = domain.home(piece)
    found: list[tuple[Array, Array]] = []
    blank = np.full((2, 1), np.nan)
    for arc in home.boundary.arcs[piece.shape, piece.part]:  # type: ignore[union-attr]
        points, normals = arc.at(np.linspace(arc.start, arc.end, FINE))
        others = np.array([[low] * FINE for low, _ in domain.box[2:]]).reshape(-1, FINE)
        known = {normal_name(axis): torch.as_tensor(row) for axis, row in zip(home.axes, normals)}
        own = domain.belongs(piece, Ground(torch.as_tensor(np.concatenate([points, others])), attached=known))
        kept = np.isin(np.arange(FINE), own.numpy())
        found += [(np.where(kept, points, np.nan), normals), (blank, blank)]
    points, normals = (np.concatenate(rows, axis=1) for rows in zip(*found))
    return points, normals


def clouds(piece: Piece, domain: Where) -> tuple[Array, Array]:
    """Points all over a surface."""
    ground = domain.draw(piece, DENSE, torch.Generator().manual_seed(0))
    normals = [ground.attached[normal_name(axis)].numpy() for axis in domain.home(piece).axes]
    return ground.points[: len(normals)].numpy(), np.stack(normals)


LOCATED = {1: ends, 2: curves, 3: clouds}


def ends_of_time(spec: Spec, planned: Plan, parts: Sequence[Part]) -> list[Part]:
    """The first and the last time over intervals between ends."""
    places = sorted(float(part.points[0, 0]) for part in parts)
    spans = zip(places[::2], places[1::2])
    along = np.concatenate([[*np.linspace(low, high, FINE), np.nan] for low, high in spans])
    found = []
    for name, time, direction in zip(("t_min", "t_max"), spec.box["t"], (-1.0, 1.0)):
        here = stated(spec.initial if name == "t_min" else (), planned, "no condition")
        up = np.where(np.isnan(along), np.nan, time)
        found.append(Part(name, *here, np.stack([along, up]), np.stack([0 * along, 0 * along + direction])))
    return found
