"""The functions a formula may use, each with all its derivatives.

A function is a value and a slope; the slope is written in jets, so every higher derivative follows from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt
from typing import TYPE_CHECKING, Callable, Mapping

from kanpde.jet import Indices, Jet, Term, compose, constant, raised

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Univariate:
    """A function of one variable: its value on tensors and its derivative as a function of jets."""

    value: Callable[[Tensor], Tensor]
    slope: Callable[[Jet], Jet | float]

    def derivatives(self, x: Tensor, order: int) -> list[Term]:
        """f, f', …, f^(order) at x."""
        found: list[Term] = [self.value(x)]
        if order:
            indices = frozenset((m,) for m in range(order))
            slope = self.slope(Jet({(0,): x, (1,): 1.0} if order > 1 else {(0,): x}, indices))
            found += [slope[(m,)] for m in range(order)] if isinstance(slope, Jet) else [slope] + [0.0] * (order - 1)
        return found

    def __call__(self, u: Jet) -> Jet:
        return compose(self.derivatives(u.value, max(map(sum, u.indices))), u)


def atan2(y: Jet, x: Jet) -> Jet:
    """The angle of the point (x, y)."""
    squares = x * x + y * y
    terms: dict[tuple[int, ...], Term] = {}
    for alpha in y.indices & x.indices:
        if not any(alpha):
            terms[alpha] = y.value.atan2(x.value)
            continue
        axis = next(k for k, n in enumerate(alpha) if n)
        below = raised(alpha, axis, -1)
        lower = lower_set(below)
        slope = x.restricted(lower) * y.derivative(axis, lower) - y.restricted(lower) * x.derivative(axis, lower)
        terms[alpha] = (slope / squares.restricted(lower))[below]
    return Jet(terms, y.indices & x.indices)


def lower_set(index: tuple[int, ...]) -> Indices:
    """All multi-indices up to `index`."""
    from_zero: list[tuple[int, ...]] = [()]
    for n in index:
        from_zero = [a + (k,) for a in from_zero for k in range(n + 1)]
    return frozenset(from_zero)


def where(condition: Tensor, chosen: Jet, other: Jet) -> Jet:
    """`chosen` where the condition holds, `other` elsewhere, derivatives included."""
    indices = chosen.indices & other.indices
    filled = chosen.value.new_zeros(chosen.value.shape)
    pairs = {a: (filled + chosen[a], filled + other[a]) for a in indices if a in chosen.terms or a in other.terms}
    return Jet({a: yes.where(condition, no) for a, (yes, no) in pairs.items()}, indices)


def silu_slope(u: Jet) -> Jet:
    """σ(u) (1 + u (1 − σ(u)))."""
    sigmoid = UNIVARIATE["sigmoid"](u)
    return sigmoid * (1.0 + u * (1.0 - sigmoid))


def modulo(a: Jet, b: Jet) -> Jet:
    """a − b⌊a/b⌋."""
    return a - b * constant((a.value / b.value).floor(), b.indices)


UNIVARIATE: Mapping[str, Univariate] = {
    "sin": Univariate(lambda x: x.sin(), lambda u: UNIVARIATE["cos"](u)),
    "cos": Univariate(lambda x: x.cos(), lambda u: -UNIVARIATE["sin"](u)),
    "tan": Univariate(lambda x: x.tan(), lambda u: UNIVARIATE["tan"](u) ** 2 + 1.0),
    "asin": Univariate(lambda x: x.asin(), lambda u: (1.0 - u * u) ** -0.5),
    "acos": Univariate(lambda x: x.acos(), lambda u: -((1.0 - u * u) ** -0.5)),
    "atan": Univariate(lambda x: x.atan(), lambda u: (1.0 + u * u) ** -1.0),
    "sinh": Univariate(lambda x: x.sinh(), lambda u: UNIVARIATE["cosh"](u)),
    "cosh": Univariate(lambda x: x.cosh(), lambda u: UNIVARIATE["sinh"](u)),
    "tanh": Univariate(lambda x: x.tanh(), lambda u: 1.0 - UNIVARIATE["tanh"](u) ** 2),
    "exp": Univariate(lambda x: x.exp(), lambda u: UNIVARIATE["exp"](u)),
    "log": Univariate(lambda x: x.log(), lambda u: u**-1.0),
    "sqrt": Univariate(lambda x: x.sqrt(), lambda u: 0.5 * u**-0.5),
    "erf": Univariate(lambda x: x.erf(), lambda u: (2 / sqrt(pi)) * UNIVARIATE["exp"](-(u * u))),
    "abs": Univariate(lambda x: x.abs(), lambda u: constant(u.value.sign(), u.indices)),
    "sign": Univariate(lambda x: x.sign(), lambda u: 0.0),
    "heaviside": Univariate(lambda x: 0.5 * (x.sign() + 1.0), lambda u: 0.0),
    "silu": Univariate(lambda x: x * x.sigmoid(), lambda u: silu_slope(u)),
    "sigmoid": Univariate(lambda x: x.sigmoid(), lambda u: UNIVARIATE["sigmoid"](u) * (1.0 - UNIVARIATE["sigmoid"](u))),
}

MULTIVARIATE: Mapping[str, Callable[..., Jet]] = {
    "atan2": atan2,
    "min": lambda a, b: where(a.value <= b.value, a, b),
    "max": lambda a, b: where(a.value >= b.value, a, b),
    "mod": modulo,
}
