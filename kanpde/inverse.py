"""Ramps whose read-outs are fitted together with unknown constants and functions: inverse and eigenvalue problems."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf, sqrt
from typing import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.analysis import degree_in_unknowns, survey
from kanpde.architecture import described
from kanpde.clock import Clock, State, losses_of
from kanpde.domain import Fixed
from kanpde.doubts import doubted
from kanpde.elimination import eliminated
from kanpde.estimates import Estimates
from kanpde.fitting import Found, Sought, fitted
from kanpde.objective import Residuals
from kanpde.optimisers.orthogonal import Orthogonal
from kanpde.points import row_sizes
from kanpde.problem import Problem, read_outs, trained_sizes
from kanpde.ramps import Fit, Ramps, projected, ramps_problem, setting
from kanpde.relative import relative_residual
from kanpde.search import Aim, search
from kanpde.smoothness import Roughness, roughness
from kanpde.spec import Spec
from kanpde.uncertainty import estimates, root_mean_square

HEAVY = 1e6  # equations and conditions beside readings: what is fitted is biased by a millionth of its error or less
ROUNDS = 6  # of estimates of the readings' standard deviation
STEADY = 1e-3  # relative change of such an estimate that ends the rounds
TRIES = 8  # other starts, if the first does not settle or does not agree with the readings
UNLIKELY = 1e-6  # chance of a larger χ² below which other starts are tried
SHARE = 1e-3  # of the statistical error: what equations may leave
LEAST, MOST = 1e-12, 1e-6  # relative residual that is asked for, at most and at least
COLD = 30  # damped steps of the read-outs before anything is fitted, where equations are nonlinear in them


@dataclass(frozen=True)
class Inverse:
    """A fit of everything on some ramps, as the search for ramps sees it, with its estimates."""

    fit: Fit
    sought: Sought
    found: Found
    estimates: Estimates
    enough: float

    @property
    def ramps(self) -> Ramps:
        """The ramps."""
        return self.fit.ramps

    @property
    def held_out(self) -> float:
        """The relative residual of equations, conditions and constraints on fresh points."""
        return self.fit.held_out


def inverse(spec: Spec, clock: Clock) -> Iterator[State]:
    """Better and better ramps, with all that is fitted on each of them."""
    base, dimensions = ramps_problem(spec, 2), len(spec.box)
    aim = Aim(enough=LEAST)
    if spec.network.width is not None:
        aim = replace(aim, first=spec.network.width, last=spec.network.width)

    def attempt(ramps: Ramps, near: Inverse | None) -> Inverse:
        scale = spec.network.scale
        ramps = ramps if scale is None else Ramps(ramps.width, (scale,) * dimensions)
        return on_ramps(base, spec, ramps, near, clock)

    for candidate in search(attempt, dimensions, aim, clock):
        yield state_of(candidate.fit, spec)
        if candidate.residual <= candidate.fit.enough:
            return


def on_ramps(base: Problem, spec: Spec, ramps: Ramps, near: Inverse | None, clock: Clock) -> Inverse:
    """All that is fitted, on given ramps; readings of unknown deviation are weighed by what they scatter, in rounds."""
    problem, theta, objective, _ = setting(base, spec, ramps)
    sought = task(problem, spec, theta)
    sigmas = deviations(problem, spec)
    part = theta[objective.mask]
    if near is not None:
        inner = projected(problem, theta, objective, near.fit)[: sought.inner]
        part = torch.cat([inner, near.found.theta[near.sought.inner :]])
        sigmas = {name: near.estimates.scatter[name].sigma for name in sigmas}
    elif still(objective, part, sought):
        part = awake(part, sought, spec.training.seed)
    sizes = row_sizes(problem, objective.whole(part), read_outs(problem.trial), torch.Generator().manual_seed(1))
    for number in range(ROUNDS):
        weights = weighed(objective, sizes, sigmas)
        current = reweighed(objective, weights)
        if number == 0 and near is None:
            part = begun(current, part, sought)
            found = tried(current, part, sought, spec, clock)
        else:
            found = fitted(current, found.theta if number else part, sought, lambda: clock.left() <= 0)
        told, found = estimates(problem, spec, current, found, sought, sigmas)
        after = {name: told.scatter[name].sigma for name in sigmas}
        changed = max((abs(after[name] / sigmas[name] - 1) for name in sigmas), default=0.0)
        sigmas = after
        if changed <= STEADY or clock.left() <= 0:
            break
    told = doubted(told, found, sought, spec)
    whole = current.whole(found.theta)
    held_out = relative_residual(problem, whole, spec.training.seed)
    loss = float(current.residuals(found.theta).square().sum())
    fit = Fit(problem, ramps, current, weights, whole, loss, held_out)
    return Inverse(fit, sought, found, told, enough(problem, told))


def task(problem: Problem, spec: Spec, theta: Tensor) -> Sought:
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
    count = sum(block.face.ground.count * len(block.rows) for block in problem.blocks if isinstance(block.face, Fixed))
    free = any(data.sigma is None for data in spec.data)
    return Sought(
        inner, torch.cat(low), torch.cat(high), tuple(blocks), tuple(functions),
        linear_without_fits(spec), count > 0, free, count,
    )  # fmt: skip


def linear_without_fits(spec: Spec) -> bool:
    """Whether everything is affine in the unknowns where what is fitted is known."""
    facts = survey(spec.definitions, spec.unknowns, spec.spatial)
    equations = [*spec.equations, *(c.equation for c in (*spec.initial, *spec.boundary))]
    formulas = [side for equation in equations for side in (equation.left, equation.right)]
    formulas += [formula for constraint in spec.constraints for formula in constraint.formulas]
    return all(degree_in_unknowns(formula, facts) <= 1 for formula in formulas)


def deviations(problem: Problem, spec: Spec) -> dict[str, float]:
    """The standard deviations of rows of readings that must be estimated, the size of the readings to begin with."""
    unknown = {data.name for data in spec.data if data.sigma is None}
    return {
        row.name: root_mean_square(block, row) or 1.0
        for block in problem.blocks
        if isinstance(block.face, Fixed) and block.name in unknown
        for row in block.rows
    }


def still(objective: Residuals, part: Tensor, sought: Sought) -> bool:
    """Whether some row knows no way from the start, as a norm at zero does."""
    for sample, ground, _ in objective.pieces():
        if ground is not sample.chunks[0]:
            continue
        whole = objective.whole(part)
        for residual, jacobian in objective.problem.rows_and_jacobian(sample.block, whole, ground, objective.trained):
            if float(residual.abs().max()) > 0 and not float(jacobian.abs().max()) > 0:
                return True
    return False


def awake(part: Tensor, sought: Sought, seed: int) -> Tensor:
    """Random read-outs, with fields of size one."""
    generator = torch.Generator().manual_seed(seed)
    found = part.clone()
    found[: sought.inner] = torch.randn(sought.inner, generator=generator, dtype=torch.float64) / sqrt(sought.inner)
    return found


def begun(objective: Residuals, part: Tensor, sought: Sought) -> Tensor:
    """The read-outs with what is fitted held at its start: damped steps, or inverse iteration from random ones.

    With a norm linearised about the last field, a Gauss-Newton step of the read-outs of an eigenvalue problem is two
    steps of inverse iteration (Ipsen 1997).
    """
    if sought.follows:
        return part
    if float(part[: sought.inner].abs().max()) > 0:
        for _ in range(6):
            part = part + eliminated(objective, part, sought.inner).step(torch.zeros_like(sought.low))
        return part
    marks = tuple(
        mark if branch.unknowns[0] not in objective.problem.trial.scope.unknowns[-len(sought.blocks) :] else (False,)
        for branch, mark in zip(objective.problem.trial.branches, objective.trained)
    )
    mask = objective.mask.clone()
    mask[objective.mask.nonzero()[sought.inner :, 0]] = False
    frozen = replace(objective, theta=objective.whole(part), trained=marks, mask=mask)
    inner, losses = part[: sought.inner], [inf]
    for number, step in enumerate(Orthogonal().iterate(lambda: frozen, inner, {}), start=1):
        inner = step.theta
        losses.append(step.loss)
        if number >= COLD or not step.moved or (number > 6 and step.loss > 0.5 * losses[-4]):
            break
    return torch.cat([inner, part[sought.inner :]])


def tried(objective: Residuals, part: Tensor, sought: Sought, spec: Spec, clock: Clock) -> Found:
    """The fit from the user's start; from others too, if it does not settle."""
    late = lambda: clock.left() <= 0  # noqa: E731
    best = fitted(objective, part, sought, late)
    for start in others(spec, sought):
        if best.settled or late():
            break
        found = fitted(objective, torch.cat([part[: sought.inner], start]), sought, late)
        if (found.settled, -found.loss(sought.inner)) > (best.settled, -best.loss(sought.inner)):
            best = found
    return best


def others(spec: Spec, sought: Sought) -> Iterator[Tensor]:
    """Other starts: evenly spread in the ranges, geometrically where these are positive; functions constant."""
    points = torch.quasirandom.SobolEngine(len(spec.fitted), scramble=True, seed=spec.training.seed).draw(TRIES)
    for point in points.double().tolist():
        found = torch.zeros_like(sought.low)
        for where, quantity, share in zip(sought.blocks, spec.fitted.values(), point):
            found[where] = between(quantity.range, quantity.start, share)
        yield found


def between(interval: tuple[float, float] | None, start: float, share: float) -> float:
    """A value in a range, or within a factor of thirty of the start."""
    if interval is None:
        return start * 30.0 ** (2 * share - 1)
    low, high = interval
    return low * (high / low) ** share if low > 0 else low + share * (high - low)


def weighed(objective: Residuals, sizes: Mapping[str, float], sigmas: Mapping[str, float]) -> dict[str, float]:
    """Weights by which readings have unit variance, and all else is so heavy that it holds."""
    data = {
        row.name: part.count
        for part in objective.samples
        if isinstance(part.block.face, Fixed)
        for row in part.block.rows
    }
    level = 1.0
    if data:
        level = HEAVY * sqrt(sum(data.values())) * max(sizes[name] / sigmas.get(name, 1.0) for name in data)
    return {
        name: sqrt(data[name]) / sigmas.get(name, 1.0) if name in data else level / size for name, size in sizes.items()
    }


def reweighed(objective: Residuals, weights: Mapping[str, float]) -> Residuals:
    """The same rows at the same points with other weights."""
    samples = tuple(
        replace(part, weights=tuple(weights[row.name] for row in part.block.rows)) for part in objective.samples
    )
    return replace(objective, samples=samples)


def enough(problem: Problem, told: Estimates) -> float:
    """The relative residual that disturbs nothing: a small part of what readings leave open."""
    blocks = [block for block in problem.blocks if isinstance(block.face, Fixed)]
    rows: Sequence[float] = [
        told.scatter[row.name].sigma / (root_mean_square(block, row) or 1.0) for block in blocks for row in block.rows
    ]
    if not rows:
        return LEAST
    readings = sum(one.readings for one in told.scatter.values())
    return min(max(SHARE * min(rows) / sqrt(readings), LEAST), MOST)


def state_of(found: Inverse, spec: Spec) -> State:
    """A fit as a state of the training."""
    fit = found.fit
    slopes = ", ".join(f"{s:.3g}" for s in fit.ramps.slopes)
    note = f"{described(fit.problem.trial.branches[0].network)}, slopes {slopes}"
    losses = losses_of(fit.objective, found.found.theta)
    stage = "fit by Gauss-Newton"
    return State(
        fit.problem, fit.theta, stage, fit.loss, losses, fit.weights, spec.enforce, note,
        settled=True, estimates=found.estimates,
    )  # fmt: skip
