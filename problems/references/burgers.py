"""The viscous Burgers equation by the Cole-Hopf integral."""

from __future__ import annotations

import numpy as np
from fields import Array, Fields, in_time

TIMES = np.linspace(0, 1, 101)


def burgers(nu: float, intervals: int, points: int = 401, times: Array = TIMES) -> Fields:
    """u_t + u u_x = nu u_xx, u(x, 0) = -sin(pi x), by the Cole-Hopf integral and the trapezoidal rule.

    u = -int sin(pi y) w dz / int w dz with y = x - 2 sqrt(nu t) z and w = exp(-z^2 - cos(pi y) / (2 pi nu)). The
    integrand is entire and decays like exp(-z^2), so that the rule converges faster than any power. The exponent's
    greatest value is taken out before the exponential, which would overflow otherwise.
    """
    x = np.linspace(-1, 1, points)
    z = np.linspace(-14, 14, intervals + 1)
    rows = []
    for t in times:
        angle = np.pi * (x[:, None] - 2 * np.sqrt(nu * t) * z)
        exponent = -(z**2) - np.cos(angle) / (2 * np.pi * nu)
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        rows.append(-(np.sin(angle) * weight).sum(axis=1) / weight.sum(axis=1))
    return in_time(x, times, u=np.array(rows))
