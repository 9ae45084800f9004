"""Physics-informed Chebyshev networks with jaxKAN.

The settings are those of jaxKAN's tutorials. P1, HZ1: no tutorial; the network of the tutorial on adaptive PIKANs
([2, 8, 8, 1], degree 5, `glorot_fine`) with boundary values built in the way that one does, 4096 Sobol points, and the
L-BFGS of the tutorial on optimisers, in double precision, which its line search profits from. B1: the tutorial on
PIKANs ([2, 6, 6, 1], degree 5, 4096 + 3 x 64 Sobol points, Adam at 1e-3). AC1: the tutorial on advanced models (RGA
KAN of 2 blocks of width 8, periodic by its embedding, attention to residuals, causal weights, annealing of the weights,
resampling, Adam with decaying steps). Both in single precision, as the tutorials are and faster: their errors are far
from its limit.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxkan.models.KAN import KAN
from jaxkan.models.RGAKAN import RGAKAN
from jaxkan.models.utils import get_adam, get_lbfgs
from jaxkan.pikan.adaptive import get_colloc_indices, lr_anneal
from jaxkan.pikan.pde import get_ac_res, get_burgers_res
from jaxkan.pikan.sampling import get_collocs_grid, get_collocs_sobol

from peers.clock import Clock, main
from peers.problems import DIFFUSION, REACTION, VISCOSITY, Evolution, Sines

SEED = 42
CHEBYSHEV = {"D": 5, "flavor": "exact", "residual": None, "external_weights": False,
             "init_scheme": {"type": "glorot_fine"}, "add_bias": True}
POINTS = 2**12
ON_A_SIDE = 2**6


def report(model: Callable, clock: Clock, swapped: bool) -> None:
    """jaxKAN's residuals take (t, x)."""
    clock.report(lambda points: np.asarray(model(jnp.asarray(points[:, ::-1] if swapped else points))))


def iterate(step: Callable[[int], object], model: Callable, clock: Clock, swapped: bool) -> None:
    """Steps until the time is up; the first one compiles."""
    jax.block_until_ready(step(0))
    clock.ready()
    report(model, clock, swapped)
    count = 1
    while not clock.over():
        jax.block_until_ready(step(count))
        count += 1
        if clock.due():
            report(model, clock, swapped)


class ZeroAround(nnx.Module):
    """A network times what vanishes on the sides of the square."""

    def __init__(self, inner: nnx.Module) -> None:
        self.inner = inner

    def __call__(self, points: jax.Array) -> jax.Array:
        return (1 - points[:, 0:1] ** 2) * (1 - points[:, 1:2] ** 2) * self.inner(points)


def boundary_value(problem: Sines, clock: Clock) -> None:
    jax.config.update("jax_enable_x64", True)
    points = get_collocs_sobol(ranges=[(-1, 1), (-1, 1)], total_points=POINTS, seed=SEED)
    right = problem.amplitude * jnp.sin(problem.a * jnp.pi * points[:, 0]) * jnp.sin(problem.b * jnp.pi * points[:, 1])
    model = ZeroAround(KAN(layer_dims=[2, 8, 8, 1], layer_type="chebyshev", required_parameters=CHEBYSHEV, seed=SEED))
    nnx.update(model, jax.tree.map(lambda weights: weights.astype(jnp.float64), nnx.state(model, nnx.Param)))
    optimiser = nnx.Optimizer(model, get_lbfgs(), wrt=nnx.Param)

    def loss(model: Callable) -> jax.Array:
        def u(x: jax.Array, y: jax.Array) -> jax.Array:
            return model(jnp.array([[x, y]]))[0, 0]

        def residual(x: jax.Array, y: jax.Array) -> jax.Array:
            u_xx, u_yy = (jax.grad(jax.grad(u, k), k)(x, y) for k in (0, 1))
            return u_xx + u_yy + problem.shift * u(x, y)

        return jnp.mean((jax.vmap(residual)(points[:, 0], points[:, 1]) - right) ** 2)

    @nnx.jit
    def step(model: Callable, optimiser: nnx.Optimizer) -> jax.Array:
        value, slopes = nnx.value_and_grad(loss)(model)
        optimiser.update(model, slopes, value=value, value_fn=loss)
        return value

    iterate(lambda _: step(model, optimiser), model, clock, swapped=False)


def burgers(problem: Evolution, clock: Clock) -> None:
    points = get_collocs_sobol(ranges=[(0, 1), (-1, 1)], total_points=POINTS, seed=SEED)
    start, left, right = (get_collocs_sobol(ranges=ranges, total_points=ON_A_SIDE, seed=SEED)
                          for ranges in ([(0, 0), (-1, 1)], [(0, 1), (-1, -1)], [(0, 1), (1, 1)]))
    data = jnp.concatenate([start, left, right])
    given = jnp.concatenate([initial(problem, start), jnp.zeros((2 * ON_A_SIDE, 1))])
    model = KAN(layer_dims=[2, 6, 6, 1], layer_type="chebyshev", required_parameters=CHEBYSHEV, seed=SEED)
    optimiser = nnx.Optimizer(model, get_adam(learning_rate=1e-3), wrt=nnx.Param)
    residual = get_burgers_res(VISCOSITY)

    def loss(model: Callable) -> jax.Array:
        return jnp.mean(residual(model, points) ** 2) + jnp.mean((model(data) - given) ** 2)

    @nnx.jit
    def step(model: Callable, optimiser: nnx.Optimizer) -> jax.Array:
        value, slopes = nnx.value_and_grad(loss)(model)
        optimiser.update(model, slopes)
        return value

    iterate(lambda _: step(model, optimiser), model, clock, swapped=True)


def initial(problem: Evolution, points: jax.Array) -> jax.Array:
    return jnp.asarray(problem.initial(np.asarray(points)[:, 1:2]))


DECAY, GAIN = 0.999, 0.01  # of the attention to residuals
CHUNKS, CAUSALITY = 32, 1.0
ANNEALED, RESAMPLED = 1000, 2000  # every so many steps
MIXING = 0.9


class AllenCahn:
    """What one step of the tutorial hands to the next."""

    def __init__(self, problem: Evolution) -> None:
        self.pool = get_collocs_grid(ranges=[(0, 1, 2**7), (-1, 1, 2**7)])
        self.start = get_collocs_grid(ranges=[(0, 0, 1), (-1, 1, ON_A_SIDE)])
        self.model = RGAKAN(n_in=2, n_out=1, n_hidden=8, num_blocks=2, flavor="exact", D=5,
                            init_scheme={"type": "glorot_fine"}, alpha=0.0, beta=0.0, ref=None,
                            period_axes={1: (jnp.pi, False)}, rff_std=None, sine_D=5, seed=SEED)
        decaying = get_adam(learning_rate=1e-3, schedule_type="exponential", decay_steps=1000, decay_rate=0.9)
        self.optimiser = nnx.Optimizer(self.model, decaying, wrt=nnx.Param)
        self.residual = get_ac_res(DIFFUSION, REACTION)
        self.attention = jnp.ones((len(self.pool), 1))
        self.attention_start = jnp.ones((ON_A_SIDE, 1))
        self.weights = jnp.array(1.0), jnp.array(1.0)
        self.chosen = get_colloc_indices(collocs_pool=self.pool, batch_size=POINTS, px=None, seed=SEED)
        self.update = nnx.jit(self.make_update(initial(problem, self.start)))

    def make_update(self, given: jax.Array) -> Callable:
        earlier = jnp.tril(jnp.ones((CHUNKS, CHUNKS)), k=-1)

        def attended(attention: jax.Array, found: jax.Array) -> jax.Array:
            return DECAY * attention + GAIN * jnp.abs(found) / jnp.abs(found).max()

        def equation(model: Callable, attention: jax.Array, points: jax.Array) -> tuple[jax.Array, jax.Array]:
            found = self.residual(model, points)
            attention = attended(attention, found)
            chunks = jnp.mean((attention * found).reshape(CHUNKS, -1) ** 2, axis=1)
            causal = jax.lax.stop_gradient(jnp.exp(-CAUSALITY * (earlier @ chunks)))
            return jnp.mean(causal * chunks), attention

        def beginning(model: Callable, attention: jax.Array) -> tuple[jax.Array, jax.Array]:
            found = model(self.start) - given
            attention = attended(attention, found)
            return jnp.mean((attention * found) ** 2), attention

        def update(model, optimiser, points, weights, attention, attention_start):
            (_, attention), one = nnx.value_and_grad(equation, has_aux=True)(model, attention, points)
            (_, attention_start), two = nnx.value_and_grad(beginning, has_aux=True)(model, attention_start)
            optimiser.update(model, jax.tree.map(lambda a, b: weights[0] * a + weights[1] * b, one, two))
            return one, two, attention, attention_start

        return update

    def step(self, count: int) -> jax.Array:
        points, attention = self.pool[self.chosen], self.attention[self.chosen]
        one, two, attention, self.attention_start = self.update(
            self.model, self.optimiser, points, self.weights, attention, self.attention_start)
        self.attention = self.attention.at[self.chosen].set(attention)
        if count and count % ANNEALED == 0:
            self.weights = lr_anneal(one, two, *self.weights, MIXING)
        if count and count % RESAMPLED == 0:
            density = jnp.abs(self.attention * self.residual(self.model, self.pool))[:, 0]
            density = density / density.mean() + 1
            self.chosen = get_colloc_indices(collocs_pool=self.pool, batch_size=POINTS, px=density / density.sum(),
                                             seed=SEED)
        return attention


def allen_cahn(problem: Evolution, clock: Clock) -> None:
    training = AllenCahn(problem)
    iterate(training.step, training.model, clock, swapped=True)


if __name__ == "__main__":
    main({"P1": boundary_value, "HZ1": boundary_value, "B1": burgers, "AC1": allen_cahn})
