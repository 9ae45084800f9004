"""The errors that the gallery's problems reach with their defaults, over several seeds, and how long it takes.

    python benchmarks/accuracy.py                            # every problem with three seeds, one run after another
    python benchmarks/accuracy.py --tier A --seeds 10        # those of tier A with ten
    python benchmarks/accuracy.py P1 elliptic_1d_beam        # by id, or by name; the others keep what they have
    python benchmarks/accuracy.py --tier A --jobs 12         # several at a time, on a machine with cores to spare
    python benchmarks/accuracy.py --only-missing             # go on where an interrupted measurement ended
    python benchmarks/accuracy.py --table --plots --readme   # no run: tables, pictures, README and docs/accuracy.md

Each run is a process of its own. After each run all is written to benchmarks/results/accuracy.json.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from math import inf
from typing import Any

from accuracy_plots import draw
from accuracy_run import here, measured
from accuracy_summary import Measured, robustness, worst
from accuracy_tables import PLOTS, document, readme_table
from machine import ROOT
from numerals import power
from tiers import Case, cases, chosen

FILE = ROOT / "benchmarks" / "results" / "accuracy.json"
PAGE = ROOT / "docs" / "accuracy.md"
IMAGES = ROOT / "docs" / "images"
BEGIN, END = "<!-- accuracy: begin", "<!-- accuracy: end -->"


def loaded() -> dict[str, Any]:
    """What was measured before."""
    if not FILE.exists():
        return {"machines": [], "runs": {}}
    return json.loads(FILE.read_text(encoding="utf-8"))


def together(kept: Mapping[str, Any]) -> list[Measured]:
    """Every case with its runs."""
    return [Measured(case, kept["runs"].get(case.name, {})) for case in cases()]


def saved(kept: Mapping[str, Any]) -> None:
    """One run on a line; cases that are no longer known are dropped."""
    found = together(kept)
    runs = ",\n".join(
        f"  {json.dumps(one.case.name)}: {{\n" + ",\n".join(f"   {json.dumps(s)}: {json.dumps(r)}"
                                                           for s, r in one.runs.items()) + "\n  }"
        for one in found if one.runs
    )
    head = {"machines": kept["machines"], "robustness": robustness(found)}
    text = "".join(f' "{name}": {json.dumps(value)},\n' for name, value in head.items())
    whole = FILE.with_suffix(".json.new")
    whole.write_text(f'{{\n{text} "runs": {{\n{runs}\n }}\n}}\n', encoding="utf-8")
    whole.replace(FILE)


def measure(wanted: Sequence[Case], asked: argparse.Namespace) -> None:
    """Run seed by seed, as many at a time as asked, and keep what is found after each run."""
    known = loaded()["runs"]
    todo = [(str(seed), case) for seed in range(asked.seeds) for case in wanted
            if not (asked.only_missing and str(seed) in known.get(case.name, {}))]
    if asked.jobs > 1:
        todo.sort(key=lambda one: -longest(known.get(one[1].name, {})))  # so that none of them is waited for alone
    with ThreadPoolExecutor(asked.jobs) as pool:
        runs = {pool.submit(measured, case, seed, asked.threads, asked.time): (case, seed) for seed, case in todo}
        for done in as_completed(runs):
            keep(done.result(), min(asked.jobs, len(todo)), *runs[done])


def longest(runs: Mapping[str, Any]) -> float:
    """The most seconds that a case took so far."""
    return max((run["wall_seconds"] for run in runs.values()), default=inf)


def keep(run: dict[str, Any], jobs: int, case: Case, seed: str) -> None:
    """Write a run, one of so many at a time, beside those that are kept, and say what it came to."""
    kept = loaded()
    kept["machines"] += [here()] * (here() not in kept["machines"])
    own = kept["runs"].get(case.name, {}) | {seed: {**run, "machine": kept["machines"].index(here()), "jobs": jobs}}
    kept["runs"][case.name] = dict(sorted(own.items(), key=lambda item: int(item[0])))
    saved(kept)
    print(f"{case.label}, seed {seed}: {run['outcome']}, error {power(worst(run))}, {run['wall_seconds']} s",
          file=sys.stderr, flush=True)


def into_readme(text: str) -> None:
    """Put the table between its marks in the README."""
    path = ROOT / "README.md"
    lines = path.read_text(encoding="utf-8").splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith(BEGIN))
    end = lines.index(END)
    path.write_text("\n".join([*lines[: begin + 1], *text.splitlines(), *lines[end:], ""]), encoding="utf-8")


def tell(asked: argparse.Namespace) -> None:
    """Print the tables; draw the pictures and write the pages, if asked to."""
    kept = loaded()
    found = together(kept)
    if asked.plots:
        draw(found, IMAGES)
    page = document(found, kept["machines"], [name for name in PLOTS if (IMAGES / name).exists()])
    print(readme_table(found, kept["machines"]), page, sep="\n\n")
    if asked.readme:
        into_readme(readme_table(found, kept["machines"]))
        PAGE.write_text(page, encoding="utf-8")


def arguments() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", metavar="PROBLEM", help="ids, or names in problems/; all if none")
    parser.add_argument("--tier", choices=("A", "B"))
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="from 0 to N - 1")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="runs at a time, each then on a busy machine")
    parser.add_argument("--time", type=float, metavar="SECONDS", help="stop the training of each run after so many")
    parser.add_argument("--only-missing", action="store_true", help="run nothing twice")
    parser.add_argument("--table", action="store_true", help="run nothing")
    parser.add_argument("--plots", action="store_true", help="draw into docs/images")
    parser.add_argument("--readme", action="store_true", help="write the README's table and docs/accuracy.md")
    return parser


def main() -> None:
    """Measure what is asked for, keep it beside what was measured before, and tell it."""
    parser = arguments()
    asked = parser.parse_args()
    for name in asked.problems:
        if not list(chosen([name], None)):
            parser.error(f"no such problem, or one that has to wait: {name}")
    if not asked.table:
        measure(list(chosen(asked.problems, asked.tier)), asked)
    tell(asked)


if __name__ == "__main__":
    main()
