"""What is held at a time does not grow with the number of points, beyond the points themselves."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from pathlib import Path
from typing import Callable
from weakref import WeakKeyDictionary, finalize

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from kanpde.architecture import deep_networks
from kanpde.build import assemble
from kanpde.objective import residuals_of
from kanpde.optimisers import OPTIMISERS
from kanpde.points import CHUNK, Counts, samples
from kanpde.problem import everything
from kanpde.ramps import Ramps, linear_fit, nonlinear_fit, ramps_problem
from kanpde.separation import first_patch
from kanpde.spec import NetworkSpec, Spec, read_spec_text
from kanpde.splines import Spline

TEXTS = {
    "linear": "{e: lap(u) + u = sin(pi*x)}",
    "nonlinear": "{e: lap(u) + u^2 = sin(pi*x)}",
}
FEW, MANY = 3 * CHUNK, 12 * CHUNK  # points: more than are gathered in least squares, and four times as many


class Held(TorchDispatchMode):
    """Counts the bytes of tensors made within, as long as they live."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0
        self.known: WeakKeyDictionary[torch.UntypedStorage, int] = WeakKeyDictionary()

    def __torch_dispatch__(self, func: Callable, types: object, args: tuple = (), kwargs: dict | None = None) -> object:
        found = func(*args, **(kwargs or {}))
        for part in tree_leaves(found):
            if isinstance(part, Tensor) and part.untyped_storage() not in self.known:
                size = part.untyped_storage().nbytes()
                self.known[part.untyped_storage()] = size
                finalize(part.untyped_storage(), self.released, size)
                self.now += size
                self.most = max(self.most, self.now)
        return found

    def released(self, size: int) -> None:
        """A tensor is gone."""
        self.now -= size


def held(work: Callable[[], object]) -> int:
    """The most bytes held at a time."""
    with Held() as mode:
        work()
    return mode.most


def spec_of(kind: str, points: int) -> Spec:
    """A problem on a square with so many points."""
    text = f"unknowns: [u]\ndomain: {{x: [0, 1], y: [0, 1]}}\nequations: {TEXTS[kind]}\nboundary: {{all: u = 0}}\n"
    return read_spec_text(text, "test.yaml", Path("."), (f"sampling.interior={points}",))


def ramps(kind: str, points: int) -> int:
    """A fit on 200 ramps, begun at another one if there is one."""
    spec = spec_of(kind, points)
    base, shape = ramps_problem(spec, 2), Ramps(200, (6.0, 6.0))
    if kind == "linear":
        return held(lambda: linear_fit(base, spec, shape))
    near = nonlinear_fit(base, spec, Ramps(100, (6.0, 6.0)), steps=1)
    return held(lambda: nonlinear_fit(base, spec, shape, near, steps=1))


def steps(optimiser: str, points: int) -> int:
    """A step on all layers."""
    spec = spec_of("nonlinear", points)
    problem = assemble(spec, deep_networks(replace(spec, network=NetworkSpec(basis="chebyshev", width=5, depth=2))))
    generator = torch.Generator().manual_seed(0)
    theta = problem.trial.initial(generator)
    drawn = samples(problem, Counts(points, 10, 10), {"e": 1.0}, generator, theta, adapt=False)
    objective = residuals_of(problem, drawn, theta, everything(problem.trial))
    return held(lambda: next(OPTIMISERS[optimiser]().iterate(lambda: objective, theta, {})))


def rows(points: int) -> int:
    """The rows of a patch, chunk by chunk, with as many more intervals along its band as points."""
    patch = first_patch(spec_of("nonlinear", points))
    along = Spline(9, torch.linspace(-1, 1, points // 48 + 1, dtype=torch.float64), 8)
    patch = replace(patch, along=along, cube=torch.zeros(along.size, patch.across.size, 1, dtype=torch.float64))
    active, (block,) = torch.ones(patch.across.size, 1, dtype=torch.bool), patch.problem.blocks
    return held(lambda: deque((patch.linearised(place, active) for place in patch.placements(block)), maxlen=0))


WORK = {
    "a linear fit of ramps": lambda points: ramps("linear", points),
    "a nonlinear fit of ramps": lambda points: ramps("nonlinear", points),
    "an orthogonal step": lambda points: steps("orthogonal", points),
    "a step by Levenberg and Marquardt": lambda points: steps("levenberg-marquardt", points),
    "the rows of a patch": rows,
}


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_what_is_held_does_not_grow_with_the_points(work: Callable[[int], int]) -> None:
    # What stays of a point is its coordinates, its residual and what the data give there: some numbers, beside some
    # hundred coefficients.
    assert (work(MANY) - work(FEW)) / 8 < 40 * (MANY - FEW)
