"""Whether initial data determine a solution: short waves must not grow the faster the shorter they are (Petrowsky)."""

from __future__ import annotations

from itertools import permutations
from math import pi, prod
from typing import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.jet import Index, Jet, closure
from kanpde.points import draw
from kanpde.problem import Block, Problem, residual_rows

POINTS, DIRECTIONS = 100, 16
WAVES = (100, 400, 1600)  # along the domain, each so much shorter than the one before that growth shows
FASTER = 1.5  # times, of a rate that does not stay bounded: it doubles where it goes with the square root
UPWARD, ROUNDING = 1e-5, 1e-10  # of a rate's own size, and of the largest one: a real part that is no rounding
OFTEN = 0.01  # of the points
ABSENT = 1e-10  # of the sum of the sizes of its terms: a coefficient that cancels
MOST = 5  # unknowns: a determinant of n has n! terms

Slopes = Mapping[Index, Tensor]


def grows(problem: Problem, theta: Tensor, seed: int) -> bool:
    """Whether the equations of a region amplify waves without bound, linearised about the trial solution.

    With (u, v, …) = c·exp(λt + ik·x), coefficients frozen at a point, they say P(λ, ik) c = 0; so det P(λ, ik) = 0.
    """
    if "t" not in problem.trial.scope.coordinates:
        return False
    return any(amplifies(problem, theta, block, seed) for block in problem.blocks if block.inside)


def amplifies(problem: Problem, theta: Tensor, block: Block, seed: int) -> bool:
    """Whether the rates of growth at some points go on growing, from waves of one length to those of the next."""
    time, unknowns = problem.trial.scope.coordinates.index("t"), sought(block)
    if not 0 < len(unknowns) <= MOST:
        return False
    ground = draw(problem, block, POINTS, torch.Generator().manual_seed(seed + 999)).to(theta)
    slopes = coefficients(problem, theta, block, ground, unknowns)
    directions = waves(problem.trial.box, time, seed)
    before, growing = torch.zeros(()), torch.ones((), dtype=torch.bool)
    for number in WAVES:
        now = rates([[symbol(one, time, number * directions) for one in row] for row in slopes])
        growing = growing & (now > FASTER * before)
        before = now
    return bool((growing.double().mean(0) > OFTEN).any())


def sought(block: Block) -> tuple[str, ...]:
    """The unknowns of as many equations: all that are in them, or else all that are differentiated; none otherwise."""
    moving = tuple(name for name, wanted in block.needed.items() if any(map(any, wanted)))
    return next((names for names in (tuple(block.needed), moving) if len(names) == len(block.rows)), ())


def coefficients(
    problem: Problem, theta: Tensor, block: Block, ground: Ground, unknowns: Sequence[str]
) -> list[list[Slopes]]:
    """The derivatives [N] of each equation by the derivatives of each unknown that are in it."""
    fields, _ = problem.trial.fields(theta, ground, {n: closure(w) for n, w in block.needed.items()})
    count = ground.points.shape[1]
    free = {
        name: {alpha: torch.as_tensor(value).detach().expand(count).clone().requires_grad_()
               for alpha, value in jet.terms.items()}
        for name, jet in fields.items()
    }  # fmt: skip
    jets = {name: Jet(terms, fields[name].indices) for name, terms in free.items()}
    places = [(name, alpha) for name in unknowns for alpha in free[name]]
    found = []
    for row in residual_rows(problem.trial, block, ground, jets):
        own: dict[str, dict[Index, Tensor]] = {name: {} for name in unknowns}
        terms = [free[name][alpha] for name, alpha in places]
        slopes = torch.autograd.grad(row.sum(), terms, retain_graph=True, allow_unused=True)
        for (name, alpha), slope in zip(places, slopes):
            if slope is not None and bool(slope.any()):
                own[name][alpha] = slope.double().cpu()
        found.append([own[name] for name in unknowns])
    return found


def waves(box: Sequence[tuple[float, float]], time: int, seed: int) -> Tensor:
    """Wave vectors [16, d] of one wave along the domain, in the coordinates of space."""
    found = torch.randn(DIRECTIONS, len(box), generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    found[:, time] = 0.0
    return 2 * pi * found / found.norm(dim=1, keepdim=True) / torch.tensor([high - low for low, high in box])


def symbol(slopes: Slopes, time: int, directions: Tensor) -> Tensor:
    """An entry of P(λ, ik): its coefficients [p + 1, N, K] by powers of λ, for K wave vectors k."""
    points = next((len(slope) for slope in slopes.values()), 1)
    powers = 1 + max((alpha[time] for alpha in slopes), default=0)
    found = torch.zeros(powers, points, len(directions), dtype=torch.complex128)
    for alpha, slope in slopes.items():
        factors = [(1j * directions[:, axis]) ** power for axis, power in enumerate(alpha) if power and axis != time]
        found[alpha[time]] += slope[:, None] * prod(factors)
    return found


def rates(matrix: Sequence[Sequence[Tensor]]) -> Tensor:
    """The largest rate of growth [N, K], 0 where there is none, of a matrix of polynomials in λ."""
    total, sizes = determinant(matrix)
    there = total.abs() > ABSENT * sizes
    powers = [power for power in range(1, len(total)) if bool(there[power].any())]
    if not powers:
        return torch.zeros(total.shape[1:], dtype=torch.float64)
    last = powers[-1]
    sound = there[last]
    scaled = torch.where(sound, total[:last] / torch.where(sound, total[last], 1.0), 0.0)
    companion = torch.zeros(*scaled.shape[1:], last, last, dtype=torch.complex128)
    companion[..., range(1, last), range(last - 1)] = 1.0
    companion[..., :, -1] = -scaled.movedim(0, -1)
    roots = torch.linalg.eigvals(companion)
    upward = (roots.real > UPWARD * roots.abs()) & (roots.real > ROUNDING * roots.abs().amax(-1, keepdim=True))
    return torch.where(upward, roots.real, 0.0).amax(-1)


def determinant(matrix: Sequence[Sequence[Tensor]]) -> tuple[Tensor, Tensor]:
    """The coefficients of the determinant of a matrix of polynomials, and the sums of the sizes of their terms."""
    terms, signs = [], []
    for order in permutations(range(len(matrix))):
        entries = [matrix[row][column] for row, column in enumerate(order)]
        if all(bool(entry.any()) for entry in entries):
            terms.append(product(entries))
            signs.append(-1.0 if sum(a > b for k, a in enumerate(order) for b in order[k + 1 :]) % 2 else 1.0)
    degree = max((len(term) for term in terms), default=1)
    shape = np.broadcast_shapes(*(entry.shape[1:] for row in matrix for entry in row))
    total = torch.zeros(degree, *shape, dtype=torch.complex128)
    sizes = torch.zeros(degree, *shape, dtype=torch.float64)
    for sign, term in zip(signs, terms):
        total[: len(term)] += sign * term
        sizes[: len(term)] += term.abs()
    return total, sizes


def product(factors: Sequence[Tensor]) -> Tensor:
    """The product of polynomials, whose coefficients [p, …] are in the order of powers."""
    found, *others = factors
    for other in others:
        shape = np.broadcast_shapes(found.shape[1:], other.shape[1:])
        longer = torch.zeros(len(found) + len(other) - 1, *shape, dtype=found.dtype)
        for power, coefficient in enumerate(other):
            longer[power : power + len(found)] += coefficient * found
        found = longer
    return found
