"""Waves that a periodic axis sends out: they solve their equation, jump as they should, and let kinks be marched."""

from __future__ import annotations

from math import pi
from pathlib import Path
from typing import Callable

import numpy as np
import pytest
import torch
from program import run
from torch import Tensor

from kanpde.build import assemble
from kanpde.dispersion import dispersion, potential
from kanpde.errors import ResultError
from kanpde.jet import Jet, closure
from kanpde.marching import March, joined, windows
from kanpde.network import Network
from kanpde.problem import Problem, differentiated
from kanpde.resplined import in_other_windows
from kanpde.separation import first_patch
from kanpde.solution import restored, unknown_values
from kanpde.spec import Spec, read_spec_text
from kanpde.splines import Spline, dense
from kanpde.stored import network_arrays, stored_networks
from kanpde.waves import WaveLayer, bernoulli
from kanpde.writers import read

BOX = ((-2.0, 3.0), (1.0, 1.5))
CLOSED = Spline(5, torch.linspace(-1, 1, 8, dtype=torch.float64), 4, True)
WINDOW = Spline(3, torch.tensor([-1.0, 1.0], dtype=torch.float64), 0)
DIRECTIONS = ((1.0 + 0j, 0.5j), (0.3j, 1.0 + 0.2j))


def layer(highest: int = 40, start: float = 0.9, orders: tuple[int, ...] = (2, 3)) -> WaveLayer:
    """Two polarisations of two unknowns."""
    return WaveLayer((CLOSED, WINDOW), BOX, 0, start, (0.5j, 0.3j), DIRECTIONS, orders, 4, highest)


def mapped(points: Tensor) -> Tensor:
    """Points [2, N] of the box in [−1, 1]²."""
    return torch.stack([(x - low) * (2 / (high - low)) - 1 for x, (low, high) in zip(points, BOX)])


def scattered(count: int = 7) -> Tensor:
    """Points [2, N] of the box."""
    low, high = torch.tensor(BOX, dtype=torch.float64).T
    drawn = torch.rand(2, count, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return low[:, None] + (high - low)[:, None] * drawn


def inputs(points: Tensor, orders: set[tuple[int, int]]) -> Jet:
    """Mapped coordinates as jets."""
    slopes = torch.tensor([2 / (high - low) for low, high in BOX], dtype=torch.float64).diag()
    terms = {(0, 0): mapped(points), (1, 0): slopes[:, :1], (0, 1): slopes[:, 1:]}
    return Jet(terms, closure(frozenset(orders)))


def test_derivatives_agree_with_automatic_ones() -> None:
    waves, points = layer(), scattered().requires_grad_()
    coefficients = torch.randn(waves.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    jet = inputs(points.detach(), {(2, 0), (1, 1), (0, 2)})
    found, _ = waves.forward(jet, coefficients, True)
    for o in range(2):
        expected = differentiated(waves.value(mapped(points), coefficients)[o], points, jet.indices)
        for alpha in jet.indices:
            size = expected[alpha].detach().abs().max()
            assert (found[alpha][o] - expected[alpha]).abs().max() < 1e-11 * size, alpha


def test_the_tap_gives_the_jacobian() -> None:
    waves, points = layer(), scattered()
    coefficients = torch.randn(waves.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found, tap = waves.forward(inputs(points, {(2, 0)}), coefficients, True)
    assert tap is not None
    adjoint = torch.autograd.grad(found[2, 0][1].sum(), tap.outputs)[0]
    rows = torch.zeros(coefficients.numel(), points.shape[1], dtype=torch.float64)
    tap.jacobian(adjoint, rows)
    assert torch.allclose(coefficients.flatten() @ rows, found[2, 0][1].detach(), rtol=1e-10, atol=1e-10)


def test_each_wave_solves_its_equation_to_rounding() -> None:
    waves = layer(highest=4096)
    jet = waves.waves(inputs(scattered(), {(2, 0), (0, 1)}))
    for p, rate in enumerate(waves.rates):
        assert torch.equal(jet[0, 1][p], rate * jet[2, 0][p])


@pytest.mark.parametrize("order", (1, 2, 3, 4))
def test_at_first_one_derivative_jumps_by_one(order: int) -> None:
    waves = layer(start=1.0, orders=(order,))
    ends = torch.tensor([[BOX[0][0], BOX[0][1]], [1.0, 1.0]], dtype=torch.float64)
    jet = waves.waves(inputs(ends, {(order - 1, 0)}))
    for k in range(order):
        values = jet[k, 0][0, 0].real
        assert abs(float(values[0] - values[1]) - (k == order - 1)) < 1e-12


@pytest.mark.parametrize("order", (2, 3, 4))
def test_sums_tend_to_what_is_known_at_first(order: int) -> None:
    waves, x = layer(highest=4096), torch.linspace(0.1, 4.9, 9, dtype=torch.float64)
    for sums in (waves.gridded(x, 0 * x[:1], [order]), waves.scattered(x, 0 * x, [order])):
        tail = 2 / waves.length * float(waves.numbers[-1]) ** (1 - order) / (2 * pi / waves.length)
        assert (sums[order][0].flatten().real - waves.first(x, order)).abs().max() < tail


def test_bernoulli_polynomials_are_periodic_in_all_but_one_derivative() -> None:
    y = torch.tensor([0.0, 1.0, 0.3], dtype=torch.float64)
    assert torch.allclose(bernoulli(y, 2), (y**2 - y + 1 / 6) / 2)
    assert torch.allclose(bernoulli(y, 4), (y**4 - 2 * y**3 + y**2 - 1 / 30) / 24, atol=1e-16)


def test_grids_and_scattered_points_have_the_same_sums() -> None:
    waves, points = layer(), scattered(40)
    x, t = points[0] - BOX[0][0], points[1] - waves.start
    one, other = waves.gridded(x, t, [0, 1, 2, 3]), waves.scattered(x, t, [0, 1, 2, 3])
    for m in one:
        assert (one[m].diagonal(dim1=1, dim2=2) - other[m]).abs().max() < 1e-13 * other[m].abs().max()


LINEAR = "domain: {x: [0, 1], t: [0, 0.02]}\nequations: {r: u_t = -v_xx/2 - V*v, i: v_t = u_xx/2 + V*u}\n"
KINK = "initial: {u: x*(1 - x), v: 0}"
HILL = "definitions: {V: 4*cos(2*pi*x)}\n"
TEXTS = {
    "kink": LINEAR + HILL + KINK,
    "jump": LINEAR + HILL + "initial: {u: x, v: 0}",
    "closed": LINEAR + HILL + "initial: {u: sin(2*pi*x), v: 0}",
    "varying": LINEAR.replace("v_xx/2", "v_xx*(2 + x)/2") + HILL + KINK,
    "drift": LINEAR.replace("-v_xx/2", "-v_xx/2 + u*u_x") + HILL + KINK,
    "diffusion": LINEAR.replace("-v_xx/2", "u_xx").replace("u_xx/2", "v_xx/2") + HILL + KINK,
    "third order": LINEAR.replace("v_xx", "v_xxx") + HILL + KINK,
    "nothing": LINEAR + HILL + "initial: {u: 0, v: 0}",
    "zero where looked at": LINEAR + HILL + "initial: {u: sin(16*pi*x), v: 0}",
    "a slope without bound": LINEAR + HILL + "initial: {u: sqrt(x), v: 0}",
    "one equation twice": LINEAR.replace("u_t =", "u_t + v_t =").replace("i: v_t =", "i: u_t + v_t =") + HILL + KINK,
}


def spec_of(text: str, more: str = "") -> Spec:
    """A problem that closes up in x."""
    return read_spec_text(f"unknowns: [u, v]\n{text}\nboundary: {{x: periodic}}\n{more}", "test.yaml", Path("."))


@pytest.mark.parametrize("name", TEXTS)
def test_waves_are_sent_out_by_jumps_of_dispersive_equations_only(name: str) -> None:
    spec = spec_of(TEXTS[name])
    found = dispersion(spec, first_patch(spec).problem, 1)
    assert (found is not None) == (name in ("kink", "jump"))
    if found is not None:
        assert found.rates.tolist() == pytest.approx([0.5j]) and found.first == (name == "kink")
        sent = 2 * (found.right @ found.jumps.T).real
        assert torch.allclose(sent[0], torch.tensor([2.0, 0.0] if found.first else [-1.0, 0.0]).double(), atol=1e-14)
        assert torch.allclose(sent[1], torch.zeros(2).double(), atol=1e-14)


def test_the_potential_is_what_the_equation_adds() -> None:
    spec = spec_of(TEXTS["kink"].replace("4*cos(2*pi*x)", "3 + 4*cos(2*pi*x) + u^2 + v^2"))
    patch = first_patch(spec)
    about = dispersion(spec, patch.problem, 1)
    assert about is not None
    march = March(patch.problem, 1, (1, 1), 1e-6, about)
    fine = Spline(9, torch.linspace(-1, 1, 25, dtype=torch.float64), 8, True)
    window = march.window(0.0, 0.01, fine, torch.full((24, 9, 2), 0.5, dtype=torch.float64))
    means, coefficients = potential(about, window)
    assert torch.allclose(means, 1j * torch.full_like(means.real, 4.0), atol=1e-12)  # 3 + 2 |h|²
    x = torch.linspace(-1, 1, 9, dtype=torch.float64)
    values = dense(fine, x).to(coefficients) @ coefficients[:, 0]
    assert torch.allclose(values[:, 0], -4 / (2 * pi) * torch.sin(pi * (x + 1)) + 0j, atol=1e-8)


REVIVAL = """
domain: {x: [0, 1], t: [0, 1/(4*pi)]}
equations: {r: u_t = -v_xx/2, i: v_t = u_xx/2}
initial: {u: x*(1 - x), v: 0}"""


def marched(text: str, tolerance: float, alone: bool = False) -> tuple[March, list]:
    """A march, and its windows, with waves unless the splines are to be alone."""
    spec = spec_of(text)
    patch = first_patch(spec)
    march = March(patch.problem, 1, (1, 1), tolerance, None if alone else dispersion(spec, patch.problem, 1))
    return march, [window for window, _ in windows(march, patch.along)]


def at(solved: tuple, x: np.ndarray, time: float) -> np.ndarray:
    """u + iv [N] at a time."""
    points = torch.stack([torch.as_tensor(x), torch.full((len(x),), time, dtype=torch.float64)])
    found = unknown_values(*solved, ("u", "v"), points)
    return found["u"].numpy() + 1j * found["v"].numpy()


def test_a_kink_revives_after_a_quarter_of_the_period() -> None:
    """exp(−2πi n²/4) is 1 for even n and −i for odd, so that h = ((1 − i) h₀(x) + (1 + i) h₀(x + 1/2)) / 2."""
    march, found = marched(REVIVAL, 1e-4)
    x = (np.arange(200) + 0.5) / 200
    first, moved = (y * (1 - y) for y in (x, (x + 0.5) % 1))
    exact = ((1 - 1j) * first + (1 + 1j) * moved) / 2
    solved = joined(march, found)
    assert np.linalg.norm(at(solved, x, 1 / (4 * pi)) - exact) < 1e-6 * np.linalg.norm(exact)
    other = next(in_other_windows(march, found))
    assert np.linalg.norm(at(other, x, 1 / (4 * pi)) - exact) < 1e-4 * np.linalg.norm(exact)


def by_splitting(steps: int, modes: int = 256, time: float = 0.05) -> np.ndarray:
    """Fourier coefficients of HILLS at a time: exact at first, linear and nonlinear part in turn (Strang 1968)."""
    n, x = np.fft.fftfreq(modes, 1 / modes), np.arange(modes) / modes
    half = np.exp(-1j * pi**2 * n**2 * time / steps)
    c = np.append(1 + 1 / 6, -1 / (2 * pi**2 * n[1:] ** 2)) + 0j
    for _ in range(steps):
        h = np.fft.ifft(c * half, norm="forward")
        turn = np.exp(1j * time / steps * (6 * np.cos(2 * pi * x) + abs(h) ** 2))
        c = np.fft.fft(h * turn, norm="forward") * half
    return c


HILLS = """
domain: {x: [0, 1], t: [0, 0.05]}
equations: {r: u_t = -v_xx/2 - V*v, i: v_t = u_xx/2 + V*u}
definitions: {V: 6*cos(2*pi*x) + u^2 + v^2}
initial: {u: 1 + x*(1 - x), v: 0}"""


@pytest.mark.slow
def test_the_error_beside_a_potential_falls_with_the_tolerance() -> None:
    """Steps so short that no wave turns by a quarter in one of them, once extrapolated: 6e-11."""
    low, x = np.r_[0:41, -40:0], np.arange(4096) / 4096
    exact = (4 * by_splitting(12000) - by_splitting(6000))[low] / 3

    def error(tolerance: float, alone: bool = False) -> float:
        found = np.fft.fft(at(joined(*marched(HILLS, tolerance, alone)), x, 0.05), norm="forward")[low]
        return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))

    rough, fine = error(1e-3), error(1e-5)
    assert rough < 1e-3 and fine < 1e-5 and fine < rough / 5
    assert rough < error(1e-3, alone=True) / 5


@pytest.mark.slow
def test_a_run_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    text = f"unknowns: [u, v]{REVIVAL.replace('1/(4*pi)', '0.01')}\nboundary: {{x: periodic}}\n"
    (tmp_path / "kink.yaml").write_text(text + "output: {save: [h5], grid: 11, times: 3}\n")
    chosen = ("--set", "network.basis=separable", "--set", "training={threads: 1, stop: {time: 0.1}}")
    result = run("solve", tmp_path / "kink.yaml", *chosen, "--out", tmp_path / "run", "--quiet")
    assert result.exit_code in (0, 3), result.stderr
    stored = read(tmp_path / "run")
    again = restored(stored)
    points = np.stack(np.meshgrid(*stored.axes.values(), indexing="ij"), axis=-1).reshape(-1, 2)
    assert np.array_equal(again.at(points)["u"], stored.fields["u"].values.ravel())
    assert isinstance(again.problem.trial.branches[1].network.layers[0], WaveLayer)


def stored_waves() -> tuple[Problem, Tensor]:
    """A problem with nothing but waves, and coefficients."""
    problem = assemble(spec_of(TEXTS["kink"]), [(Network((layer(),)), ("u", "v"))])
    return problem, torch.linspace(-1, 1, problem.trial.size, dtype=torch.float64).sin()


def test_waves_are_stored_bit_for_bit() -> None:
    problem, theta = stored_waves()
    networks, again = stored_networks(network_arrays(problem, theta, "auto"))
    (network, unknowns), = networks
    x = mapped(scattered())
    assert unknowns == ("u", "v") and torch.equal(theta, again)
    assert torch.equal(network.value(x, again), problem.trial.branches[0].network.value(x, theta))


DAMAGE: dict[str, Callable[[dict], object]] = {
    "an axis less": lambda e: e["axes"].pop("1"),
    "a box without end": lambda e: e["box"].__setitem__((0, 1), np.inf),
    "a box turned round": lambda e: e.update(box=e["box"][:, ::-1].copy()),
    "a third axis": lambda e: e.update(along=2),
    "no start": lambda e: e.pop("start"),
    "a start that is no number": lambda e: e.update(start=np.nan),
    "too many modes": lambda e: e.update(highest=10**12),
    "no modes": lambda e: e.update(lowest=50),
    "orders below one": lambda e: e.update(orders=np.array([0, 1])),
    "a rate too many": lambda e: e.update(rates=np.zeros((3, 2))),
    "rates in words": lambda e: e.update(rates="fast"),
    "rates without numbers": lambda e: e.update(rates=np.full((2, 2), np.nan)),
    "waves that grow": lambda e: e.update(rates=np.full((2, 2), -1.0)),
    "another direction": lambda e: e.update(directions=np.zeros((2, 3, 2))),
    "other coefficients": lambda e: e.update(coefficients=e["coefficients"][:, :-1]),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_waves_are_refused(damage: Callable[[dict], object]) -> None:
    arrays = network_arrays(*stored_waves(), "auto")
    damage(arrays["branches"]["0"]["layers"]["0"])
    with pytest.raises(ResultError, match="cannot be read"):
        stored_networks(arrays)
