"""What a problem file may say."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from kanpde.errors import Place
from kanpde.expression import Tree


@dataclass(frozen=True)
class Equation:
    """`left = right` under a name, with all names resolved, at its place in the file."""

    name: str
    left: Tree
    right: Tree
    text: str
    place: Place


@dataclass(frozen=True)
class Face:
    """One side of the box: the coordinate that is constant there and whether it is its least or greatest value."""

    axis: str
    side: str  # "min" | "max"

    def __str__(self) -> str:
        return f"{self.axis}_{self.side}"


@dataclass(frozen=True)
class Condition:
    """An equation that holds on one face (initial conditions: on t_min)."""

    name: str  # unique: "x_min.u", "t_min.u_t", as used in logs and the history
    face: Face
    equation: Equation


@dataclass(frozen=True)
class Reference:
    """A file with the fields on any grid, and the relative L2 error above which a run fails."""

    file: Path
    tolerance: float | None
    place: Place


@dataclass(frozen=True)
class NetworkSpec:
    """What the user asks of the network; None or "auto" leaves the choice to the program."""

    basis: str = "auto"
    degree: int | None = None
    grid: int | None = None
    width: int | None = None
    depth: int | None = None
    scale: float | None = None
    unknowns: Mapping[str, NetworkSpec] | None = None


@dataclass(frozen=True)
class SamplingSpec:
    """How many points, in the interior and on each face; `adapt` resamples by residual."""

    interior: int | None = None
    boundary: int | None = None
    initial: int | None = None
    adapt: bool | None = None


@dataclass(frozen=True)
class Stage:
    """One stage of the training: an optimiser's name and its limits."""

    optimiser: str
    steps: int | None = None
    time: float | None = None
    rate: float | None = None
    adapt: bool | None = None


@dataclass(frozen=True)
class StopSpec:
    """When to stop: relative L2 error, root-mean-square held-out residual, seconds, steps."""

    error: float | None = None
    residual: float | None = None
    time: float | None = None
    steps: int | None = None


@dataclass(frozen=True)
class TrainingSpec:
    """How to train."""

    stages: tuple[Stage, ...] = ()  # empty: chosen for the problem
    precision: str = "float64"
    seed: int = 0
    device: str = "cpu"
    threads: int | None = None
    derivatives: str = "taylor"
    stop: StopSpec = StopSpec()


@dataclass(frozen=True)
class OutputSpec:
    """What to write: points per axis, times, derived expressions, formats."""

    grid: tuple[int, ...] | None = None  # one per coordinate other than t
    times: tuple[float, ...] | int | None = None
    extra: Mapping[str, Tree] | None = None
    save: tuple[str, ...] = ("h5", "png")


@dataclass(frozen=True)
class Spec:
    """A problem as the file states it: names resolved, numbers typed, nothing evaluated on points."""

    path: Path
    text: str
    overrides: tuple[str, ...]
    title: str
    unknowns: tuple[str, ...]
    box: Mapping[str, tuple[float, float]]  # coordinate -> interval, in the file's order
    definitions: Mapping[str, Tree]  # resolved; in an order where each uses only earlier ones
    equations: tuple[Equation, ...]
    initial: tuple[Condition, ...]
    boundary: tuple[Condition, ...]
    periodic: tuple[str, ...]
    free: tuple[Face, ...]
    exact: Mapping[str, Tree]
    reference: Reference | None
    enforce: str
    network: NetworkSpec
    sampling: SamplingSpec
    training: TrainingSpec
    output: OutputSpec
