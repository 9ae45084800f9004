"""Constants that a formula is linear in, found exactly from the conditions of the problem."""

from __future__ import annotations

from typing import Iterator, Mapping, Sequence

import numpy as np
import sympy

from kanpde.insight.ends import Ends, exact_ends
from kanpde.insight.patience import OutOfTime, within
from kanpde.insight.proof import claims
from kanpde.insight.symbolic import symbol
from kanpde.spec import Spec

MOST = 4  # constants
LONGEST = 400  # operations in a condition
PLACES = (sympy.Rational(1, 2), sympy.Rational(1, 4), sympy.Rational(1, 3), sympy.Integer(0), sympy.Integer(1))
INDEPENDENT = 1e-6  # of its size: what a row must add to those before it
NEAR = 1e-5  # relative: how near measured values must be
SECONDS = 10.0


def determined(
    spec: Spec, fields: Mapping[str, sympy.Expr], measured: Mapping[sympy.Symbol, float]
) -> dict[sympy.Symbol, sympy.Expr] | None:
    """Exact values near measured ones for which the conditions hold at a few points; nothing if they say too little."""
    unknown = list(measured)
    if not 0 < len(unknown) <= MOST:
        return None
    try:
        with within(SECONDS):
            rows = independent(list(equations(spec, fields, unknown)), unknown)
            if len(rows) < len(unknown):
                return None
            found = sympy.linsolve(rows, unknown)
            exact = [sympy.simplify(value) for value in next(iter(found), ())]
            near = len(exact) == len(unknown) and all(
                abs(float(value) - measured[name]) <= NEAR * max(1e-3, abs(measured[name]))
                for name, value in zip(unknown, exact)
            )
    except (OutOfTime, TypeError, ValueError, NotImplementedError):
        return None
    return dict(zip(unknown, exact)) if near else None


def equations(spec: Spec, fields: Mapping[str, sympy.Expr], unknown: Sequence[sympy.Symbol]) -> Iterator[sympy.Expr]:
    """The conditions that are affine in unknown constants, at a few points, as what must vanish."""
    ends, laws = exact_ends(spec), {law.name for law in spec.equations}
    for claim in claims(spec, fields, ends):
        here = claim.residual.subs(claim.fixed)
        own = [name for name in unknown if here.has(name)]
        if claim.name in laws or not own or sympy.count_ops(here) > LONGEST:
            continue
        if any(sympy.diff(here, one).has(*unknown) for one in own):
            continue
        yield from (sympy.expand(here.subs(at)) for at in places(ends))


def places(ends: Ends) -> Iterator[dict[sympy.Symbol, sympy.Expr]]:
    """A few points of a box at which functions are likely to be simple."""
    for part in PLACES:
        yield {symbol(name): low + part * (high - low) for name, (low, high) in ends.items()}


def independent(rows: Sequence[sympy.Expr], unknown: Sequence[sympy.Symbol]) -> list[sympy.Expr]:
    """Rows that are linearly independent, the first of each that say the same."""
    kept: list[sympy.Expr] = []
    basis = np.zeros((len(unknown), 0))
    for row in rows:
        slopes = np.array([float(sympy.diff(row, name)) for name in unknown])
        rest = slopes - basis @ (basis.T @ slopes)
        if np.linalg.norm(rest) > INDEPENDENT * np.linalg.norm(slopes) > 0:
            basis = np.column_stack([basis, rest / np.linalg.norm(rest)])
            kept.append(row)
    return kept
