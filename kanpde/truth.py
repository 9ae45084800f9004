"""The known solution of a problem, where there is one: used to measure, never to train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from kanpde.build import domain_of, scope_of
from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.expression import Tree
from kanpde.jet import Indices
from kanpde.references import read_reference
from kanpde.result import FieldError
from kanpde.samplers import place, sobol
from kanpde.spec import Spec
from kanpde.trial import no_unknowns

SIDES = {1: 401, 2: 101, 3: 31, 4: 13, 5: 7}  # points a side of the grid on which the error is measured, by dimension
SCATTERED = 2**14  # points in more dimensions, where a grid has none but corners
SEED = 2024
CHUNK = 20_000


@dataclass(frozen=True)
class Truth:
    """Values [M] of some unknowns at points [d, M], what they are, and the bound on their own relative error."""

    points: Tensor
    values: Mapping[str, Tensor]
    against: str
    certified: Mapping[str, float]

    def errors(self, fields: Mapping[str, Tensor]) -> dict[str, FieldError]:
        """The errors of fields given at the same points."""
        return {
            name: field_error(fields[name].numpy(), known.numpy(), self.against, self.certified.get(name, 0.0))
            for name, known in self.values.items()
        }


def field_error(found: np.ndarray, known: np.ndarray, against: str, certified: float = 0.0) -> FieldError:
    """The relative L2 and largest error over the points where the known field is finite."""
    valid = np.isfinite(known)
    difference = (found - known)[valid]
    norm = float(np.linalg.norm(known[valid]))
    relative = float(np.linalg.norm(difference)) / (norm if norm > 0 else 1.0)
    return FieldError(relative, float(np.abs(difference).max(initial=0.0)), against, certified)


def truth_of(spec: Spec) -> Truth | None:
    """What is known of the solution: the reference if there is one, else the exact solution, else nothing."""
    coordinates = tuple(spec.box)
    if spec.reference is not None:
        samples = read_reference(spec.reference.file, coordinates)
        points = torch.as_tensor(samples.points(coordinates).T.copy(), dtype=torch.float64)
        fields = {
            k: torch.as_tensor(np.ravel(v), dtype=torch.float64)
            for k, v in samples.fields.items()
            if k in spec.unknowns
        }
        return Truth(points, fields, "reference", samples.certified)
    if not spec.exact:
        return None
    points = measuring_points(tuple(spec.box.values()))
    points = points[:, domain_of(spec, scope_of(spec)).contains(points)]
    return Truth(points, exact_values(spec, points), "exact", {})


def measuring_points(box: Sequence[tuple[float, float]]) -> Tensor:
    """A grid [d, M] over the box, evenly scattered points in more than five dimensions; the same at every call."""
    side = SIDES.get(len(box))
    if side is None:
        return place(sobol(len(box), SCATTERED, torch.Generator().manual_seed(SEED)), box, None)
    axes = [torch.linspace(low, high, side, dtype=torch.float64) for low, high in box]
    return torch.stack([mesh.flatten() for mesh in torch.meshgrid(*axes, indexing="ij")])


def exact_values(spec: Spec, points: Tensor) -> dict[str, Tensor]:
    """The exact solution's fields at points [d, M]."""
    scope = scope_of(spec)
    return {name: known_values(tree, scope, points) for name, tree in spec.exact.items()}


def known_values(tree: Tree, scope: Scope, points: Tensor) -> Tensor:
    """A formula of the coordinates alone at points [d, M]."""
    zero: Indices = frozenset({(0,) * points.shape[0]})
    found: list[Tensor] = []
    for part in points.split(CHUNK, dim=1):
        ground = Ground(part)
        found.append(torch.as_tensor(as_jet(evaluate(tree, zero, scope, ground, no_unknowns), zero, ground).value))
    return torch.cat(found)
