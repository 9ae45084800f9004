"""The same problem solved once more, on other splines: an independent solution whose difference tells of the error."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from math import ceil
from typing import Iterator, Sequence

import torch
from torch import Tensor

from kanpde.marching import March, joined, polynomials
from kanpde.network import Network
from kanpde.patch import Beside, Patch
from kanpde.problem import Problem
from kanpde.splines import Spline, dense

DENSER = 1.25  # times as many intervals along each axis as the first solution has


def on_other_splines(patch: Patch) -> Iterator[tuple[Problem, Tensor]]:
    """A Gauss-Newton step on a rectangle, from the same function on other knots."""
    there = patch.moved(other_knots(patch.along), other_knots(patch.across))
    active = torch.ones(there.across.size, there.cube.shape[2], dtype=torch.bool)
    found = there.stepped(there.problem.blocks, active)
    yield found.placed, found.theta


def in_other_windows(march: March, windows: Sequence[Patch]) -> Iterator[tuple[Problem, Tensor]]:
    """A Gauss-Newton step in each of other windows of time, from the same function on other knots."""
    (low, high), space, window = march.ends, other_knots(windows[-1].along), polynomials()
    problem, theta = joined(march, windows)
    axes = problem.trial.branches[0].network.layers[0].axes  # type: ignore[union-attr]
    march = replace(march, waves=None, beside=beside_of(problem, theta, space.intervals // 2))
    size = problem.trial.branches[0].network.size
    lines = theta[:size].view(*(axis.size for axis in axes), -1)
    lines = lines if march.time else lines.transpose(0, 1)
    lines = torch.einsum("lk,kto->lto", windows[-1].along.transfer(space), lines)
    ends = torch.tensor([low, *(march.reached([one]) for one in windows)], dtype=torch.float64)
    at, found = window.interpolation_points(), []
    for first, last in pairwise(denser(ends).tolist()):
        times = 2 * (first + (at + 1) / 2 * (last - first) - low) / (high - low) - 1
        across = torch.linalg.solve(dense(window, at), dense(axes[march.time], times.clamp(-1, 1)))  # type: ignore[arg-type]
        cube = torch.einsum("st,kto->kso", across, lines)
        begun = march.following(found[-1], last, space) if found else march.first(last, space)[0]
        settled = march.settled(not found)
        cube = torch.where(settled, begun.cube, cube + (begun.cube - cube)[:, :1])
        found.append(replace(begun, cube=cube).stepped(march.blocks(False), ~settled))
    yield joined(march, found)


def beside_of(problem: Problem, theta: Tensor, highest: int) -> Beside | None:
    """What stands beside the splines of all windows: waves, up to those that they can follow."""
    if len(problem.trial.branches) == 1:
        return None
    branch = problem.trial.branches[1]
    (layer,), size = branch.network.layers, branch.network.size
    cube = theta[-size:].view(*(axis.size for axis in layer.axes), -1)  # type: ignore[union-attr]
    time = problem.trial.scope.coordinates.index("t")
    network = Network((replace(layer, highest=max(highest, layer.lowest + 1)),))  # type: ignore[union-attr,call-arg]
    return Beside(replace(branch, network=network, box=problem.trial.box), cube if time else cube.transpose(0, 1))


def other_knots(spline: Spline) -> Spline:
    """The spline with more breaks, as dense where they were dense."""
    return replace(spline, breaks=denser(spline.breaks))


def denser(breaks: Tensor) -> Tensor:
    """More breaks [n'] between the same ends [n], spread alike."""
    count = breaks.shape[0] - 1
    positions = torch.linspace(0, count, ceil(DENSER * count) + 1, dtype=breaks.dtype)
    before = positions.long().clamp_max(count - 1)
    share = positions - before
    return (1 - share) * breaks[before] + share * breaks[before + 1]
