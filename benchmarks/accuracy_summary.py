"""What the runs of a case say together: the errors that count, verdicts on targets, robustness."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from numerals import power
from tiers import Case, Target

Run = Mapping[str, Any]
LEVELS = (1e-2, 1e-4, 1e-6, 1e-8)
MISSED = 1e-8  # no run of tier A may stay above
WRONG = 1e-2  # no run of tier B may end above and report success
SUCCESS = ("converged", "finished")


@dataclass(frozen=True)
class Measured:
    """A case and its runs by seed."""

    case: Case
    runs: Mapping[str, Run]

    def over(self, fact: Callable[[Run], float]) -> list[float]:
        """A fact of each run."""
        return [fact(run) for run in self.runs.values()]

    @property
    def alone(self) -> Sequence[Run]:
        """The runs whose seconds count: those that had the machine to themselves, where there are any."""
        runs = list(self.runs.values())
        return [run for run in runs if by_itself(run)] or runs


def worst(run: Run) -> float:
    """The largest error of a run's fields, never below what is certified of their references; inf without a result."""
    errors = [inf if one["relative_l2"] is None else one["relative_l2"] for one in run.get("errors", {}).values()]
    return max((*errors, *(one["certified"] for one in run.get("errors", {}).values())), default=inf)


def seconds_to(history: Iterable[Sequence[float]], level: float) -> float:
    """The first time at which an error was reached; inf if never."""
    return next((seconds for seconds, error in history if error <= level), inf)


def by_itself(run: Run) -> bool:
    """Whether no other was measured at the same time."""
    return run.get("jobs", 1) == 1


def wall(run: Run) -> float:
    """Seconds from the start of the program to its end."""
    return float(run["wall_seconds"])


def meets(run: Run, target: Target) -> bool:
    """Whether a run ended below the error and, where it had the machine to itself, got there in time."""
    late = by_itself(run) and seconds_to(run["history"], target.error) > target.seconds
    return worst(run) <= target.error and not late


def verdict(measured: Measured, target: Target) -> str:
    """Whether all seeds meet the target, or how many do."""
    met = sum(meets(run, target) for run in measured.runs.values())
    return "yes" if met == len(measured.runs) else "no" if not met else f"{met} of {len(measured.runs)}"


def robustness(found: Iterable[Measured]) -> dict[str, Any]:
    """The runs of tier A that stay above 1e-8, and those of tier B that report success above 1e-2."""
    runs = [(one.case, seed, run) for one in found for seed, run in one.runs.items()]
    tiers = {tier: [entry for entry in runs if entry[0].tier == tier] for tier in "AB"}

    def named(entries: Iterable[tuple[Case, str, Run]]) -> list[str]:
        return [f"{case.label}, seed {seed}: {power(worst(run))}{claimed(run)}" for case, seed, run in entries]

    return {
        "tier_a_runs": len(tiers["A"]),
        "tier_a_above_1e-8": named(entry for entry in tiers["A"] if not worst(entry[2]) <= MISSED),
        "tier_b_runs": len(tiers["B"]),
        "tier_b_success_above_1e-2": named(e for e in tiers["B"] if reports_success(e[2]) and not worst(e[2]) <= WRONG),
    }


def claimed(run: Run) -> str:
    """The largest error that a run itself states, if any; where readings are noisy it is what they leave open."""
    known = [one for one in run.get("estimated", {}).values() if one is not None]
    return f", stated {power(max(known))}" if known else ""


def reports_success(run: Run) -> bool:
    """Whether a run says that it solved the problem."""
    return run["exit_code"] == 0 and run["outcome"] in SUCCESS
