"""Spectral collocation in NumPy: what one would write for a box and a smooth solution.

P1, HZ1: Chebyshev points and differentiation matrices (L. N. Trefethen, Spectral Methods in MATLAB, 2000, programs 16
and 17), the tensor-product system diagonalised direction by direction. B1, AC1: Fourier points and fourth-order
exponential Runge-Kutta steps (A.-K. Kassam, L. N. Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214). Burgers' solution is
odd, so that it is periodic too. Each computation is refined until the time is up.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from peers.clock import Clock, main
from peers.problems import DIFFUSION, REACTION, VISCOSITY, Array, Evolution, Sines, Truth

SIZES = (8, 12, 16, 24, 32, 48, 64, 96, 128)
LEVELS = ((128, 1), (256, 1), (256, 2), (512, 2), (512, 4), (1024, 8), (2048, 8), (4096, 16), (8192, 32), (16384, 64))


def chebyshev(n: int) -> tuple[Array, Array]:
    """The points cos(pi j / n) and the matrix that differentiates there."""
    x = np.cos(np.pi * np.arange(n + 1) / n)
    c = np.r_[2, np.ones(n - 1), 2] * (-1) ** np.arange(n + 1)
    matrix = np.outer(c, 1 / c) / (x[:, None] - x + np.eye(n + 1))
    return x, matrix - np.diag(matrix.sum(axis=1))


def interpolation(n: int, at: Array) -> Array:
    """The matrix from values at the Chebyshev points to values elsewhere, by the barycentric formula."""
    x = np.cos(np.pi * np.arange(n + 1) / n)
    weights = np.r_[0.5, np.ones(n - 1), 0.5] * (-1) ** np.arange(n + 1)
    distance = at[:, None] - x
    hit = distance == 0
    rows = weights / np.where(hit, 1, distance)
    rows = rows / rows.sum(axis=1, keepdims=True)
    return np.where(hit.any(axis=1, keepdims=True), hit.astype(float), rows)


def boundary_value(problem: Sines, clock: Clock) -> None:
    """(D2 + shift) U + U D2' = F on the inner points, with D2 = V diag(e) V^-1."""
    clock.ready()
    for n in SIZES:
        begin = clock.seconds()
        x, first = chebyshev(n)
        inner = x[1:-1]
        values, vectors = np.linalg.eig((first @ first)[1:-1, 1:-1])
        right = problem.amplitude * np.outer(np.sin(problem.b * np.pi * inner), np.sin(problem.a * np.pi * inner))
        modes = np.linalg.solve(vectors, np.linalg.solve(vectors, right).T).T
        u = np.zeros((n + 1, n + 1))
        u[1:-1, 1:-1] = (vectors @ (modes / (values[:, None] + values + problem.shift)) @ vectors.T).real
        took = clock.seconds() - begin
        clock.report(partial(interpolated, u, clock.truth), unknowns=(n - 1) ** 2, level_seconds=took)


def interpolated(u: Array, truth: Truth, _: Array) -> Array:
    """Values at Chebyshev points, on the fine grid."""
    n = len(u) - 1
    return interpolation(n, truth.second) @ u @ interpolation(n, truth.first).T


def evolve(problem: Evolution, clock: Clock, linear: Array, rate: Array, power: int) -> None:
    """v' = linear v + rate F(u^power) in Fourier space, on finer and finer grids with shorter and shorter steps."""
    clock.ready()
    times = clock.truth.second
    took = 0.0
    for modes, steps in LEVELS:
        if clock.seconds() + 3 * took > clock.limit:
            return
        begin = clock.seconds()
        rows = march(problem, modes, steps, times, linear[: modes // 2 + 1], rate[: modes // 2 + 1], power, clock)
        if clock.over():
            return
        took = clock.seconds() - begin
        clock.report(partial(at_points, rows, clock.truth.first), unknowns=modes, steps=steps * (len(times) - 1),
                     level_seconds=took)


def march(problem: Evolution, modes: int, steps: int, times: Array, linear: Array, rate: Array, power: int,
          clock: Clock) -> Array:
    """The Fourier coefficients at each time, `steps` steps of the exponential Runge-Kutta method in between."""
    h = (times[1] - times[0]) / steps
    z = h * linear[:, None] + np.exp(1j * np.pi * (np.arange(32) + 0.5) / 32)  # the coefficients are means over z
    whole, half = np.exp(h * linear), np.exp(h * linear / 2)
    q = h * ((np.exp(z / 2) - 1) / z).mean(axis=1).real
    a = h * ((-4 - z + np.exp(z) * (4 - 3 * z + z**2)) / z**3).mean(axis=1).real
    b = h * ((2 + z + np.exp(z) * (z - 2)) / z**3).mean(axis=1).real
    c = h * ((-4 - 3 * z - z**2 + np.exp(z) * (4 - z)) / z**3).mean(axis=1).real
    v = np.fft.rfft(problem.initial(-1 + 2 * np.arange(modes) / modes))
    rows = [v]

    def force(v: Array) -> Array:
        return rate * np.fft.rfft(np.fft.irfft(v) ** power)

    for _ in times[1:]:
        for _ in range(steps):
            f0 = force(v)
            v1 = half * v + q * f0
            f1 = force(v1)
            f2 = force(half * v + q * f1)
            f3 = force(half * v1 + q * (2 * f2 - f0))
            v = whole * v + a * f0 + 2 * b * (f1 + f2) + c * f3
        rows.append(v)
        if clock.over():
            break
    return np.array(rows)


def at_points(rows: Array, x: Array, _: Array) -> Array:
    """The trigonometric polynomials at x; the highest mode counts once."""
    n = np.arange(rows.shape[1])
    weights = np.where((n == 0) | (n == n[-1]), 1, 2) / (2 * n[-1])
    return ((rows * weights) @ np.exp(1j * np.pi * np.outer(n, x + 1))).real


def wave_numbers() -> Array:
    return np.pi * np.arange(LEVELS[-1][0] // 2 + 1)


def burgers(problem: Evolution, clock: Clock) -> None:
    """u_t = nu u_xx - (u^2)_x / 2."""
    k = wave_numbers()
    evolve(problem, clock, -VISCOSITY * k**2, -0.5j * k, power=2)


def allen_cahn(problem: Evolution, clock: Clock) -> None:
    """u_t = (D u_xx + 5 u) - 5 u^3."""
    k = wave_numbers()
    evolve(problem, clock, REACTION - DIFFUSION * k**2, np.full(len(k), -REACTION), power=3)


if __name__ == "__main__":
    main({"P1": boundary_value, "HZ1": boundary_value, "B1": burgers, "AC1": allen_cahn})
