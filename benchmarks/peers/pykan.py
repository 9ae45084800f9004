"""Physics-informed spline networks with pykan, in double precision.

The settings are those of pykan's PDE example, which is P1: cubic splines in [2, 2, 1] on 51 x 51 points, 51 on each
side, 0.01 times the mean square of the residual plus that of the boundary values, L-BFGS with 10 corrections, the grid
fitted to the samples at steps 0, 5, 10, 15 of each stage of 50 steps, and refined from 5 to 10 to 20 intervals. It has
none for an evolution: B1 and AC1 take the two hidden layers of 3 of its only example of a nonlinear equation (the
community's Navier-Stokes notebook), with periodic ends by equal values and slopes. A stage that does not come to its
50 steps in a third of the time ends there.
"""

from __future__ import annotations

import contextlib
import io

import numpy as np
import torch
from kan import KAN, LBFGS

from peers.clock import Clock, main
from peers.problems import DIFFUSION, REACTION, VISCOSITY, Array, Evolution, Sines

GRIDS = (5, 10, 20)
STEPS = 50
FITTED = (0, 5, 10, 15)
SIDE = 51
WEIGHT = 0.01
SEED = 3
L_BFGS = dict(lr=1, history_size=10, line_search_fn="strong_wolfe", tolerance_grad=1e-32, tolerance_change=1e-32,
              tolerance_ys=1e-32)

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)

Tensor = torch.Tensor


class OutOfTime(Exception):
    """Leaves an optimiser in the middle of a step."""


def derivatives(model: torch.nn.Module, points: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """u, its gradient, and its unmixed second derivatives."""
    points = points.clone().requires_grad_()
    u = model(points)
    (first,) = torch.autograd.grad(u.sum(), points, create_graph=True)
    second = [torch.autograd.grad(first[:, k].sum(), points, create_graph=True)[0][:, k] for k in (0, 1)]
    return u[:, 0], first, torch.stack(second, dim=1)


def train(width: list[int], points: Tensor, loss, clock: Clock) -> None:
    """The three stages of the example."""
    with contextlib.redirect_stdout(io.StringIO()):
        model = KAN(width=width, grid=GRIDS[0], k=3, seed=SEED, auto_save=False).speed()
    clock.ready()
    for stage, grid in enumerate(GRIDS, start=1):
        if stage > 1:
            model.save_act = True
            model.get_act(points)
            with contextlib.redirect_stdout(io.StringIO()):
                model = model.refine(grid).speed()
        with contextlib.suppress(OutOfTime):
            minimise(model, points, loss, clock, stage / len(GRIDS))
    report(model, clock)


def minimise(model: torch.nn.Module, points: Tensor, loss, clock: Clock, share: float) -> None:
    optimiser = LBFGS(model.parameters(), **L_BFGS)

    def closure() -> Tensor:
        if clock.past(share):
            raise OutOfTime
        optimiser.zero_grad()
        value = loss(model)
        value.backward()
        return value

    for step in range(STEPS):
        if step in FITTED:
            model.update_grid_from_samples(points)
        optimiser.step(closure)
        report(model, clock)


def report(model: torch.nn.Module, clock: Clock) -> None:
    def solution(points: Array) -> Array:
        with torch.no_grad():
            return model(torch.as_tensor(points)).numpy()

    clock.report(solution)


def square(first: tuple[float, float], second: tuple[float, float]) -> Tensor:
    sides = torch.linspace(*first, SIDE), torch.linspace(*second, SIDE)
    return torch.cartesian_prod(*sides)


def side(axis: int, value: float, ends: tuple[float, float]) -> Tensor:
    """Points on the side where a coordinate has a value."""
    along = torch.linspace(*ends, SIDE)
    columns = [along, along]
    columns[axis] = torch.full_like(along, value)
    return torch.stack(columns, dim=1)


def boundary_value(problem: Sines, clock: Clock) -> None:
    points = square((-1, 1), (-1, 1))
    boundary = torch.cat([side(axis, value, (-1, 1)) for axis in (0, 1) for value in (-1, 1)])
    x, y = points.T
    right = problem.amplitude * torch.sin(problem.a * np.pi * x) * torch.sin(problem.b * np.pi * y)

    def loss(model: torch.nn.Module) -> Tensor:
        u, _, second = derivatives(model, points)
        residual = second.sum(dim=1) + problem.shift * u - right
        return WEIGHT * residual.square().mean() + model(boundary).square().mean()

    train([2, 2, 1], points, loss, clock)


def burgers(problem: Evolution, clock: Clock) -> None:
    points, ends = square((-1, 1), (0, 1)), torch.cat([side(0, -1, (0, 1)), side(0, 1, (0, 1))])
    start = side(1, 0, (-1, 1))
    given = torch.cat([torch.as_tensor(problem.initial(start[:, 0].numpy())), torch.zeros(len(ends))])
    data = torch.cat([start, ends])

    def loss(model: torch.nn.Module) -> Tensor:
        u, first, second = derivatives(model, points)
        residual = first[:, 1] + u * first[:, 0] - VISCOSITY * second[:, 0]
        return WEIGHT * residual.square().mean() + (model(data)[:, 0] - given).square().mean()

    train([2, 3, 3, 1], points, loss, clock)


def allen_cahn(problem: Evolution, clock: Clock) -> None:
    points, left, right = square((-1, 1), (0, 1)), side(0, -1, (0, 1)), side(0, 1, (0, 1))
    start = side(1, 0, (-1, 1))
    given = torch.as_tensor(problem.initial(start[:, 0].numpy()))

    def loss(model: torch.nn.Module) -> Tensor:
        u, first, second = derivatives(model, points)
        residual = first[:, 1] - DIFFUSION * second[:, 0] - REACTION * (u - u**3)
        (a, slope_a, _), (b, slope_b, _) = derivatives(model, left), derivatives(model, right)
        joined = (a - b).square().mean() + (slope_a - slope_b)[:, 0].square().mean()
        return WEIGHT * residual.square().mean() + (model(start)[:, 0] - given).square().mean() + joined

    train([2, 3, 3, 1], points, loss, clock)


if __name__ == "__main__":
    main({"P1": boundary_value, "HZ1": boundary_value, "B1": burgers, "AC1": allen_cahn})
