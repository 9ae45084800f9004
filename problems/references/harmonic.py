"""Harmonic functions with given values on a boundary, by least squares in functions that are harmonic exactly.

The error is harmonic too, hence nowhere larger than on the boundary: the misfit there certifies it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from fields import Array, Fields

SURE = 10  # times as many points to see the misfit as to make it small
ROUNDING = 1e-15

Basis = Callable[[Array], Array]  # complex points [N] to functions [N, K]


@dataclass(frozen=True)
class Harmonic:
    """The sum of a known part and of a combination of a basis, and its largest misfit on the boundary."""

    basis: Basis
    coefficients: Array
    misfit: float

    def at(self, z: Array) -> Array:
        """Values [N] at complex points."""
        return self.basis(z) @ self.coefficients


def fitted(basis: Basis, boundary: Callable[[int], tuple[Array, Array]], points: int) -> Harmonic:
    """The combination that is closest to the values given on the boundary, columns scaled alike.

    `boundary(n)` gives n points of each of its parts, and the values there.
    """
    z, wanted = boundary(points)
    columns = basis(z)
    sizes = np.abs(columns).max(axis=0)
    coefficients = np.linalg.lstsq(columns / sizes, wanted, rcond=1e-15)[0] / sizes
    z, wanted = boundary(SURE * points)
    return Harmonic(basis, coefficients, float(np.abs(basis(z) @ coefficients - wanted).max()))


def certified(fields: Fields, misfit: float) -> float:
    """A bound on the relative L2 error from one on the largest error."""
    values = next(iter(fields.values.values()))
    return max(misfit / float(np.sqrt(np.nanmean(values**2))), ROUNDING)


def powers(z: Array, degree: int) -> Array:
    """The real and imaginary parts of z^0 to z^degree."""
    found = z[:, None] ** np.arange(degree + 1)
    return np.concatenate([found.real, found.imag[:, 1:]], axis=1)


def segments(corners: list[complex], points: int) -> Array:
    """Points of a polygon, denser towards its corners."""
    t = (1 - np.cos(np.pi * (np.arange(points) + 0.5) / points)) / 2
    return np.concatenate([a + (b - a) * t for a, b in zip(corners, corners[1:] + corners[:1])])


def grid(low: float, high: float, side: int) -> tuple[Array, Array]:
    """An axis, and the complex points [side, side] of the square, indexed x, y."""
    axis = np.linspace(low, high, side)
    return axis, axis[:, None] + 1j * axis


HOLES = (0.3 + 0.3j, -0.3 + 0.3j, -0.3 - 0.3j, 0.3 - 0.3j)
IMAGES = [x + 1j * y for x in (-0.7, -0.3, 0.3, 0.7) for y in (-0.7, -0.3, 0.3, 0.7)]  # and the holes themselves
RADIUS = 0.1


def four_discs(degree: int, order: int, side: int = 101) -> tuple[Fields, float]:
    """u = 1 on the square [-1/2, 1/2]^2, 0 on four circles: polynomials, and Laurent's terms around each circle.

    Since u - 1 is odd across each side, it is singular in the circles' mirror images next.
    """

    def basis(z: Array) -> Array:
        around = [
            part
            for hole in IMAGES
            for part in (np.log(np.abs(z - hole) / RADIUS)[:, None], powers(RADIUS / (z - hole), order)[:, 1:])
        ]
        return np.concatenate([powers(z / 0.5, degree), *around], axis=1)

    def boundary(points: int) -> tuple[Array, Array]:
        square = segments([-0.5 - 0.5j, 0.5 - 0.5j, 0.5 + 0.5j, -0.5 + 0.5j], points)
        turns = np.exp(2j * np.pi * (np.arange(points) + 0.5) / points)
        circles = np.concatenate([hole + RADIUS * turns for hole in HOLES])
        return np.concatenate([square, circles]), np.concatenate([np.ones(len(square)), np.zeros(len(circles))])

    found = fitted(basis, boundary, 8 * max(degree, order))
    axis, z = grid(-0.5, 0.5, side)
    inside = np.all([np.abs(z - hole) >= RADIUS * (1 - 1e-12) for hole in HOLES], axis=0)
    values = np.full(z.shape, np.nan)
    values[inside] = found.at(z[inside])
    fields = Fields({"x": axis, "y": axis}, {"u": values})
    return fields, certified(fields, found.misfit)


CORNERS = [0j, 1j, -1 + 1j, -1 - 1j, 1 - 1j, 1 + 0j]  # of the square [-1, 1]^2 without its quadrant x, y > 0


def l_shape(degree: int, order: int, side: int = 101) -> tuple[Fields, float]:
    """-lap(u) = 1 with u = 0 on the boundary: u = w - |z|^2/4 with w harmonic.

    At each corner r^2 log r joins in, since -|z|^2/4 is nothing harmonic on both sides; at the corner of 270 degrees
    r^(2k/3) sin(2k theta/3) does, and all else is analytic (P. Grisvard, Elliptic Problems in Nonsmooth Domains, 1985).
    """
    k = np.array([k for k in range(1, order + 1) if k % 3])

    def basis(z: Array) -> Array:
        found = [powers(z, degree)]
        for corner in CORNERS:
            outward = 1 + 1j if corner == 0 else corner + 0.5 + 0.5j
            shifted = z - corner
            turned = np.angle(-shifted * np.conj(outward) / abs(outward), deg=False)
            size = np.maximum(np.abs(shifted), 1e-300)
            square = shifted**2
            found.append((square.imag * np.log(size) + square.real * turned)[:, None])
        turned = np.angle(-z * (1 - 1j) / abs(1 - 1j)) + 3 * np.pi / 4
        found.append(np.abs(z)[:, None] ** (2 * k / 3) * np.sin(2 * k / 3 * turned[:, None]))
        return np.concatenate(found, axis=1)

    def boundary(points: int) -> tuple[Array, Array]:
        z = segments(CORNERS, points)
        return z, np.abs(z) ** 2 / 4

    found = fitted(basis, boundary, 8 * max(degree, order))
    axis, z = grid(-1, 1, side)
    inside = (z.real <= 0) | (z.imag <= 0)
    values = np.full(z.shape, np.nan)
    values[inside] = found.at(z[inside]) - np.abs(z[inside]) ** 2 / 4
    fields = Fields({"x": axis, "y": axis}, {"u": values})
    return fields, certified(fields, found.misfit)
