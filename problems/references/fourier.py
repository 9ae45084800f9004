"""Equations on [-1, 1], periodic: Fourier in space, fourth-order exponential Runge-Kutta in time.

A.-K. Kassam, L. N. Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from fields import Array, Fields, in_time

Term = Callable[[Array], Array]
TIMES = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Stepper:
    """The coefficients of the fourth-order exponential Runge-Kutta method for v' = linear v + nonlinear(v).

    `full` and `half` are exp(z) - 1: a step adds to v. The rounding of exp(z) itself would be the same at every step,
    and a chaotic solution would feel it as another `linear`.
    """

    full: Array
    half: Array
    q: Array
    f1: Array
    f2: Array
    f3: Array

    def step(self, nonlinear: Term, v: Array) -> Array:
        """v one step later."""
        n_v = nonlinear(v)
        a = v + (self.half * v + self.q * n_v)
        n_a = nonlinear(a)
        b = v + (self.half * v + self.q * n_a)
        n_b = nonlinear(b)
        c = a + (self.half * a + self.q * (2 * n_b - n_v))
        return v + (self.full * v + self.f1 * n_v + self.f2 * (n_a + n_b) + self.f3 * nonlinear(c))


def stepper(linear: Array, step: float) -> Stepper:
    """The coefficients as means over circles around `step * linear`, where the formulae themselves would cancel."""
    circle = np.exp(2j * np.pi * (np.arange(64) + 0.5) / 64)
    r = step * linear[:, None] + circle
    e = np.exp(r)

    def mean(values: Array) -> Array:
        found = step * values.mean(axis=1)
        return found if np.iscomplexobj(linear) else found.real

    return Stepper(
        full=np.expm1(step * linear),
        half=np.expm1(step * linear / 2),
        q=mean((np.exp(r / 2) - 1) / r),
        f1=mean((-4 - r + e * (4 - 3 * r + r**2)) / r**3),
        f2=mean(2 * (2 + r + e * (r - 2)) / r**3),
        f3=mean((-4 - 3 * r - r**2 + e * (4 - r)) / r**3),
    )


def march(start: Array, linear: Array, nonlinear: Term, per_time: int, times: Array) -> Iterator[Array]:
    """The coefficients at each of the equidistant `times`, `per_time` steps from one to the next."""
    method = stepper(linear, (times[1] - times[0]) / per_time)
    v = start
    yield v
    for _ in times[1:]:
        for _ in range(per_time):
            v = method.step(nonlinear, v)
        yield v


def on_grid(coefficients: Array, points: int) -> Array:
    """The values at equidistant points of [-1, 1], both ends included; `points` - 1 divides the number of modes."""
    values = np.fft.irfft(coefficients)
    values = values[:: len(values) // (points - 1)]
    return np.append(values, values[0])


def allen_cahn(modes: int, steps: int, points: int = 257, times: Array = TIMES) -> Fields:
    """u_t = 0.0001 u_xx + 5 (u - u^3), u(x, 0) = x^2 cos(pi x), periodic.

    The initial slope jumps from one end of the interval to the other. The exact Fourier coefficients, which fall off
    like 1/n^2 only, put the layer that starts there in its place; interpolation on the grid would not.
    """
    n = np.arange(modes // 2 + 1)
    k = np.pi * n

    def moment(m: Array) -> Array:
        """The integral of x^2 cos(m pi x) over [-1, 1]."""
        return np.where(m == 0, 2 / 3, 4 * (-1.0) ** m / (np.pi * np.where(m == 0, 1, m)) ** 2)

    def nonlinear(v: Array) -> Array:
        return -5 * np.fft.rfft(np.fft.irfft(v) ** 3)

    # The grid starts at x = -1: a shift by half a period, (-1)^n.
    start = modes * (-1.0) ** n * (moment(n - 1) + moment(n + 1)) / 4 + 0j
    start[-1] = 0
    x = np.linspace(-1, 1, points)
    rows = [on_grid(v, points) for v in march(start, 5 - 1e-4 * k**2, nonlinear, steps, times)]
    rows[0] = x**2 * np.cos(np.pi * x)
    return in_time(x, times, u=np.array(rows))


def kdv(modes: int, steps: int, points: int = 257, times: Array = TIMES) -> Fields:
    """u_t + u u_x + 0.022^2 u_xxx = 0, u(x, 0) = cos(pi x), periodic."""
    k = np.pi * np.arange(modes // 2 + 1)
    k[-1] = 0  # the derivative of the highest mode vanishes on the grid

    def nonlinear(v: Array) -> Array:
        return -0.5j * k * np.fft.rfft(np.fft.irfft(v) ** 2)

    start = np.fft.rfft(np.cos(np.pi * np.linspace(-1, 1, modes, endpoint=False)))
    x = np.linspace(-1, 1, points)
    rows = [on_grid(v, points) for v in march(start, 1j * 0.022**2 * k**3, nonlinear, steps, times)]
    return in_time(x, times, u=np.array(rows))


def kuramoto_sivashinsky(modes: int, steps: int, points: int = 257, times: Array = TIMES) -> Fields:
    """u_t + 5 u u_x + u_xx / 2 + 0.005 u_xxxx = 0, u(x, 0) = -sin(pi x), periodic."""
    k = np.pi * np.arange(modes // 2 + 1)
    linear = k**2 / 2 - 0.005 * k**4
    k[-1] = 0  # the derivative of the highest mode vanishes on the grid

    def nonlinear(v: Array) -> Array:
        return -2.5j * k * np.fft.rfft(np.fft.irfft(v) ** 2)

    start = np.fft.rfft(-np.sin(np.pi * np.linspace(-1, 1, modes, endpoint=False)))
    x = np.linspace(-1, 1, points)
    rows = [on_grid(v, points) for v in march(start, linear, nonlinear, steps, times)]
    return in_time(x, times, u=np.array(rows))


def cahn_hilliard(modes: int, steps: int, points: int = 257, times: Array = TIMES) -> Fields:
    """u_t = (0.01 (u^3 - u) - 2.5e-5 u_xx)_xx, u(x, 0) = -cos(2 pi x), periodic."""
    k = np.pi * np.arange(modes // 2 + 1)

    def nonlinear(v: Array) -> Array:
        return -0.01 * k**2 * np.fft.rfft(np.fft.irfft(v) ** 3)

    start = np.fft.rfft(-np.cos(2 * np.pi * np.linspace(-1, 1, modes, endpoint=False)))
    x = np.linspace(-1, 1, points)
    rows = [on_grid(v, points) for v in march(start, 0.01 * k**2 - 2.5e-5 * k**4, nonlinear, steps, times)]
    return in_time(x, times, u=np.array(rows))


def gray_scott(modes: int, steps: int, points: int = 257, times: Array = 20 * TIMES) -> Fields:
    """u_t = 0.002 u_xx - u v^2 + 0.04 (1 - u), v_t = 0.001 v_xx + u v^2 - 0.1 v, from a spot of v, periodic."""
    half = modes // 2 + 1
    k = np.pi * np.arange(half)
    x = np.linspace(-1, 1, points)

    def nonlinear(w: Array) -> Array:
        u, v = np.fft.irfft(w[:half]), np.fft.irfft(w[half:])
        return np.concatenate([np.fft.rfft(0.04 - u * v**2), np.fft.rfft(u * v**2)])

    spot = np.exp(2 * np.cos(np.pi * np.linspace(-1, 1, modes, endpoint=False)) - 2)
    start = np.concatenate([np.fft.rfft(1 - spot / 2), np.fft.rfft(spot / 4)])
    linear = np.concatenate([-0.002 * k**2 - 0.04, -0.001 * k**2 - 0.1])
    found = list(march(start, linear, nonlinear, steps, times))
    u, v = (np.array([on_grid(w[part], points) for w in found]) for part in (slice(half), slice(half, None)))
    return in_time(x, times, u=u, v=v)
