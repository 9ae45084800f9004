"""Closed surfaces of triangles from files."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Callable, Mapping

import numpy as np

from kanpde.geometries.base import Array
from kanpde.geometries.crossings import Integers
from kanpde.geometries.files import readable

MOST_FACES = 1_000_000
_SIDES = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])  # of a tetrahedron, seen from outside


def read_surface(file: str) -> tuple[Array, Integers]:
    """The vertices [V, 3] and triangles [F, 3] of a closed surface, counter-clockwise seen from outside."""
    path = readable(file)
    if path.suffix.lower() not in READERS:
        raise ValueError(f"{path.name} must be a file of surfaces: {', '.join(READERS)}")
    trimesh = extra("trimesh")
    try:
        mesh = READERS[path.suffix.lower()](path, trimesh)
    except ValueError:
        raise
    except Exception as error:
        raise ValueError(
            f"{path.name} cannot be read as a file of its kind: {str(error) or type(error).__name__}"
        ) from None
    if not 0 < len(mesh.faces) <= MOST_FACES:
        raise ValueError(f"{path.name} holds {len(mesh.faces)} triangles; there must be 1 to {MOST_FACES}")
    mesh.update_faces(mesh.area_faces > 0)
    if not mesh.is_watertight:
        raise ValueError(f"the surface in {path.name} is not closed: each edge must belong to two triangles")
    if not mesh.is_winding_consistent:
        raise ValueError(f"the triangles in {path.name} do not all turn the same way round")
    faces = np.array(mesh.faces, dtype=np.int64)
    return np.array(mesh.vertices, dtype=float), faces if mesh.volume > 0 else faces[:, ::-1]


def extra(name: str) -> ModuleType:
    """A package that is not installed with the program itself."""
    try:
        return import_module(name)
    except ImportError:
        raise ValueError(f"surfaces from files need {name}: pip install 'kanpde[mesh]'") from None


def from_stl(path: Path, trimesh: Any) -> Any:
    """The surface in an STL file."""
    return trimesh.load_mesh(str(path), file_type="stl")


def from_cells(format: str) -> Callable[[Path, Any], Any]:
    """A reader of the triangles, or else of the surface of the tetrahedra, in a file of cells."""

    def read(path: Path, trimesh: Any) -> Any:
        found = getattr(extra("meshio"), format).read(str(path))
        cells = found.cells_dict
        faces = cells["triangle"] if "triangle" in cells else outer(cells.get("tetra", np.empty((0, 4), dtype=int)))
        if not len(faces):
            raise ValueError(f"{path.name} holds neither triangles nor tetrahedra")
        return trimesh.Trimesh(found.points[:, :3], faces)

    return read


def outer(cells: Integers) -> Integers:
    """The triangles [F, 3] that belong to one tetrahedron of [C, 4] only."""
    faces = cells[:, _SIDES].reshape(-1, 3)
    _, first, count = np.unique(np.sort(faces, axis=1), axis=0, return_index=True, return_counts=True)
    return faces[first[count == 1]]


READERS: Mapping[str, Callable[[Path, Any], Any]] = {
    ".stl": from_stl,
    ".vtu": from_cells("vtu"),
    ".msh": from_cells("gmsh"),
}
