"""Formulas of trained solutions: which are verified exact, and whether any claims more than is true.

    python benchmarks/formulas.py                 # solve all problems, look for formulas, save, print the tables
    python benchmarks/formulas.py P1 elliptic_1d_airy --runs DIR     # these alone; keep the runs, use those that exist
    python benchmarks/formulas.py --table --page  # run nothing; put the tables into docs/insight.md

Each problem is solved from a file without its `exact` and `reference` sections, as is its formula found; the true error
is measured afterwards. What is saved: benchmarks/results/formulas.json.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from math import isfinite
from pathlib import Path
from time import monotonic, process_time
from typing import Any

import numpy as np
import torch
from accuracy_run import here, rounded
from accuracy_tables import markdown
from click.testing import CliRunner
from formula_truths import TRUTHS
from machine import ROOT, commit
from numerals import power

from kanpde import read, read_spec
from kanpde.cli import main
from kanpde.errors import SpecError
from kanpde.solution import restored
from kanpde.spec import read_spec_text
from kanpde.truth import field_error, measuring_points, truth_of

FILE = ROOT / "benchmarks" / "results" / "formulas.json"
PAGE = ROOT / "docs" / "insight.md"
BEGIN, END = "<!-- formulas: begin", "<!-- formulas: end -->"
OWN = ROOT / "tests" / "formula_problems"
LIMIT = 180.0  # seconds within which a formula is asked for
TRAINING = 200.0  # seconds after which a training stops

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


def measured(case: Case, runs: Path) -> dict[str, Any]:
    """Solve, look for a formula, and measure its true error."""
    run = runs / case.name
    if not (run / "solution.h5").exists():
        runs.mkdir(parents=True, exist_ok=True)
        bare = runs / case.path.name
        bare.write_text(without_known_solution(case.path), encoding="utf-8")
        stop = ("--set", f"training.stop.time={TRAINING:g}", "--set", "training.threads=1", "--set", "output.save=[h5]")
        program("solve", str(bare), "--files", str(case.path.parent), "--quiet", "--out", str(run), *stop)
    start, before = monotonic(), process_time()
    said = program("formula", str(run), "--json")
    seconds, processor = monotonic() - start, process_time() - before
    about = {"date": datetime.now(timezone.utc).isoformat(timespec="minutes"), "commit": commit(), "machine": here()}
    found = json.loads(said.splitlines()[-1])
    formulas = found["formulas"]
    about |= {"run": read(run).outcome.name.lower(), "outcome": found["outcome"], "seconds": seconds}
    about["processor_seconds"] = processor
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
    """The true errors of formulas, where the truth is known; eigenfunctions up to their signs."""
    spec, solution = read_spec(case.path), restored(read(run))
    known = truth_of(spec)
    if known is not None:
        points, values = known.points.numpy().T, {name: v.numpy() for name, v in known.values.items()}
    elif case.name in TRUTHS:
        points = measuring_points(tuple(spec.box.values())).numpy().T
        values = {spec.unknowns[0]: TRUTHS[case.name]()(points)}
    else:
        return {}
    found = {}
    for name in formulas.keys() & values.keys():
        made = solution.at(points, (formulas[name],))[formulas[name]]
        signs = (1, -1) if spec.fitted and name in spec.unknowns else (1,)
        finite = np.isfinite(made)
        found[name] = min(field_error(s * made[finite], values[name][finite], "").relative_l2 for s in signs)
    return {name: float(f"{error:.3g}") for name, error in found.items() if isfinite(error)}


def loaded() -> dict[str, Any]:
    """What was measured before."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def saved(name: str, found: dict[str, Any]) -> None:
    """Put a measurement beside the others."""
    order = [case.name for case in cases()]
    kept = loaded() | {name: found}
    rows = (f" {json.dumps(n)}: {json.dumps(kept[n])}" for n in order if n in kept)
    fresh = FILE.with_suffix(".new")
    fresh.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    fresh.replace(FILE)


def claims_too_much(found: dict[str, Any]) -> bool:
    """Whether a formula's stated error is below its true one, or it is called exact and is not."""
    exact = found["outcome"] == "verified exact"
    claimed = {name: 1e-9 if exact else found["claimed"].get(name) for name in found["errors"]}
    return any(bound is not None and found["errors"][name] > bound for name, bound in claimed.items())


def table(kept: dict[str, Any], elementary: bool) -> str:
    """A row for each problem."""
    rows = []
    for case in cases():
        if case.elementary is not elementary or case.name not in kept:
            continue
        one = kept[case.name]
        link = os.path.relpath(case.path, ROOT / "docs")
        formulas = "; ".join(f"`{n} = {f}`" for n, f in one["formulas"].items()) if elementary else ""
        row = [f"[{case.id or case.name}]({link})", one["outcome"], *([formulas] if elementary else [one["run"]])]
        row += [f"{one[clock]:.0f}" if clock in one else "–" for clock in ("seconds", "processor_seconds")]
        row.append(str(sum(one["complexity"].values()) or "–"))
        if not elementary:
            row.append(worst(one["claimed"]))
        rows.append((*row, worst(one["errors"])))
    middle = ("formula",) if elementary else ("run",)
    claimed = () if elementary else ("stated error:",)
    clocks = ("seconds:", "of the processor:")
    return markdown(("problem", "outcome", *middle, *clocks, "complexity:", *claimed, "true error:"), rows)


def worst(found: dict[str, float]) -> str:
    """The largest of some numbers."""
    return power(max(found.values())) if found else "–"


def told(kept: dict[str, Any]) -> str:
    """How many are verified, and what must not be."""
    known = {case.name: case for case in cases()}
    exact = [name for name, one in kept.items() if one["outcome"] == "verified exact"]
    quick = [name for name in exact if known[name].elementary and kept[name]["seconds"] <= LIMIT]
    own = [name for name in quick if "recognised among" in kept[name]["how"]]
    number = [sum(case.elementary is kind and case.name in kept for case in cases()) for kind in (True, False)]
    false = [name for name in exact if not known[name].elementary]
    bold = [name for name, one in kept.items() if claims_too_much(one)]
    return (
        f"{len(quick)} of {number[0]} problems with elementary solutions are verified exact within {LIMIT:g} s, "
        f"of these {len(own)} as definitions in the problem{listed(own)}. "
        f"Of {number[1]} others {len(false)} are verified{listed(false)}. "
        f"{len(bold)} formulas have a true error above the stated one{listed(bold)}."
    )


def listed(names: Sequence[str]) -> str:
    """Names in brackets, if there are any."""
    return f" ({', '.join(names)})" if names else ""


def into_page(text: str) -> None:
    """Put the tables between their marks."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith(BEGIN))
    end = lines.index(END)
    PAGE.write_text("\n".join([*lines[: begin + 1], *text.splitlines(), *lines[end:], ""]), encoding="utf-8")


def run() -> None:
    """Measure what is asked for, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", metavar="PROBLEM", help="ids, or names of files; all if none")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the runs here, and use those that exist")
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--page", action="store_true", help="write the tables into docs/insight.md")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for unknown in set(asked.problems) - {word for case in cases() for word in (case.name, case.id)}:
        parser.error(f"no such problem: {unknown}")
    for case in () if asked.table else cases():
        if asked.problems and not {case.name, case.id} & set(asked.problems):
            continue
        with tempfile.TemporaryDirectory() as folder:
            try:
                found = measured(case, asked.runs or Path(folder))
            except RuntimeError as error:
                print(error, file=sys.stderr)
                continue
        saved(case.name, found)
        print(f"{case.name}: {found['outcome']}, {found['seconds']:.0f} s, {found['formulas']}, {found['errors']}")
    if asked.problems and not asked.page:
        return
    kept = loaded()
    text = "\n\n".join((table(kept, True), table(kept, False), told(kept)))
    print(text)
    if asked.page:
        into_page(text)


if __name__ == "__main__":
    run()
