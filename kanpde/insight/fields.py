"""Samples of a trained solution, and candidate formulas for each of its fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations_with_replacement
from typing import Callable, Iterator, Sequence

import numpy as np
import torch

from kanpde.evaluation import Scope
from kanpde.insight.circles import inner_box
from kanpde.insight.composed import composed
from kanpde.insight.edgewise import ReadNetwork, read_networks
from kanpde.insight.formula import Formula, constant, field_values
from kanpde.insight.least_squares import minimised
from kanpde.insight.reduction import directions, two_directions
from kanpde.insight.similarity import powers, radial, similar
from kanpde.insight.structure import read
from kanpde.insight.symmetry import Sampled, Structure, edges, exchanges, mirrors, products
from kanpde.solution import Solution, unknown_values
from kanpde.tree import Derivative, Name, Number
from kanpde.truth import measuring_points

SIDES = {1: 257, 2: 65, 3: 25, 4: 13}  # samples along each coordinate, by dimension
FEW = 2000  # points at which structure is looked for
SLOPES = 1e3  # times a tolerance: by how much slopes may be less accurate than values

Detector = Callable[[Sampled, float], Iterator[Structure]]
FIRST: Sequence[Detector] = (directions,)
FURTHER: Sequence[Detector] = (*FIRST, two_directions, radial, similar, powers, mirrors, exchanges)
EDGES: Sequence[Detector] = (edges,)
ALL: Sequence[Detector] = (products, *FURTHER)


@dataclass(frozen=True)
class Candidate:
    """A formula for one field and its relative distance from the trained field."""

    formula: Formula
    error: float


@dataclass(frozen=True)
class Samples:
    """A trained solution on a tensor grid over its box, and at the points at which errors are measured."""

    solution: Solution
    known: dict[str, Sampled] = field(default_factory=dict)
    readings: dict[tuple[str, float], list[Formula]] = field(default_factory=dict)

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The coordinates of the problem."""
        return tuple(self.solution.spec.box)

    @cached_property
    def box(self) -> dict[str, tuple[float, float]]:
        """The box in which fields are read: all of the domain, or a part of it."""
        return inner_box(self.solution.spec)

    @property
    def names(self) -> tuple[str, ...]:
        """The unknowns and all that is fitted."""
        return (*self.solution.spec.unknowns, *self.solution.spec.fitted)

    @cached_property
    def axes(self) -> dict[str, np.ndarray]:
        """The samples along each coordinate."""
        side = SIDES[len(self.coordinates)]
        return {name: np.linspace(low, high, side) for name, (low, high) in self.box.items()}

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Every field on the grid."""
        mesh = np.meshgrid(*self.axes.values(), indexing="ij")
        points = torch.as_tensor(np.stack([m.ravel() for m in mesh]))
        return {name: field.reshape(mesh[0].shape) for name, field in self.at(points).items()}

    @cached_property
    def measured(self) -> tuple[torch.Tensor, dict[str, np.ndarray]]:
        """Points [d, M] and every field at them."""
        points = measuring_points(tuple(self.solution.spec.box.values()))
        if self.solution.spec.region is not None:
            points = points[:, self.solution.problem.domain.contains(points)]
        return points, self.at(points)

    @cached_property
    def level(self) -> float:
        """The size of the largest of the unknowns."""
        return max(float(np.sqrt(np.mean(self.values[name] ** 2))) for name in self.solution.spec.unknowns)

    def at(self, points: torch.Tensor) -> dict[str, np.ndarray]:
        """Every field at points [d, M]."""
        found = unknown_values(self.solution.problem, self.solution.theta, self.names, points)
        return {name: field.numpy() for name, field in found.items()}

    def candidates(self, name: str, tolerance: float, kinds: Sequence[Detector] = FIRST) -> list[Candidate]:
        """Formulas for one field, the simplest first: those from its values, and from what it is like."""
        fitted = self.solution.spec.fitted.get(name)
        if fitted is not None and not fitted.of:
            return [Candidate(Formula(constant(0), (float(self.values[name].flat[0]),)), 0.0)]
        values = self.values[name]
        if np.sqrt(np.mean(values**2)) <= tolerance * self.level:
            return [Candidate(Formula(Number(0.0), ()), self.error(name, Formula(Number(0.0), ())))]
        alike = self.structures(name, SLOPES * tolerance, kinds)
        found = [f for one in alike for f in one.formulas(tolerance)]
        if kinds is not EDGES or not found:
            found += self.read(name, tolerance)
        ranked = sorted(found, key=lambda formula: formula.complexity)
        return [Candidate(formula, self.error(name, formula)) for formula in ranked]

    def read(self, name: str, tolerance: float) -> list[Formula]:
        """Formulas of a field's values as they are, looked for once."""
        if (name, tolerance) not in self.readings:
            self.readings[name, tolerance] = read(self.values[name], self.axes, tolerance)
        return self.readings[name, tolerance]

    def error(self, name: str, formula: Formula) -> float:
        """The relative L2 distance of a formula from a trained field."""
        points, fields = self.measured
        scope = Scope(self.coordinates, (), {})
        with np.errstate(all="ignore"):
            return distance(field_values(formula.tree, np.array(formula.values), scope, points), fields[name])

    def sampled(self, name: str) -> Sampled:
        """A field with its first derivatives at some of the points, in two coordinates also with the second ones."""
        if name not in self.known:
            points, fields = self.measured
            low, high = torch.tensor(list(self.box.values()), dtype=torch.float64).T[:, :, None]
            here = ((points >= low) & (points <= high)).all(0).nonzero()[:, 0]
            every = here[:: max(1, len(here) // FEW)]
            chosen = points[:, every].contiguous()
            orders = [(a,) for a in self.coordinates]
            pairs = list(combinations_with_replacement(self.coordinates, 2)) if len(orders) == 2 else []
            trees = {"_".join(axes): Derivative(Name(name), axes) for axes in (*orders, *pairs)}
            made = {key: values.numpy() for key, values in self.solution.formulas(trees, chosen).items()}
            slopes = np.stack([made[name] for name in self.coordinates])
            bends = {pair: made["_".join(pair)] for pair in pairs}

            def at(points: np.ndarray) -> np.ndarray:
                flat = torch.as_tensor(points.reshape(len(points), -1).copy())
                return self.at(flat)[name].reshape(points.shape[1:])

            self.known[name] = Sampled(
                self.box, self.axes, self.values[name], chosen.numpy(), fields[name][every],
                slopes, bends, at, lambda: self.by_edges(name),
            )  # fmt: skip
        return self.known[name]

    @cached_property
    def networks(self) -> list[ReadNetwork]:
        """Its networks read edge by edge, as far as they consist of few edges."""
        return read_networks(self.solution)

    def by_edges(self, name: str) -> list[Formula]:
        """The functions on the edges of a field's network put together, their constants fitted to the field."""
        made = [composed(network, self.solution.problem.trial) for network in self.networks]
        formula = next((own[name] for own in made if name in own), None)
        if formula is None:
            return []
        known, scope = self.sampled(name), Scope(self.coordinates, (), {})
        points, size = torch.as_tensor(known.points), float(np.linalg.norm(known.values))

        def missed(values: np.ndarray) -> np.ndarray:
            return (field_values(formula.tree, values, scope, points) - known.values) / size

        with np.errstate(all="ignore"):
            return [Formula(formula.tree, tuple(map(float, minimised(missed, np.array(formula.values)))))]

    def structures(self, name: str, tolerance: float, kinds: Sequence[Detector]) -> list[Structure]:
        """What a field is like; nothing is said of what is fitted."""
        if name in self.solution.spec.fitted:
            return []
        field = self.sampled(name)
        if not np.isfinite(field.slopes).all():
            return []
        with np.errstate(all="ignore"):
            return [structure for kind in kinds for structure in kind(field, tolerance)]


def distance(found: np.ndarray, known: np.ndarray) -> float:
    """The relative L2 distance; infinite where the one is not finite."""
    if not np.isfinite(found).all():
        return float("inf")
    norm = float(np.linalg.norm(known))
    return float(np.linalg.norm(found - known)) / (norm if norm > 0 else 1.0)
