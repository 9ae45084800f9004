"""A run that is killed goes on bit for bit; what is damaged is told; what is not finite is named and mended."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from kanpde import journal as journals
from kanpde.journal import Journal
from kanpde.solution import Solution
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec_text
from kanpde.writers import checkpoints

BRATU = """
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations: {bratu: lap(u) + exp(u) = 0}
boundary: {all: u = 0}
"""
BURGERS = """
unknowns: [u]
domain: {x: [-1, 1], t: [0, 0.05]}
equations: {burgers: u_t + u*u_x = 0.1*u_xx}
initial: {u: -sin(pi*x)}
boundary: {all: u = 0}
"""
LAYER = """
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations: {layer: 0.01*lap(u) - u = -1}
boundary: {all: u = 0}
"""
FIT = """
unknowns: [u]
domain: {x: [0, 1]}
equations: {rate: u_x = -k*u}
initial: {}
boundary: {left: u = 1}
fit: {k: {start: 1, range: [0.1, 10]}}
constraints: {end: u(x=1) = 0.2}
"""


def staged(*stages: str, more: str = "") -> str:
    """Stages of a small deep network on Bratu's problem."""
    return (
        f"{BRATU}network: {{basis: chebyshev, width: 4, depth: 2, degree: 3}}\n"
        f"sampling: {{interior: 60, boundary: 20}}\ntraining: {{threads: 1, {more}stages: [{', '.join(stages)}]}}\n"
    )


METHODS = {
    "ramps, linear": f"{LAYER}network: {{width: 30}}\ntraining: {{threads: 1, stop: {{steps: 1}}}}",
    "ramps, nonlinear": f"{BRATU}network: {{basis: sine, width: 20}}\ntraining: {{threads: 1, stop: {{steps: 1}}}}",
    "march": f"{BURGERS}network: {{basis: separable, degree: 7, grid: 4}}\ntraining: {{threads: 1, stop: {{steps: 1}}}}",
    "splines": f"{LAYER}network: {{basis: separable, degree: 5, grid: 2}}\ntraining: {{threads: 1, stop: {{steps: 3}}}}",
    "fit": f"{FIT}network: {{width: 30}}\ntraining: {{threads: 1}}",
    "levenberg-marquardt": staged("{optimiser: levenberg-marquardt, steps: 8}"),
    "orthogonal": staged("{optimiser: orthogonal, steps: 12}"),
    "l-bfgs": staged("{optimiser: l-bfgs, steps: 12}"),
    "l-bfgs after adam": staged("{optimiser: adam, steps: 45}", "{optimiser: l-bfgs, steps: 6, adapt: false}"),
    "uniform points": staged("{optimiser: adam, steps: 30}", more="seed: 3, "),
    "deep": f"{BRATU}network: {{basis: chebyshev, width: 3, depth: 2}}\ntraining: {{threads: 1, stop: {{steps: 40}}}}",
}


def spec_of(text: str) -> Spec:
    """A problem without a file."""
    return read_spec_text(text, "problem.yaml", Path("."))


@dataclass(frozen=True)
class Shelf:
    """Every checkpoint that a run would write, as the bytes of its file."""

    files: list[bytes] = field(default_factory=list)

    def save(self, content: dict[str, Any]) -> None:
        """Keep one more."""
        self.files.append(b"".join(checkpoints.packed(content)))


@pytest.fixture()
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every entry of the journal."""
    monkeypatch.setattr(journals, "RARELY", 0.0)


def resumed(text: str, file: bytes) -> Solution:
    """The solution from a checkpoint on."""
    return solve(spec_of(text), journal=Journal(lambda content: None, 1e9, checkpoints.unpacked(file)))


@pytest.mark.parametrize("method", METHODS)
def test_a_run_goes_on_bit_for_bit_from_each_of_its_checkpoints(method: str, eager: None) -> None:
    shelf, text = Shelf(), METHODS[method]
    whole = solve(spec_of(text), journal=Journal(shelf.save, 1e-9))
    count = len(shelf.files)
    assert count > 1
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(1)).tolist()[:3]
    for place in {0, *chosen, count - 1}:
        again = resumed(text, shelf.files[place])
        assert same(again.theta, whole.theta), f"checkpoint {place} of {count}"
        assert again.outcome is whole.outcome and again.summary["method"] == whole.summary["method"]


def same(one: Tensor, other: Tensor) -> bool:
    """Whether all bits are equal."""
    return one.shape == other.shape and one.numpy().tobytes() == other.numpy().tobytes()
