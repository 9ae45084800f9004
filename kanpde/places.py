"""The pieces of a boundary and the names that they go by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Mapping, TypeVar, Union

from kanpde.statement import Face, Piece

if TYPE_CHECKING:
    from kanpde.geometries import Region, Shape

Spot = Union[Face, Piece]
S = TypeVar("S", bound=Spot)

KEYWORDS = ("all", "rest")
SIDES = ("left", "right", "bottom", "top", "front", "back")
RESERVED = (*KEYWORDS, *SIDES, "free", "periodic", *(f"{axis}_{end}" for axis in "xyzt" for end in ("min", "max")))


@dataclass(frozen=True)
class Places(Generic[S]):
    """What a boundary consists of, and what each name stands for; `barred` says why other names stand for nothing."""

    everything: tuple[S, ...]
    named: Mapping[str, tuple[S, ...]]
    barred: Mapping[str, str] = field(default_factory=dict)
    word: str = "face"
    complete: bool = True  # False after a mistake that leaves it unknown what there is


def faces_of(axis: str) -> tuple[Face, Face]:
    """The two faces across one coordinate."""
    return Face(axis, "min"), Face(axis, "max")


def named_faces(spatial: tuple[str, ...]) -> dict[str, Face]:
    """The names of all faces of a box."""
    named = {str(face): face for axis in spatial for face in faces_of(axis)}
    for axis, words in zip(spatial, (SIDES[:2], SIDES[2:4])):
        if len(spatial) <= 2:
            named.update(zip(words, faces_of(axis)))
    return named


def places_of_box(spatial: tuple[str, ...], shape: str = "") -> Places[Face]:
    """The faces of a box; its name, where it has one, stands for all of them."""
    faces = named_faces(spatial)
    everything = tuple(face for axis in spatial for face in faces_of(axis))
    named = {name: (face,) for name, face in faces.items()}
    if shape:
        named |= {shape: everything} | {f"{shape}.{name}": (face,) for name, face in faces.items()}
    return Places(everything, named)


def places_of_region(region: Region) -> Places[Piece]:
    """The parts of shapes that lie on a region's boundary; without the shape's name where no other has such a part."""
    pieces = {key: Piece(".".join(filter(None, key)), *key) for key in region.pieces}
    named: dict[str, tuple[Piece, ...]] = {}
    barred = {axis: f"'{axis}' is a coordinate, not a part of the boundary" for axis in region.axes}
    owners: dict[str, list[str]] = {}
    for shape, body in region.shapes.items():
        found = {name: pieces.get((shape, part)) for part in body.parts for name in _names(part, region.axes)}
        named[shape] = tuple(dict.fromkeys(filter(None, found.values())))
        named |= {f"{shape}.{name}": (piece,) if piece else () for name, piece in found.items() if name}
        for name in filter(None, found):
            owners.setdefault(name, []).append(shape)
    for name, shapes in owners.items():
        choice = " or ".join(f"{shape}.{name}" for shape in shapes)
        if len(shapes) > 1:
            barred[name] = f"several shapes have a part '{name}'; write {choice}"
        elif name not in named:
            named[name] = named[choice]
    barred |= {name: f"nothing of '{name}' lies on the region's boundary" for name, some in named.items() if not some}
    return Places(tuple(pieces.values()), {name: some for name, some in named.items() if some}, barred, "part")


def is_box(shape: Shape) -> bool:
    """Whether a shape has a side at each end of each coordinate."""
    return type(shape).__name__ in ("Interval", "Rectangle", "Box")


def axis_of(spot: Spot, region: Region | None) -> str:
    """The coordinate that is constant on a side of a box; '' where there is none."""
    if isinstance(spot, Face):
        return spot.axis
    sides = named_faces(region.axes) if region is not None and is_box(region.shapes[spot.shape]) else {}
    return sides[spot.part].axis if spot.part in sides else ""


def _names(part: str, spatial: tuple[str, ...]) -> tuple[str, ...]:
    """All names of a part: `left` is `x_min` too."""
    faces = named_faces(spatial)
    return (part, *(name for name, face in faces.items() if part in faces and face == faces[part] and name != part))
