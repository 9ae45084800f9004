"""The problem as formulas are measured by it: stated without its known solution, every condition a residual."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Mapping

import numpy as np
import torch

from kanpde.build import assemble
from kanpde.evaluation import Ground, as_jet, evaluate
from kanpde.expression import free_names
from kanpde.insight.formula import attached
from kanpde.jet import Indices, Jet
from kanpde.points import draw
from kanpde.problem import Block, Problem
from kanpde.spec import Spec
from kanpde.tree import Binary, Negative, Tree
from kanpde.trial import no_unknowns

INTERIOR, FACE = 200, 40  # points
FAINT = 1e-3  # of the fields: terms of an equation smaller than this are no scale of their own
SEED = 7


def stripped(spec: Spec) -> Spec:
    """The problem without what is known of its solution, and without definitions that only that uses."""
    equations = [*spec.equations, *(c.equation for c in (*spec.initial, *spec.boundary))]
    formulas = [side for equation in equations for side in (equation.left, equation.right)]
    formulas += [formula for constraint in spec.constraints for formula in constraint.formulas]
    used = {name for formula in formulas for name in free_names(formula)}
    for name in reversed(tuple(spec.definitions)):
        if name in used:
            used |= free_names(spec.definitions[name])
    kept = {name: tree for name, tree in spec.definitions.items() if name in used}
    return replace(spec, exact={}, reference=None, definitions=kept)


@dataclass(frozen=True)
class Statement:
    """The equations and all conditions of a problem at points, and what their residuals are measured in."""

    spec: Spec
    problem: Problem
    grounds: tuple[tuple[Block, Ground], ...]

    def residuals(self, trees: Mapping[str, Tree], values: np.ndarray, scales: Mapping[str, float]) -> np.ndarray:
        """All residuals in units of their scales, over the square root of the number of points."""
        found = []
        for block, ground in self.grounds:
            rows = [row.formula for row in block.rows]
            for row, got in zip(block.rows, self.evaluated(rows, trees, values, ground)):
                got = ground.gathered(got).numpy()
                found.append(got / (scales[row.name] * np.sqrt(len(got))))
        return np.concatenate(found)

    def evaluated(
        self, formulas: list[Tree], trees: Mapping[str, Tree], values: np.ndarray, ground: Ground
    ) -> list[torch.Tensor]:
        """Formulas of the unknowns, with trees for these, at points."""
        here, scope = attached(values, ground), self.problem.trial.scope
        zero: Indices = frozenset({(0,) * len(self.spec.box)})

        def field(name: str, wanted: Indices) -> Jet:
            return as_jet(evaluate(trees[name], wanted, scope, here, no_unknowns), wanted, here)

        return [
            torch.as_tensor(as_jet(evaluate(tree, zero, scope, here, field), zero, here).value) for tree in formulas
        ]

    def scales(self, trees: Mapping[str, Tree], values: np.ndarray) -> dict[str, float]:
        """The size of each row's largest term, or where that is nothing, of the fields."""
        found = {}
        inside = self.grounds[0][1]
        level = max(rms(v) for v in self.evaluated([trees[n] for n in trees], trees, values, inside)) or 1.0
        for block, ground in self.grounds:
            for row in block.rows:
                sizes = [rms(v) for v in self.evaluated(terms(row.formula), trees, values, ground)]
                found[row.name] = max(FAINT * level if block.inside else level, *sizes)
        return found


def statement(spec: Spec) -> Statement:
    """A problem at fixed points, with nothing built in."""
    problem = assemble(replace(spec, enforce="soft"), ())
    generator = torch.Generator().manual_seed(SEED)
    pairs = tuple((b, draw(problem, b, INTERIOR if b.inside else FACE, generator)) for b in problem.blocks)
    return Statement(spec, problem, pairs)


def terms(tree: Tree) -> list[Tree]:
    """The terms of a sum."""
    if isinstance(tree, Binary) and tree.operator in "+-":
        return [*terms(tree.left), *terms(tree.right)]
    return terms(tree.argument) if isinstance(tree, Negative) else [tree]


def rms(values: torch.Tensor) -> float:
    """The root of the mean square."""
    return float(values.double().square().mean().sqrt())
