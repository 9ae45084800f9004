"""Separable networks as arrays and back, and arrays that make none."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from kanpde.build import assemble
from kanpde.errors import ResultError
from kanpde.network import Network
from kanpde.problem import Problem
from kanpde.separable import ProductLayer
from kanpde.spec import read_spec_text
from kanpde.splines import Spline
from kanpde.stored import network_arrays, stored_networks

BREAKS = torch.tensor([-1.0, -0.7, -0.1, 0.2, 0.6, 1.0], dtype=torch.float64)
CLAMPED, CLOSED, ROUGH = Spline(6, BREAKS, 5), Spline(6, BREAKS, 5, True), Spline(8, BREAKS, 0)
AXES = {"one": (CLAMPED,), "two": (CLOSED, ROUGH), "three": (ROUGH, CLAMPED, CLOSED)}


@pytest.mark.parametrize("axes", AXES.values(), ids=AXES)
def test_networks_are_stored_bit_for_bit(axes: tuple[Spline, ...]) -> None:
    names = ("x", "y", "z")[: len(axes)]
    problem, theta = stored_problem(axes, names)
    networks, again = stored_networks(network_arrays(problem, theta, "auto"))
    (network, unknowns), = networks
    x = 2 * torch.rand(len(axes), 9, generator=torch.Generator().manual_seed(1), dtype=torch.float64) - 1
    assert unknowns == ("u",) and torch.equal(theta, again)
    assert torch.equal(network.value(x, again), problem.trial.branches[0].network.value(x, theta))


def stored_problem(axes: tuple[Spline, ...], names: tuple[str, ...]) -> tuple[Problem, Tensor]:
    """Any problem of so many coordinates, and random coefficients."""
    domain = ", ".join(f"{name}: [0, 1]" for name in names)
    text = f"unknowns: [u]\ndomain: {{{domain}}}\nequations: {{e: lap(u) = 1}}\nboundary: {{all: u = 0}}\n"
    spec = read_spec_text(text, "test.yaml", Path("."))
    problem = assemble(spec, [(Network((ProductLayer(axes, 1),)), ("u",))])
    return problem, torch.linspace(-1, 1, problem.trial.size, dtype=torch.float64).sin()


DAMAGE: dict[str, Callable[[dict], object]] = {
    "breaks that descend": lambda e: e["axes"]["0"].update(breaks=e["axes"]["0"]["breaks"][::-1].copy()),
    "breaks that coincide": lambda e: e["axes"]["0"]["breaks"].__setitem__(1, -1.0),
    "breaks without numbers": lambda e: e["axes"]["0"]["breaks"].__setitem__(1, np.nan),
    "breaks without end": lambda e: e["axes"]["0"]["breaks"].__setitem__(-1, np.inf),
    "a break": lambda e: e["axes"]["0"].update(breaks=np.array([0.0])),
    "breaks in a square": lambda e: e["axes"]["0"].update(breaks=np.zeros((2, 2))),
    "fewer breaks": lambda e: e["axes"]["0"].update(breaks=e["axes"]["0"]["breaks"][:-1]),
    "a huge degree": lambda e: e["axes"]["0"].update(degree=10**12),
    "another degree": lambda e: e["axes"]["0"].update(degree=7),
    "a degree in words": lambda e: e["axes"]["0"].update(degree="six"),
    "no degree": lambda e: e["axes"]["0"].pop("degree"),
    "smoother than its degree": lambda e: e["axes"]["0"].update(smooth=6),
    "rougher than can be": lambda e: e["axes"]["0"].update(smooth=-1),
    "a period with corners": lambda e: e["axes"]["0"].update(periodic=1, smooth=0),
    "other coefficients": lambda e: e.update(coefficients=e["coefficients"][:, :-1]),
    "no coefficients": lambda e: e.pop("coefficients"),
    "an axis less": lambda e: e["axes"].pop("1"),
    "no axes": lambda e: e.pop("axes"),
    "axes as numbers": lambda e: e.update(axes=3),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_networks_are_refused(damage: Callable[[dict], object]) -> None:
    arrays = network_arrays(*stored_problem((CLAMPED, CLAMPED), ("x", "y")), "auto")
    damage(arrays["branches"]["0"]["layers"]["0"])
    with pytest.raises(ResultError, match="cannot be read"):
        stored_networks(arrays)
