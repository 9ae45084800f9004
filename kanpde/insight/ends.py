"""The bounds of coordinates as exact numbers, read from the problem's text: 2*pi is not a decimal number."""

from __future__ import annotations

from math import isclose

import sympy

from kanpde.errors import SpecError
from kanpde.expression import ExpressionError, parse
from kanpde.insight.circles import ANGLE, TURN
from kanpde.insight.symbolic import Unprovable, exact_number, expression
from kanpde.overrides import overridden
from kanpde.reading import Scalar, Sequence, Table, read_tree
from kanpde.spec import Spec

Ends = dict[str, tuple[sympy.Expr, sympy.Expr]]


def exact_ends(spec: Spec) -> Ends:
    """The interval of each coordinate; where the text does not say it plainly, its ends as decimal numbers.

    Of a region also that of the angle on its circles.
    """
    root = overridden(read_tree(spec.text, spec.path.name)[0], spec.overrides, [])
    found = {}
    for name, bounds in spec.box.items():
        tables = [root.get("domain"), root.get("parameters")]
        nodes = [table.get(name) for table in tables if isinstance(table, Table)]
        texts = next(
            ([item.text for item in n.items if isinstance(item, Scalar)] for n in nodes if isinstance(n, Sequence)), []
        )
        found[name] = tuple(map(exact_number, bounds))
        if len(texts) == 2:
            found[name] = tuple(read(text, value, spec) for text, value in zip(texts, bounds))
    return found if spec.region is None else {**found, ANGLE.name: TURN}


def read(text: str, value: float, spec: Spec) -> sympy.Expr:
    """What a bound says, if that is the number that it was read as."""
    try:
        exact = expression(parse(text), {}, spec.definitions)
        return exact if isclose(float(exact), value, rel_tol=1e-15, abs_tol=1e-300) else exact_number(value)
    except (ExpressionError, SpecError, Unprovable, TypeError):
        return exact_number(value)
