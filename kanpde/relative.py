"""Residuals on fresh points, measured against the sizes of their own terms."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from typing import Mapping

import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.jet import Jet
from kanpde.points import draw
from kanpde.problem import Block, Problem, Row, residual_rows
from kanpde.tree import Binary, Negative, Tree

INTERIOR, FACE = 400, 100  # fresh points


def relative_residual(problem: Problem, theta: Tensor, seed: int) -> float:
    """Each row's root mean square over that of its largest term, root of the sum of squares over the rows.

    A condition is measured against the size of the unknowns inside as well, so that `u = 0` has a scale. The
    measure does not depend on how equations are scaled, nor on the coefficients of the trial solution.
    """
    generator, total, level = torch.Generator().manual_seed(seed + 999), 0.0, 0.0
    for block in problem.blocks:
        ground = Ground(draw(problem, block, INTERIOR if block.face is None else FACE, generator).to(theta))
        with torch.no_grad():
            fields, _ = problem.trial.fields(theta, ground, block.needed)
            found = [root_mean_square(row) for row in residual_rows(problem.trial, block, ground, fields)]
            scales = [largest_term(problem, block, row, ground, fields) for row in block.rows]
        if block.face is None:
            level = magnitude(fields)
        floor = 1e-300 if block.face is None else max(level, 1e-300)
        total += sum((r / max(scale, floor)) ** 2 for r, scale in zip(found, scales))
    return sqrt(total)


def magnitude(fields: Mapping[str, Jet]) -> float:
    """The largest of the unknowns' own sizes, 0 where only derivatives are known."""
    values = [jet.terms[a] for jet in fields.values() for a in jet.terms if not any(a)]
    return max(map(root_mean_square, values), default=0.0)  # type: ignore[arg-type]


def root_mean_square(values: Tensor) -> float:
    """√ mean v²."""
    return float(torch.as_tensor(values).square().mean().sqrt())


def largest_term(problem: Problem, block: Block, row: Row, ground: Ground, fields: Mapping[str, Jet]) -> float:
    """The root mean square of the largest of the terms whose sum a residual is."""
    parts = replace(block, rows=tuple(Row(str(k), term) for k, term in enumerate(terms(row.formula))))
    return max(map(root_mean_square, residual_rows(problem.trial, parts, ground, fields)))


def terms(tree: Tree) -> list[Tree]:
    """A sum taken apart."""
    if isinstance(tree, Binary) and tree.operator in "+-":
        return terms(tree.left) + terms(tree.right)
    return terms(tree.argument) if isinstance(tree, Negative) else [tree]
