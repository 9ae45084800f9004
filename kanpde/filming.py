"""Snapshots of a training while it goes on, few of them however long it takes."""

from __future__ import annotations

import numpy as np
import torch

from kanpde.edges import graphs
from kanpde.problem import Problem
from kanpde.snapshots import Snapshot
from kanpde.solution import unknown_values
from kanpde.solve import Progress
from kanpde.spec import Spec

MOST = 64  # snapshots kept; then every other one
SIDES = {1: 201, 2: 81}  # points along each coordinate


class Film:
    """Watches a training and keeps snapshots of it: each of its lines, or every second, fourth … of them."""

    def __init__(self, spec: Spec) -> None:
        self.spec = spec
        self.snapshots: list[Snapshot] = []
        self.stride, self.seen = 1, 0

    def watch(self, progress: Progress) -> None:
        """A line of the log."""
        state = progress.state
        if state is None or (self.snapshots and self.snapshots[-1].step == progress.step):
            return
        if self.seen % self.stride == 0:
            self.snapshots.append(self.snapshot(progress, state.problem, state.theta.detach().cpu().double()))
            if len(self.snapshots) > MOST:
                self.snapshots, self.stride = self.snapshots[::2], 2 * self.stride
        self.seen += 1

    def snapshot(self, progress: Progress, problem: Problem, theta: torch.Tensor) -> Snapshot:
        """What is drawn of a state."""
        return Snapshot(progress.step, progress.seconds, progress.held_out, *snapshot_of(self.spec, problem, theta))


def snapshot_of(spec: Spec, problem: Problem, theta: torch.Tensor) -> tuple:  # type: ignore[type-arg]
    """Axes, fields and networks of a state: over the first two coordinates, at the middle of the others."""
    shown = dict(list(spec.box.items())[:2])
    axes = {name: np.linspace(*ends, SIDES[len(shown)]) for name, ends in shown.items()}
    middle = {name: np.array([sum(ends) / 2]) for name, ends in spec.box.items()}
    mesh = np.meshgrid(*({**middle, **axes}).values(), indexing="ij")
    points = torch.as_tensor(np.stack([one.ravel() for one in mesh]))
    inside = problem.domain.contains(points).numpy()
    values = unknown_values(problem, theta, spec.unknowns, points)
    shape = tuple(len(axis) for axis in axes.values())
    fields = {name: np.where(inside, found.numpy(), np.nan).reshape(shape) for name, found in values.items()}
    return axes, fields, graphs(problem, theta)
