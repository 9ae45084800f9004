"""Waves that a periodic axis sends out from its seam, where initial data do not close up, in a window of time.

Far up the wave numbers they obey the equation's second-order part and feel of the rest, linearised about the solution,
little more than its mean along the axis and, by 1/κ, its integral (WKB; Whitham, Linear and Nonlinear Waves, 1974, 11).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, pi
from typing import Mapping

import torch
from torch import Tensor

from kanpde.build import scope_of, statements
from kanpde.evaluation import Ground, as_jet, evaluate
from kanpde.intervals import gauss_points, mapped, per_interval
from kanpde.jet import Index, Indices, Jet, raised
from kanpde.network import Network
from kanpde.patch import Beside, Patch
from kanpde.problem import Block, Problem, residual_rows
from kanpde.spec import Spec
from kanpde.splines import dense
from kanpde.trial import Branch, no_unknowns
from kanpde.waves import MODES, WaveLayer

SEED, DRAWS = 5, 40  # of fields at which equations are differentiated
ROUNDING = 1e-12
ALIKE = 1e-6  # relative difference of eigenvalues below which their vectors are not told apart
SLIGHT = 1e-13  # jumps below this, of derivatives by the angle, relative to the largest, are rounding
SPARE = 0.3  # of the tolerance, for waves that equations are not asked about
TURNS = 0.75  # ωτ/2 of the highest waves in a window, over the degree in time
KINKS = 3  # derivatives of initial data that are looked at, from the value on

Slopes = Mapping[Index, Tensor]  # ∂ residual_i / ∂(∂^α u_o) [N, I, O] by α


@dataclass(frozen=True)
class Dispersion:
    """Polarisations of u_t = A u_xx with rates μ_p [P] of positive imaginary part, and what the seam sends into them.

    `right` [O, P] and `left` [P, O] are the eigenvectors, `mass` [I, O] multiplies u_t, and `jumps` [2, P] are those of
    the derivatives of order `first` and `first` + 1 of the initial data across the seam.
    """

    block: Block
    time: int
    rates: Tensor
    right: Tensor
    left: Tensor
    mass: Tensor
    jumps: Tensor
    first: int
    strength: float  # of the longest waves, relative to the unknowns


@dataclass(frozen=True)
class Phase:
    """The waves at the start of a window: exponents [P] by then, what Q is counted from [P], the numbers n between
    which equations are asked to hold."""

    exponents: Tensor
    shifts: Tensor
    lowest: int
    highest: int


def dispersion(spec: Spec, problem: Problem, time: int) -> Dispersion | None:
    """The waves of a problem of first order in time; None where there are none, or not of the form u_t = A u_xx + f(u).

    A must be constant, with imaginary eigenvalues that differ. That an equation has this form is seen at random fields.
    """
    axis, block = 1 - time, next(b for b in problem.blocks if b.face is None)
    if spec.periodic != (problem.trial.scope.coordinates[axis],) or problem.trial.built_in:
        return None
    if (form := principal(problem, block, axis)) is None:
        return None
    mass, rates, right = form
    left, kept = torch.linalg.inv(right), rates.imag > 0
    jumps, sizes = seam(spec, problem, axis)
    low, high = problem.trial.box[axis]
    relative = jumps.abs().amax(1) / sizes.max() * ((high - low) / (2 * pi)) ** torch.arange(KINKS, dtype=torch.float64)
    if not relative.isfinite().all() or not (relative > SLIGHT).any():
        return None
    first = int((relative > SLIGHT).to(torch.int).argmax())
    sent = torch.cat([jumps, 0 * jumps[:1]])[first : first + 2].to(left) @ left[kept].T
    strength = float(relative.max()) / (2 * pi)
    return Dispersion(block, time, 1j * rates[kept].imag, right[:, kept], left[kept], mass, sent, first, strength)


def principal(problem: Problem, block: Block, axis: int) -> tuple[Tensor, Tensor, Tensor] | None:
    """What multiplies u_t [I, O], and the eigenvalues [O] and eigenvectors [O, O] of A where u_t = A u_xx + f(u)."""
    value = (0, 0)
    slope, bend, speed = raised(value, axis), raised(value, axis, 2), raised(value, 1 - axis)
    if any(set(needed) - {value, slope, bend, speed} for needed in block.needed.values()):
        return None
    found = at_random(problem, block)
    if slope in found or speed not in found or bend not in found or len(block.rows) != found[speed].shape[2]:
        return None
    mass, second = found[speed], found[bend]
    if not (constant(mass) and constant(second)) or float(torch.linalg.cond(mass[0])) > 1 / ROUNDING:
        return None
    rates, right = torch.linalg.eig(-torch.linalg.solve(mass[0], second[0]))
    sizes = rates.abs()
    apart = (rates[:, None] - rates).abs() + torch.eye(len(rates)) * sizes.max()
    waving = sizes.min() > ROUNDING * sizes.max() and rates.real.abs().max() <= ROUNDING * sizes.max()
    return (mass[0], rates, right) if waving and apart.min() > ALIKE * sizes.max() else None


def constant(slopes: Tensor) -> bool:
    """Whether slopes [N, I, O] are the same everywhere."""
    return bool((slopes - slopes[0]).abs().max() <= ROUNDING * slopes.abs().max())


def at_random(problem: Problem, block: Block) -> Slopes:
    """The slopes of an equation that do not vanish, at random fields and points."""
    generator = torch.Generator().manual_seed(SEED)
    low, high = torch.tensor(problem.trial.box, dtype=torch.float64).T
    points = low[:, None] + (high - low)[:, None] * torch.rand(2, DRAWS, generator=generator, dtype=torch.float64)
    fields = {
        name: {a: torch.randn(DRAWS, generator=generator, dtype=torch.float64) for a in needed}
        for name, needed in block.needed.items()
    }
    found = slopes(problem, block, Ground(points), fields)
    return {a: values for a, values in found.items() if values.abs().max() > 0}


def slopes(problem: Problem, block: Block, ground: Ground, fields: Mapping[str, Mapping[Index, Tensor]]) -> Slopes:
    """The derivatives of a block's residuals by the derivatives of the unknowns, of values [N]."""
    leaves = {n: {a: v.detach().requires_grad_() for a, v in terms.items()} for n, terms in fields.items()}
    flat = [(a, o, leaves[n][a]) for o, n in enumerate(problem.trial.scope.unknowns) for a in leaves.get(n, ())]
    jets = {n: Jet(terms, frozenset(terms)) for n, terms in leaves.items()}
    count, unknowns = ground.count, len(problem.trial.scope.unknowns)
    found = {a: torch.zeros(count, len(block.rows), unknowns, dtype=torch.float64) for a, _, _ in flat}
    for i, row in enumerate(residual_rows(problem.trial, block, ground, jets)):
        if not row.requires_grad:
            continue
        parts = torch.autograd.grad(row.sum(), [leaf for *_, leaf in flat], retain_graph=True, allow_unused=True)
        for (a, o, _), part in zip(flat, parts):
            if part is not None:
                found[a][:, i, o] = part
    return found


def seam(spec: Spec, problem: Problem, axis: int) -> tuple[Tensor, Tensor]:
    """How much derivatives of initial data [KINKS, O] are larger at the lower end of an axis, and the data's sizes."""
    scope, found = scope_of(spec), {}
    for condition, _, item in statements(spec, scope):
        if item and condition.face.axis == "t":
            found[item[0]] = item[1]
    low, high = problem.trial.box[axis]
    points = torch.full((2, 9), problem.trial.box[1 - axis][0], dtype=torch.float64)
    points[axis] = torch.linspace(low, high, 9, dtype=torch.float64)
    ground, zero = Ground(points), (0, 0)
    wanted: Indices = frozenset(raised(zero, axis, k) for k in range(KINKS))
    jumps, sizes = [], []
    for name in problem.trial.scope.unknowns:
        jet = as_jet(evaluate(found[name].data, wanted, scope, ground, no_unknowns), wanted, ground)
        rows = [torch.as_tensor(jet[raised(zero, axis, k)], dtype=torch.float64).expand(9) for k in range(KINKS)]
        jumps.append(torch.stack([row[0] - row[-1] for row in rows]))
        sizes.append(max(row.abs().max() * ((high - low) / (2 * pi)) ** k for k, row in enumerate(rows)))
    return torch.stack(jumps, dim=1), torch.stack(sizes)


def waves(about: Dispersion, window: Patch, phase: Phase | None, tolerance: float) -> tuple[Beside, Phase, Phase]:
    """The waves beside a window's splines, with the phases of its start and of its end."""
    times, rates = window.across.interpolation_points(), about.rates
    means, coefficients = potential(about, window)
    if phase is None:
        there = dense(window.along, window.along.breaks[:1]).to(coefficients)
        shifts = torch.einsum("xk,kp->p", there, coefficients[:, 0])
        phase = Phase(torch.zeros_like(rates), shifts, *range_of(about, window, coefficients[:, 0] - shifts, tolerance))
    start, end = window.box[about.time]
    exponents = phase.exponents + integrated(times, means) * ((end - start) / 2)
    growth = exponents.exp()  # [T, P]
    leading = (growth * about.jumps[0]).expand(window.along.size, -1, -1)
    following = growth * (about.jumps[0] * (coefficients - phase.shifts) + about.jumps[1])
    nodes = torch.view_as_real(torch.stack([leading, following], dim=-1)).flatten(2)  # [K, T, 2PJ]
    cube = torch.einsum("st,kto->kso", torch.linalg.inv(dense(window.across, times)), nodes)
    layer = WaveLayer(
        axes=window.ordered(window.along, window.across),  # type: ignore[arg-type]
        box=window.box,  # type: ignore[arg-type]
        along=window.axis,
        start=window.problem.trial.box[about.time][0],
        rates=tuple(rates.tolist()),
        directions=tuple(map(tuple, about.right.T.tolist())),
        orders=(about.first + 1, about.first + 2),
        lowest=phase.lowest,
        highest=phase.highest,
    )
    branch = Branch(Network((layer,)), window.problem.trial.scope.unknowns, box=window.box)  # type: ignore[arg-type]
    return Beside(branch, cube), phase, replace(phase, exponents=exponents[-1])


def integrated(times: Tensor, values: Tensor) -> Tensor:
    """The integrals from −1 to each of some times [T] of the polynomial with values [T, P] at them."""
    powers = torch.arange(len(times))
    areas = (times[:, None] ** (powers + 1) - (-1.0) ** (powers + 1)) / (powers + 1)
    return areas.to(values) @ torch.linalg.solve((times[:, None] ** powers).to(values), values)


def range_of(about: Dispersion, window: Patch, change: Tensor, tolerance: float) -> tuple[int, int]:
    """Between which numbers waves are followed, for Q [K, P] at the first time.

    Below max |Q| they are no waves beside the solution but part of it. Above, what is left out is of the relative size
    (Q² + |∂Q|) / 2κ², and where the sum of that is below the tolerance equations need not be asked.
    """
    low, high = window.box[window.axis]
    unit, order = (high - low) / (2 * pi), about.first
    slope = dense(window.along, window.along.interpolation_points(), 1).to(change) @ change * (2 / (high - low))
    steep, bent = float(change.abs().max()), float(slope.abs().max())
    lowest = max(1, ceil(steep * unit))
    size = float(about.jumps[0].abs().max()) / (high - low) * (steep**2 + bent) / 2 * unit ** (order + 3)
    size /= float(window.cube.abs().max()) * (order + 2.5) ** 0.5
    return lowest, min(max(ceil((size / (SPARE * tolerance)) ** (1 / (order + 2.5))), 2 * lowest), MODES)


def longest(about: Dispersion, window: Patch, phase: Phase) -> float:
    """How long a window may be for its polynomials in time to turn with the highest waves.

    Chebyshev's coefficients of exp(iωt), Bessel functions J_k(ωτ/2), fall off where k exceeds ωτ/2.
    """
    low, high = window.box[window.axis]
    frequency = float(about.rates.abs().max()) * (2 * pi * phase.highest / (high - low)) ** 2
    return 2 * TURNS * window.across.degree / frequency


def lasting(whole: Patch, cube: Tensor) -> Beside:
    """The waves of all windows together, from their coefficients in a row and the last window's waves."""
    (layer,) = whole.beside.branch.network.layers  # type: ignore[union-attr]
    joint = replace(layer, axes=whole.ordered(whole.along, whole.across), box=whole.box)  # type: ignore[arg-type]
    return summed(Beside(Branch(Network((joint,)), whole.problem.trial.scope.unknowns), cube))


def summed(beside: Beside) -> Beside:
    """The same with all waves, not only those about which equations are asked."""
    (layer,) = beside.branch.network.layers
    network = Network((replace(layer, highest=MODES),))  # type: ignore[call-arg]
    return replace(beside, branch=replace(beside.branch, network=network))


def potential(about: Dispersion, window: Patch) -> tuple[Tensor, Tensor]:
    """The means [T, P] of b_p along the axis at the window's times, and the coefficients [K, T, P] of Q_p.

    b is the rest of u_t = A u_xx + f(u), linearised about the splines: b_p = l_p f'(u) r_p. Q_p has no mean, and
    2 μ_p ∂Q_p / ∂x is the mean less b_p.
    """
    low, high = window.box[window.axis]
    x, weights = gauss_points(low + (window.along.breaks + 1) * (high - low) / 2, per_interval(window.along))
    x, weights = x.flatten(), weights.flatten().to(about.rates)
    b = linearised(about, window, x)
    means = torch.einsum("x,xtp->tp", weights, b)
    sides = torch.view_as_real((means - b) / (2 * about.rates)).flatten(1)
    where, slope = mapped(x, (low, high))
    matrix = torch.cat([dense(window.along, where, 1) * slope, window.along.widths[None]])
    solved = torch.linalg.lstsq(matrix, torch.cat([sides, 0 * sides[:1]])).solution
    return means, torch.view_as_complex(solved.view(len(solved), *means.shape, 2).contiguous())


def linearised(about: Dispersion, window: Patch, x: Tensor) -> Tensor:
    """b_p [X, T, P] at places along the axis, at the times between which polynomials are interpolated."""
    times = window.across.interpolation_points()
    start, end = window.box[about.time]
    along = dense(window.along, mapped(x, window.box[window.axis])[0])
    values = torch.einsum("xk,kto,st->oxs", along, window.cube, dense(window.across, times)).flatten(1)
    ground = window.ground(x[None], start + (times + 1) * (end - start) / 2)
    fields = {
        name: {a: values[o] if not any(a) else torch.zeros_like(values[o]) for a in about.block.needed[name]}
        for o, name in enumerate(window.problem.trial.scope.unknowns)
        if name in about.block.needed
    }
    blank = about.mass.new_zeros(ground.count, *about.mass.shape)
    rest = -torch.linalg.solve(about.mass, slopes(window.problem, about.block, ground, fields).get((0, 0), blank))
    return torch.einsum("pi,nio,op->np", about.left, rest.to(about.rates), about.right).view(len(x), len(times), -1)
