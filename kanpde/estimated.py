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
AGAINST, UP_TO_A_CONSTANT = "estimate", "estimate, up to a constant"
APART = 0.1  # relative difference of two solutions with which neither is one
NOTHING = 1e-12  # of the largest field: one that is zero, but for rounding
ALIKE = 0.01  # of a constant difference: what may vary beside it

Values = Mapping[str, Tensor]


def estimated(found: Values, others: Sequence[Values], fitted: Collection[str] = ()) -> dict[str, Tensor]:
    """The error [M] of each field found: the root mean square of its differences, no less than rounding.

    Where these are little more than a constant, that is not counted.
    """
    errors = {}
    for name, values in found.items():
        gaps = torch.stack([values - other[name] for other in others])
        if open_constant(values, gaps):
            gaps = gaps - gaps.mean(1, keepdim=True)
        squares = gaps.square().mean(0)
        errors[name] = (squares + ((FITTED if name in fitted else ROUNDING) * values).square()).sqrt()
    return errors


def open_constant(values: Tensor, gaps: Tensor) -> bool:
    """Whether fields, values [M] and those that differ from them by gaps [N, M], are alike up to a constant only."""
    constants = gaps.mean(1)
    rest = float((gaps - constants[:, None]).square().mean().sqrt())
    return float(constants.abs().max()) > APART * float(values.square().mean().sqrt()) > 0 and rest < ALIKE * float(
        constants.abs().max()
    )


def summed_up(found: Values, others: Sequence[Values], errors: Values) -> dict[str, FieldError]:
    """The relative L2 and largest error of each field, of errors [M] at the same points."""
    sums, most = {}, max(float(values.norm()) for values in found.values())
    for name, error in errors.items():
        norm = float(found[name].norm()) if float(found[name].norm()) > NOTHING * most else 0.0
        open_one = open_constant(found[name], torch.stack([found[name] - other[name] for other in others]))
        against = UP_TO_A_CONSTANT if open_one else AGAINST
        sums[name] = FieldError(float(error.norm()) / (norm or 1.0), float(error.max()), against)
    return sums
