"""Formulas substituted into a problem: which of its statements they fulfil, and how that was found."""

from __future__ import annotations

import random
from dataclasses import dataclass
from functools import partial
from typing import Any, Callable, Iterator, Mapping

import mpmath
import sympy

from kanpde.build import scope_of, statements
from kanpde.insight.circles import ANGLE, circle, round_shape
from kanpde.insight.digits import size, value
from kanpde.insight.ends import Ends, exact_ends
from kanpde.insight.patience import OutOfTime, within
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
SECONDS = 10.0  # of algebra at each step
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
    if (spec.region is not None or spec.zones is not None) and round_shape(spec) is None:
        raise Unprovable("the domain is neither a box nor a disc or ring")
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
            fixed, normals = circle(spec, condition.face)
            residual = expression(row.formula, {**names, **normals}, scope.definitions)
            yield Claim(condition.name, residual, fixed)
            continue
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
    gap, scale = missed(here, claim.name, ends)
    little = mpmath.mpf(10) ** -DIGITS
    if gap > little * (scale or 1):
        # log(cos² + sin²) has no terms to be small beside, but multiplied out it is 0
        seen = bool(gap <= little) and vanishes(here)
        return Check(claim.name, seen, SYMBOLICALLY if seen else said(gap, scale))
    return Check(claim.name, True, SYMBOLICALLY if vanishes(here) else NUMERICALLY)


def said(gap: Any, scale: Any) -> str:
    """How far a statement is missed, beside the largest of the terms that it sums where they are larger."""
    if not mpmath.isfinite(gap):
        return "not finite everywhere"
    beside = f", its largest term there is {mpmath.nstr(scale, 2)}" if scale > 2 * gap else ""
    return f"missed by {mpmath.nstr(gap, 2)}{beside}"


def missed(expression: sympy.Expr, name: str, ends: Ends) -> tuple[Any, Any]:
    """At the random point where it is largest beside its terms: a residual, and the largest of its terms."""
    with mpmath.workdps(WORKING):
        worst, generator = (mpmath.mpf(0), mpmath.mpf(1)), random.Random(name)
        for _ in range(POINTS if expression.free_symbols else 1):
            at = point(ends, generator)
            known: dict[Any, Any] = {}
            got, scale = mpmath.fabs(value(expression, at, known)), size(expression, at, known)
            if not mpmath.isfinite(got):
                return mpmath.inf, mpmath.inf
            if got * (worst[1] or 1) > worst[0] * (scale or 1):
                worst = (got, scale)
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
        lambda e: sympy.expand(sympy.trigsimp(e)) if e.has(ANGLE) else e,
        lambda e: sympy.expand(sympy.numer(sympy.together(e))),
    )
    return any(at_once(way, expression) == 0 for way in ways)


def at_once(way: Callable[[sympy.Expr], sympy.Expr], expression: sympy.Expr) -> sympy.Expr | None:
    """What an algebraic step makes of an expression, nothing if it takes too long."""
    try:
        with within(SECONDS):
            return way(expression)
    except OutOfTime:
        return None


def constrained(spec: Spec, constraint: Constraint, fields: Mapping[str, sympy.Expr], ends: Ends) -> Check:
    """Whether a constraint on values at a point or on an integral holds."""
    names, scene = {**{name: symbol(name) for name in spec.box}, **fields}, scene_of(spec)
    definitions = scope_of(spec).definitions
    if not isinstance(constraint, IntegralConstraint):
        gap = Binary("-", *(expand(side, scene) for side in constraint.formulas))
        fixed = {symbol(axis): exact_number(at) for axis, at in constraint.point.items()}
        return check(Claim(constraint.name, expression(gap, names, definitions), fixed), ends)
    if spec.region is not None:
        raise Unprovable("an integral over a region that is not a box")
    sides = {symbol(axis): ends[axis] for axis in spec.spatial}
    volume = sympy.prod([high - low for low, high in sides.values()])
    density = sympy.Integer(0)
    if constraint.integrand is not None:
        density += expression(expand(constraint.integrand, scene), names, definitions)
    if constraint.mean_integrand is not None:
        density += expression(expand(constraint.mean_integrand, scene), names, definitions) / volume
    goal = exact_number(constraint.constant)
    if at_once(partial(excess, sides=sides, goal=goal), density) == 0:
        return Check(constraint.name, True, SYMBOLICALLY)
    if len(sides) != 1:
        raise Unprovable("an integral over several coordinates that is not seen symbolically")
    return integrated(constraint.name, density, goal, spec.spatial[0], ends)


def excess(density: sympy.Expr, sides: Mapping[sympy.Symbol, tuple[sympy.Expr, sympy.Expr]], goal: sympy.Expr
           ) -> sympy.Expr:
    """An integral over a box, one coordinate after another, less what it must be."""
    for axis, (low, high) in sides.items():
        density = sympy.integrate(sympy.expand(density), (axis, low, high))
    return sympy.expand(sympy.expand_trig(sympy.expand(density - goal)))


def integrated(name: str, density: sympy.Expr, goal: sympy.Expr, axis: str, ends: Ends) -> Check:
    """Whether an integral over one coordinate is what it must be, by quadrature."""
    with mpmath.workdps(INTEGRAL_DIGITS + 20):
        (low, high), generator = ends[axis], random.Random(name)
        bounds, aim = [value(low, {}, {}), value(high, {}, {})], value(goal, {}, {})
        worst = (mpmath.mpf(0), mpmath.mpf(1))
        for _ in range(MOMENTS if density.free_symbols - {symbol(axis)} else 1):
            at = point(ends, generator)

            def along(x: Any, at: Mapping[sympy.Symbol, Any] = at) -> Any:
                return value(density, {**at, symbol(axis): x}, {})

            scale = max(mpmath.fabs(aim), mpmath.quad(lambda x: mpmath.fabs(along(x)), bounds))
            worst = max(worst, (mpmath.fabs(mpmath.quad(along, bounds) - aim), scale or mpmath.mpf(1)))
    holds = bool(worst[0] <= mpmath.mpf(10) ** -INTEGRAL_DIGITS * worst[1])
    return Check(name, holds, INTEGRATED if holds else said(*worst))
