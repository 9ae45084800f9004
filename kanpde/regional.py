"""What the names of a problem mean in each of its regions: every unknown is one field in each."""

from __future__ import annotations

from typing import Callable, Mapping

import torch
from torch import Tensor

from kanpde.geometries import Region
from kanpde.operators import Scene, expand, facing, varying
from kanpde.piecewise import across, divided, glued, home, local, seen_from, within
from kanpde.spec import Condition, Equation, Spec
from kanpde.statement import Piece
from kanpde.tree import Binary, Name, Tree


def zones_of(spec: Spec) -> tuple[str, ...]:
    """The names of the regions in which different equations hold; '' stands for the only one."""
    return spec.zones.names if spec.zones else ("",)


def families(spec: Spec) -> tuple[tuple[str, ...], ...]:
    """The fields to find, region by region: the unknowns, by names of their own where there are several regions."""
    if spec.zones is None:
        return (spec.unknowns,)
    return tuple(tuple(local(name, zone) for name in spec.unknowns) for zone in spec.zones.names)


def fields_of(spec: Spec) -> tuple[str, ...]:
    """All fields to find."""
    return tuple(name for family in families(spec) for name in family)


def definitions_of(spec: Spec) -> Mapping[str, Tree]:
    """The definitions; with several regions also those in each, and the unknowns as made of the fields."""
    if spec.zones is None:
        return spec.definitions
    found, names = dict(spec.definitions), divided(spec.definitions, spec.unknowns)
    for name in spec.unknowns:
        found[name] = glued({zone: Name(local(name, zone)) for zone in spec.zones.names}, spec.spatial)
    for zone in spec.zones.names:
        own = {name: tree for name, tree in spec.definitions.items() if name in names}
        found |= {local(name, zone): seen_from(tree, zone, names) for name, tree in own.items()}
    return found


def scene_of(spec: Spec, condition: Condition | None = None) -> Scene:
    """Where the formula of an equation or of a condition stands."""
    normal = None
    if condition is not None:
        face = condition.face
        curved = isinstance(face, Piece)
        normal = varying(spec.spatial) if curved else facing(face.axis, 1 if face.side == "max" else -1)
    return Scene(spec.spatial, definitions_of(spec), normal)


def sides_of(spec: Spec, law: Equation, condition: Condition | None = None) -> tuple[Tree, Tree]:
    """Both sides of an equation or condition in partial derivatives of the fields."""
    scene = scene_of(spec, condition)
    pair = getattr(condition.face, "between", None) if condition else None
    names = divided(spec.definitions, spec.unknowns) if pair or law.zone else frozenset()
    found = []
    for side in (law.left, law.right):
        if pair:
            side = across(side, pair, names)
        elif law.zone:
            side = seen_from(side, law.zone, names)
        found.append(expand(side, scene))
    return found[0], found[1]


def difference(spec: Spec, law: Equation, condition: Condition | None = None) -> Tree:
    """Left minus right side."""
    return Binary("-", *sides_of(spec, law, condition))


def known_fields(spec: Spec) -> dict[str, Tree]:
    """The exact values of the fields, each a formula that is meant in its region, and of what is fitted."""
    scene, names = scene_of(spec), divided(spec.definitions, spec.unknowns)
    found = {name: tree for name, tree in spec.exact.items() if spec.zones is None or name in spec.fitted}
    for zone in spec.zones.names if spec.zones else ():
        own = {name: tree for name, tree in spec.exact.items() if name in spec.unknowns}
        found |= {local(name, zone): seen_from(tree, zone, names) for name, tree in own.items()}
    return {name: expand(tree, scene) for name, tree in found.items()}


def box_of(spec: Spec, field: str) -> tuple[tuple[float, float], ...] | None:
    """A box around the region of a field, where that is one of several."""
    if spec.zones is None or field not in fields_of(spec):
        return None
    bounds = spec.zones.parts[home(field)].bounds
    return (*bounds, *tuple(spec.box.values())[len(bounds) :])


def memberships(spec: Spec) -> Mapping[str, Callable[[Tensor], Tensor]]:
    """The functions of points [d, N] that tell whether they lie in a region, 1 or 0 [N]."""
    return {within(name): membership(region) for name, region in spec.zones.parts.items()} if spec.zones else {}


def membership(region: Region) -> Callable[[Tensor], Tensor]:
    """Whether points [d, N] lie in a region, in their first coordinates."""

    def found(points: Tensor) -> Tensor:
        inside = region.inside(points[: len(region.axes)].detach().cpu().double().numpy())
        return torch.as_tensor(inside).to(points)

    return found
