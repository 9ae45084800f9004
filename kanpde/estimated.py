"""Errors where no solution is known: by how much other solutions of the same problem differ from the one found.

The difference is the error of the one less that of the other, which is smaller where more functions help, and
independent of it where rounding or the choice of ridges, knots and points decides.
"""

from __future__ import annotations

from typing import Collection, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.result import FieldError

ROUNDING = 2.2e-16  # of a value: no two solutions are told apart better
FITTED = 3e-14  # of what is fitted: rows that tie dependent read-outs disturb every solution alike
AGAINST = "estimate"

Values = Mapping[str, Tensor]


def estimated(found: Values, others: Sequence[Values], fitted: Collection[str] = ()) -> dict[str, Tensor]:
    """The error [M] of each field found: the root mean square of its differences, no less than rounding."""
    errors = {}
    for name, values in found.items():
        squares = torch.stack([(values - other[name]).square() for other in others]).mean(0)
        errors[name] = (squares + ((FITTED if name in fitted else ROUNDING) * values).square()).sqrt()
    return errors


def summed_up(found: Values, errors: Values) -> dict[str, FieldError]:
    """The relative L2 and largest error of each field, of errors [M] at the same points."""
    sums = {}
    for name, error in errors.items():
        norm = float(found[name].norm())
        sums[name] = FieldError(float(error.norm()) / (norm or 1.0), float(error.max()), AGAINST)
    return sums
