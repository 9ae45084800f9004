"""Residuals on fresh points, measured against the sizes of their own terms."""

from __future__ import annotations

from dataclasses import replace
from math import hypot, sqrt
from typing import Mapping, Sequence

import torch
from torch import Tensor

from kanpde.domain import Fixed
from kanpde.evaluation import Ground, as_jet
from kanpde.functions import UNIVARIATE
from kanpde.jet import Indices, Jet, Term, closure, constant
from kanpde.points import draw
from kanpde.problem import Block, Problem, Row, residual_rows
from kanpde.tree import Binary, Negative, Tree

INTERIOR, FACE = 400, 100  # fresh points
NOTHING = 1e-6  # the size of fields that are taken for zero
LITTLE = 1e-6  # of a constant: a large one must not make equations of derivatives look solved
STILL = 1e-2  # of the terms of a field that varies once across the domain: smaller terms are no scale of their own


def relative_residual(problem: Problem, theta: Tensor, seed: int) -> float:
    """The root of the sum of squares of all rows' relative residuals."""
    return sqrt(sum(size**2 for size in relative_residuals(problem, theta, seed).values()))


def relative_residuals(problem: Problem, theta: Tensor, seed: int) -> dict[str, float]:
    """Each row's root mean square over that of its largest term, by name.

    A condition is measured against the size of the unknowns inside as well, so that `u = 0` has a scale; an equation
    against the terms it has for gentle fields of the unknowns' sizes, so that `lap(u) = 0` has one where u is linear.
    The measure does not depend on how equations are scaled, nor on the coefficients of the trial solution. Readings
    scatter and do not count.
    """
    generator, level = torch.Generator().manual_seed(seed + 999), 0.0
    zero, relative = frozenset({(0,) * len(problem.trial.box)}), {}
    for block in problem.blocks:
        if isinstance(block.face, Fixed):
            continue
        ground = draw(problem, block, INTERIOR if block.inside else FACE, generator).to(theta)
        with torch.no_grad():
            needed = {name: wanted | zero for name, wanted in block.needed.items()}
            fields, _ = problem.trial.fields(theta, ground, needed)
            found = [rms_of(ground, row) for row in residual_rows(problem.trial, block, ground, fields)]
            scales = [largest_term(problem, block, row, ground, fields) for row in block.rows]
            floors = [level] * len(block.rows)
            if block.inside:
                level = max([level, *(root_mean_square(jet.value) for jet in fields.values())])
                gentle = gentle_fields(problem, ground, needed, fields)
                floors = [STILL * largest_term(problem, block, row, ground, gentle) for row in block.rows]
        for row, size, scale, floor in zip(block.rows, found, scales, floors):
            relative[row.name] = hypot(relative.get(row.name, 0.0), size / max(scale, floor, 1e-300))
    return relative


def vanishes(problem: Problem, theta: Tensor, seed: int) -> bool:
    """Whether all unknowns are next to nothing, and nothing at all would solve the problem as well."""
    generator = torch.Generator().manual_seed(seed + 999)
    for block in problem.blocks:
        ground = draw(problem, block, FACE, generator).to(theta)
        with torch.no_grad():
            fields, _ = problem.trial.fields(theta, ground, block.needed)
            if any(root_mean_square(jet.value) > NOTHING for jet in fields.values()):
                return False
            nothing = {name: constant(0.0, closure(wanted)) for name, wanted in block.needed.items()}
            if any(bool(row.any()) for row in residual_rows(problem.trial, block, ground, nothing)):
                return False
    return True


def gentle_fields(
    problem: Problem, ground: Ground, needed: Mapping[str, Indices], fields: Mapping[str, Jet]
) -> dict[str, Jet]:
    """Fields that vary once or so across the domain, as much as the given ones or, if those are constant, a little."""
    smooth = smooth_fields(problem.trial.box, ground, needed)
    return {name: jet * variation(fields[name].value) for name, jet in smooth.items()}


def variation(values: Term) -> float:
    """The standard deviation of values, no less than a little of their size."""
    values = torch.as_tensor(values)
    return root_mean_square(values - values.mean()) + LITTLE * root_mean_square(values)


def smooth_fields(box: Sequence[tuple[float, float]], ground: Ground, needed: Mapping[str, Indices]) -> dict[str, Jet]:
    """The derivatives of a field between 1 and 2 that varies once or so across the domain."""
    found = {}
    for name, wanted in needed.items():
        wanted = closure(wanted)
        phase = constant(0.3, wanted)
        for axis, (low, high) in enumerate(box):
            phase = phase + (ground.coordinate(axis, wanted) - low) * (3 / (high - low))
        found[name] = as_jet(UNIVARIATE["sin"](phase) * 0.5 + 1.5, wanted, ground)
    return found


def root_mean_square(values: Term) -> float:
    """√ mean v²."""
    return float(torch.as_tensor(values).square().mean().sqrt())


def largest_term(problem: Problem, block: Block, row: Row, ground: Ground, fields: Mapping[str, Jet]) -> float:
    """The root mean square of the largest of the terms whose sum a residual is."""
    parts = replace(block, rows=tuple(Row(str(k), term) for k, term in enumerate(terms(row.formula))))
    return max(rms_of(ground, row.abs()) for row in residual_rows(problem.trial, parts, ground, fields))


def rms_of(ground: Ground, row: Tensor) -> float:
    """The root mean square of the residuals that values [N] at points make."""
    return root_mean_square(ground.gathered(row))


def terms(tree: Tree) -> list[Tree]:
    """A sum taken apart."""
    if isinstance(tree, Binary) and tree.operator in "+-":
        return terms(tree.left) + terms(tree.right)
    return terms(tree.argument) if isinstance(tree, Negative) else [tree]
