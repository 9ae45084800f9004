"""Formulas substituted into a problem: which of its statements they fulfil, and how that was found."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Iterator, Mapping

import mpmath
import sympy

from kanpde.build import scope_of, statements
from kanpde.insight.digits import size, value
from kanpde.insight.ends import Ends, exact_ends
from kanpde.insight.symbolic import Unprovable, exact_number, expression, symbol
from kanpde.integrals import IntegralConstraint
from kanpde.operators import expand
from kanpde.regional import difference, scene_of
from kanpde.spec import Constraint, Spec
from kanpde.statement import Face
from kanpde.tree import Binary

DIGITS, WORKING = 100, 150  # a residual of 0 is seen to so many digits, computed with so many
INTEGRAL_DIGITS = 50
POINTS = 100
MOMENTS = 3  # at which integrals over space are taken
LONGEST = 400  # operations in an expression that is multiplied out
SYMBOLICALLY = "0 symbolically"
NUMERICALLY = f"0 to {DIGITS} digits at {POINTS} points"
INTEGRATED = f"0 to {INTEGRAL_DIGITS} digits"


@dataclass(frozen=True)
class Check:
    """One statement of the problem: whether a formula fulfils it, and how that was found or how far it is missed."""

    name: str
    holds: bool
    how: str


@dataclass(frozen=True)
class Claim:
    """What must vanish, and where: the coordinates that are fixed."""

    name: str
    residual: sympy.Expr
    fixed: Mapping[sympy.Symbol, sympy.Expr]


def proved(spec: Spec, fields: Mapping[str, sympy.Expr]) -> list[Check]:
    """Every statement of a problem with exact expressions in place of its unknowns and what is fitted."""
    if spec.region is not None or spec.zones is not None:
        raise Unprovable("the domain is not a box")
    if spec.data:
        raise Unprovable("readings scatter, so no formula fulfils them")
    ends = exact_ends(spec)
    checks = [check(claim, ends) for claim in claims(spec, fields, ends)]
    return [*checks, *(constrained(spec, c, fields, ends) for c in spec.constraints)]


def claims(spec: Spec, fields: Mapping[str, sympy.Expr], ends: Ends) -> Iterator[Claim]:
    """The equations, the conditions, and that periodic coordinates close."""
    scope = scope_of(spec)
    names = {**{name: symbol(name) for name in spec.box}, **fields}
    for law in spec.equations:
        yield Claim(law.name, expression(difference(spec, law), names, scope.definitions), {})
    for condition, row, _ in statements(spec, scope):
        if not isinstance(condition.face, Face):
            raise Unprovable("a piece of the boundary is not a side of a box")
        axis, side = condition.face.axis, int(condition.face.side == "max")
        residual = expression(row.formula, names, scope.definitions)
        yield Claim(condition.name, residual, {symbol(axis): ends[axis][side]})
    for axis in spec.periodic:
        low, high = ends[axis]
        for name in spec.unknowns:
            whole = fields[name]
            yield Claim(f"{axis} periodic, {name}", whole.subs(symbol(axis), symbol(axis) + high - low) - whole, {})


def check(claim: Claim, ends: Ends) -> Check:
    """Whether an expression vanishes: at many points to many digits, and then, if it can be seen, as an expression."""
    here = claim.residual.subs(claim.fixed)
    if here == 0:
        return Check(claim.name, True, SYMBOLICALLY)
    worst = missed(here, claim.name, ends)
    if worst > mpmath.mpf(10) ** -DIGITS:
        return Check(claim.name, False, f"missed by {mpmath.nstr(worst, 2)} of its terms")
    return Check(claim.name, True, SYMBOLICALLY if vanishes(here) else NUMERICALLY)


def missed(expression: sympy.Expr, name: str, ends: Ends) -> Any:
    """The largest residual at random points, each beside its terms."""
    with mpmath.workdps(WORKING):
        worst, generator = mpmath.mpf(0), random.Random(name)
        for _ in range(POINTS if expression.free_symbols else 1):
            at = point(ends, generator)
            known: dict[Any, Any] = {}
            got, scale = mpmath.fabs(value(expression, at, known)), size(expression, at, known)
            if not mpmath.isfinite(got):
                return mpmath.inf
            worst = max(worst, got / scale if scale else got)
        return worst


def point(ends: Ends, generator: random.Random) -> dict[sympy.Symbol, Any]:
    """A random point of a box."""
    found = {}
    for name, bounds in ends.items():
        low, high = (value(bound, {}, {}) for bound in bounds)
        found[symbol(name)] = low + (high - low) * mpmath.mpf(generator.random())
    return found


def vanishes(expression: sympy.Expr) -> bool:
    """Whether an expression is seen to be 0 when it is multiplied out."""
    if sympy.count_ops(expression) > LONGEST:
        return False
    ways = (
        lambda e: sympy.expand(e),
        lambda e: sympy.expand(sympy.expand_trig(sympy.expand(e))),
        lambda e: sympy.expand(sympy.expand(e.rewrite(sympy.exp)), power_exp=True),
        lambda e: sympy.expand(sympy.numer(sympy.together(e))),
    )
    return any(way(expression) == 0 for way in ways)


def constrained(spec: Spec, constraint: Constraint, fields: Mapping[str, sympy.Expr], ends: Ends) -> Check:
    """Whether a constraint on values at a point or on an integral holds."""
    names, scene = {**{name: symbol(name) for name in spec.box}, **fields}, scene_of(spec)
    definitions = scope_of(spec).definitions
    if not isinstance(constraint, IntegralConstraint):
        gap = Binary("-", *(expand(side, scene) for side in constraint.formulas))
        fixed = {symbol(axis): exact_number(at) for axis, at in constraint.point.items()}
        return check(Claim(constraint.name, expression(gap, names, definitions), fixed), ends)
    if len(spec.spatial) != 1:
        raise Unprovable("an integral over more than one coordinate")
    (axis,) = spec.spatial
    low, high = ends[axis]
    density = sympy.Integer(0)
    if constraint.integrand is not None:
        density += expression(expand(constraint.integrand, scene), names, definitions)
    if constraint.mean_integrand is not None:
        density += expression(expand(constraint.mean_integrand, scene), names, definitions) / (high - low)
    with mpmath.workdps(INTEGRAL_DIGITS + 20):
        worst, generator = mpmath.mpf(0), random.Random(constraint.name)
        bounds, goal = [value(low, {}, {}), value(high, {}, {})], value(exact_number(constraint.constant), {}, {})
        for _ in range(MOMENTS if density.free_symbols - {symbol(axis)} else 1):
            at = point(ends, generator)

            def along(x: Any, at: Mapping[sympy.Symbol, Any] = at) -> Any:
                return value(density, {**at, symbol(axis): x}, {})

            scale = max(mpmath.fabs(goal), mpmath.quad(lambda x: mpmath.fabs(along(x)), bounds))
            worst = max(worst, mpmath.fabs(mpmath.quad(along, bounds) - goal) / (scale or 1))
    holds = worst <= mpmath.mpf(10) ** -INTEGRAL_DIGITS
    return Check(
        constraint.name, bool(holds), INTEGRATED if holds else f"missed by {mpmath.nstr(worst, 2)} of its terms"
    )
