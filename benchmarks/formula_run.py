"""A problem solved from a file that does not know its solution, its formula, and the true error of that."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from itertools import permutations, product
from math import isfinite
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np
from accuracy_run import here, rounded
from click.testing import CliRunner
from formula_truths import TRUTHS
from machine import ROOT, commit

from kanpde import read, read_spec
from kanpde.cli import main
from kanpde.errors import SpecError
from kanpde.expression import parse
from kanpde.insight.proof import proved
from kanpde.insight.statement import stripped
from kanpde.insight.symbolic import expression, symbol
from kanpde.solution import restored
from kanpde.spec import Spec, read_spec_text
from kanpde.truth import field_error, measuring_points, truth_of

OWN = ROOT / "tests" / "formula_problems"
SEARCH = 150.0  # seconds of processor time after which a search tries nothing new
LATE = 300.0  # seconds beyond the training's after which a process is stopped

NAMED = {
    "P1": "elliptic_2d_poisson",
    "H1": "parabolic_1d_heat",
    "W1": "hyperbolic_1d_wave",
    "KV": "flow_2d_kovasznay",
    "TG": "flow_2d_taylor_green",
    "EB": "elliptic_1d_beam",
    "KdV": "dispersive_1d_kdv_soliton",
    "HZ1": "elliptic_2d_helmholtz",
    "C1": "hyperbolic_1d_convection",
    "SG": "hyperbolic_1d_sine_gordon_kink",
    "EV": "eigen_1d_oscillator_ground",
}
FURTHER = (
    "elliptic_1d_poisson", "elliptic_2d_plate", "elliptic_2d_nonlinear_poisson", "elliptic_2d_elasticity",
    "elliptic_3d_poisson", "parabolic_2d_heat", "reaction_2d_brusselator", "hyperbolic_1d_klein_gordon",
    "eigen_1d_string", "eigen_2d_square", "reaction_1d_fisher", "hyperbolic_1d_sine_gordon",
)  # of the gallery
OTHER = (
    "parabolic_1d_burgers", "parabolic_1d_allen_cahn", "parabolic_1d_kuramoto_sivashinsky", "dispersive_1d_kdv",
    "flow_2d_cavity", "elliptic_2d_l_shape", "elliptic_2d_four_discs", "dispersive_1d_schroedinger",
    "parabolic_1d_cahn_hilliard", "reaction_1d_gray_scott", "eigen_1d_oscillator",
)  # of the gallery


@dataclass(frozen=True)
class Case:
    """A problem file, and whether its solution has an elementary closed form."""

    path: Path
    elementary: bool
    id: str = ""

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.stem


def cases() -> Iterator[Case]:
    """All problems: those that the targets name, further elementary ones, and others."""
    ids = {name: label for label, name in NAMED.items()}
    own = sorted((OWN / "elementary").glob("*.yaml"))
    paths = {path.stem: path for path in own} | {n: gallery(n) for n in (*NAMED.values(), *FURTHER) if gallery(n)}
    for name in dict.fromkeys((*NAMED.values(), *FURTHER, *paths)):
        yield Case(paths[name], True, ids.get(name, ""))
    for path in (*map(gallery, OTHER), *sorted((OWN / "other").glob("*.yaml"))):
        assert path is not None
        yield Case(path, False)


def gallery(name: str) -> Path | None:
    """A problem of the gallery, if there is one of this name."""
    path = ROOT / "problems" / f"{name}.yaml"
    return path if path.exists() else None


def without_known_solution(path: Path) -> str:
    """A problem file without the sections that tell its solution, and without definitions that only these use."""
    text = re.sub(r"(?m)^(exact|reference):.*\n((?:[ \t].*)?\n)*", "", path.read_text(encoding="utf-8"))
    try:
        read_spec_text(text, path.name, path.parent)
    except SpecError as error:
        for name in re.findall(r"definitions\.(\w+): this definition is never used", str(error)):
            text = re.sub(rf"(?m)^  {name}: .*\n", "", text)
    return text


def measured(case: Case, runs: Path, training: float) -> dict[str, Any]:
    """Solve for so many seconds at most, look for a formula, and measure its true error."""
    run, begun = runs / case.name, monotonic()
    if not (run / "solution.h5").exists():
        runs.mkdir(parents=True, exist_ok=True)
        bare = runs / case.path.name
        bare.write_text(without_known_solution(case.path), encoding="utf-8")
        stop = ("--set", f"training.stop.time={training:g}", "--set", "training.threads=1", "--set", "output.save=[h5]")
        program("solve", str(bare), "--files", str(case.path.parent), "--quiet", "--out", str(run), *stop)
    start, before = monotonic(), process_time()
    said = program("formula", str(run), "--json", "--time", f"{SEARCH:g}")
    seconds, processor = monotonic() - start, process_time() - before
    about = {"date": datetime.now(timezone.utc).isoformat(timespec="minutes"), "commit": commit(), "machine": here()}
    found = json.loads(said.splitlines()[-1])
    formulas = found["formulas"]
    about |= {"run": read(run).outcome.name.lower(), "outcome": found["outcome"], "seconds": seconds}
    about |= {"processor_seconds": processor, "solving_seconds": start - begun}
    about |= {"how": found["reason"], "symbolic": found["symbolic"], "formulas": formulas}
    about |= {"complexity": found["complexity"], "distances": found["distances"], "claimed": found["errors"]}
    return rounded(about) | {"errors": errors(case, run, formulas)}


def program(*words: str) -> str:
    """What a command of the program prints."""
    told = CliRunner().invoke(main, words)
    if told.exit_code not in (0, 3, 4):
        raise RuntimeError(f"{' '.join(words)}: exit code {told.exit_code}\n{told.output[-2000:]}") from told.exception
    return told.output


def errors(case: Case, run: Path, formulas: dict[str, str]) -> dict[str, float]:
    """The true errors of formulas, where the truth is known.

    Eigenfunctions are compared up to their signs, and in the order in which the errors are least, if in that order too
    they solve the problem.
    """
    spec, solution = read_spec(case.path), restored(read(run))
    known = truth_of(spec)
    if known is not None:
        points, values = known.points.numpy().T, {name: v.numpy() for name, v in known.values.items()}
    elif case.name in TRUTHS:
        points = measuring_points(tuple(spec.box.values())).numpy().T
        values = {spec.unknowns[0]: TRUTHS[case.name]()(points)}
    else:
        return {}
    signs = {name: (1, -1) for name in spec.unknowns if spec.fitted}
    listed = [{
        name: min(apart(s * solution.at(points, (own,))[own], values[name]) for s in signs.get(name, (1,)))
        for name, own in one.items() if name in values
    } for one in orders(spec, formulas)]  # fmt: skip
    best = min(listed, key=lambda found: max(found.values(), default=0.0))
    return {name: float(f"{error:.3g}") for name, error in best.items() if isfinite(error)}


def apart(made: np.ndarray, known: np.ndarray) -> float:
    """The relative distance of two fields where the first is finite."""
    finite = np.isfinite(made)
    return field_error(made[finite], known[finite], "").relative_l2


def orders(spec: Spec, formulas: dict[str, str]) -> Iterator[dict[str, str]]:
    """The formulas as they are, and where constants are fitted, in every other order that solves the problem."""
    yield formulas
    if not spec.fitted or set(formulas) != {*spec.unknowns, *spec.fitted}:
        return
    for first, second in product(permutations(spec.unknowns), permutations(spec.fitted)):
        other = dict(zip((*spec.unknowns, *spec.fitted), (formulas[name] for name in (*first, *second))))
        if other != formulas and solves(spec, other):
            yield other


def solves(spec: Spec, formulas: dict[str, str]) -> bool:
    """Whether formulas fulfil every statement of a problem."""
    names = {name: symbol(name) for name in spec.box}
    exact = {name: expression(parse(own), names, {}) for name, own in formulas.items()}
    return all(check.holds for check in proved(stripped(spec), exact))


def alone(case: Case, runs: Path, training: float) -> dict[str, Any]:
    """The same in a process of its own, with one thread and for a limited time; RuntimeError where it fails."""
    command = [sys.executable, str(Path(__file__)), case.name, str(runs), str(training)]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    try:
        told = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=training + LATE, check=False
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"{case.name}: not done after {training + LATE:g} s") from None
    if told.returncode:
        raise RuntimeError(f"{case.name}: {told.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(told.stdout.splitlines()[-1])
    return found


def longest_first(chosen: list[Case], kept: Mapping[str, Any]) -> list[Case]:
    """Cases by the seconds that they took before; at the beginning those not yet measured, the gallery's first."""
    def seconds(case: Case) -> tuple[float, bool]:
        one = kept.get(case.name, {})
        known = one["solving_seconds"] + one["seconds"] if "solving_seconds" in one else float("inf")
        return known, case.path.parent == ROOT / "problems"

    return sorted(chosen, key=seconds, reverse=True)


if __name__ == "__main__":
    case = next(case for case in cases() if case.name == sys.argv[1])
    print(json.dumps(measured(case, Path(sys.argv[2]), float(sys.argv[3]))))
