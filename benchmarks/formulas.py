"""Formulas of trained solutions: which are verified exact, and whether any claims more than is true.

    python benchmarks/formulas.py                 # solve all problems, look for formulas, save, print the tables
    python benchmarks/formulas.py --jobs 14       # the same, so many at once, each in a process of one thread
    python benchmarks/formulas.py P1 elliptic_1d_airy --runs DIR     # these alone; keep the runs, use those that exist
    python benchmarks/formulas.py --table --page  # run nothing; put the tables into docs/insight.md

Each problem is solved from a file without its `exact` and `reference` sections, as is its formula found; the true error
is measured afterwards. What is saved, as each ends: benchmarks/results/formulas.json, or another file (`--file`).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from accuracy_tables import markdown
from formula_run import alone, cases, longest_first
from machine import ROOT
from numerals import power

FILE = ROOT / "benchmarks" / "results" / "formulas.json"
PAGE = ROOT / "docs" / "insight.md"
BEGIN, END = "<!-- formulas: begin", "<!-- formulas: end -->"
LIMIT = 180.0  # seconds within which a formula is asked for
TRAINING = 200.0  # seconds after which a training stops


def loaded(path: Path) -> dict[str, Any]:
    """What was measured before."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def saved(name: str, found: dict[str, Any], path: Path) -> None:
    """Put a measurement beside the others."""
    order = [case.name for case in cases()]
    kept = loaded(path) | {name: found}
    rows = (f" {json.dumps(n)}: {json.dumps(kept[n])}" for n in order if n in kept)
    fresh = path.with_suffix(".new")
    fresh.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    fresh.replace(path)


def claims_too_much(found: dict[str, Any]) -> bool:
    """Whether a formula's stated error is below its true one, or it is called exact and is not."""
    return any(found["errors"][name] > bound for name, bound in stated(found).items())


def stated(found: dict[str, Any]) -> dict[str, float]:
    """What the errors of formulas are said to be at most, where their truth is known; of exact ones, rounding."""
    bounds = dict.fromkeys(found["errors"], 1e-9) if found["outcome"] == "verified exact" else found["claimed"]
    return {name: bound for name, bound in bounds.items() if name in found["errors"]}


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
    blind = [name for name, one in kept.items() if one["formulas"] and not one["errors"]]
    missing = [case.name for case in cases() if case.name not in kept]
    rest = f" Not checked, as no truth is known: {', '.join(blind)}." if blind else ""
    rest += f" Not measured: {', '.join(missing)}." if missing else ""
    bounds = sum(bool(stated(one)) for one in kept.values())
    return (
        f"{len(quick)} of {number[0]} problems with elementary solutions are verified exact within {LIMIT:g} s, "
        f"of these {len(own)} as definitions in the problem{listed(own)}. "
        f"Of {number[1]} others {len(false)} are verified{listed(false)}. "
        f"Of {bounds} results whose errors are stated and can be checked, {len(bold)} have a true error above the "
        f"stated one{listed(bold)}.{rest}"
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
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="so many problems at once")
    parser.add_argument("--training", type=float, default=TRAINING, metavar="SECONDS", help="after which it stops")
    parser.add_argument("--file", type=Path, default=FILE, help="where measurements are saved")
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--page", action="store_true", help="write the tables into docs/insight.md")
    asked = parser.parse_args()
    for unknown in set(asked.problems) - {word for case in cases() for word in (case.name, case.id)}:
        parser.error(f"no such problem: {unknown}")
    chosen = [] if asked.table else [c for c in cases() if not asked.problems or {c.name, c.id} & set(asked.problems)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(asked.jobs) as pool:
        ordered = longest_first(chosen, loaded(asked.file)) if asked.jobs > 1 else chosen
        waiting = {pool.submit(alone, case, asked.runs or Path(folder), asked.training): case for case in ordered}
        for ended in as_completed(waiting):
            noted(waiting[ended].name, ended, asked.file)
    if asked.problems and not asked.page:
        return
    kept = loaded(asked.file)
    text = "\n\n".join((table(kept, True), table(kept, False), told(kept)))
    print(text)
    if asked.page:
        into_page(text)


def noted(name: str, ended: Future[dict[str, Any]], path: Path) -> None:
    """Save what came of a problem, or say why nothing did."""
    try:
        found = ended.result()
    except RuntimeError as error:
        print(error, file=sys.stderr, flush=True)
        return
    saved(name, found, path)
    print(f"{name}: {found['outcome']}, {found['seconds']:.0f} s, {found['formulas']}, {found['errors']}", flush=True)


if __name__ == "__main__":
    run()
