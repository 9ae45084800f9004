"""Every optimiser lowers a sum of squares; those for least squares solve the linear ones to rounding."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import Callable

import pytest
import torch
from torch import Tensor

from kanpde.optimisers import OPTIMISERS, LevenbergMarquardt, Normal, Optimiser
from kanpde.optimisers.broyden import updated
from kanpde.optimisers.least_squares import triangle
from kanpde.optimisers.orthogonal import Orthogonal

Make = Callable[..., Optimiser]
LEAST_SQUARES: dict[str, Make] = {"levenberg-marquardt": LevenbergMarquardt, "orthogonal": Orthogonal}
EVERY = {**OPTIMISERS, **LEAST_SQUARES}


@dataclass(frozen=True)
class Squares:
    """The sum of squares of a function of a vector."""

    function: Callable[[Tensor], Tensor]

    def residuals(self, theta: Tensor) -> Tensor:
        """The residuals [R]."""
        return self.function(theta)

    def jacobian(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Jᵀ [P, R] and r."""
        return torch.func.jacrev(self.function)(theta).T.contiguous(), self.function(theta)

    def triangle(self, theta: Tensor) -> Tensor:
        """The triangle of J with r beside it."""
        transposed, r = self.jacobian(theta)
        return triangle([(r, transposed)])

    def normal(self, theta: Tensor) -> Normal:
        """JᵀJ and Jᵀr."""
        transposed, r = self.jacobian(theta)
        return Normal(transposed @ transposed.T, transposed @ r, r, float(r @ r))

    def pullback(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Jᵀw."""
        return self.jacobian(theta)[0] @ weights

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """‖r‖² and its gradient."""
        transposed, r = self.jacobian(theta.detach())
        return float(r @ r), 2 * transposed @ r


def vandermonde(x: Tensor) -> Callable[[Tensor], Tensor]:
    """A cubic through noisy readings: linear, and not to be fulfilled."""
    t = torch.linspace(-1, 1, 20, dtype=torch.float64)
    return t[:, None] ** torch.arange(4) @ x - torch.cos(3 * t) - 0.1 * torch.sin(40 * t)


def decay(x: Tensor) -> Tensor:
    """Readings of 2 e^{−3t} + ½: a nonlinear fit that is fulfilled."""
    t = torch.linspace(0, 2, 15, dtype=torch.float64)
    return x[0] * torch.exp(-x[1] * t) + x[2] - 2 * torch.exp(-3 * t) - 0.5


FUNCTIONS: dict[str, tuple[Callable[[Tensor], Tensor], list[float]]] = {
    "rosenbrock": (lambda x: torch.stack([10 * (x[1] - x[0] ** 2), 1 - x[0]]), [-1.2, 1.0]),
    "linear": (vandermonde, [0.0, 0.0, 0.0, 0.0]),
    "exponential": (decay, [1.0, 1.0, 0.0]),
    "singular": (lambda x: torch.stack([x[0] + 10 * x[1], (x[0] - 2 * x[1]) ** 2, x[0] ** 2 * x[1]]), [3.0, -1.0]),
}
every_optimiser = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)
every_function = pytest.mark.parametrize(("function", "start"), FUNCTIONS.values(), ids=FUNCTIONS)


def run(optimiser: Optimiser, function: Callable[[Tensor], Tensor], start: list[float], steps: int) -> list[float]:
    """The loss at the coefficients that each step hands out, the start first."""
    objective, theta = Squares(function), torch.tensor(start, dtype=torch.float64)
    losses = [float(function(theta).square().sum())]
    for step in islice(optimiser.iterate(lambda: objective, theta, {}), steps):
        losses.append(float(function(step.theta).square().sum()))
    return losses


@every_optimiser
@every_function
def test_every_optimiser_lowers_every_sum_of_squares(
    make: Make, function: Callable[[Tensor], Tensor], start: list[float]
) -> None:
    losses = run(make(), function, start, 60)
    assert losses[-1] < 0.95 * losses[0]
    assert all(map(torch.isfinite, map(torch.tensor, losses)))


@pytest.mark.parametrize("make", LEAST_SQUARES.values(), ids=LEAST_SQUARES)
@every_function
def test_least_squares_never_step_uphill(
    make: Make, function: Callable[[Tensor], Tensor], start: list[float]
) -> None:
    losses = run(make(), function, start, 40)
    assert all(after <= before for before, after in zip(losses, losses[1:]))


@pytest.mark.parametrize("method", ["l-bfgs", "self-scaled-broyden"])
@pytest.mark.parametrize("name", ["rosenbrock", "exponential"])
def test_quasi_newton_steps_reach_the_minimum(name: str, method: str) -> None:
    # Superlinear convergence, until no line search can tell losses apart.
    assert run(OPTIMISERS[method](), *FUNCTIONS[name], 80)[-1] < 1e-15


@pytest.mark.parametrize("first", [True, False])
def test_an_updated_inverse_hessian_maps_the_change_of_the_gradient_to_the_step(first: bool) -> None:
    # The secant equation H⁺y = s holds for every member and scale; with yᵀs > 0 the matrix stays positive definite.
    generator = torch.Generator().manual_seed(3)
    hessian, start = (torch.randn(6, 6, generator=generator, dtype=torch.float64) for _ in range(2))
    hessian, inverse = hessian @ hessian.T + torch.eye(6), start @ start.T + torch.eye(6)
    step = torch.randn(6, generator=generator, dtype=torch.float64)
    bent = float(step @ torch.linalg.solve(inverse, step))
    found = updated(None if first else inverse, step, hessian @ step, bent)
    assert (found @ (hessian @ step) - step).abs().max() < 1e-13
    assert (found - found.T).abs().max() < 1e-13 and torch.linalg.eigvalsh(found).min() > 0


@pytest.mark.parametrize("make", LEAST_SQUARES.values(), ids=LEAST_SQUARES)
@pytest.mark.parametrize("name", ["rosenbrock", "exponential"])
def test_least_squares_that_can_be_fulfilled_are_to_rounding(make: Make, name: str) -> None:
    # Gauss-Newton converges quadratically at a zero residual: the loss ends at squares of roundings.
    assert run(make(), *FUNCTIONS[name], 60)[-1] < 1e-26


def hilbert(decades: float, rows: int = 60, columns: int = 12) -> tuple[Tensor, Tensor]:
    """A matrix of a given condition number, and a right-hand side in its range."""
    generator = torch.Generator().manual_seed(0)
    u, _ = torch.linalg.qr(torch.randn(rows, columns, generator=generator, dtype=torch.float64))
    v, _ = torch.linalg.qr(torch.randn(columns, columns, generator=generator, dtype=torch.float64))
    matrix = u * torch.logspace(0, -decades, columns, dtype=torch.float64) @ v
    return matrix, matrix @ torch.ones(columns, dtype=torch.float64)


def fitted(optimiser: Optimiser, decades: float, steps: int) -> float:
    """The norm of the residual reached on a linear system, relative to that of its right-hand side."""
    matrix, right = hilbert(decades)
    losses = run(optimiser, lambda x: matrix @ x - right, [0.0] * matrix.shape[1], steps)
    return (losses[-1] / losses[0]) ** 0.5


def test_levenberg_marquardt_solves_a_linear_system_to_rounding() -> None:
    # Normal equations: a condition number of 1e3 becomes 1e6, which leaves the residual at 1e-10 in each step, and
    # repeated steps refine it.
    assert fitted(LevenbergMarquardt(), 3, 60) < 1e-13


@pytest.mark.parametrize("decades", [0, 4, 8])
def test_an_orthogonal_step_solves_a_linear_system_at_once(decades: float) -> None:
    assert fitted(Orthogonal(undamped=True), decades, 1) < 1e-14


@pytest.mark.parametrize("decades", [2, 6, 10])
def test_orthogonal_steps_reach_the_last_digits(decades: float) -> None:
    assert fitted(Orthogonal(), decades, 40) < 1e-14


@every_optimiser
def test_a_step_hands_out_coefficients_of_its_own(make: Make) -> None:
    """Steps are values: later ones do not change earlier ones."""
    function, start = FUNCTIONS["rosenbrock"]
    objective, theta = Squares(function), torch.tensor(start, dtype=torch.float64)
    steps = list(islice(make().iterate(lambda: objective, theta, {}), 6))
    copies = [s.theta.clone() for s in islice(make().iterate(lambda: objective, theta, {}), 6)]
    assert all(torch.equal(a.theta, b) for a, b in zip(steps, copies))
    assert theta.tolist() == start


@pytest.mark.parametrize("name", ["adam", "levenberg-marquardt", "orthogonal", "self-scaled-broyden"])
def test_an_optimiser_goes_on_from_its_memory(name: str) -> None:
    function, start = FUNCTIONS["rosenbrock"]
    objective, theta = Squares(function), torch.tensor(start, dtype=torch.float64)
    whole = list(islice(EVERY[name]().iterate(lambda: objective, theta, {}), 8))
    first = list(islice(EVERY[name]().iterate(lambda: objective, theta, {}), 4))[-1]
    rest = list(islice(EVERY[name]().iterate(lambda: objective, first.theta, first.memory), 4))
    assert torch.equal(rest[-1].theta, whole[-1].theta)


@every_optimiser
def test_an_optimiser_asks_for_an_objective_at_every_step(make: Make) -> None:
    function, start = FUNCTIONS["rosenbrock"]
    given: list[Squares] = []

    def objectives() -> Squares:
        given.append(Squares(function))
        return given[-1]

    list(islice(make().iterate(objectives, torch.tensor(start, dtype=torch.float64), {}), 5))
    assert len(given) == 5


@pytest.mark.parametrize("make", LEAST_SQUARES.values(), ids=LEAST_SQUARES)
def test_where_nothing_can_be_won_nothing_moves(make: Make) -> None:
    """At the minimum the step says that it did not move."""
    objective, theta = Squares(lambda x: torch.stack([x[0], x[1], 1 + 0 * x[0]])), torch.zeros(2, dtype=torch.float64)
    step = next(make().iterate(lambda: objective, theta, {}))
    assert not step.moved and torch.equal(step.theta, theta) and step.loss == 1.0
