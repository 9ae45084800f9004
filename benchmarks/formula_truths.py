"""Solutions of the problems in tests/formula_problems/other that have no elementary form, by other means."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.integrate import quad, solve_ivp
from scipy.interpolate import BarycentricInterpolator
from scipy.optimize import brentq
from scipy.special import airy, erf, j0, y0

Points = np.ndarray  # [M, d]
TIGHT: dict[str, Any] = {"method": "DOP853", "rtol": 3e-14, "atol": 1e-15, "dense_output": True}
TERMS = 400


def combination(first: Callable[[Any], Any], second: Callable[[Any], Any], ends: tuple[float, float],
                given: tuple[float, float]) -> Callable[[Points], np.ndarray]:
    """The sum of two functions that takes given values at the ends."""
    weights = np.linalg.solve([[first(end), second(end)] for end in ends], given)
    return lambda points: weights[0] * first(points[:, 0]) + weights[1] * second(points[:, 0])


def marched(slopes: Callable[[float, Any], Any], start: tuple[float, ...], span: tuple[float, float],
            ) -> Callable[[Points], np.ndarray]:
    """The solution of an initial value problem."""
    def values(points: Points) -> np.ndarray:
        found = solve_ivp(slopes, span, start, t_eval=np.unique(points[:, 0]), **TIGHT)
        return found.y[0][np.unique(points[:, 0], return_inverse=True)[1]]

    return values


def shot(slopes: Callable[[float, Any], Any], start: Callable[[float], tuple[float, ...]], span: tuple[float, float],
         missed: Callable[[Any], float], bracket: tuple[float, float]) -> Callable[[Points], np.ndarray]:
    """The solution of a boundary value problem, by shooting."""
    found = brentq(lambda s: missed(solve_ivp(slopes, span, start(s), **TIGHT).y[:, -1]), *bracket, xtol=1e-15)
    return marched(slopes, start(found), span)


def torsion(points: Points) -> np.ndarray:
    """-lap(u) = 1 on [-1, 1]^2: a parabola and a series of cosines."""
    x, y = points.T
    found = (1 - x**2) / 2
    for n in range(TERMS):
        k = (2 * n + 1) * np.pi / 2
        ratio = (np.exp(k * (y - 1)) + np.exp(-k * (y + 1))) / (1 + np.exp(-2 * k))
        found = found - 2 * (-1) ** n / k**3 * ratio * np.cos(k * x)
    return found


def parabola(points: Points) -> np.ndarray:
    """The heat equation from x (1 - x): a series."""
    x, t = points.T
    odd = np.arange(1, 2 * TERMS, 2) * np.pi
    return sum(8 / k**3 * np.sin(k * x) * np.exp(-(k**2) * t) for k in odd)


def nearly_sine(points: Points) -> np.ndarray:
    """A sine and the small answer to a Gaussian, by Green's function."""
    def answer(x: float) -> float:
        left = quad(lambda s: s * (1 - x) * np.exp(-20 * s * s), 0, x, epsabs=1e-14)[0]
        return left + quad(lambda s: x * (1 - s) * np.exp(-20 * s * s), x, 1, epsabs=1e-14)[0]

    x = points[:, 0]
    return np.sin(np.pi * x) + 1e-7 * np.array([answer(float(at)) for at in x])


def blasius() -> Callable[[Points], np.ndarray]:
    return shot(lambda x, u: (u[1], u[2], -u[0] * u[2] / 2), lambda s: (0.0, 0.0, s), (0.0, 5.0),
                lambda end: end[1] - 1, (0.1, 1.0))


def lane_emden() -> Callable[[Points], np.ndarray]:
    return shot(lambda x, u: (u[1], -2 * u[1] / x - u[0] ** 3), lambda s: (1.0, s), (0.5, 4.0),
                lambda end: end[0] - 0.2, (-0.9, 0.2))


def circling(points: Points) -> np.ndarray:
    """u_t + 6 u u_x + u_xxx = 0 on a circle of 16 from 2 / cosh(x)^2: Fourier modes, the linear part integrated."""
    count, length = 512, 16.0
    x = np.arange(count) * length / count - length / 2
    k = 2 * np.pi / length * np.arange(count // 2 + 1)
    kept = np.arange(len(k)) < count // 3

    def slopes(t: float, turned: np.ndarray) -> np.ndarray:
        u = np.fft.irfft(turned * np.exp(1j * k**3 * t), count)
        return np.where(kept, -3j * k * np.exp(-1j * k**3 * t) * np.fft.rfft(u * u), 0)

    times = np.unique(points[:, 1])
    start = np.where(kept, np.fft.rfft(2 / np.cosh(x) ** 2), 0).astype(complex)
    found = solve_ivp(slopes, (0.0, float(times[-1])), start, t_eval=times, method="DOP853", rtol=1e-11, atol=1e-11)
    values = np.empty(len(points))
    for t, turned in zip(times, found.y.T):
        here = points[:, 1] == t
        waves = turned * np.exp(1j * k**3 * t) * np.where(k > 0, 2, 1) / count
        values[here] = np.real(np.exp(1j * np.outer(points[here, 0] + length / 2, k)) @ waves)
    return values


def bratu(points: Points) -> np.ndarray:
    """-lap(u) = exp(u) on the unit square, u = 0 around it: Newton's method on Chebyshev points, the lower branch."""
    count = 48
    x = (1 - np.cos(np.pi * np.arange(count + 1) / count)) / 2
    signs = (-1.0) ** np.arange(count + 1) * np.where(np.arange(count + 1) % count == 0, 0.5, 1)
    gaps = x[:, None] - x + np.eye(count + 1)
    slope = np.outer(1 / signs, signs) / gaps
    np.fill_diagonal(slope, 0)
    np.fill_diagonal(slope, -slope.sum(1))
    bent, one = (slope @ slope)[1:-1, 1:-1], np.eye(count - 1)
    laplacian, u = np.kron(bent, one) + np.kron(one, bent), np.zeros((count - 1) ** 2)
    for _ in range(6):
        u = u - np.linalg.solve(laplacian + np.diag(np.exp(u)), laplacian @ u + np.exp(u))
    inner = u.reshape(count - 1, count - 1)
    along = BarycentricInterpolator(x, np.pad(inner, 1))(np.unique(points[:, 0]))
    both = BarycentricInterpolator(x, along.T)(np.unique(points[:, 1]))
    places = [np.unique(column, return_inverse=True)[1] for column in points.T]
    return both[places[1], places[0]]


TRUTHS: Mapping[str, Callable[[], Callable[[Points], np.ndarray]]] = {
    "dispersive_1d_kdv_periodic": lambda: circling,
    "elliptic_1d_airy": lambda: combination(lambda x: airy(x)[0], lambda x: airy(x)[2], (-6, 2), (1, 0)),
    "elliptic_1d_bessel": lambda: combination(j0, y0, (1, 10), (1, 0)),
    "elliptic_1d_blasius": blasius,
    "elliptic_1d_error_function": lambda: lambda points: erf(points[:, 0]) / erf(2),
    "elliptic_1d_lane_emden_3": lane_emden,
    "elliptic_1d_nearly_sine": lambda: nearly_sine,
    "elliptic_2d_bratu": lambda: bratu,
    "elliptic_2d_torsion": lambda: torsion,
    "ode_mathieu": lambda: marched(lambda t, u: (u[1], -(1 + np.cos(t) / 2) * u[0]), (1.0, 0.0), (0.0, 8.0)),
    "ode_painleve": lambda: marched(lambda t, u: (u[1], 6 * u[0] ** 2 + t), (0.0, 0.0), (0.0, 1.0)),
    "ode_pendulum": lambda: marched(lambda t, u: (u[1], -np.sin(u[0])), (1.0, 0.0), (0.0, 6.0)),
    "ode_riccati_airy": lambda: marched(lambda t, u: (t - u[0] ** 2,), (1.0,), (0.0, 2.0)),
    "ode_van_der_pol": lambda: marched(lambda t, u: (u[1], (1 - u[0] ** 2) * u[1] - u[0]), (1.0, 0.0), (0.0, 8.0)),
    "parabolic_1d_parabola": lambda: parabola,
}
