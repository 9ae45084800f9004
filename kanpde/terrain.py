"""The domain: a box, or a region made of shapes; NumPy is imported only where there are shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Mapping

from kanpde.declarations import constants_among, read_coordinates, read_definitions
from kanpde.formulas import Log
from kanpde.places import Places, Spot, places_of_box
from kanpde.reading import Node, Table
from kanpde.resolution import Scope
from kanpde.tree import Tree

if TYPE_CHECKING:
    from kanpde.geometries import Region


@dataclass(frozen=True)
class Ground:
    """What shapes may refer to: constants, and files in the problem's folder."""

    constants: Mapping[str, float]
    folder: Path


@dataclass(frozen=True)
class Terrain:
    """The coordinates of a domain and, where it is not a box, its region, with what `domain.parts` says.

    `plain` is the name of the shape where the region is nothing but a box; `complete` is False after a mistake.
    """

    coordinates: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    region: Region | None = None
    parts: Node | None = None
    plain: str = ""
    complete: bool = True


def read_terrain(domain: Table | None, defined: Table | None, folder: Path, taken: dict[str, str], log: Log) -> Terrain:
    """The coordinates of a domain and the region that its shapes make, if it has any."""
    if domain is None or domain.get("shapes") is None:
        return Terrain(read_coordinates(domain, taken, log))
    found = import_module("kanpde.regions").read_region(domain, Ground(_constants(defined), folder), taken, log)
    assert isinstance(found, Terrain)
    return found


def read_places(
    terrain: Terrain, scope: Scope, definitions: Mapping[str, Tree], taken: dict[str, str], log: Log
) -> Places[Spot]:
    """The parts of the boundary and their names."""
    if not terrain.complete:
        return Places((), {}, word="part", complete=False)
    if terrain.region is None:
        return places_of_box(scope.spatial, terrain.plain)
    parts = import_module("kanpde.parts")
    found = parts.read_parts(terrain.parts, parts.Known(terrain.region, scope, definitions), taken, log)
    assert isinstance(found, Places)
    return found


def _constants(defined: Table | None) -> Mapping[str, float]:
    """The definitions that are plain numbers, before anything else is known; their mistakes are told later."""
    quiet = Log()
    trees, _, _ = read_definitions(defined, Scope((), (), {}), {}, quiet)
    return constants_among(trees, defined, quiet)
