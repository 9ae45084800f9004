"""The flow in a square cavity under a lid of speed 4 x (1 - x), by a stream function of polynomials and corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from fields import Array, Fields
from numpy.polynomial import legendre

REYNOLDS = 100
NEWTON = 12  # most steps; the last ones change nothing


@dataclass(frozen=True)
class Derivatives:
    """A function of x and y with the derivatives that the weak form needs."""

    value: Array
    x: Array
    y: Array
    lap: Array


def corner(x: Array, s: Array) -> Derivatives:
    """The slow flow in the corner between a wall x = 0 and a lid s = 0 that moves like x, cut off at the other sides.

    That flow is pi s^2 - 2 theta r^2 - 2 x s in polar coordinates: biharmonic, zero on both sides, its slope zero at
    the wall and -4 x at the lid. It is multiplied by (1 - x)^2 (1 + 2 x), which is flat at 0 and clamped at 1, and by
    the same of s.
    """
    theta, phi = np.arctan2(s, x), np.arctan2(x, s)
    square = x**2 + s**2
    flow, flow_x, flow_s = np.pi * s**2 - 2 * theta * square - 2 * x * s, -4 * theta * x, 4 * (phi * s - x)
    (a, a_x, a_xx), (b, b_s, b_ss) = (((1 - z) ** 2 * (1 + 2 * z), 6 * z * (z - 1), 12 * z - 6) for z in (x, s))
    return Derivatives(
        a * b * flow,
        (a_x * flow + a * flow_x) * b,
        (b_s * flow + b * flow_s) * a,
        4 * (phi - theta) * a * b + 2 * (a_x * b * flow_x + a * b_s * flow_s) + (a_xx * b + a * b_ss) * flow,
    )


def lifted(x: Array, y: Array) -> Derivatives:
    """The flows in both upper corners and a polynomial: zero on all sides, of slope 4 x (1 - x) at the lid."""
    left, right = corner(x, 1 - y), corner(1 - x, 1 - y)
    a, a_x, a_xx = -16 * (x * (1 - x)) ** 2, -32 * x * (1 - x) * (1 - 2 * x), -32 * (1 - 6 * x + 6 * x**2)
    b, b_y, b_yy = y**2 * (y - 1), 3 * y**2 - 2 * y, 6 * y - 2
    return Derivatives(
        left.value + right.value + a * b,
        left.x - right.x + a_x * b,
        -left.y - right.y + a * b_y,
        left.lap + right.lap + a_xx * b + a * b_yy,
    )


def clamped(points: Array, number: int) -> tuple[Array, Array, Array]:
    """Polynomials on [0, 1] that vanish with their slopes at both ends, and two derivatives, each [point, function].

    J. Shen, SIAM J. Sci. Comput. 15 (1994) 1489.
    """
    k = np.arange(number)
    coefficients = np.zeros((number + 4, number))
    coefficients[k, k] = 1
    coefficients[k + 2, k] = -2 * (2 * k + 5) / (2 * k + 7)
    coefficients[k + 4, k] = (2 * k + 3) / (2 * k + 7)
    coefficients /= np.sqrt(2 * (2 * k + 3) ** 2 * (2 * k + 5))
    found = [legendre.legval(2 * points - 1, legendre.legder(coefficients, m)).T * 2**m for m in range(3)]
    return found[0], found[1], found[2]


def solved(number: int, nodes: int) -> Array:
    """The coefficients [x, y] of the polynomials, by Newton's method on the weak form, from slow flow.

    (lap psi, lap v) / Re + (lap psi, psi_y v_x - psi_x v_y) = 0 for every polynomial v.
    """
    q, w = legendre.leggauss(nodes)
    q, w = (q + 1) / 2, np.outer(w, w).ravel() / 4
    p, p1, p2 = clamped(q, number)
    fixed = lifted(*np.meshgrid(q, q, indexing="ij"))
    v_x, v_y, lap_v = np.kron(p1, p), np.kron(p, p1), np.kron(p2, p) + np.kron(p, p2)
    c, convection = np.zeros(number**2), 0.0
    for _ in range(NEWTON):
        psi_x, psi_y, lap = fixed.x.ravel() + v_x @ c, fixed.y.ravel() + v_y @ c, fixed.lap.ravel() + lap_v @ c
        test = lap_v / REYNOLDS + convection * (psi_y[:, None] * v_x - psi_x[:, None] * v_y)
        cross = convection * (v_x.T @ ((w * lap)[:, None] * v_y))
        jacobian = test.T @ (w[:, None] * lap_v) + cross - cross.T
        change = np.linalg.solve(jacobian, test.T @ (w * lap))
        c, convection = c - change, 1.0
        if np.linalg.norm(change) < 1e-13 * np.linalg.norm(c):
            break
    return c.reshape(number, number)


def cavity(number: int, points: int = 101) -> Fields:
    """psi with u = psi_y and v = -psi_x."""
    c = solved(number, number + number // 2 + 8)
    x = np.linspace(0, 1, points)
    p, p1, _ = clamped(x, number)
    fixed = lifted(*np.meshgrid(x, x, indexing="ij"))
    psi, u, v = fixed.value + p @ c @ p.T, fixed.y + p @ c @ p1.T, -fixed.x - p1 @ c @ p.T
    return Fields({"x": x, "y": x}, {"psi": psi, "u": u, "v": v})
