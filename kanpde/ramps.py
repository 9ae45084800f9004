"""Ramps first: a wide layer of fixed random slopes, whose sine edges are then fitted by least squares."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import gamma, pi
from typing import Callable, Iterator, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.architecture import described
from kanpde.bases import Sine
from kanpde.build import assemble
from kanpde.domain import Inside
from kanpde.enrichment import enrichment
from kanpde.evaluation import Ground
from kanpde.journal import Journal
from kanpde.network import DenseLayer, KanLayer, Network
from kanpde.objective import Residuals, residuals_of
from kanpde.optimisers.least_squares import least_squares, triangle
from kanpde.optimisers.orthogonal import Orthogonal
from kanpde.piecewise import home
from kanpde.points import balance, counts, draw, row_sizes, samples
from kanpde.problem import Block, Problem, Row, read_outs
from kanpde.regional import families
from kanpde.relative import relative_residual
from kanpde.samplers import edged, sobol
from kanpde.shared import shared
from kanpde.spec import Spec
from kanpde.tree import Name
from kanpde.trial import Branch

BLANK = Journal()

FEW, MANY = 2.0, 4.0  # points for each ramp
LATTICE = 6  # coordinates, all of them periodic, up to which waves are taken in order
BLUR = 0.1  # of their lengths then


@dataclass(frozen=True)
class Ramps:
    """A number of ridges and the standard deviation of their slopes along each (mapped) coordinate."""

    width: int
    slopes: tuple[float, ...]


def ramps_problem(spec: Spec, width: int) -> Problem:
    """The problem with a network [d, width, unknowns] in each region: affine ramps, then one sine per edge.

    Singular functions are added to it.
    """
    first = DenseLayer(len(spec.box), width)
    networks = [(Network((first, KanLayer(Sine(1), width, len(family)))), family) for family in families(spec)]
    return assemble(spec, [*networks, *enrichment(spec)])


def ramped(branch: Branch) -> bool:
    """Whether a branch is a layer of ramps with one of edges."""
    first, *others = branch.network.layers
    return isinstance(first, DenseLayer) and len(others) == 1


def layout(problem: Problem) -> str:
    """The layers of ramps and edges in words."""
    count, text = sum(map(ramped, problem.trial.branches)), described(problem.trial.branches[0].network)
    return text if count == 1 else f"{text}, in each of {count} regions"


def widened(problem: Problem, width: int) -> Problem:
    """The same problem with another number of ridges."""
    branches = tuple(wider(branch, width) if ramped(branch) else branch for branch in problem.trial.branches)
    return replace(problem, trial=replace(problem.trial, branches=branches))


def wider(branch: Branch, width: int) -> Branch:
    """The same branch with another number of ridges."""
    first, last = branch.network.layers
    return replace(branch, network=Network((replace(first, outputs=width), replace(last, inputs=width))))


def start(problem: Problem, ramps: Ramps, seed: int) -> Tensor:
    """Ridges for every layer of ramps, with zero read-outs; all else is as it starts."""
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for branch in problem.trial.branches:
        found = torch.full((branch.network.size,), branch.start, dtype=torch.float64)
        if ramped(branch):
            first = ridges(ramps, problem.trial.periodic, generator)
            found[: len(first)] = first
        parts.append(found)
    return torch.cat(parts)


def ridges(ramps: Ramps, periodic: Sequence[int], generator: torch.Generator) -> Tensor:
    """Normally distributed slopes (by a Sobol sequence), uniform phases, and one constant ridge.

    Along periodic coordinates the slopes are rounded to multiples of π, so that every ridge closes up. Where all
    coordinates are periodic, no wave would be worth a third ridge.
    """
    if len(set(periodic)) == len(ramps.slopes) <= LATTICE:
        return waves(ramps, generator)
    uniform = sobol(len(ramps.slopes), ramps.width, generator).clamp(1e-9, 1 - 1e-9)
    slopes = torch.special.ndtri(uniform) * torch.tensor(ramps.slopes, dtype=torch.float64)[:, None]
    for axis in periodic:
        slopes[axis] = pi * (slopes[axis] / pi).round()
    slopes[:, 0] = 0.0
    phases = 2 * pi * torch.rand(ramps.width, generator=generator, dtype=torch.float64)
    phases[0] = 0.0
    return torch.cat([slopes, phases[None]]).flatten()


def waves(ramps: Ramps, generator: torch.Generator) -> Tensor:
    """All waves that close up along every coordinate, the longest first, in two phases each, and a constant.

    Which is the longest is decided with a little chance, so that two draws do not leave out the same.
    """
    width, dimensions = ramps.width, len(ramps.slopes)
    spread = torch.tensor(ramps.slopes, dtype=torch.float64) / pi
    ball = pi ** (dimensions / 2) / gamma(dimensions / 2 + 1) * float(spread.prod())
    radius = (2 * (width + 1) / ball) ** (1 / dimensions)
    turns = torch.cartesian_prod(*(torch.arange(-n, n + 1.0).double() for n in (radius * spread).ceil().int().tolist()))
    turns = turns.reshape(-1, dimensions)[(turns.numel() // dimensions + 1) // 2 :]  # of two opposite ones, one
    lengths = (turns / spread).norm(dim=1) * (BLUR * torch.randn(len(turns), generator=generator)).exp()
    longest = turns[lengths.argsort()[: width // 2]].T * pi
    phases = 2 * pi * torch.rand(longest.shape[1], generator=generator, dtype=torch.float64)
    found = torch.cat([torch.cat([longest, longest], 1), torch.cat([phases, phases + pi / 2])[None]])
    return torch.cat([found.new_zeros(dimensions + 1, 1), found], 1)[:, :width].flatten()


@dataclass(frozen=True)
class Fit:
    """Ridges with their objective, the read-outs found, and the residual on fresh points relative to its terms."""

    problem: Problem
    ramps: Ramps
    objective: Residuals
    weights: Mapping[str, float]
    theta: Tensor
    loss: float
    held_out: float


def gappy(problem: Problem) -> bool:
    """Whether a few points, evenly spread, would leave gaps, at the edges most of all, that a fit falls into."""
    return len(problem.trial.box) > 2 and not problem.linear


def points_per_ramp(problem: Problem) -> float:
    """How many points inside there are for each ramp."""
    return MANY if gappy(problem) else FEW


def setting(base: Problem, spec: Spec, ramps: Ramps) -> tuple[Problem, Tensor, Residuals, dict[str, float]]:
    """Everything for a fit: the widened problem, its start, the objective over the read-outs and its weights."""
    problem = widened(base, ramps.width)
    theta = start(problem, ramps, spec.training.seed).to(
        device=spec.training.device, dtype=getattr(torch, spec.training.precision)
    )
    number = counts(spec.sampling, len(spec.box), ramps.width, points_per_ramp(problem))

    def objective(weights: Mapping[str, float], generator: torch.Generator) -> Residuals:
        sampler = edged if gappy(problem) else sobol
        drawn = samples(problem, number, weights, generator, theta, adapt=False, sampler=sampler)
        return shared(residuals_of(problem, drawn, theta, read_outs(problem.trial)))

    names = [row.name for block in problem.blocks for row in block.rows]
    if not problem.linear and not spec.fitted and asleep(problem, theta, spec.training.seed):
        plain = objective(dict.fromkeys(names, 1.0), torch.Generator().manual_seed(spec.training.seed))
        theta = plain.whole(pulled(problem, theta, plain, ones).to(theta))
    generator = torch.Generator().manual_seed(spec.training.seed + 1)
    weights = balance(problem, row_sizes(problem, theta, read_outs(problem.trial), generator))
    return problem, theta, objective(weights, generator), weights


def asleep(problem: Problem, theta: Tensor, seed: int) -> bool:
    """Whether some row does not depend on small read-outs at first, as u^4 or u times its slope where u is zero."""
    generator = torch.Generator().manual_seed(seed)
    for block in problem.blocks:
        ground = draw(problem, block, 16, generator).to(theta)
        rows = problem.rows_and_jacobian(block, theta, ground, read_outs(problem.trial))
        if any(not bool(jacobian.abs().max() > 0) for _, jacobian in rows):
            return True
    return False


def ones(block: Block, at: Tensor) -> list[Tensor]:
    """Fields of one."""
    return [at.new_ones(at.shape[1]) for _ in block.rows]


def linear_fit(base: Problem, spec: Spec, ramps: Ramps, near: Fit | None = None, journal: Journal = BLANK) -> Fit:
    """The least-squares read-outs of a linear problem, by one QR factorisation."""
    problem, theta, objective, weights = setting(base, spec, ramps)
    part, loss = journal.once(lambda: solved(objective, theta))
    theta = objective.whole(part.to(theta))
    return Fit(problem, ramps, objective, weights, theta, loss, relative_residual(problem, theta, spec.training.seed))


def solved(objective: Residuals, theta: Tensor) -> tuple[Tensor, float]:
    """The read-outs of least residuals, which are linear in them, and the sum of squares."""
    folded = objective.triangle(theta[objective.mask])
    part = -least_squares(folded)
    return part, float((folded[:, :-1] @ part + folded[:, -1]).square().sum())


def nonlinear_fit(
    base: Problem, spec: Spec, ramps: Ramps, near: Fit | None = None, journal: Journal = BLANK, steps: int = 30
) -> Fit:
    """The read-outs of a nonlinear problem by damped Gauss–Newton steps, from a fit nearby if there is one."""
    problem, theta, objective, weights = setting(base, spec, ramps)
    part, loss = journal.once(lambda: settled(problem, theta, objective, near, steps))
    theta = objective.whole(part.to(theta))
    return Fit(problem, ramps, objective, weights, theta, loss, relative_residual(problem, theta, spec.training.seed))


def settled(
    problem: Problem, theta: Tensor, objective: Residuals, near: Fit | None, steps: int
) -> tuple[Tensor, float]:
    """The read-outs where Gauss–Newton steps end or bring little, and the sum of squares."""
    part, losses = theta[objective.mask], [float("inf")]
    if near is not None:
        part = projected(problem, theta, objective, near)
    for number, step in enumerate(
        Orthogonal(damping=1e-6 if near else 1e-2, falls=1e-2).iterate(lambda: objective, part, {}), start=1
    ):
        part = step.theta
        losses.append(step.loss)
        slow = number > 6 and step.loss > 0.5 * losses[-4]
        if number >= steps or not step.moved or slow:
            break
    return part, losses[-1]


def projected(problem: Problem, theta: Tensor, objective: Residuals, near: Fit) -> Tensor:
    """The read-outs whose fields are nearest to another fit's, in least squares over the interior points."""
    return pulled(problem, theta, objective, lambda block, at: near.problem.residuals(block, near.theta, Ground(at)))


def pulled(
    problem: Problem, theta: Tensor, objective: Residuals, aims: Callable[[Block, Tensor], Sequence[Tensor]]
) -> Tensor:
    """The read-outs whose fields are nearest to given ones [N] at points [d, N], over the interior points."""

    def pieces() -> Iterator[tuple[Tensor, Tensor]]:
        for sample in objective.samples:
            block = values_of(problem, sample.block)
            for ground in sample.chunks if sample.block.inside else ():
                wanted = aims(block, ground.points)
                found = problem.rows_and_jacobian(block, theta, ground, read_outs(problem.trial))
                for (value, jacobian), aim in zip(found, wanted):
                    yield value - aim.detach(), jacobian

    return theta[objective.mask] - least_squares(triangle(pieces()))


def values_of(problem: Problem, block: Block) -> Block:
    """The fields that there are at a block's points."""
    zero = frozenset({(0,) * len(problem.trial.box)})
    zone = block.face.zone if isinstance(block.face, Inside) else ""
    names = [name for name in problem.trial.scope.unknowns if home(name) in ("", zone)]
    return Block("values", block.face, tuple(Row(name, Name(name)) for name in names), dict.fromkeys(names, zero))
