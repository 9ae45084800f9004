"""Waves of a linear equation of second order that start where a periodic axis closes with a jump or a kink."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import cos, pi, sin
from typing import Iterable, Mapping

import torch
from torch import Tensor

from kanpde.jet import Index, Jet
from kanpde.separable import LocalTap, ProductLayer
from kanpde.splines import Spline

MODES = 4096  # wave numbers in a sum, at most
ENTRIES = 2**20  # of the tables of scattered points, at once

# Complex terms of jets are [P, J, N]: by polarisation and order.


@dataclass(frozen=True)
class WaveLayer:
    """y = Σ_p 2 Re(r_p Σ_j a_pj(x, t) ℓ_pj(x, t)): waves times products of splines, whose coefficients are trained.

    ℓ_pj = 1/L Σ (iκ)^−j exp(iκ(x − x₀) − μ_p κ² (t − t₀)) over κ = 2πn/L, `lowest` < |n| ≤ `highest`, solves
    ℓ_t = μ_p ℓ_xx. At first its derivative of order j − 1 jumps by 1 at x₀, the lower end of the periodic axis
    `along`; then the sum over all n is known (Bernoulli polynomials), and it is that which is taken. The amplitudes are
    in pairs of real and imaginary parts, by p, then by j.
    """

    axes: tuple[Spline, Spline]
    box: tuple[tuple[float, float], tuple[float, float]]
    along: int
    start: float
    rates: tuple[complex, ...]  # μ_p
    directions: tuple[tuple[complex, ...], ...]  # r_p, each [O]
    orders: tuple[int, ...]  # j
    lowest: int
    highest: int = MODES
    before: None = None

    @property
    def inputs(self) -> int:
        """The coordinates along which waves run and in which they change."""
        return 2

    @property
    def outputs(self) -> int:
        """The number of unknowns."""
        return len(self.directions[0])

    @property
    def amplitudes(self) -> ProductLayer:
        """The products of splines that the waves are multiplied by."""
        return ProductLayer(self.axes, 2 * len(self.rates) * len(self.orders))

    @property
    def shape(self) -> tuple[int, int, int]:
        """The coefficients' shape [1, K, 2PJ]."""
        return self.amplitudes.shape

    @property
    def length(self) -> float:
        """The period L."""
        low, high = self.box[self.along]
        return high - low

    @cached_property
    def numbers(self) -> Tensor:
        """The wave numbers κ [K] that are summed."""
        return 2 * pi / self.length * torch.arange(self.lowest + 1, self.highest + 1, dtype=torch.float64)

    def forward(self, jet: Jet, coefficients: Tensor, tapped: bool) -> tuple[Jet, LocalTap | None]:
        """The output jet, and the tap when asked for: that of the amplitudes."""
        found, tap = self.amplitudes.forward(jet, coefficients, tapped)
        shape = (len(self.rates), len(self.orders), -1, 2)
        amplitudes = Jet(
            {a: torch.view_as_complex(v.unflatten(0, (-1, 2)).movedim(1, -1).reshape(shape).contiguous())
             for a, v in found.terms.items()},
            jet.indices,
        )
        product = amplitudes * self.waves(jet)
        right = torch.tensor(self.directions, dtype=torch.complex128)
        return product.mapped(lambda v: 2 * torch.einsum("po,pjn->on", right, v).real), tap

    def waves(self, jet: Jet) -> Jet:
        """The ℓ_pj with their derivatives, ∂_x^a ∂_t^b ℓ_pj = μ_p^b ℓ_p,j−a−2b."""
        x, t = self.places(jet.value)
        reached = {a: [j - a[self.along] - 2 * a[1 - self.along] for j in self.orders] for a in jet.indices}
        sums = self.sums(x, t, {m for orders in reached.values() for m in orders})
        rates = torch.tensor(self.rates, dtype=torch.complex128)[:, None, None]
        terms: dict[Index, Tensor] = {
            a: rates ** a[1 - self.along] * torch.stack([sums[m] for m in orders], dim=1)
            for a, orders in reached.items()
        }
        return Jet(terms, jet.indices)

    def places(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The distances [N] from the seam and from the first time, at mapped coordinates [2, N]."""
        found = [low + (z + 1) * ((high - low) / 2) for z, (low, high) in zip(inputs, self.box)]
        return found[self.along] - self.box[self.along][0], found[1 - self.along] - self.start

    def sums(self, x: Tensor, t: Tensor, orders: Iterable[int]) -> Mapping[int, Tensor]:
        """Σ (iκ)^−m exp(iκx − μ_p κ²t) / L [P, N] for each order m; what would diverge is cut off."""
        (columns, column), (times, time) = (torch.unique(v, return_inverse=True) for v in (x, t))
        if len(columns) * len(times) > 4 * len(x):
            few = max(ENTRIES // len(self.numbers), 1)
            pairs = zip(x.split(few), t.split(few))
            parts = [self.scattered(*pair, orders) for pair in pairs]
            found = {m: torch.cat([part[m] for part in parts], dim=1) for m in orders}
        else:
            found = {m: grid[:, column, time] for m, grid in self.gridded(columns, times, orders).items()}
        first = t == 0
        return {m: torch.where(first, self.first(x, m) + 0j, v) for m, v in found.items()} if first.any() else found

    def gridded(self, x: Tensor, t: Tensor, orders: Iterable[int]) -> Mapping[int, Tensor]:
        """The sums [P, X, T] on a grid."""
        phases = self.phases(t)
        table, found = self.table(x), {}
        for m in orders:
            weighed = torch.view_as_real(phases * self.numbers**-m).movedim(2, 0).flatten(1)
            rows = (cos(m * pi / 2) * table[0] + sin(m * pi / 2) * table[1]) @ weighed
            found[m] = torch.view_as_complex(rows.view(len(x), len(self.rates), len(t), 2)).transpose(0, 1)
        return {m: v * (2 / self.length) for m, v in found.items()}

    def scattered(self, x: Tensor, t: Tensor, orders: Iterable[int]) -> Mapping[int, Tensor]:
        """The sums [P, N] at points."""
        orders, (cosine, sine), phases = tuple(orders), self.table(x), self.phases(t)
        powers = torch.stack([self.numbers**-m for m in orders], dim=1) * (2 / self.length)
        even, odd = powers * powers.new_tensor([[turn(m * pi / 2) for m in orders] for turn in (cos, sin)])[:, None]
        parts = [(cosine * part) @ even + (sine * part) @ odd for part in (phases.real, phases.imag)]
        return dict(zip(orders, torch.complex(*parts).unbind(-1)))

    def phases(self, t: Tensor) -> Tensor:
        """exp(−μ_p κ²t) [P, N, K]."""
        rates = torch.tensor(self.rates, dtype=torch.complex128)[:, None, None]
        times = self.numbers**2 * t[:, None]
        return torch.polar(torch.exp(-rates.real * times), -rates.imag * times)

    def table(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """cos κx and sin κx [N, K]."""
        angles = x[:, None] * self.numbers
        return angles.cos(), angles.sin()

    def first(self, x: Tensor, order: int) -> Tensor:
        """The sums [N] at the first time: −L^(m−1) B_m(x/L) / m! less the low ones, without what is a point's."""
        low = 2 * pi / self.length * torch.arange(1, self.lowest + 1, dtype=torch.float64)
        angles = x[:, None] * low - order * pi / 2
        whole = bernoulli(x / self.length, order) * -(self.length ** (order - 1)) if order >= 0 else 0.0 * x
        return whole - 2 / self.length * (angles.cos() @ low**-order)

    def value(self, x: Tensor, coefficients: Tensor) -> Tensor:
        """The outputs [O, N] by ordinary operations, for nested automatic differentiation."""
        sums = self.scattered(*self.places(x), self.orders)
        waves = torch.stack([sums[m] for m in self.orders], dim=1).flatten(0, 1)
        pairs = self.amplitudes.value(x, coefficients).unflatten(0, (-1, 2))
        right = torch.tensor(self.directions, dtype=torch.complex128).repeat_interleave(len(self.orders), 0)
        return 2 * torch.einsum("po,pn->on", right, torch.complex(pairs[:, 0], pairs[:, 1]) * waves).real

    def initial(self, generator: torch.Generator) -> Tensor:
        """No waves at the start."""
        return torch.zeros(self.shape, dtype=torch.float64)


def bernoulli(y: Tensor, order: int) -> Tensor:
    """B_m(y) / m! [N]: from 1 on integrals of the one before, of mean zero on [0, 1] (Abramowitz & Stegun 23.1)."""
    powers = [1.0]
    for _ in range(order):
        powers = [0.0, *(c / (k + 1) for k, c in enumerate(powers))]
        powers[0] = -sum(c / (k + 1) for k, c in enumerate(powers))
    found = torch.zeros_like(y)
    for c in reversed(powers):
        found = found * y + c
    return found
