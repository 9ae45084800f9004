"""What smooth networks cannot be near corners and around holes: powers and logarithms of the complex coordinate."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi

import torch
from torch import Tensor

from kanpde.jet import Jet
from kanpde.network import Tap, tapping

TINY = 1e-200  # in place of 0, where powers are 0 or infinite


@dataclass(frozen=True)
class Mode:
    """Re(e^{iφ} w^λ), or Re(e^{iφ} w^λ log w), of w = (x + iy − centre) e^{−i turn} / scale; cut along w < 0."""

    centre: tuple[float, float]
    turn: float
    scale: float
    power: float
    phase: float = 0.0
    logarithm: bool = False


@dataclass(frozen=True)
class SingularLayer:
    """y_o = Σ_k c_ko s_k(x, y): harmonic functions that are singular at corners or inside holes.

    At a corner they are the leading terms of every solution of a second-order elliptic equation (Kondratiev 1967;
    Grisvard 1985); around a hole they are Laurent's (cf. Trefethen 2018). The two inputs are coordinates mapped
    from `box` to [−1, 1].
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
        features = self.features(jet)
        rows = torch.stack(list(features.values()))
        outputs = torch.einsum("skn,ko->son", rows, coefficients[0])[:, None]
        tap = tapping(rows, outputs) if tapped else None
        outputs = tap.outputs if tap else outputs
        return Jet(dict(zip(features, outputs[:, 0].unbind(0))), jet.indices), tap

    def features(self, jet: Jet) -> dict[tuple[int, ...], Tensor]:
        """Each derivative [K, N] of the modes: ∂_x^a ∂_y^b Re f(w) = Re(i^b f^(a+b)(w) w_x^(a+b))."""
        w, steps = self.complex(jet.value)
        powers, phases, logs = (self.column(jet.value, name) for name in ("power", "phase", "logarithm"))
        logarithm, found = w.log(), {}
        plain, factor = 1 - logs, logs  # f^(n) = w^(λ−n) (plain + factor log w)
        values = []
        for order in range(max(map(sum, jet.indices)) + 1):
            values.append(steps**order * w ** (powers - order) * (plain + factor * logarithm))
            plain, factor = (powers - order) * plain + factor, (powers - order) * factor
        for alpha in sorted(jet.indices):
            found[alpha] = (torch.exp(1j * phases) * 1j ** alpha[1] * values[sum(alpha)]).real
        return found

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
        powers, phases, logs = (self.column(x, name) for name in ("power", "phase", "logarithm"))
        values = w**powers * torch.where(logs > 0, w.log(), 1.0)
        return coefficients[0].T @ (torch.exp(1j * phases) * values).real

    def initial(self, generator: torch.Generator) -> Tensor:
        """Nothing singular at the start."""
        return torch.zeros(self.shape, dtype=torch.float64)


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


def hole_modes(centre: tuple[float, float], radius: float, count: int) -> list[Mode]:
    """log r and r^−k cos kθ, r^−k sin kθ around a hole."""
    turned = [Mode(centre, 0.0, radius, -float(k), phase) for k in range(1, count + 1) for phase in (0.0, pi / 2)]
    return [Mode(centre, 0.0, radius, 0.0, logarithm=True), *turned]
