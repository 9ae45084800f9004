"""How a run has ended, after a last look: whether there is reason not to trust the solution, and which."""

from __future__ import annotations

from math import sqrt
from typing import Mapping

from kanpde.clock import State
from kanpde.estimated import APART, UP_TO_A_CONSTANT
from kanpde.growth import grows
from kanpde.relative import relative_residuals, vanishes
from kanpde.result import FieldError, Outcome
from kanpde.spec import Spec

NEGLIGIBLE = 1e-6  # relative residual that arouses no suspicion
LARGE = 1e-2  # relative residual with which nothing is solved
FAR = 100.0  # held-out over training loss, both sums of weighted squares

VERDICTS = {name: Outcome[name.upper()] for name in ("unsettled", "undetermined", "misfit", "unresolved")}
LEFT = (Outcome.DIVERGED, Outcome.INTERRUPTED)

Verdict = tuple[Outcome, str]


def verdict(
    outcome: Outcome, state: State, spec: Spec, held_out: tuple[float, float], error: float | None,
    estimates: Mapping[str, FieldError],
) -> Verdict:  # fmt: skip
    """The outcome and the reason for it; `held_out` are the residual and the loss on fresh points."""
    if outcome is Outcome.DIVERGED:
        return outcome, ""
    if outcome is Outcome.INTERRUPTED:
        doubt = doubted(outcome, state, spec, held_out[1])
        return outcome, "; ".join(["its error was not estimated", *([doubt[1]] if doubt else [])])
    if state.estimates is not None and state.estimates.verdict:
        return VERDICTS[state.estimates.verdict], "; ".join(state.estimates.warnings[:1])
    noisy = state.estimates is not None and bool(state.estimates.scatter)
    doubt = doubted(outcome, state, spec, held_out[1]) or (None if noisy else apart(estimates))
    return doubt or measured(outcome, spec, held_out[0], error, estimates)


def doubted(outcome: Outcome, state: State, spec: Spec, loss: float) -> Verdict | None:
    """A doubt from the residuals, or from a solution that is nothing."""
    found = relative_residuals(state.problem, state.theta, spec.training.seed)
    relative = sqrt(sum(size**2 for size in found.values()))
    if loss > FAR * state.loss and relative > NEGLIGIBLE:
        ratio = sqrt(loss / state.loss) if state.loss else float("inf")
        return Outcome.SUSPICIOUS, f"the residual on fresh points is {ratio:.2g} times that on the points fitted"
    if relative > LARGE and outcome is not Outcome.CONVERGED:
        worst = max(found, key=lambda name: found[name])
        return Outcome.UNRESOLVED, f"on fresh points the residual of {worst} is {found[worst]:.2g} of its own terms"
    if grows(state.problem, state.theta, spec.training.seed):
        return Outcome.SUSPICIOUS, "the shorter a wave the faster it grows: initial data determine no solution"
    if vanishes(state.problem, state.theta, spec.training.seed):
        return Outcome.SUSPICIOUS, "the solution is zero, which every equation and condition allows; is one missing?"
    return None


def apart(estimates: Mapping[str, FieldError]) -> Verdict | None:
    """A doubt where two solutions of the same problem have little in common."""
    worst = max(estimates, key=lambda name: estimates[name].relative_l2, default="")
    if not worst or estimates[worst].relative_l2 <= APART:
        return None
    found = f"another solution, found in the same way, differs by {estimates[worst].relative_l2:.2g} in {worst}"
    return Outcome.SUSPICIOUS, f"{found}: is the solution unique, is a condition missing, is it resolved?"


def measured(
    outcome: Outcome, spec: Spec, residual: float, error: float | None, estimates: Mapping[str, FieldError]
) -> Verdict:
    """The outcome beside the accuracy asked for: of the true error where that is known, else of the estimate."""
    estimate = max((estimates[name].relative_l2 for name in spec.unknowns if name in estimates), default=None)
    reached, kind = (error, "error") if error is not None else (estimate, "estimated error")
    tolerance, stop = spec.reference.tolerance if spec.reference else None, spec.training.stop
    if tolerance is not None and error is not None and error > tolerance:
        return Outcome.INACCURATE, f"the error is {error:.2g}, asked {tolerance:g}"
    if stop.error is not None and reached is not None and reached <= stop.error:
        return Outcome.CONVERGED, f"the {kind} is {reached:.2g}, asked {stop.error:g}"
    missed = []
    if stop.error is not None and reached is not None:
        missed.append(f"the {kind} is {reached:.2g}, asked {stop.error:g}")
    if stop.residual is not None and residual > stop.residual:
        missed.append(f"the residual is {residual:.2g}, asked {stop.residual:g}")
    if missed and outcome is Outcome.FINISHED:
        return Outcome.STAGNATED, "; ".join(missed)
    missed += [f"{name} is determined up to a constant only"
               for name, one in estimates.items() if one.against == UP_TO_A_CONSTANT]  # fmt: skip
    return outcome, "; ".join(missed)
