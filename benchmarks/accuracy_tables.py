"""The measurements as tables in Markdown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from math import isfinite
from statistics import median

from accuracy_summary import LEVELS, Measured, Run, by_itself, robustness, seconds_to, verdict, wall, worst
from numerals import brief, power, short
from tiers import PROBLEMS, Case, Published, Target

from kanpde import read_spec

TIERS = {
    "A": "Tier A: smooth and analytic",
    "B": "Tier B: sharp or chaotic",
    "": "The rest of the gallery",
}
HEADS = ("id", "problem", "least:", "median:", "largest error:", "coefficients:", "steps:", "seconds:", "ended",
         "target", "met", "best in print", "best KAN in print", "reference")
PLOTS = {
    "accuracy_time.png": "Error against seconds in tiers A and B, a line for each problem, of the seed in the middle",
    "accuracy_coefficients.png": "Error against the number of coefficients, a point for each problem",
}
DOCUMENT = """# Accuracy

What `kanpde solve` reaches on the problems in [problems](../problems) with its defaults. This page is written by
`python benchmarks/accuracy.py --readme` from `benchmarks/results/accuracy.json`; without `--readme` and `--table` the
script measures anew.

An error is the relative L2 error of the worst field on a fixed fine grid, against the exact solution or a
[reference](../problems/references) whose own error is certified; where the certified error is the larger one, it
counts. Least, median and largest are over the seeds; coefficients, steps and seconds are medians, seconds of the runs
that had the machine to themselves, where there are any. A target is met if the run ends below it and, where it had the
machine to itself, got there in the seconds named. Errors in print are quoted as they were published, for
networks of any kind and for Kolmogorov-Arnold networks."""
TIMES = """From the start of the program, for the unknowns themselves; medians over the seeds, a dash where at least
half of them never get there."""


def published(known: Published | None) -> str:
    """An error in print and how it came about."""
    if known is None:
        return "–"
    return brief(known.error) + f" ({known.how})" * bool(known.how)


def level(target: Target) -> str:
    """What to reach, and when."""
    return brief(target.error) + f" in {target.seconds:g} s" * isfinite(target.seconds)


def title(case: Case, folder: str) -> str:
    """What the problem's file calls it, linked to the file, and what is changed in it."""
    file = f"{case.problem}.yaml"
    return f"[{read_spec(PROBLEMS / file).title}]({folder}problems/{file})" + "".join(f", {c}" for c in case.changes)


def middle(runs: Mapping[str, Run], fact: str) -> str:
    """The median of a whole number."""
    known = [run[fact] for run in runs.values() if fact in run]
    return f"{median(known):.0f}" if known else "–"


def endings(runs: Mapping[str, Run]) -> str:
    """How the runs ended, and how many did so where they differ."""
    counts = Counter(run["outcome"] for run in runs.values())
    return ", ".join(f"{count} {outcome}" if len(counts) > 1 else outcome for outcome, count in counts.items()) or "–"


def reference(runs: Mapping[str, Run]) -> str:
    """How well the solution is known that errors are measured against."""
    known = [one["certified"] for run in runs.values() for one in run.get("errors", {}).values()]
    return "–" if not known else power(max(known)) if max(known) else "exact"


def markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; heads that end in a colon are of columns set to the right."""
    lines = [[head.removesuffix(":") for head in heads], *rows]
    first, *others = [f"| {' | '.join(cells)} |" for cells in lines]
    ruler = "".join("|--:" if head.endswith(":") else "|---" for head in heads) + "|"
    return "\n".join([first, ruler, *others])


def readme_table(found: Sequence[Measured], machines: Sequence[str]) -> str:
    """Every problem with a figure in print that was measured as its file is, a short row each."""
    known = (one for one in found if one.runs and not one.case.changes and one.case.record)
    measured = sorted(known, key=lambda one: one.case.problem)
    rows = [
        (title(one.case, ""), power(median(one.over(worst))), short(median(map(wall, one.alone))),
         middle(one.runs, "coefficients"), brief(one.case.record.error))
        for one in measured
    ]
    heads = ("problem", "relative L2 error:", "seconds:", "coefficients:", "best in print:")
    more = "Medians over seeds, seconds from the start of the program to its end; the best in print is of any network."
    whole = "[All problems](docs/accuracy.md): spreads, targets, sources."
    return "\n".join((markdown(heads, rows), "", more, conditions(found, machines), whole))


def full_row(one: Measured) -> tuple[str, ...]:
    """All that is known of a case."""
    case, errors = one.case, one.over(worst)
    spread = [power(pick(errors)) if errors else "–" for pick in (min, median, max)]
    met = "; ".join(verdict(one, target) for target in case.targets) if one.runs else "–"
    return (
        case.id or "–", title(case, "../"), *spread, middle(one.runs, "coefficients"), middle(one.runs, "steps"),
        short(median(map(wall, one.alone))) if one.runs else "–", endings(one.runs),
        "; ".join(map(level, case.targets)) or "–", met or "–",
        published(case.record), published(case.kan), reference(one.runs),
    )


def times_table(found: Iterable[Measured]) -> str:
    """How long it takes to get below some errors, in the middle of the seeds."""
    rows = [
        (one.case.label, *(short(median(seconds_to(run["history"], error) for run in one.alone))
                           for error in LEVELS))
        for one in found if one.runs
    ]
    return markdown(("problem", *(f"to {brief(error)}:" for error in LEVELS)), rows)


def robustness_text(found: Iterable[Measured]) -> str:
    """Whether a smooth problem was missed, or a wrong solution sold."""
    said = robustness(found)
    missed, wrong = said["tier_a_above_1e-8"], said["tier_b_success_above_1e-2"]
    return (f"Tier A: {len(missed)} of {said['tier_a_runs']} runs end with an error above 1e-8{listed(missed)}.\n"
            f"Tier B: {len(wrong)} of {said['tier_b_runs']} runs report success with an error above 1e-2"
            f"{listed(wrong)}.")


def listed(names: Sequence[str]) -> str:
    """Names in parentheses, if there are any."""
    return f" ({'; '.join(names)})" if names else ""


def conditions(found: Iterable[Measured], machines: Sequence[str]) -> str:
    """On what, with what and how often was measured."""
    runs = [(seed, run) for one in found for seed, run in one.runs.items()]
    seeds = len({seed for seed, _ in runs})
    lines = {
        f"{machines[run['machine']]}; {run['threads']} thread{'s' * (run['threads'] > 1)}{beside(run)}{stopped(run)}"
        for _, run in runs
    }
    return f"Up to {seeds} seed{'s' * (seeds != 1)} for each problem. " + " ".join(f"{line}." for line in sorted(lines))


def beside(run: Run) -> str:
    """How many were run at a time."""
    return "" if by_itself(run) else f"; {run['jobs']} at a time"


def stopped(run: Run) -> str:
    """After how many seconds a run had to end, if that was asked for."""
    return "" if run["limit"] is None else f"; stopped after {run['limit']:g} s"


def document(found: Sequence[Measured], machines: Sequence[str], images: Iterable[str]) -> str:
    """The page of the documentation."""
    parts = [DOCUMENT, conditions(found, machines)]
    for tier, words in TIERS.items():
        parts += [f"## {words}", markdown(HEADS, [full_row(one) for one in found if one.case.tier == tier])]
    parts += ["## Robustness", robustness_text(found)]
    parts += ["## Seconds to reach an error", TIMES, times_table(found)]
    parts += [f"![{PLOTS[name]}](images/{name})" for name in PLOTS if name in images]
    return "\n\n".join(parts) + "\n"
