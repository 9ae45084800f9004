"""The pieces of a boundary and the names that they go by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Generic, Mapping, TypeVar, Union

from kanpde.statement import Face, Piece

if TYPE_CHECKING:
    from kanpde.geometries import Region, Shape, Zones

Spot = Union[Face, Piece]
S = TypeVar("S", bound=Spot)

WHOLE = 1e-9  # of a side: it may lack so much and be whole
KEYWORDS = ("all", "rest")
SIDES = ("left", "right", "bottom", "top", "front", "back")
RESERVED = (*KEYWORDS, *SIDES, "free", "periodic", *(f"{axis}_{end}" for axis in "xyzt" for end in ("min", "max")))


@dataclass(frozen=True)
class Places(Generic[S]):
    """What a boundary consists of, and what each name stands for; `barred` says why other names stand for nothing.

    `opposite` are the two sides that periodicity along a coordinate would make one.
    """

    everything: tuple[S, ...]
    named: Mapping[str, tuple[S, ...]]
    barred: Mapping[str, str] = field(default_factory=dict)
    word: str = "face"
    complete: bool = True  # False after a mistake that leaves it unknown what there is
    opposite: Mapping[str, tuple[S, S]] = field(default_factory=dict)


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
    return Places(everything, named, opposite={axis: faces_of(axis) for axis in spatial})


def places_of_region(region: Region, zones: Zones | None = None) -> Places[Piece]:
    """The parts of shapes that lie on a region's boundary, or between regions that it consists of.

    Their names are without the shape's where no other has such a part.
    """
    pieces = pieces_of(region, zones)
    named: dict[str, tuple[Piece, ...]] = {}
    barred = {axis: f"'{axis}' is a coordinate, not a part of the boundary" for axis in region.axes}
    owners: dict[str, list[str]] = {}
    for shape, body in region.shapes.items():
        found = {name: pieces.get((shape, part), ()) for part in body.parts for name in _names(part, region.axes)}
        named[shape] = tuple(dict.fromkeys(piece for some in found.values() for piece in some))
        named |= {f"{shape}.{name}": some for name, some in found.items() if name}
        for name in filter(None, found):
            owners.setdefault(name, []).append(shape)
    for name, shapes in owners.items():
        choice = " or ".join(f"{shape}.{name}" for shape in shapes)
        if len(shapes) > 1:
            barred[name] = f"several shapes have a part '{name}'; write {choice}"
        elif name not in named:
            named[name] = named[choice]
    where = "on the region's boundary, or between two regions under this name" if zones else "on the region's boundary"
    barred |= {name: f"nothing of '{name}' lies {where}" for name, some in named.items() if not some}
    everything = tuple(piece for some in pieces.values() for piece in some)
    found = {name: some for name, some in named.items() if some}
    return Places(everything, found, barred, "part", opposite={} if zones else opposite_sides(region))


def opposite_sides(region: Region) -> dict[str, tuple[Piece, Piece]]:
    """The two sides across each coordinate where they are those of one box, at the region's ends, and whole."""
    found = {}
    for axis, (low, high) in zip(region.axes, region.bounds):
        for name, shape in region.shapes.items():
            parts = [part for end in ("min", "max") for part in sides_at(shape, Face(axis, end), region.axes)]
            at_ends = shape.bounds[region.axes.index(axis)] == (low, high)
            if len(parts) == 2 and at_ends and all(is_whole(region, name, part) for part in parts):
                first, second = (Piece(f"{name}.{part}", name, part) for part in parts)
                found[axis] = first, second
    return found


def sides_at(shape: Shape, face: Face, axes: tuple[str, ...]) -> list[str]:
    """The part of a box that lies at a face; none of another shape."""
    return [part for part in shape.parts if named_faces(axes).get(part) == face] if is_box(shape) else []


def is_whole(region: Region, shape: str, part: str) -> bool:
    """Whether all of a part lies on a region's boundary."""
    size = region.shapes[shape].size(part)
    return region.measure(shape, part) > (1 - WHOLE) * size


def pieces_of(region: Region, zones: Zones | None) -> dict[tuple[str, str], tuple[Piece, ...]]:
    """The pieces of each part of a shape: on a region's boundary, and between each two regions inside."""
    found = {key: (Piece(".".join(filter(None, key)), *key),) for key in region.pieces}
    inner: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for shape, part, *pair in zones.interfaces if zones else ():
        inner.setdefault((shape, part), []).append((pair[0], pair[1]))
    for key, pairs in inner.items():
        name, outer = ".".join(filter(None, key)), found.get(key, ())
        names = [name] if len(pairs) == 1 and not outer else [f"{name} between {a} and {b}" for a, b in pairs]
        found[key] = (*outer, *(Piece(own, *key, between=pair) for own, pair in zip(names, pairs)))
    return found


def is_box(shape: Shape) -> bool:
    """Whether a shape has a side at each end of each coordinate."""
    return type(shape).__name__ in ("Interval", "Rectangle", "Box")


def is_inner(face: Spot) -> bool:
    """Whether a face lies between two regions."""
    return isinstance(face, Piece) and face.between is not None


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
