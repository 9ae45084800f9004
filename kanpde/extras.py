"""What a problem asks for beside equations and conditions: constraints, measurements, and what is fitted to them."""

from __future__ import annotations

from typing import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from kanpde.domain import At, Fixed, Over, Where
from kanpde.evaluation import Ground
from kanpde.expression import Binary, Name, Number, Tree
from kanpde.geometries.gauss import gauss
from kanpde.integrals import IntegralConstraint
from kanpde.measurements import measurements
from kanpde.network import DenseLayer, Network
from kanpde.operators import Scene, expand
from kanpde.point_values import PointConstraint
from kanpde.problem import Row
from kanpde.regional import box_of
from kanpde.samplers import place, sobol
from kanpde.separable import ProductLayer
from kanpde.spec import Spec
from kanpde.splines import Spline
from kanpde.trial import Branch

NODES = {1: 64, 2: 32, 3: 12, 4: 8}  # of Gauss's along each coordinate, by dimension
IN_REGIONS = {1: 64, 2: 16, 3: 8}  # in each cell
SCATTERED = 2**13  # points for integrals in more dimensions
DEGREE, INTERVALS = 5, {1: 12, 2: 6, 3: 4}  # of the splines of which a fitted function is made, by its coordinates

DEVIATION = "..sigma"  # after the name of a data set: what is attached to its readings, no name of a field

Asked = tuple[str, Where, tuple[Row, ...]]


def constrained(spec: Spec, scene: Scene) -> Iterator[Asked]:
    """Each constraint as a row that must vanish, and where."""
    nodes = None
    for constraint in spec.constraints:
        if isinstance(constraint, PointConstraint):
            left, right = expand(constraint.equation.left, scene), expand(constraint.equation.right, scene)
            point = At(tuple(constraint.point.get(name) for name in spec.box))
            yield constraint.name, point, (Row(constraint.name, Binary("-", left, right)),)
        else:
            nodes = nodes or quadrature(spec)
            yield (
                constraint.name,
                nodes,
                (Row(constraint.name, density(constraint, float(nodes.weights.sum()), scene)),),
            )


def density(constraint: IntegralConstraint, volume: float, scene: Scene) -> Tree:
    """What must be integrated to 0."""
    found: Tree = Number(-constraint.constant / volume)
    if constraint.integrand is not None:
        found = Binary("+", found, expand(constraint.integrand, scene))
    if constraint.mean_integrand is not None:
        mean = expand(constraint.mean_integrand, scene)
        found = Binary("+", found, Binary("/", mean, Number(volume)))
    return found


def quadrature(spec: Spec) -> Over:
    """Nodes and weights for integrals over space: Gauss's, scattered points in more than four dimensions."""
    if spec.region is not None:
        regions = tuple(spec.zones.parts.values()) if spec.zones else (spec.region,)
        found = [region.interior_quadrature(IN_REGIONS[len(region.axes)]) for region in regions]
        nodes, weights = (torch.cat([torch.as_tensor(part) for part in parts], dim=-1) for parts in zip(*found))
        return Over(nodes, weights)
    box = [spec.box[name] for name in spec.spatial]
    volume = float(np.prod([high - low for low, high in box]))
    if len(box) not in NODES:
        points = place(sobol(len(box), SCATTERED, torch.Generator().manual_seed(0)), box, None)
        return Over(points, torch.full((SCATTERED,), volume / SCATTERED, dtype=torch.float64))
    at, share = (torch.as_tensor(part) for part in gauss(NODES[len(box)]))
    nodes = torch.stack(
        [m.flatten() for m in torch.meshgrid(*(low + (high - low) * at for low, high in box), indexing="ij")]
    )
    weights = torch.stack([m.flatten() for m in torch.meshgrid(*[share] * len(box), indexing="ij")]).prod(0)
    return Over(nodes, volume * weights)


def measured(spec: Spec) -> Iterator[Asked]:
    """Each data set as rows, one per field, of which the readings are taken away; and the points of the readings.

    Where the standard deviation of the readings is known, the rows are in units of it. Of data whose file was
    not looked at, as where a problem is read from a result, there are none.
    """
    for data in (one for one in spec.data if one.coordinates):
        found = measurements(data)
        points = torch.stack([torch.as_tensor(found.points[name], dtype=torch.float64) for name in spec.box])
        attached = {f"{data.name}.{name}": tensor(values) for name, values in found.values.items()}
        rows = {name: Binary("-", Name(name), Name(f"{data.name}.{name}")) for name in found.values}
        if found.sigma is not None:
            attached[f"{data.name}{DEVIATION}"] = tensor(found.sigma)
            rows = {name: Binary("/", gap, Name(f"{data.name}{DEVIATION}")) for name, gap in rows.items()}
        named = {name: f"{data.name}.{name}" if len(rows) > 1 else data.name for name in rows}
        yield (
            data.name,
            Fixed(Ground(points, attached=attached)),
            tuple(Row(named[name], gap) for name, gap in rows.items()),
        )


def tensor(values: np.ndarray) -> Tensor:
    """Values in double precision."""
    return torch.as_tensor(values, dtype=torch.float64)


def branch_of(spec: Spec, network: Network, unknowns: tuple[str, ...]) -> Branch:
    """A network in its place: what is fitted begins with its first guess and depends on its own coordinates."""
    fitted = spec.fitted.get(unknowns[0])
    if fitted is None:
        return Branch(network, unknowns, box=box_of(spec, unknowns[0]))
    return Branch(network, unknowns, tuple(map(tuple(spec.box).index, fitted.of)), fitted.start)


def missing(spec: Spec, networks: Sequence[tuple[Network, tuple[str, ...]]]) -> list[Branch]:
    """Networks for what is fitted, unless they are there: a constant, or splines of few intervals."""
    present = {name for _, unknowns in networks for name in unknowns}
    return [
        branch_of(spec, fitted_network(len(fitted.of)), (name,))
        for name, fitted in spec.fitted.items()
        if name not in present
    ]


def fitted_network(coordinates: int) -> Network:
    """A constant, or products of splines of some coordinates, mapped to [−1, 1]."""
    if not coordinates:
        return Network((DenseLayer(0, 1),))
    breaks = torch.linspace(-1, 1, INTERVALS[coordinates] + 1, dtype=torch.float64)
    return Network((ProductLayer((Spline(DEGREE, breaks, DEGREE - 1),) * coordinates, 1),))
