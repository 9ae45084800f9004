"""The numerical choices of a problem file: network, sampling, training, output, reference."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Mapping

from kanpde.errors import KanpdeError, Place
from kanpde.folder import Folder
from kanpde.formulas import Log, declare, read_formula
from kanpde.names import suggestion
from kanpde.options import read_options
from kanpde.quantities import Quantities
from kanpde.reading import Node, Sequence, Table
from kanpde.resolution import Scope
from kanpde.sections import Network, Output, ReferenceSection, Sampling, Training
from kanpde.tree import Tree
from kanpde.vocabulary import BASES

LARGEST_GRID = 50_000_000
SIDES = {1: 401, 2: 101, 3: 41, 4: 15, 5: 7}  # output points along each coordinate, by their number
SLICE = 101  # along two coordinates in more dimensions, where the others stand in the middle
MOMENTS = 15  # in time beside such a slice


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
    exponents: tuple[float, ...] | None = None
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
    intervals: str = "linear"
    sparsify: float | None = None  # the price of all edges beside the loss of no solution at all
    checkpoint: float = 60.0  # seconds; 0: none
    stop: StopSpec = StopSpec()


@dataclass(frozen=True)
class OutputSpec:
    """What to write: points per axis, times, derived expressions, formats, and how fields are called."""

    grid: tuple[int, ...] | None = None  # one per coordinate other than t
    times: tuple[float, ...] | int | None = None
    extra: Mapping[str, Tree] | None = None
    save: tuple[str, ...] = ("h5", "png")
    quantities: Quantities = Quantities()


def read_network(node: Node | None, unknowns: tuple[str, ...], log: Log) -> NetworkSpec:
    """The `network` section."""
    before = len(log.mistakes)
    found = read_options(Network, node, "network", log.mistakes)
    single = node.get("unknowns") if isinstance(node, Table) else None
    for entry in single.entries if isinstance(single, Table) else ():
        if entry.key.text not in unknowns:
            log.say(entry.key, f"'{entry.key.text}' is not an unknown{suggestion(entry.key.text, unknowns)}")
    if found is None:
        return NetworkSpec()
    if len(log.mistakes) == before:
        _check_shape(node, found, log)
    others = {name: NetworkSpec(**network.model_dump()) for name, network in (found.unknowns or {}).items()}
    return NetworkSpec(**found.model_dump(exclude={"unknowns"}), unknowns=others or None)


def _check_shape(node: Node | None, network: Network, log: Log) -> None:
    """No degree, grid or exponents without a basis that has one."""
    others = (network.unknowns or {}).items()
    own = {name: network.basis if other.basis == "auto" else other.basis for name, other in others}
    _check_settings(node, {network.basis, *own.values()}, log)
    single = node.get("unknowns") if isinstance(node, Table) else None
    for name, basis in own.items():
        _check_settings(single.get(name) if isinstance(single, Table) else None, {basis}, log)


def _check_settings(node: Node | None, bases: set[str], log: Log) -> None:
    """Nothing in this section that none of the bases knows."""
    for entry in node.entries if isinstance(node, Table) else ():
        having = [name for name, family in BASES.items() if entry.key.text in family.settings and name != "auto"]
        if having and not any(entry.key.text in BASES[name].settings for name in bases):
            lack = f"{' and '.join(sorted(bases))} {'has' if len(bases) == 1 else 'have'} no {entry.key.text}"
            log.say(entry.key, f"{lack}; {', '.join(having)} {'does' if len(having) == 1 else 'do'}")


def read_sampling(node: Node | None, log: Log) -> SamplingSpec:
    """The `sampling` section."""
    found = read_options(Sampling, node, "sampling", log.mistakes)
    return SamplingSpec(**found.model_dump()) if found else SamplingSpec()


def read_training(node: Node | None, log: Log) -> TrainingSpec:
    """The `training` section."""
    found = read_options(Training, node, "training", log.mistakes)
    if found is None:
        return TrainingSpec()
    if found.stages and found.sparsify is not None and isinstance(node, Table) and (own := node.entry("sparsify")):
        log.say(own.key, "the stages of a sparse network are chosen; leave out 'stages' or 'sparsify'")
    stages = tuple(Stage(**stage.model_dump()) for stage in found.stages)
    stop = StopSpec(**found.stop.model_dump())
    return TrainingSpec(**found.model_dump(exclude={"stages", "stop"}), stages=stages, stop=stop)


def read_reference(node: Node | None, folder: Folder, log: Log) -> Reference | None:
    """The `reference` section; its file must lie inside the problem's folder and, if files are at hand, exist."""
    if node is None:
        return None
    found = read_options(ReferenceSection, node, "reference", log.mistakes)
    where = node.get("file") if isinstance(node, Table) else None
    if found is None or where is None:
        return None
    path = located(found.file, folder, where, log)
    return Reference(path, found.tolerance, where.place) if path else None


def located(file: str, folder: Folder, where: Node, log: Log) -> Path | None:
    """The path of a file beside the problem; None after a mistake."""
    try:
        return folder.find(file, needed=folder.files)
    except KanpdeError as error:
        log.say(where, str(error))
        return None


def read_output(node: Node | None, scope: Scope, box: Mapping[str, tuple[float, float]], log: Log) -> OutputSpec:
    """The `output` section."""
    found = read_options(Output, node, "output", log.mistakes)
    if found is None or not isinstance(node, Table):
        return OutputSpec()
    grid = (found.grid,) * len(scope.spatial) if isinstance(found.grid, int) else found.grid
    _check_grid(node, grid, found.times, scope, log)
    if found.times is not None:
        _check_times(node, found.times, box, scope, log)
    extra = _read_extra(node.get("extra"), scope, log)
    return OutputSpec(grid, found.times, extra, found.save, _read_quantities(node, found, scope, log))


def usual_sides(coordinates: tuple[str, ...]) -> dict[str, int]:
    """The output points along each coordinate unless asked otherwise: a grid, or a slice in many dimensions."""
    side = SIDES.get(len(coordinates))
    if side is not None:
        return dict.fromkeys(coordinates, side)
    drawn = [name for name in coordinates if name != "t"][:2]
    return {name: SLICE if name in drawn else MOMENTS if name == "t" else 1 for name in coordinates}


def _check_grid(
    node: Table, grid: tuple[int, ...] | None, times: tuple[float, ...] | int | None, scope: Scope, log: Log
) -> None:
    where = node.get("grid") or node
    if grid is not None and len(grid) != len(scope.spatial):
        log.say(where, f"{len(grid)} sizes for {len(scope.spatial)} coordinates other than t")
        return
    sides = usual_sides(scope.coordinates)
    moments = sides.get("t", 1) if times is None else times if isinstance(times, int) else len(times)
    points = math.prod(grid or (sides[name] for name in scope.spatial)) * moments
    if points > LARGEST_GRID:
        log.say(where, f"{points} output points; at most {LARGEST_GRID}")


def _check_times(
    node: Table, times: tuple[float, ...] | int, box: Mapping[str, tuple[float, float]], scope: Scope, log: Log
) -> None:
    where = node.get("times") or node
    if "t" not in scope.coordinates:
        log.say(where, "the problem has no coordinate 't'")
    elif "t" in box and isinstance(times, tuple) and isinstance(where, Sequence):
        low, high = box["t"]
        for item, time in zip(where.items, times):
            if not low <= time <= high:
                log.say(item, f"the time {time:g} is outside [{low:g}, {high:g}]")
        for item, earlier, later in zip(where.items[1:], times, times[1:]):
            if not earlier < later:
                log.say(item, f"the time {later:g} does not come after {earlier:g}")


def _read_extra(node: Node | None, scope: Scope, log: Log) -> Mapping[str, Tree] | None:
    if not isinstance(node, Table):
        return None
    taken = {**dict.fromkeys(scope.unknowns, "an unknown"), **dict.fromkeys(scope.coordinates, "a coordinate")}
    taken |= dict.fromkeys(scope.fitted, "a fitted quantity")
    found: dict[str, Tree] = {}
    for entry in node.entries:
        tree = read_formula(entry.value, scope, log)
        if declare(entry.key, "a field of the output", taken, log) and tree is not None:
            found[entry.key.text] = tree
    return found or None


def _read_quantities(node: Table, found: Output, scope: Scope, log: Log) -> Quantities:
    """Units, labels and vectors, all of names that the problem has."""
    extra = tuple(found.extra or ())
    named = (*scope.coordinates, *scope.unknowns, *scope.fitted, *extra)
    for section in ("units", "labels"):
        entries = node.get(section)
        for entry in entries.entries if isinstance(entries, Table) else ():
            if entry.key.text not in named:
                _say_unknown(entry.key, entry.key.text, "coordinate, unknown or further field", named, log)
    entries = node.get("vectors")
    for entry in entries.entries if isinstance(entries, Table) else ():
        parts = (found.vectors or {}).get(entry.key.text, ())
        for part in parts:
            if part not in (*scope.unknowns, *extra):
                _say_unknown(entry.value, part, "unknown or further field", (*scope.unknowns, *extra), log)
        if len(parts) != len(scope.spatial):
            log.say(entry.value, f"{len(parts)} components for {len(scope.spatial)} coordinates other than t")
    return Quantities(found.labels or {}, found.units or {}, found.vectors or {})


def _say_unknown(node: Node, name: str, what: str, known: tuple[str, ...], log: Log) -> None:
    log.say(node, f"'{name}' is no {what}{suggestion(name, known)}")
