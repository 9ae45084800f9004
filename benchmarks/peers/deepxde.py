"""Physics-informed multilayer perceptrons with DeepXDE and its PyTorch back end, in double precision.

The settings are those of DeepXDE's examples: P1, HZ1 from Helmholtz_Dirichlet_2d (three layers of 150 sines, zero
boundary values built in, ten points per wave length and at least its 20 x 20, Adam at 1e-3); B1 from Burgers (three
layers of 20 tanh, 2540 + 80 + 160 points, 15000 steps of Adam, then L-BFGS); AC1 from Allen_Cahn (the same network,
8000 + 400 + 800 points, initial and boundary values built in, 40000 steps, then L-BFGS). Where an example has more
steps of Adam than fit, L-BFGS begins after half of the time, which does better than Adam to the end.
"""

from __future__ import annotations

import os

os.environ["DDE_BACKEND"] = "pytorch"

import deepxde as dde
import numpy as np
import torch
from deepxde.optimizers.config import LBFGS_options

from peers.clock import Clock, main
from peers.problems import DIFFUSION, REACTION, VISCOSITY, Evolution, Sines

SEED = 0
RATE = 1e-3
HELMHOLTZ_STEPS, BURGERS_STEPS, ALLEN_CAHN_STEPS = 5000, 15000, 40000
ADAM_SHARE = 0.5
ITERATIONS_BETWEEN_CALLBACKS = 10  # of L-BFGS, which keeps its memory
ENDLESS = 10**9


class Watch(dde.callbacks.Callback):
    """Reports errors, and ends a stage when its share of the time is used."""

    def __init__(self, clock: Clock, share: float) -> None:
        super().__init__()
        self.clock, self.share = clock, share

    def on_epoch_end(self) -> None:
        if self.clock.due():
            self.clock.report(self.model.predict, steps=self.model.train_state.step)
        if self.clock.past(self.share):
            self.model.stop_training = True


def train(data: dde.data.Data, net: dde.nn.NN, steps: int, clock: Clock) -> None:
    """Adam, then L-BFGS."""
    model = dde.Model(data, net)
    model.compile("adam", lr=RATE, verbose=0)
    clock.ready()
    quiet = dict(display_every=ENDLESS, verbose=0)
    model.train(iterations=steps, callbacks=[Watch(clock, ADAM_SHARE)], **quiet)
    dde.optimizers.set_LBFGS_options(maxiter=ENDLESS)
    LBFGS_options["iter_per_step"] = ITERATIONS_BETWEEN_CALLBACKS
    LBFGS_options["fun_per_step"] = ITERATIONS_BETWEEN_CALLBACKS * 5 // 4
    model.compile("L-BFGS", verbose=0)
    model.train(callbacks=[Watch(clock, 1)], **quiet)
    clock.report(model.predict, steps=model.train_state.step)


def boundary_value(problem: Sines, clock: Clock) -> None:
    begin()

    def equation(x, u):
        right = problem.amplitude * torch.sin(problem.a * np.pi * x[:, 0:1]) * torch.sin(problem.b * np.pi * x[:, 1:2])
        laplacian = dde.grad.hessian(u, x, i=0, j=0) + dde.grad.hessian(u, x, i=1, j=1)
        return laplacian + problem.shift * u - right

    per_side = max(20, 10 * max(problem.a, problem.b))
    data = dde.data.PDE(dde.geometry.Rectangle([-1, -1], [1, 1]), equation, [],
                        num_domain=per_side**2, num_boundary=4 * per_side)
    net = dde.nn.FNN([2] + [150] * 3 + [1], "sin", "Glorot uniform")
    net.apply_output_transform(lambda x, u: (1 - x[:, 0:1] ** 2) * (1 - x[:, 1:2] ** 2) * u)
    train(data, net, HELMHOLTZ_STEPS, clock)


def space_time() -> dde.geometry.GeometryXTime:
    return dde.geometry.GeometryXTime(dde.geometry.Interval(-1, 1), dde.geometry.TimeDomain(0, 1))


def burgers(problem: Evolution, clock: Clock) -> None:
    begin()

    def equation(x, u):
        u_x, u_t = (dde.grad.jacobian(u, x, i=0, j=j) for j in (0, 1))
        return u_t + u * u_x - VISCOSITY * dde.grad.hessian(u, x, i=0, j=0)

    domain = space_time()
    ends = dde.icbc.DirichletBC(domain, lambda _: 0, lambda _, on_boundary: on_boundary)
    start = dde.icbc.IC(domain, lambda x: problem.initial(x[:, 0:1]), lambda _, on_initial: on_initial)
    data = dde.data.TimePDE(domain, equation, [ends, start], num_domain=2540, num_boundary=80, num_initial=160)
    train(data, dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal"), BURGERS_STEPS, clock)


def allen_cahn(_: Evolution, clock: Clock) -> None:
    begin()

    def equation(x, u):
        u_t, u_xx = dde.grad.jacobian(u, x, i=0, j=1), dde.grad.hessian(u, x, i=0, j=0)
        return u_t - DIFFUSION * u_xx - REACTION * (u - u**3)

    def built_in(points, u):
        x, t = points[:, 0:1], points[:, 1:2]
        return x**2 * torch.cos(np.pi * x) + t * (1 - x**2) * u

    data = dde.data.TimePDE(space_time(), equation, [], num_domain=8000, num_boundary=400, num_initial=800)
    net = dde.nn.FNN([2] + [20] * 3 + [1], "tanh", "Glorot normal")
    net.apply_output_transform(built_in)
    train(data, net, ALLEN_CAHN_STEPS, clock)


def begin() -> None:
    dde.config.set_default_float("float64")
    dde.config.set_random_seed(SEED)
    torch.set_num_threads(1)


if __name__ == "__main__":
    main({"P1": boundary_value, "HZ1": boundary_value, "B1": burgers, "AC1": allen_cahn})
