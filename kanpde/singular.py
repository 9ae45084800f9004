"""What smooth networks cannot be near corners and around holes: powers and logarithms of the complex coordinate."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import pi
from typing import Sequence

import torch
from torch import Tensor

from kanpde.jet import Jet
from kanpde.network import Tap, summed

BENT = 3  # highest whole power of a corner inside a hole
TINY = 1e-200  # in place of 0, where powers are 0 or infinite

Terms = dict[tuple[int, int], tuple[Tensor, Tensor]]  # p and q of s^λ w^i root^−j (p + q log s), by the exponents i, j


@dataclass(frozen=True)
class Mode:
    """Re(e^{iφ} t^λ), of t = w / (1 + κw) and w = (x + iy − centre) e^{−i turn} / scale.

    Its cut begins at the centre, runs along w < 0 and is `scale` / κ long, endless with κ = 0. With `logarithm` there
    is a factor log t, with `conjugate` one of the conjugate of w: then not the function is harmonic but its Laplacian.
    With a `focus` f, t is Joukowski's variable w + √(w² − f²) instead, whose cut runs between −f and f.
    """

    centre: tuple[float, float]
    turn: float
    scale: float
    power: float
    phase: float = 0.0
    logarithm: bool = False
    conjugate: bool = False
    kappa: float = 0.0
    focus: float = 0.0


@dataclass(frozen=True)
class SingularLayer:
    """y_o = Σ_k c_ko s_k(x, y): harmonic and biharmonic functions that are singular at corners or inside holes.

    At a corner they are the leading terms of every solution of a second-order elliptic equation (Kondratiev 1967;
    Grisvard 1985); around a hole they are Laurent's (cf. Trefethen 2018), or Goursat's for equations of fourth order
    and systems. The two inputs are coordinates mapped from `box` to [−1, 1].
    """

    box: tuple[tuple[float, float], tuple[float, float]]
    modes: tuple[Mode, ...]
    outputs: int
    before: None = None

    @property
    def inputs(self) -> int:
        """The plane's two coordinates."""
        return 2

    @property
    def shape(self) -> tuple[int, int, int]:
        """The coefficients' shape [1, K, O]."""
        return (1, len(self.modes), self.outputs)

    def forward(self, jet: Jet, coefficients: Tensor, tapped: bool) -> tuple[Jet, Tap | None]:
        """The output jet, and the tap when asked for."""
        return summed(self.features(jet), coefficients[0], jet.indices, tapped)

    def features(self, jet: Jet) -> dict[tuple[int, ...], Tensor]:
        """Each derivative [K, N] of the modes: ∂_x^a ∂_y^b Re f(w) = Re(i^b f^(a+b)(w) w_x^(a+b)).

        With the conjugate of w as a factor there is another term, of f^(a+b−1).
        """
        w, steps = self.complex(jet.value)
        phases, bars = self.column(w.real, "phase"), self.column(w.real, "conjugate")
        plain, factor = torch.exp(1j * phases), 1 + bars * (w.conj() - 1)
        values, found = self.derivatives(w, max(map(sum, jet.indices))), {}
        for a, b in sorted(jet.indices):
            order = a + b
            value = factor * values[order] * steps**order
            if order and bars.any():
                value = value + bars * (a - b) * steps.conj() * values[order - 1] * steps ** (order - 1)
            found[a, b] = (plain * 1j**b * value).real
        return found

    def derivatives(self, w: Tensor, orders: int) -> list[Tensor]:
        """The derivatives [K, N] by w of t^λ and t^λ log t: sums of t^λ w^−n (t/w)^j (p_j + q_j log t)."""
        powers, logs, kappa = (self.column(w.real, name) for name in ("power", "logarithm", "kappa"))
        foci = self.column(w.real, "focus")
        if foci.all():
            return slit_derivatives(w, foci, powers, logs, self.column(w.real, "conjugate"), orders)
        ratio = 1 / (1 + kappa * w)  # t / w, whose derivative by w is −κ (t/w)²; t' = (t/w)²
        t = w * ratio
        lead, logarithm = t**powers, t.log()
        sums, values = [(1 - logs, logs)], []
        for n in range(orders + 1):
            total = sum((ratio**j * (p + q * logarithm) for j, (p, q) in enumerate(sums)), start=torch.zeros_like(w))
            values.append(lead * total * w**-n)
            sums = following(sums, powers, n)
        return values

    def complex(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """w [K, N] at mapped coordinates [2, N], and its derivative [K, 1] by x."""
        (left, right), (low, high) = self.box
        x = left + (inputs[0] + 1) * ((right - left) / 2)
        y = low + (inputs[1] + 1) * ((high - low) / 2)
        centres = inputs.new_tensor([mode.centre for mode in self.modes])
        turns, scales = (self.column(inputs, name) for name in ("turn", "scale"))
        steps = torch.exp(-1j * turns) / scales
        w = torch.complex(x - centres[:, :1], y - centres[:, 1:]) * steps
        return torch.where(w == 0, TINY, w), steps

    def column(self, like: Tensor, name: str) -> Tensor:
        """A property of the modes [K, 1]."""
        return like.new_tensor([[getattr(mode, name)] for mode in self.modes])

    def value(self, x: Tensor, coefficients: Tensor) -> Tensor:
        """The outputs [O, N] by ordinary operations, for nested automatic differentiation."""
        w, _ = self.complex(x)
        names = ("power", "phase", "logarithm", "conjugate", "kappa", "focus")
        powers, phases, logs, bars, kappa, foci = (self.column(x, name) for name in names)
        t = torch.where(foci > 0, unslit(w, foci)[0], w / (1 + kappa * w))
        lead = torch.where((foci > 0) & (logs > 0) & (bars > 0), w, t**powers)
        values = lead * torch.where(logs > 0, t.log(), 1.0) * torch.where(bars > 0, w.conj(), 1.0)
        return coefficients[0].T @ (torch.exp(1j * phases) * values).real

    def initial(self, generator: torch.Generator) -> Tensor:
        """Nothing singular at the start."""
        return torch.zeros(self.shape, dtype=torch.float64)


def following(sums: Sequence[tuple[Tensor, Tensor]], powers: Tensor, order: int) -> list[tuple[Tensor, Tensor]]:
    """The p_j and q_j of the next derivative of Σ_j t^(λ+j) w^(−n−j) (p_j + q_j log t), where t' = t² / w²."""
    zero = torch.zeros_like(powers)
    found = [(zero, zero) for _ in range(len(sums) + 1)]
    for j, (p, q) in enumerate(sums):
        (here, here_log), (above, above_log) = found[j], found[j + 1]
        found[j] = (here - (order + j) * p, here_log - (order + j) * q)
        found[j + 1] = (above + (powers + j) * p + q, above_log + (powers + j) * q)
    return found


def unslit(w: Tensor, focus: Tensor) -> tuple[Tensor, Tensor]:
    """s = w + √(w² − f²) with its cut between the foci ±f, and the root; with f = 0 it is 2w."""
    root = (w - focus).sqrt() * (w + focus).sqrt()
    return w + root, root


def slit_derivatives(w: Tensor, focus: Tensor, powers: Tensor, logs: Tensor, bars: Tensor, orders: int) -> list[Tensor]:
    """The derivatives by w of s^λ and s^λ log s; of w log s where a conjugate of w stands before it.

    They are sums of s^λ w^i root^−j (p + q log s), since s' = s / root and root' = w / root.
    """
    s, root = unslit(w, focus)
    alone = logs * bars
    powers = powers * (1 - alone)
    lead, logarithm = s**powers, s.log()
    terms = {(0, 0): (1 - logs, logs * (1 - bars)), (1, 0): (torch.zeros_like(alone), alone)}
    values = []
    for _ in range(orders + 1):
        parts = (w**i * root**-j * (p + q * logarithm) for (i, j), (p, q) in terms.items())
        values.append(lead * sum(parts, start=torch.zeros_like(w)))
        terms = next_terms(terms, powers)
    return values


def next_terms(terms: Terms, powers: Tensor) -> Terms:
    """The terms of the derivative."""
    found: Terms = {}
    for (i, j), (p, q) in terms.items():
        for place, more, more_log in (
            ((i, j + 1), powers * p + q, powers * q),
            ((i - 1, j), i * p, i * q),
            ((i + 1, j + 2), -j * p, -j * q),
        ):
            if place[0] >= 0:
                before = found.get(place, (torch.zeros_like(p), torch.zeros_like(q)))
                found[place] = (before[0] + more, before[1] + more_log)
    return found


def corner_modes(
    centre: tuple[float, float], turn: float, angle: float, fixed: tuple[bool, bool], scale: float, count: int
) -> list[Mode]:
    """The modes of a corner of interior angle ω whose bisector points along `turn`.

    `fixed` says whether values are given on its sides, at θ = −ω/2 and ω/2, or normal derivatives: sin λ(θ + ω/2)
    or cos λ(θ + ω/2), with λ = kπ/ω, or (k − ½)π/ω where the sides differ. Whole powers are smooth, but stand with a
    logarithm where sides and equation ask for different second derivatives, say.
    """
    shift = 0.5 if fixed[0] != fixed[1] else 0.0
    powers = [(k - shift) * pi / angle for k in range(1, count + 1)]
    start = -pi / 2 if fixed[0] else 0.0
    return [
        Mode(centre, turn, scale, power, power * angle / 2 + start, abs(power - round(power)) < 1e-9)
        for power in powers
    ]


def inner_corner_modes(
    centre: tuple[float, float], turn: float, angle: float, fixed: tuple[bool, bool], scale: float, length: float
) -> list[Mode]:
    """The modes of a corner of a hole, with a cut of some length that ends inside it.

    The map that bends the cut leaves the angular form of leading terms only, so that the next whole powers of t stand
    beside them, by sine and cosine.
    """
    shift = 0.5 if fixed[0] != fixed[1] else 0.0
    powers = {(k - shift) * pi / angle + more for k in range(1, BENT + 1) for more in range(BENT + 1)}
    kept = sorted(power for power in powers if power < BENT + 1 and abs(power - round(power)) > 1e-9)
    return [Mode(centre, turn, scale, power, phase, kappa=scale / length) for power in kept for phase in (0.0, pi / 2)]


def slit_modes(
    centre: tuple[float, float], turn: float, radii: tuple[float, float], count: int, coupled: bool
) -> list[Mode]:
    """Those of a hole, in Joukowski's variable, around an ellipse whose longer half axis points along `turn`."""
    scale = sum(radii)
    focus = (radii[0] ** 2 - radii[1] ** 2) ** 0.5 / scale
    return [replace(mode, turn=turn, focus=focus) for mode in hole_modes(centre, scale, count, coupled)]


def hole_modes(centre: tuple[float, float], radius: float, count: int, coupled: bool = False) -> list[Mode]:
    """log r and r^−k cos kθ, r^−k sin kθ around a hole.

    Where unknowns are coupled, or an equation is of fourth order, also r^(2−k) cos kθ, r^(2−k) sin kθ and r² log r
    (Michell 1899; Muskhelishvili 1933).
    """
    phases = (0.0, pi / 2)
    found = [Mode(centre, 0.0, radius, 0.0, logarithm=True)]
    found += [Mode(centre, 0.0, radius, -float(k), phase) for k in range(1, count + 1) for phase in phases]
    if coupled:
        found.append(Mode(centre, 0.0, radius, 1.0, logarithm=True, conjugate=True))
        found += [
            Mode(centre, 0.0, radius, 1.0 - k, phase, conjugate=True) for k in range(2, count + 1) for phase in phases
        ]
    return found
