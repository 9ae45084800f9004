"""Products of splines: their derivatives, their Jacobians, and what stays fixed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from kanpde.build import SIDES, assemble
from kanpde.evaluation import Ground
from kanpde.jet import Jet, closure, variable
from kanpde.network import Network
from kanpde.patch import Patch
from kanpde.points import draw
from kanpde.problem import Block, Problem, differentiated, everything
from kanpde.separable import ProductLayer
from kanpde.spec import Spec, read_spec_text
from kanpde.splines import Spline

BREAKS = torch.tensor([-1.0, -0.7, -0.1, 0.2, 0.6, 1.0], dtype=torch.float64)
CLAMPED, CLOSED, TIMES = Spline(6, BREAKS, 5), Spline(6, BREAKS, 5, True), Spline(6, BREAKS[[0, -1]], 0)
SIMPLE = Spline(3, torch.linspace(-1, 1, 5, dtype=torch.float64), 2, True)  # as many functions as differ from zero
AXES = {
    "x, t": (CLAMPED, TIMES),
    "t, x": (TIMES, CLOSED),
    "closed": (CLOSED, SIMPLE),
    "one": (CLAMPED,),
    "three": (Spline(4, BREAKS, 3), Spline(5, BREAKS, 0), Spline(4, BREAKS, 3, True)),
}
every_product = pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
UP_TO_FOUR = {1: {(4,)}, 2: {(2, 2), (4, 0), (0, 4), (1, 3)}, 3: {(2, 1, 1), (0, 2, 2), (4, 0, 0), (1, 0, 3)}}


def random(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def points(count: int, dimensions: int) -> Tensor:
    """Points [d, N] of [−1, 1]^d."""
    return 2 * torch.rand(dimensions, count, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1


def coordinates(x: Tensor, slope: float = 1.0) -> Jet:
    """The jet [d, N] of coordinates stretched by a factor, with all derivatives up to four."""
    count = len(x)
    indices = closure(frozenset(UP_TO_FOUR[count]))
    jets = [variable(row, k, count, indices) * slope for k, row in enumerate(x)]
    present = {a for jet in jets for a in jet.terms}
    terms = {a: torch.stack([torch.as_tensor(j.terms.get(a, 0.0)).expand(x.shape[1]) for j in jets]) for a in present}
    return Jet(terms, indices)


@every_product
def test_derivatives_are_those_of_nested_differentiation(axes: tuple[Spline, ...]) -> None:
    # Each of at most four derivatives multiplies roundings by the splines' slopes.
    layer = ProductLayer(axes, 2)
    coefficients, x = random(*layer.shape), points(11, len(axes)) / 2
    jet, _ = layer.forward(coordinates(x, 2.0), coefficients, False)
    at = x.clone().requires_grad_()
    for row, value in enumerate(layer.value(2.0 * at, coefficients)):
        nested = differentiated(value, at, jet.indices).mapped(Tensor.detach)
        for alpha in jet.indices:
            gap = (jet[alpha][row] - nested[alpha]).abs().max()
            assert gap < 1e-11 * max(1.0, float(nested[alpha].abs().max())), alpha


@every_product
def test_the_tap_gives_the_jacobian(axes: tuple[Spline, ...]) -> None:
    layer = ProductLayer(axes, 2)
    coefficients, inputs = random(*layer.shape), coordinates(points(7, len(axes)))
    weights = random(len(inputs.indices), 2, 7, seed=2)

    def weighed(free: Tensor) -> Tensor:
        jet, _ = layer.forward(inputs, free, False)
        return sum(w * jet[a] for w, a in zip(weights, sorted(jet.indices))).sum(0)

    jet, tap = layer.forward(inputs, coefficients, True)
    assert tap is not None
    out = torch.zeros(coefficients.numel(), 7, dtype=torch.float64)
    total = sum(w * jet[a] for w, a in zip(weights, sorted(jet.indices))).sum(0)
    tap.jacobian(torch.autograd.grad(total.sum(), tap.outputs)[0], out)
    expected = torch.func.jacrev(weighed)(coefficients).flatten(1).T
    assert (out - expected).abs().max() < 1e-13 * expected.abs().max()


@every_product
def test_products_are_a_partition_of_unity(axes: tuple[Spline, ...]) -> None:
    layer = ProductLayer(axes, 1)
    values = layer.value(points(50, len(axes)), torch.ones(layer.shape, dtype=torch.float64))
    assert (values - 1).abs().max() < 1e-14


# with a problem

TEXTS = {
    "burgers": """
equations: {e: u_t + u*u_x = u_xx/9}
initial: {u: sin(pi*x)}
boundary: {left: u = 0, right: u = t}""",
    "plate": """
equations: {e: u_t = -u_xxxx + u^2*u_xt}
initial: {u: x}
boundary: {left: [u = exp(t), u_x = t], right: [u = 1, u_x = t^2]}""",
    "wave": """
equations: {e: u_tt = 4*u_xx + sin(u)}
initial: {u: sin(pi*x), u_t: x}
boundary: {left: u = 0, right: u_x + u^3 = 0}""",
    "closed": """
equations: {e: u_t + u*u_xxx = u_xx*u_x}
initial: {u: sin(pi*x)}
boundary: {x: periodic}""",
    "two": """
equations: {e: u_t = u_xx - v*u, f: v_t + v_x = u^2}
initial: {u: sin(pi*x), v: 1}
boundary: {left: [u = t, v = 1], right: u = 0}""",
    "heat": """
equations: {e: u_t = u_xx/9 + x*t}
initial: {u: sin(pi*x)}
boundary: {left: u = 0, right: u_x = t}""",
}
DOMAINS = ("{x: [-1, 2], t: [0.5, 1.5]}", "{t: [0.5, 1.5], x: [-1, 2]}")
every_problem = pytest.mark.parametrize("name", TEXTS)
either_order = pytest.mark.parametrize("domain", DOMAINS, ids=["x, t", "t, x"])
either_band = pytest.mark.parametrize("axis", [0, 1], ids=["first", "second"])


def spec_of(name: str, domain: str, enforce: str = SIDES) -> Spec:
    """A problem with its data on sides built in, as in a march, or not at all."""
    unknowns = "[u, v]" if name == "two" else "[u]"
    text = f"unknowns: {unknowns}\ndomain: {domain}\n{TEXTS[name]}\n"
    return replace(read_spec_text(text, "test.yaml", Path(".")), enforce=enforce)


def problem_of(spec: Spec, derivatives: str = "taylor") -> Problem:
    """The problem with a separable network: splines of x that close up if it does, one interval of time."""
    axes = tuple(TIMES if name == "t" else CLOSED if spec.periodic else CLAMPED for name in spec.box)
    problem = assemble(spec, [(Network((ProductLayer(axes, len(spec.unknowns)),)), spec.unknowns)])
    return replace(problem, derivatives=derivatives)


def patch_of(problem: Problem, axis: int, seed: int = 0) -> Patch:
    """The problem on its box with random coefficients, those settled by data zero."""
    axes = problem.trial.branches[0].network.layers[0].axes
    along, across = axes[axis], axes[1 - axis]
    cube = random(along.size, across.size, len(problem.trial.scope.unknowns), seed=seed)
    blank = Patch(problem, problem.trial.box, axis, along, across, cube)
    return replace(blank, cube=cube * blank.free()[: along.size])


@every_problem
@either_order
@pytest.mark.parametrize("enforce", [SIDES, "soft"])
def test_taylor_and_autograd_agree(name: str, domain: str, enforce: str) -> None:
    # 1e-11: up to four derivatives, each of which multiplies roundings by the splines' slopes.
    spec = spec_of(name, domain, enforce)
    taylor, nested = (problem_of(spec, how) for how in ("taylor", "autograd"))
    assert taylor.trial.vanishing and bool(taylor.trial.built_in) == (enforce == SIDES and not spec.periodic)
    theta = random(taylor.trial.size)
    for block in taylor.blocks:
        found = [
            list(p.rows_and_jacobian(block, theta, at(taylor, block), everything(p.trial))) for p in (taylor, nested)
        ]
        for (residual, jacobian), (expected, slopes) in zip(*found):
            assert (residual - expected).abs().max() < 1e-11 * max(1.0, float(expected.abs().max()))
            assert (jacobian - slopes).abs().max() < 1e-11 * max(1.0, float(slopes.abs().max()))


def at(problem: Problem, block: Block) -> Ground:
    """Five points of a block."""
    return draw(problem, block, 5, torch.Generator().manual_seed(3))


@pytest.mark.parametrize("name", [name for name in TEXTS if name != "closed"])
@either_order
def test_free_coefficients_leave_built_in_data_as_they_are(name: str, domain: str) -> None:
    problem = problem_of(spec_of(name, domain))
    trial = problem.trial
    patch = patch_of(problem, tuple(trial.scope.coordinates).index("x"))
    settled = sum(len(data) for data in trial.built_in.values())
    assert int((~patch.free()).sum()) == settled * patch.across.size
    for unknown, data in trial.built_in.items():
        for datum in data:
            here = at(problem, Block("side", (datum.axis, datum.side), (), {}))
            alpha = tuple(datum.order if k == datum.axis else 0 for k in range(2))
            wanted = {unknown: closure(frozenset({alpha}))}
            whole, lift = (trial.fields(t, here, wanted)[0][unknown][alpha] for t in (patch.theta, 0 * patch.theta))
            assert (whole - lift).abs().max() < 1e-12


def linearised(patch: Patch, block: Block, active: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The rows of all intervals of a block."""
    residuals, jacobians, intervals = zip(*(patch.linearised(place, active) for place in patch.placements(block)))
    return torch.cat(residuals), torch.cat(jacobians), torch.cat(intervals)


@every_problem
@either_order
@pytest.mark.parametrize("enforce", [SIDES, "soft"])
def test_the_residuals_of_a_patch_are_those_of_its_network(name: str, domain: str, enforce: str) -> None:
    # Sums over the splines of one axis after the other, or over all products at once: roundings in fourth derivatives.
    problem = problem_of(spec_of(name, domain, enforce))
    patch = patch_of(problem, tuple(problem.trial.scope.coordinates).index("x"))
    active = torch.ones(patch.cube.shape[1:], dtype=torch.bool)
    for place in (place for block in problem.blocks for place in patch.placements(block)):
        found = patch.linearised(place, active)[0]
        rows = patch.placed.residuals(place.block, patch.theta, place.ground)
        expected = torch.cat([row.view_as(place.roots) * place.roots for row in rows], dim=1)
        assert (found - expected).abs().max() < 1e-11 * expected.abs().max(), place.block.name


@every_problem
@either_order
@pytest.mark.parametrize("enforce", [SIDES, "soft"])
def test_the_jacobian_of_a_patch_is_the_slope_of_its_residuals(name: str, domain: str, enforce: str) -> None:
    # Residuals are of third degree in the coefficients or a sine: central differences are off by h² and rounding / h.
    problem = problem_of(spec_of(name, domain, enforce))
    patch = patch_of(problem, tuple(problem.trial.scope.coordinates).index("x"))
    active = torch.ones(patch.cube.shape[1:], dtype=torch.bool)
    active[1] = False  # as in a march, where some coefficients are known
    direction, h = random(*patch.cube.shape, seed=4) * active * patch.free()[: patch.along.size], 1e-4
    faces = {block.face for block in problem.blocks}
    assert None in faces and any(f and f[0] != patch.axis for f in faces)
    assert enforce == SIDES or "closed" in name or any(f and f[0] == patch.axis for f in faces)
    for block in problem.blocks:
        _, jacobian, intervals = linearised(patch, block, active)
        touched = (intervals[:, None] + torch.arange(patch.along.degree + 1)) % patch.along.size
        slope = torch.einsum("nmpa,npa->nm", jacobian, direction[:, active][touched])
        ends = [linearised(replace(patch, cube=patch.cube + s * h * direction), block, active)[0] for s in (1, -1)]
        assert (slope - (ends[0] - ends[1]) / (2 * h)).abs().max() < 1e-6 * slope.abs().max(), block.name


@either_band
def test_the_jacobian_spreads_over_an_axis_that_closes_after_few_intervals(axis: int) -> None:
    """As many functions as differ from zero at a point, but not in the same order everywhere."""
    text = "unknowns: [u]\ndomain: {x: [0, 1], y: [0, 1]}\nequations: {e: u*lap(u) = 1}\nboundary: {all: periodic}\n"
    text = text.replace("all: periodic", "x: periodic, y: periodic")
    spec = read_spec_text(text, "test.yaml", Path("."))
    problem = assemble(spec, [(Network((ProductLayer((SIMPLE, SIMPLE), 1),)), ("u",))])
    patch = Patch(problem, problem.trial.box, axis, SIMPLE, SIMPLE, random(4, 4, 1))
    active, direction, h = torch.ones(4, 1, dtype=torch.bool), random(4, 4, 1, seed=4), 1e-4
    _, jacobian, intervals = linearised(patch, problem.blocks[0], active)
    touched = (intervals[:, None] + torch.arange(4)) % 4
    slope = torch.einsum("nmpa,npa->nm", jacobian, direction[:, active][touched])
    ends = [
        linearised(replace(patch, cube=patch.cube + s * h * direction), problem.blocks[0], active)[0] for s in (1, -1)
    ]
    assert (slope - (ends[0] - ends[1]) / (2 * h)).abs().max() < 1e-6 * slope.abs().max()


@every_problem
@either_order
def test_settled_coefficients_never_move(name: str, domain: str) -> None:
    problem = problem_of(spec_of(name, domain))
    patch = patch_of(problem, tuple(problem.trial.scope.coordinates).index("x"))
    active = torch.ones(patch.cube.shape[1:], dtype=torch.bool)
    active[0] = False
    step = patch.step([linearised(patch, block, active) for block in problem.blocks], active)
    moved = patch.added(step, active).cube - patch.cube
    settled = ~patch.free()[: patch.along.size] | ~active
    assert not moved[settled].any() and moved[~settled].all()


@either_order
def test_a_linear_problem_is_fitted_in_one_step(domain: str) -> None:
    # A second step is the rounding of the first: of the right side's times the condition number, about 1e5 here.
    problem = problem_of(spec_of("heat", domain))
    patch = patch_of(problem, tuple(problem.trial.scope.coordinates).index("x"))
    active = torch.ones(patch.cube.shape[1:], dtype=torch.bool)
    sizes = []
    for _ in range(2):
        step = patch.step([linearised(patch, block, active) for block in problem.blocks], active)
        patch = patch.added(step, active)
        sizes.append(float(step.abs().max()))
    assert sizes[1] < 1e-10 * sizes[0]
