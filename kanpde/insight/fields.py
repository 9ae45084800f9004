"""Samples of a trained solution, and candidate formulas for each of its fields."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from kanpde.evaluation import Scope
from kanpde.insight.formula import Formula, constant, field_values
from kanpde.insight.structure import read, ridge
from kanpde.solution import Solution, unknown_values
from kanpde.tree import Derivative, Name, Number
from kanpde.truth import measuring_points

SIDES = {1: 257, 2: 65, 3: 25, 4: 13}  # samples along each coordinate, by dimension


@dataclass(frozen=True)
class Candidate:
    """A formula for one field and its relative distance from the trained field."""

    formula: Formula
    error: float


@dataclass(frozen=True)
class Samples:
    """A trained solution on a tensor grid over its box, and at the points at which errors are measured."""

    solution: Solution

    @property
    def coordinates(self) -> tuple[str, ...]:
        """The coordinates of the problem."""
        return tuple(self.solution.spec.box)

    @property
    def names(self) -> tuple[str, ...]:
        """The unknowns and all that is fitted."""
        return (*self.solution.spec.unknowns, *self.solution.spec.fitted)

    @cached_property
    def axes(self) -> dict[str, np.ndarray]:
        """The samples along each coordinate."""
        side = SIDES[len(self.coordinates)]
        return {name: np.linspace(low, high, side) for name, (low, high) in self.solution.spec.box.items()}

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
        return points, self.at(points)

    @cached_property
    def level(self) -> float:
        """The size of the largest of the unknowns."""
        return max(float(np.sqrt(np.mean(self.values[name] ** 2))) for name in self.solution.spec.unknowns)

    def at(self, points: torch.Tensor) -> dict[str, np.ndarray]:
        """Every field at points [d, M]."""
        found = unknown_values(self.solution.problem, self.solution.theta, self.names, points)
        return {name: field.numpy() for name, field in found.items()}

    def candidates(self, name: str, tolerance: float) -> list[Candidate]:
        """Formulas for one field, the simplest first."""
        fitted = self.solution.spec.fitted.get(name)
        if fitted is not None and not fitted.of:
            return [Candidate(Formula(constant(0), (float(self.values[name].flat[0]),)), 0.0)]
        values = self.values[name]
        if np.sqrt(np.mean(values**2)) <= tolerance * self.level:
            return [Candidate(Formula(Number(0.0), ()), self.error(name, Formula(Number(0.0), ())))]
        found = [*self.ridges(name, tolerance), *read(values, self.axes, tolerance)]
        ranked = sorted(found, key=lambda formula: formula.complexity)
        return [Candidate(formula, self.error(name, formula)) for formula in ranked]

    def error(self, name: str, formula: Formula) -> float:
        """The relative L2 distance of a formula from a trained field."""
        points, fields = self.measured
        scope = Scope(self.coordinates, (), {})
        with np.errstate(all="ignore"):
            return distance(field_values(formula.tree, np.array(formula.values), scope, points), fields[name])

    def ridges(self, name: str, tolerance: float) -> list[Formula]:
        """Formulas in x − c t, where the field is a function of that alone."""
        if len(self.coordinates) != 2 or name in self.solution.spec.fitted:
            return []
        first, second = self.coordinates
        points, fields = self.measured
        slopes = self.solution.formulas({a: Derivative(Name(name), (a,)) for a in (first, second)}, points)
        pair = np.stack([slopes[first].numpy(), slopes[second].numpy()])
        if not np.isfinite(pair).all() or not pair[0].any():
            return []
        speed = float(pair[0] @ pair[1] / (pair[0] @ pair[0]))
        if abs(speed) < 1e-6 or np.linalg.norm(pair[1] - speed * pair[0]) > 1e3 * tolerance * np.linalg.norm(pair[1]):
            return []
        (low, high), (start, stop) = self.solution.spec.box.values()
        ends = (start, stop) if speed > 0 else (stop, start)
        xi = np.linspace(low + speed * ends[0], high + speed * ends[1], SIDES[1])
        x, t = np.linspace(low, high, SIDES[1]), np.linspace(*ends, SIDES[1])
        line = self.at(torch.as_tensor(np.stack([x, t])))[name]
        return [ridge(first, second, speed)(formula) for formula in read(line, {first: xi}, tolerance)]


def distance(found: np.ndarray, known: np.ndarray) -> float:
    """The relative L2 distance; infinite where the one is not finite."""
    if not np.isfinite(found).all():
        return float("inf")
    norm = float(np.linalg.norm(known))
    return float(np.linalg.norm(found - known)) / (norm if norm > 0 else 1.0)
