"""The entrances through which strangers' bytes come in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Callable, Mapping, Sequence

import h5py
import numpy as np

from kanpde.check import described, summary
from kanpde.columns import column_names, read_columns
from kanpde.commands.results import sound
from kanpde.errors import KanpdeError
from kanpde.expression import constant, parse, parse_equation, show
from kanpde.references import read_reference
from kanpde.spec import Spec, read_spec_text
from kanpde.vocabulary import CONSTANTS
from kanpde.writers import checkpoints, hdf5_reading
from kanpde.writers.table import read_points

from . import containers, corpus

Grow = Callable[[Random], bytes]


@dataclass(frozen=True)
class Target:
    """An entrance: what is done with the bytes, seeds, words to put into them, and how to grow other inputs."""

    run: Callable[[bytes, Path], object]
    seeds: Callable[[], Sequence[bytes]]
    words: Sequence[bytes] = ()
    grow: Grow | None = None
    torch: bool = False
    share: int = 1  # of the cases of a long run, relative to others


def text_of(data: bytes) -> str:
    """Bytes as text, whatever they are."""
    return data.decode("utf-8", "replace")


def read_formula(data: bytes, folder: Path) -> None:
    """A formula and an equation; what is read is shown as text that means the same."""
    text = text_of(data)
    try:
        parse_equation(text)
    except KanpdeError:
        pass
    tree = parse(text)
    again = parse(show(tree))
    if again != tree and "nan" not in show(tree):
        raise AssertionError(f"{text!r} is shown as {show(tree)!r}")
    constant(tree, CONSTANTS)


def read_problem(data: bytes, folder: Path) -> Spec:
    """A problem file and its summary in words."""
    spec = read_spec_text(text_of(data), "fuzz.yaml", folder)
    described(spec, summary(spec))
    return spec


def check_problem(data: bytes, folder: Path) -> None:
    """All that `kanpde check` does."""
    from kanpde.plan import plan, stated
    from kanpde.proof import prove

    spec = read_problem(data, folder)
    if not prove(spec).mistakes:
        stated(plan(spec))


def read_override(data: bytes, folder: Path) -> None:
    """A problem with an entry replaced from the command line."""
    read_spec_text(containers.PROBLEM, "fuzz.yaml", folder, (text_of(data),))


def read_table(data: bytes, folder: Path) -> None:
    """Readings, a reference and points as CSV."""
    path = folder / "case.csv"
    path.write_bytes(data)
    attempts: tuple[Callable[[], object], ...] = (
        lambda: read_columns(path, column_names(path)),
        lambda: read_reference(path, ("x",)),
        lambda: read_points(path, ("x", "t")),
    )
    for attempt in attempts:
        try:
            attempt()
        except KanpdeError:
            pass


def read_result(data: bytes, folder: Path) -> None:
    """A result, its pictures, and whether it is one."""
    path = folder / "solution.h5"
    path.write_bytes(data)
    hdf5_reading.is_result(path)
    try:
        hdf5_reading.read_plots(path)
    except KanpdeError:
        pass
    with sound(path):
        hdf5_reading.read(path)


def evaluate(data: bytes, folder: Path) -> None:
    """A result, as a solution that is evaluated."""
    from kanpde.solution import restored

    path = folder / "solution.h5"
    path.write_bytes(data)
    with sound(path):
        solution = restored(hdf5_reading.read(path))
        solution.at(np.full((2, len(solution.spec.box)), 0.5))


def read_grid(data: bytes, folder: Path) -> None:
    """A reference as HDF5 file or NumPy archive, and readings in HDF5."""
    path = folder / ("case.npz" if data[:2] == b"PK" else "case.h5")
    path.write_bytes(data)
    try:
        read_reference(path, ("x", "t"))
    except KanpdeError:
        pass
    if path.suffix == ".h5":
        read_columns(path, column_names(path)[:3])


def read_checkpoint(data: bytes, folder: Path) -> None:
    """A checkpoint, as it is and with the checksum of what it is, up to the point where a run would go on."""
    from kanpde.checkpoint import Asked, resumed

    run = folder / "run"
    run.mkdir(exist_ok=True)
    for file in (data, containers.sealed(data)):
        (run / checkpoints.LATEST).write_bytes(file)
        try:
            resumed(run, Asked(), str)
        except KanpdeError:
            pass


def resume(data: bytes, folder: Path) -> None:
    """A run that goes on from a checkpoint; of problems and settings only those of the seeds, which take no time."""
    from kanpde.checkpoint import Asked, resumed
    from kanpde.solve import solve

    run = folder / "run"
    run.mkdir(exist_ok=True)
    (run / checkpoints.LATEST).write_bytes(containers.sealed(data))
    found = resumed(run, Asked(), str)
    if found is not None and (found.spec.text, found.spec.overrides) in known():
        found.journal.save_content = dict  # into nothing
        solve(found.spec, journal=found.journal)


SURFACES = ("ball.stl", "ball.vtu", "ball.msh", "corners.csv")


def read_surface(data: bytes, folder: Path) -> None:
    """A shape whose surface or corners are in a file."""
    name = SURFACES[data[0] % 4] if data else "ball.stl"
    (folder / name).write_bytes(data[1:])
    shape = f"polygon(file={name})" if name.endswith("csv") else f"mesh(file={name})"
    text = f"unknowns: [u]\ndomain: {{shapes: {{s: '{shape}'}}, region: s}}\nequations: {{e: lap(u) = 1}}\n"
    read_spec_text(text + "boundary: {s: u = 0}\n", "fuzz.yaml", folder)


@lru_cache
def solutions() -> tuple[bytes, ...]:
    """Results of small runs."""
    from kanpde.solve import solve
    from kanpde.writers import hdf5

    found = []
    for chosen in (("network.width=4",), ("network={basis: bspline, depth: 1, width: 2}", "training.stop.steps=1")):
        chosen = (*chosen, "training.threads=1", "output.grid=5")
        spec = read_spec_text(containers.PROBLEM, "line.yaml", Path("."), chosen)
        found.append(hdf5.content(solve(spec).tabulate(), {}))
    return tuple(found)


RUNS = (
    ("network.width=4",),
    ("network={basis: bspline, depth: 1, width: 2}", "training.stop.steps=2"),
    ("training.stages=[{optimiser: adam, steps: 3}, {optimiser: l-bfgs, steps: 2}]", "network.width=2"),
)


@lru_cache
def saved() -> tuple[bytes, ...]:
    """Checkpoints of small runs: two of each, without the first line."""
    from kanpde.checkpoint import journal_of
    from kanpde.solve import solve

    found: list[bytes] = []
    for spec in runs():
        with TemporaryDirectory() as made:
            files: list[bytes] = []
            journal = journal_of(spec, Path(made), str, None)
            keep, journal.every, journal.due = journal.save_content, 1e-9, 0.0

            def save(content: dict, keep=keep, made=made, files=files) -> None:
                keep(content)
                files.append((Path(made) / checkpoints.LATEST).read_bytes())

            journal.save_content = save
            solve(spec, journal=journal)
        found += [containers.body_of(file) for file in (files[0], files[-1])]
    return tuple(found)


@lru_cache
def runs() -> tuple[Spec, ...]:
    """The problems of the checkpoints."""
    chosen = ((*one, "training.threads=1", "training.stop.time=2", "output.grid=5") for one in RUNS)
    return tuple(read_spec_text(containers.PROBLEM, "line.yaml", Path("."), one) for one in chosen)


@lru_cache
def known() -> frozenset[tuple[str, tuple[str, ...]]]:
    """The texts and overrides of the checkpoints."""
    return frozenset((spec.text, spec.overrides) for spec in runs())


def overrides() -> tuple[bytes, ...]:
    """Sound overrides."""
    return (b"network.width=9", b"training.stop={time: 3}", b"equations.line=u_xx = 1", b"output.grid=[11]")


def tables() -> tuple[bytes, ...]:
    """Sound tables."""
    return (b"x,t,u\n0,0,1\n1,0.5,2\n", b"#x,u\n1,2\n")


def grown_override(random: Random) -> bytes:
    """A path and a value."""
    path = ".".join(random.choice((*corpus.SECTIONS, *corpus.NAMES)) for _ in range(random.randrange(1, 4)))
    return f"{path}={corpus.node(random)}".encode("utf-8", "surrogatepass")


def grown_formula(random: Random) -> bytes:
    """A formula, or an equation."""
    sides = [corpus.formula(random) for _ in range(random.choice((1, 1, 2)))]
    return " = ".join(sides).encode("utf-8", "surrogatepass")


def grown_evaluation(random: Random) -> bytes:
    """A solution with hostile changes of its structure."""
    return containers.changed(random, random.choice(solutions()))


def grown_checkpoint(random: Random) -> bytes:
    """A checkpoint with hostile changes of its structure."""
    return containers.changed_checkpoint(random, containers.sealed(random.choice(saved())))


def grown_journal(random: Random) -> bytes:
    """A checkpoint whose problem stays, with hostile changes of what the run has found."""
    return containers.changed_checkpoint(random, containers.sealed(random.choice(saved())), ("text", "overrides"))


def furnish(folder: Path) -> Path:
    """A problem's folder with files, and links that lead out of it."""
    inside = folder / "problem"
    inside.mkdir(parents=True)
    (inside / "readings.csv").write_text("x,y,t,u,v,sigma\n0.5,0.5,0.5,1,1,0.1\n0.25,0.5,0.1,1,2,0.1\n")
    (folder / "secret.csv").write_text("x,u\n0.5,1\n")
    (inside / "link.csv").symlink_to(folder / "secret.csv")
    (inside / "away").symlink_to(folder)
    with h5py.File(inside / "known.h5", "w") as file:
        file["x"], file["u"] = np.linspace(0, 1, 5), np.zeros(5)
    return inside


TARGETS: Mapping[str, Target] = {
    "formula": Target(read_formula, corpus.formulas, corpus.WORDS, grown_formula, share=1000),
    "problem": Target(read_problem, corpus.problems, corpus.WORDS, corpus.problem, share=20),
    "override": Target(read_override, overrides, corpus.WORDS, grown_override, share=40),
    "table": Target(read_table, tables, corpus.WORDS, corpus.table, share=150),
    "result": Target(read_result, containers.results, grow=containers.changed_results, share=20),
    "grid": Target(read_grid, containers.grids, grow=containers.changed_grids, share=20),
    "surface": Target(read_surface, containers.surfaces, corpus.WORDS, share=3),
    "solution": Target(evaluate, solutions, grow=grown_evaluation, torch=True),
    "checkpoint": Target(read_checkpoint, saved, grow=grown_checkpoint, torch=True, share=20),
    "resume": Target(resume, saved, grow=grown_journal, torch=True, share=2),
    "check": Target(check_problem, corpus.problems, corpus.WORDS, corpus.problem, torch=True),
}
