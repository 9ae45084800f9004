"""Computes the reference solutions of the gallery and certifies each by a second, coarser computation.

    python problems/references/generate.py [burgers] [allen_cahn] [kdv]

Spectral in space, fourth order in time: A.-K. Kassam, L. N. Trefethen, SIAM J. Sci. Comput. 26 (2005) 1214.
The certified error is the relative L2 difference of the two computations, or 1e-15 where rounding is all that is left;
the finer one is written.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import h5py
import numpy as np

Array = np.ndarray
Term = Callable[[Array], Array]
TIMES = np.linspace(0, 1, 101)


@dataclass(frozen=True)
class Field:
    """u(t, x) on a grid of [-1, 1] x [0, 1], one row per time."""

    x: Array
    t: Array
    u: Array


def burgers(intervals: int, points: int = 401, times: Array = TIMES) -> Field:
    """u_t + u u_x = nu u_xx, u(x, 0) = -sin(pi x), by the Cole-Hopf integral and the trapezoidal rule.

    u = -int sin(pi y) w dz / int w dz with y = x - 2 sqrt(nu t) z and w = exp(-z^2 - cos(pi y) / (2 pi nu)). The
    integrand is entire and decays like exp(-z^2), so that the rule converges faster than any power. The exponent's
    greatest value is taken out before the exponential, which would overflow otherwise.
    """
    nu = 0.01 / np.pi
    x = np.linspace(-1, 1, points)
    z = np.linspace(-14, 14, intervals + 1)
    rows = []
    for t in times:
        angle = np.pi * (x[:, None] - 2 * np.sqrt(nu * t) * z)
        exponent = -(z**2) - np.cos(angle) / (2 * np.pi * nu)
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        rows.append(-(np.sin(angle) * weight).sum(axis=1) / weight.sum(axis=1))
    return Field(x, times, np.array(rows))


@dataclass(frozen=True)
class Stepper:
    """The coefficients of the fourth-order exponential Runge-Kutta method for v' = linear v + nonlinear(v)."""

    full: Array
    half: Array
    q: Array
    f1: Array
    f2: Array
    f3: Array

    def step(self, nonlinear: Term, v: Array) -> Array:
        """v one step later."""
        n_v = nonlinear(v)
        a = self.half * v + self.q * n_v
        n_a = nonlinear(a)
        b = self.half * v + self.q * n_a
        n_b = nonlinear(b)
        c = self.half * a + self.q * (2 * n_b - n_v)
        return self.full * v + self.f1 * n_v + self.f2 * (n_a + n_b) + self.f3 * nonlinear(c)


def stepper(linear: Array, step: float) -> Stepper:
    """The coefficients as means over circles around `step * linear`, where the formulae themselves would cancel."""
    circle = np.exp(2j * np.pi * (np.arange(64) + 0.5) / 64)
    r = step * linear[:, None] + circle
    e = np.exp(r)

    def mean(values: Array) -> Array:
        found = step * values.mean(axis=1)
        return found if np.iscomplexobj(linear) else found.real

    return Stepper(
        full=np.exp(step * linear),
        half=np.exp(step * linear / 2),
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


def allen_cahn(modes: int, steps: int, points: int = 257, times: Array = TIMES) -> Field:
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
    return Field(x, times, np.array(rows))


def kdv(modes: int, steps: int, points: int = 257, times: Array = TIMES) -> Field:
    """u_t + u u_x + 0.022^2 u_xxx = 0, u(x, 0) = cos(pi x), periodic."""
    k = np.pi * np.arange(modes // 2 + 1)
    k[-1] = 0  # the derivative of the highest mode vanishes on the grid

    def nonlinear(v: Array) -> Array:
        return -0.5j * k * np.fft.rfft(np.fft.irfft(v) ** 2)

    start = np.fft.rfft(np.cos(np.pi * np.linspace(-1, 1, modes, endpoint=False)))
    x = np.linspace(-1, 1, points)
    rows = [on_grid(v, points) for v in march(start, 1j * 0.022**2 * k**3, nonlinear, steps, times)]
    return Field(x, times, np.array(rows))


def difference(one: Field, other: Field) -> float:
    """The relative L2 difference of two fields on the same grid."""
    return float(np.linalg.norm(one.u - other.u) / np.linalg.norm(other.u))


@dataclass(frozen=True)
class Reference:
    """A field to compute twice, coarsely and finely."""

    title: str
    coarse: Callable[[], Field]
    fine: Callable[[], Field]


REFERENCES = {
    "burgers": Reference(
        "Viscous Burgers equation, nu = 0.01/pi: Cole-Hopf integral, trapezoidal rule with 2000 intervals",
        coarse=lambda: burgers(1300),
        fine=lambda: burgers(2000),
    ),
    "allen_cahn": Reference(
        "Allen-Cahn equation, D = 0.0001: 16384 Fourier modes, ETDRK4 with step 1/8000",
        coarse=lambda: allen_cahn(8192, 40),
        fine=lambda: allen_cahn(16384, 80),
    ),
    "kdv": Reference(
        "Korteweg-de Vries equation, delta = 0.022: 1024 Fourier modes, ETDRK4 with step 1/40000",
        coarse=lambda: kdv(512, 200),
        fine=lambda: kdv(1024, 400),
    ),
}


def write(path: Path, title: str, field: Field, certified: float) -> None:
    """One HDF5 file: u over the dimension scales t and x."""
    with h5py.File(path, "w") as file:
        file.attrs["title"] = title
        file.attrs["certified_error"] = certified
        for name in ("x", "t"):
            file[name] = getattr(field, name)
            file[name].make_scale(name)
        u = file.create_dataset("u", data=field.u, compression="gzip", compression_opts=9, shuffle=True)
        for axis, name in enumerate(("t", "x")):
            u.dims[axis].attach_scale(file[name])


def main(names: list[str]) -> None:
    """Writes the named references, or all, beside this file."""
    for name in names or REFERENCES:
        reference = REFERENCES[name]
        field = reference.fine()
        certified = max(difference(reference.coarse(), field), 1e-15)
        write(Path(__file__).with_name(f"{name}.h5"), reference.title, field, certified)
        print(f"{name}: certified relative L2 error {certified:.1e}")


if __name__ == "__main__":
    main(sys.argv[1:])
