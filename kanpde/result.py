"""What a finished run leaves behind, as plain arrays: the thing writers write and readers read."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Mapping

import numpy as np

from kanpde.estimates import Estimates
from kanpde.quantities import Quantities


class Outcome(Enum):
    """How a run ended: the sentence shown and the exit code."""

    CONVERGED = ("converged: the asked accuracy was reached", 0)
    FINISHED = ("finished: every stage ran to its end", 0)
    LIMIT = ("stopped at a limit of time or steps", 0)
    STAGNATED = ("stagnated: every stage ran to its end without the asked accuracy", 4)
    INACCURATE = ("finished, but the error is above the asked tolerance", 4)
    SUSPICIOUS = ("suspicious: there is reason not to trust the solution", 3)
    UNRESOLVED = ("unresolved: on fresh points the residual is still large beside the equations' own terms", 3)
    UNSETTLED = ("unsettled: the iteration that fits the unknown constants and functions did not settle", 3)
    UNDETERMINED = ("undetermined: what is given does not determine all that is fitted", 3)
    MISFIT = ("misfit: the readings are much farther from the solution than their standard deviation says", 3)
    DIVERGED = ("stopped: the residual is not finite", 3)
    INTERRUPTED = ("interrupted: the solution so far was saved", 130)

    @property
    def message(self) -> str:
        """The sentence shown to the user."""
        return self.value[0]

    @property
    def exit_code(self) -> int:
        """The exit code of a run that ended so."""
        return self.value[1]


@dataclass(frozen=True)
class Field:
    """One array on the output grid, indexed in the order of the coordinates (x, y, t as in the problem file).

    `kind` is one of solution, estimate (of the error), exact, reference, error, residual, sigma, extra; `of` names the
    unknown, equation or expression it belongs to.
    """

    values: np.ndarray
    kind: str
    of: str
    label: str = ""


@dataclass(frozen=True)
class FieldError:
    """The error of one field against its exact or reference solution: relative L2 and largest absolute value."""

    relative_l2: float
    maximum: float
    against: str
    certified: float = 0.0


@dataclass(frozen=True)
class Result:
    """A finished run: fields on the output grid, errors, history, the network's arrays, and how it came about.

    `history` holds equally long columns: step, seconds, loss, held_out, loss_<block>…, error_<unknown>….
    `network` holds only arrays, numbers and strings, nested by name: all that is needed to evaluate again.
    `estimated` are errors as other solutions of the same problem suggest them.
    `outline` are points [2, N] along the curves that bound a region, NaN between these, by the plane: "x y".
    `points` [d, N] are some of those that the solution was fitted at, by what they belong to: interior, x_min, …
    """

    title: str
    axes: Mapping[str, np.ndarray]
    fields: Mapping[str, Field]
    errors: Mapping[str, FieldError]
    history: Mapping[str, np.ndarray]
    network: Mapping[str, Any]
    outcome: Outcome
    summary: Mapping[str, Any] = field(default_factory=dict)
    spec_text: str = ""
    spec_name: str = ""
    overrides: tuple[str, ...] = ()
    outline: Mapping[str, np.ndarray] = field(default_factory=dict)
    provenance: Mapping[str, Any] = field(default_factory=dict)
    quantities: Quantities = Quantities()
    estimates: Estimates | None = None
    estimated: Mapping[str, FieldError] = field(default_factory=dict)
    points: Mapping[str, np.ndarray] = field(default_factory=dict)
