"""What smooth periodic networks cannot be around the holes of a periodic cell: Laurent's functions on a lattice."""

from __future__ import annotations

from dataclasses import dataclass
from math import factorial, inf, pi
from typing import Sequence

import torch
from torch import Tensor

from kanpde.jet import Jet
from kanpde.network import Tap, summed
from kanpde.singular import TINY

DIRECT = 12  # power from which images in a row are summed one by one
IN_A_ROW = 12  # such images on either side
TERMS = 60  # of the series for the other rows


@dataclass(frozen=True)
class LatticeLayer:
    """y_o = Σ_k c_ko s_k(x, y): log r and r^−k cos kθ, r^−k sin kθ around a hole, summed over its periodic images.

    The sum of 1/(w − ω) over a lattice is π/a cot(πw/a) and a series of sines for other rows, its derivatives give
    all higher powers; a linear and a quadratic term close up what does not by itself (Hasimoto 1959). Periods are
    infinite along coordinates that do not close. The two inputs are coordinates mapped from `box` to [−1, 1].
    """

    box: tuple[tuple[float, float], tuple[float, float]]
    periods: tuple[float, float]
    centre: tuple[float, float]
    radius: float
    count: int
    outputs: int
    before: None = None

    @property
    def inputs(self) -> int:
        """The plane's two coordinates."""
        return 2

    @property
    def shape(self) -> tuple[int, int, int]:
        """The coefficients' shape [1, K, O]."""
        return (1, 2 * self.count + 1, self.outputs)

    @property
    def turned(self) -> bool:
        """Whether rows of images run along y, as the shorter period."""
        return self.periods[1] < self.periods[0]

    @property
    def spacing(self) -> tuple[float, float]:
        """The distances in a row and between rows."""
        return (min(self.periods), max(self.periods))

    def forward(self, jet: Jet, coefficients: Tensor, tapped: bool) -> tuple[Jet, Tap | None]:
        """The output jet, and the tap when asked for."""
        return summed(self.features(jet), coefficients[0], jet.indices, tapped)

    def features(self, jet: Jet) -> dict[tuple[int, ...], Tensor]:
        """Each derivative [K, N] of the functions: ∂_x^a ∂_y^b Re f(w) = Re(i^b f^(a+b)(w) w_x^(a+b))."""
        w = self.complex(jet.value)
        most = max(map(sum, jet.indices))
        powers, step = self.powers(w, self.count + most), -1j if self.turned else 1.0
        return {(a, b): self.derivative(w, powers, a, b, step) for a, b in sorted(jet.indices)}

    def derivative(self, w: Tensor, powers: Sequence[Tensor], a: int, b: int, step: complex) -> Tensor:
        """One derivative [K, N]; `powers` are Σ_ω r^k (w − ω)^−k for k = 1, 2, …"""
        order = a + b
        factor = step**order * 1j**b * self.radius**-order
        logarithm = self.logarithm(w) if not order else _falling(powers[order - 1], 1, order - 1) * factor
        found = [logarithm.real + self.closing(w, a, b, 2)]
        for k in range(1, self.count + 1):
            value = _falling(powers[k + order - 1], k, order) * factor
            found += [value.real, -value.imag - (self.closing(w, a, b, 1) if k == 1 else 0.0)]
        return torch.stack(found)

    def closing(self, w: Tensor, a: int, b: int, degree: int) -> Tensor | float:
        """What makes the sums periodic across rows: −πη²/(ab) for the logarithm, 2πηr/(ab) for 1/w, η across rows."""
        row, rows = self.spacing
        along, across = (b, a) if self.turned else (a, b)
        if rows == inf or along or across > degree:
            return 0.0
        sign = (-1) ** across if self.turned else 1  # η is −x where rows run along y
        if degree == 1:
            return 2 * pi * self.radius / (row * rows) * (w.imag if not across else sign)
        value = (w.imag.square(), 2 * w.imag, torch.full_like(w.imag, 2.0))[across]
        return -pi / (row * rows) * sign * value

    def powers(self, w: Tensor, most: int) -> list[Tensor]:
        """Σ_ω r^k (w − ω)^−k [N] for k = 1 … most."""
        row, rows = self.spacing
        found = self.in_a_row(w, most)
        if rows == inf:
            return found
        n = torch.arange(1, TERMS + 1, dtype=w.real.dtype, device=w.device)
        weights = torch.exp(-2 * pi * n * rows / row) / -torch.expm1(-2 * pi * n * rows / row)
        waves = torch.exp(2j * pi * n[:, None] * w / row)
        others = torch.exp(-2j * pi * n[:, None] * w / row)
        for k in range(1, most + 1):
            m = k - 1
            scale = (-1) ** m * 4 * pi * self.radius / row * weights * (2 * pi * n * self.radius / row) ** m
            scale = (scale / float(factorial(m))).to(w.dtype)
            found[m] = found[m] + (1j**m * (scale @ waves) - (-1j) ** m * (scale @ others)) / 2j
        return found

    def in_a_row(self, w: Tensor, most: int) -> list[Tensor]:
        """Σ_n r^k (w − n a)^−k [N] for k = 1 … most: polynomials in cot(πw/a), or term by term."""
        row, _ = self.spacing
        cot, size, found = torch.cos(pi * w / row) / torch.sin(pi * w / row), pi * self.radius / row, []
        polynomial = [0.0, 1.0]
        for k in range(1, most + 1):
            if k < DIRECT:
                value = torch.zeros_like(w)
                for c in reversed(polynomial):
                    value = value * cot + c
                found.append(size**k * value)
                slope = [i * c / k for i, c in enumerate(polynomial)][1:]
                polynomial = [p + q for p, q in zip([*slope, 0.0, 0.0], [0.0, 0.0, *slope])]
            else:
                steps = range(-IN_A_ROW, IN_A_ROW + 1)
                found.append(sum(((self.radius / (w + n * row)) ** k for n in steps), start=torch.zeros_like(w)))
        return found

    def logarithm(self, w: Tensor) -> Tensor:
        """The integral of Σ_ω 1/(w − ω), its real part but for a constant."""
        row, rows = self.spacing
        found = torch.log(torch.sin(pi * w / row))
        if rows == inf:
            return found
        for n in range(1, TERMS + 1):
            weight = torch.exp(torch.tensor(-2 * pi * n * rows / row, dtype=w.real.dtype))
            found = found - 2 * weight / (n * (1 - weight)) * torch.cos(2 * pi * n * w / row)
        return found

    def complex(self, inputs: Tensor) -> Tensor:
        """w [N] at mapped coordinates [2, N]: from the nearest image of the centre, rows along the real axis."""
        parts = []
        for x, (low, high), centre, period in zip(inputs, self.box, self.centre, self.periods):
            apart = low + (x + 1) * ((high - low) / 2) - centre
            parts.append(apart if period == inf else apart - period * (apart / period).detach().round())
        w = torch.complex(parts[1], -parts[0]) if self.turned else torch.complex(*parts)
        return torch.where(w == 0, TINY, w)

    def value(self, x: Tensor, coefficients: Tensor) -> Tensor:
        """The outputs [O, N] by ordinary operations, for nested automatic differentiation."""
        w = self.complex(x)
        return coefficients[0].T @ self.derivative(w, self.powers(w, self.count), 0, 0, 1.0)

    def initial(self, generator: torch.Generator) -> Tensor:
        """Nothing singular at the start."""
        return torch.zeros(self.shape, dtype=torch.float64)


def _falling(power: Tensor, k: int, order: int) -> Tensor:
    """The derivative of w^−k of some order, given w^−(k + order)."""
    factor = 1.0
    for j in range(order):
        factor *= -(k + j)
    return factor * power
