"""What is to be fitted in a problem, as numbers: bounds, functions, and the order of coefficients and rows."""

from __future__ import annotations

from math import inf

import torch
from torch import Tensor

from kanpde.analysis import degree_in_unknowns, survey
from kanpde.elimination import Order
from kanpde.fitting import Sought
from kanpde.problem import Problem, read_outs, trained_sizes
from kanpde.smoothness import Roughness, roughness
from kanpde.spec import Spec
from kanpde.weighing import measures


def task(problem: Problem, spec: Spec, theta: Tensor, alone: int) -> Sought:
    """What is sought, in the order of the trained coefficients: read-outs, then what is fitted."""
    sizes = trained_sizes(problem.trial, read_outs(problem.trial))
    starts = [sum(sizes[:k]) for k in range(len(sizes))]
    kept = [k for k, branch in enumerate(problem.trial.branches) if branch.unknowns[0] in spec.fitted]
    inner = starts[kept[0]]
    low, high, blocks = [], [], []
    functions: list[Roughness] = []
    for k in kept:
        quantity = spec.fitted[problem.trial.branches[k].unknowns[0]]
        bounds = quantity.range or (-inf, inf)
        low.append(torch.full((sizes[k],), bounds[0], dtype=torch.float64))
        high.append(torch.full((sizes[k],), bounds[1], dtype=torch.float64))
        where = slice(starts[k] - inner, starts[k] - inner + sizes[k])
        blocks.append(where)
        if quantity.of:
            functions.append(roughness(problem, theta, k, where))
    count = sum(block.face.ground.count * len(block.rows) for block in problem.blocks if measures(block))
    free = any(data.sigma is None for data in spec.data)
    return Sought(
        Order(inner, alone, count), torch.cat(low), torch.cat(high), tuple(blocks), tuple(functions),
        linear_without_fits(spec), free,
    )  # fmt: skip


def linear_without_fits(spec: Spec) -> bool:
    """Whether everything is affine in the unknowns where what is fitted is known."""
    facts = survey(spec.definitions, spec.unknowns, spec.spatial)
    equations = [*spec.equations, *(c.equation for c in (*spec.initial, *spec.boundary))]
    formulas = [side for equation in equations for side in (equation.left, equation.right)]
    formulas += [formula for constraint in spec.constraints for formula in constraint.formulas]
    return all(degree_in_unknowns(formula, facts) <= 1 for formula in formulas)
