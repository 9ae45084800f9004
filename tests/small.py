"""Small networks for every problem of the gallery, and points to look at them."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Sequence

import pytest
import torch
from torch import Tensor

from kanpde.architecture import deep_networks
from kanpde.bases import BASES
from kanpde.build import assemble
from kanpde.evaluation import Ground
from kanpde.points import draw
from kanpde.problem import Block, Problem
from kanpde.ramps import Ramps, ramps_problem, start, widened
from kanpde.spec import NetworkSpec, Spec, read_spec

GALLERY = sorted((Path(__file__).parent.parent / "problems").glob("*.yaml"))
NAMES = [path.stem for path in GALLERY]
KINDS = (*BASES, "mlp", "ramps")


@lru_cache(maxsize=64)
def gallery(name: str) -> Spec:
    """The specification of a problem of the gallery."""
    return read_spec(next(path for path in GALLERY if path.stem == name))


def small_problem(spec: Spec, kind: str, enforce: str = "auto", derivatives: str = "taylor") -> Problem:
    """The problem with two hidden layers of three nodes, or with five ramps."""
    training = replace(spec.training, derivatives=derivatives)
    spec = replace(spec, enforce=enforce, training=training)
    if kind == "ramps":
        return widened(ramps_problem(spec, 2), 5)
    network = NetworkSpec(basis=kind, degree=5, grid=4, width=3, depth=2)
    return assemble(spec, deep_networks(replace(spec, network=network)))


def random_theta(problem: Problem, seed: int = 0) -> Tensor:
    """Coefficients drawn at random; ramps keep slopes with which periodic ridges close up."""
    generator = torch.Generator().manual_seed(seed)
    branch = problem.trial.branches[0]
    if not branch.winds(len(problem.trial.box)) or not problem.trial.periodic:
        return problem.trial.initial(generator)
    theta = start(problem, Ramps(branch.network.layers[0].outputs, (6.0,) * len(problem.trial.box)), seed)
    place = branch.network.read_out
    theta[place] = torch.randn(place.stop - place.start, generator=generator, dtype=torch.float64)
    return theta


def ground(problem: Problem, block: Block, count: int = 7, seed: int = 0) -> Ground:
    """Points of one block."""
    return draw(problem, block, count, torch.Generator().manual_seed(seed))


FEW = ("elliptic_2d_plate", "flow_2d_kovasznay", "dispersive_1d_kdv", "parabolic_2d_heat")  # order 4, system, seam, 3-D
ALWAYS = ("chebyshev", "ramps")
LONG = ("parabolic_10d_heat",)  # a lift of eleven coordinates


def each(names: Sequence[str]) -> pytest.MarkDecorator:
    """Problems, those that take long among the slow tests."""
    marked = [pytest.param(name, marks=pytest.mark.slow if name in LONG else ()) for name in names]
    return pytest.mark.parametrize("name", marked)


def pairs(names: Sequence[str]) -> pytest.MarkDecorator:
    """Problems with kinds of networks: two kinds with every problem, every kind with four problems, the rest slow."""
    chosen = [
        pytest.param(name, kind, marks=() if usual(name, kind) else pytest.mark.slow)
        for name in names
        for kind in KINDS
    ]
    return pytest.mark.parametrize(("name", "kind"), chosen)


def usual(name: str, kind: str) -> bool:
    """Whether a problem is tested with a kind of network in the default suite."""
    return name in FEW or (kind in ALWAYS and name not in LONG)
