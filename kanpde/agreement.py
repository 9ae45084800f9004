"""Whether conditions agree where they meet: at edges and corners, at the first time, and around a circle."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Iterator, Sequence

import torch
from torch import Tensor

from kanpde.build import statements
from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.jet import Index, closure, raised
from kanpde.laws import SEED, lattice, spot
from kanpde.spec import Spec
from kanpde.trial import Datum, no_unknowns

AGREED = 1e-8  # relative to the size of the data
POINTS = 50


@dataclass(frozen=True)
class Given:
    """A condition by its name: the unknown, and the value or normal derivative that it prescribes."""

    name: str
    unknown: str
    datum: Datum


def givens(spec: Spec, scope: Scope) -> list[Given]:
    """The conditions that prescribe a value or a normal derivative."""
    return [Given(condition.name, *item) for condition, _, item in statements(spec, scope) if item]


def meeting(spec: Spec, sides: Sequence[tuple[int, int]]) -> Tensor:
    """Corners, midpoints and random points on the given sides [d, N]."""
    box, generator = list(spec.box.values()), torch.Generator().manual_seed(SEED)
    low, high = (torch.tensor(ends, dtype=torch.float64)[:, None] for ends in zip(*box))
    random = low + (high - low) * torch.rand(len(box), POINTS, generator=generator, dtype=torch.float64)
    points = torch.cat([lattice(spec), random], dim=1)
    for axis, side in sides:
        points[axis] = box[axis][side]
    return points


def known(given: Given, index: Index, scope: Scope, points: Tensor) -> Tensor:
    """A derivative of the data at points [N]."""
    wanted, ground = closure(frozenset({index})), Ground(points)
    jet = as_jet(evaluate(given.datum.data, wanted, scope, ground, no_unknowns), wanted, ground)
    return points[0] * 0.0 + jet[index]


def disagreements(spec: Spec, scope: Scope) -> Iterator[str]:
    """A warning for each two conditions on the same unknown that contradict each other where their sides meet."""
    zero = (0,) * len(spec.box)
    for one, other in combinations(givens(spec, scope), 2):
        a, b = one.datum, other.datum
        if one.unknown != other.unknown or a.axis == b.axis or a.order + b.order > 1:
            continue
        points = meeting(spec, [(a.axis, a.side), (b.axis, b.side)])
        first = known(one, raised(zero, b.axis, b.order), scope, points)
        second = known(other, raised(zero, a.axis, a.order), scope, points)
        what = "" if a.order + b.order == 0 else f" on the slope of {one.unknown}"
        if found := largest(first, second):
            size, at = found
            where = spot(tuple(spec.box), points[:, at])
            yield f"the conditions {one.name} and {other.name} disagree{what} by {size:.3g} at {where}"


def kinks(spec: Spec, scope: Scope) -> Iterator[str]:
    """A warning for data that jump, or bend sharply, where a periodic coordinate closes."""
    names, zero = tuple(spec.box), (0,) * len(spec.box)
    for axis in map(names.index, spec.periodic):
        for given in givens(spec, scope):
            sides = [(given.datum.axis, given.datum.side)]
            start, end = (meeting(spec, [*sides, (axis, side)]) for side in (0, 1))
            for order, (what, effect) in enumerate(CLOSING):
                index = raised(zero, axis, order)
                if found := largest(known(given, index, scope, start), known(given, index, scope, end)):
                    ends = f"{names[axis]} = {spec.box[names[axis]][0]:.3g} and {spec.box[names[axis]][1]:.3g}"
                    yield f"{given.name} is not periodic: its {what} at {ends} differs by {found[0]:.3g}, {effect}"
                    break


CLOSING = (("value", "so the solution starts with a jump"), ("slope", "so the solution starts with a kink"))


def largest(first: Tensor, second: Tensor) -> tuple[float, int] | None:
    """The largest difference and its index, None where it is negligible; points without finite values do not count."""
    difference = (first - second).abs().nan_to_num(0.0, 0.0)
    scale = float(torch.cat([first, second]).abs().nan_to_num(0.0, 0.0).max())
    at = int(difference.argmax())
    return (float(difference[at]), at) if difference[at] > AGREED * (1e-3 + scale) else None
