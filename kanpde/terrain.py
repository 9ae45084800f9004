"""The domain: a box, or a region made of shapes; NumPy is imported only where there are shapes."""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Callable, Mapping

from kanpde.declarations import constants_among, read_coordinates, read_definitions
from kanpde.folder import Folder
from kanpde.formulas import Log, scalar
from kanpde.piecewise import spelt
from kanpde.places import Places, Spot, places_of_box
from kanpde.reading import Node, Scalar, Table
from kanpde.resolution import Scope
from kanpde.tree import Tree

if TYPE_CHECKING:
    from kanpde.geometries import Region, Zones

Sections = Callable[[str], Table | None]


@dataclass(frozen=True)
class Ground:
    """What shapes may refer to: constants, and files in the problem's folder; and the regions that equations name."""

    constants: Mapping[str, float]
    folder: Folder
    zones: tuple[Scalar, ...] = ()


@dataclass(frozen=True)
class Terrain:
    """The coordinates of a domain and, where it is not a box, its region, with what `domain.parts` says.

    `zones` are the regions that it consists of, where different equations hold in them. `plain` is the name
    of the shape where the region is nothing but a box; `complete` is False after a mistake.
    """

    coordinates: tuple[str, ...]
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    region: Region | None = None
    zones: Zones | None = None
    parts: Node | None = None
    plain: str = ""
    complete: bool = True


def read_terrain(section: Sections, folder: Folder, taken: dict[str, str], log: Log) -> Terrain:
    """The coordinates of a domain and the region that its shapes make, if it has any."""
    domain, zones = section("domain"), named_zones(section("equations"), log)
    if domain is None or domain.get("shapes") is None:
        for node in zones[: domain is not None]:
            log.say(node, "regions are made of shapes, and 'domain.shapes' is missing")
        return Terrain(read_coordinates(domain, taken, log))
    ground = Ground(_constants(section("definitions")), folder, zones)
    found = import_module("kanpde.regions").read_region(domain, ground, taken, log)
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
    found = parts.read_parts(terrain.parts, parts.Known(terrain.region, terrain.zones, scope, definitions), taken, log)
    assert isinstance(found, Places)
    return found


def zone_names(equations: Table | None, log: Log) -> tuple[str, ...]:
    """The names of the regions in which different equations hold, each once."""
    return tuple(dict.fromkeys(spelt(node.text) for node in named_zones(equations, log)))


def named_zones(equations: Table | None, log: Log) -> tuple[Scalar, ...]:
    """The regions that equations name."""
    tables = [entry.value for entry in equations.entries if isinstance(entry.value, Table)] if equations else []
    nodes = [node for table in tables if (node := table.get("in")) is not None]
    return tuple(text for node in nodes if (text := scalar(node, "a region, as in plate - hole,", log)))


def _constants(defined: Table | None) -> Mapping[str, float]:
    """The definitions that are plain numbers, before anything else is known; their mistakes are told later."""
    quiet = Log()
    trees, _, _ = read_definitions(defined, Scope((), (), {}), {}, quiet)
    return constants_among(trees, defined, quiet)
