"""The trial solution: networks of embedded coordinates, with the conditions that can be built in exactly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from math import pi
from typing import Mapping, Sequence

import torch
from torch import Tensor

from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.expression import Tree
from kanpde.functions import UNIVARIATE
from kanpde.jet import Index, Indices, Jet, closure, constant, raised
from kanpde.network import Network, Tap


@dataclass(frozen=True)
class Datum:
    """∂^order u / ∂axis^order = data on one side of the box (`order` 0: the value); `met` if other data imply it."""

    axis: int
    side: int  # 0: least, 1: greatest value of the coordinate
    order: int
    data: Tree
    met: bool = field(default=False, compare=False)


@dataclass(frozen=True)
class Branch:
    """One network, the unknowns that are its outputs, and the coordinates they depend on: all, or those given.

    A `box` of its own is mapped to [−1, 1] instead of the whole domain's. Where fits begin, its last coefficients are
    `start` and its outputs, if they are splines or constants, too. With a `span` it counts in that time only.
    """

    network: Network
    unknowns: tuple[str, ...]
    axes: tuple[int, ...] | None = None
    start: float = 0.0
    box: tuple[tuple[float, float], ...] | None = None
    span: tuple[float, float] | None = None

    def winds(self, dimensions: int) -> bool:
        """Whether periodic coordinates enter as angles, with slopes that close up, and not as cos and sin."""
        return self.network.layers[0].inputs == (dimensions if self.axes is None else len(self.axes))


@dataclass(frozen=True)
class Trial:
    """u = lift + distance · Σ networks for each unknown, on a box, with exact periodicity along some axes.

    The lift is the Boolean sum of Hermite interpolants of the data on the sides (Gordon & Hall 1973); the distance
    vanishes there to the right order (Sukumar & Srivastava 2022).
    """

    scope: Scope
    box: tuple[tuple[float, float], ...]
    periodic: tuple[int, ...]
    branches: tuple[Branch, ...]
    built_in: Mapping[str, tuple[Datum, ...]]
    vanishing: bool = False  # the networks themselves vanish where data are built in, without the distance

    @property
    def size(self) -> int:
        """The number of coefficients."""
        return sum(branch.network.size for branch in self.branches)

    def initial(self, generator: torch.Generator) -> Tensor:
        """A random start, drawn from the generator."""
        return torch.cat([branch.network.initial(generator) for branch in self.branches])

    def fields(
        self, theta: Tensor, ground: Ground, wanted: Mapping[str, Indices], tapped: Sequence[Sequence[bool]] = ()
    ) -> tuple[dict[str, Jet], list[Tap]]:
        """The unknowns' derivatives `wanted` at the ground's points, and the networks' taps."""
        sums: dict[str, Jet] = {}
        taps, start = [], 0
        for k, branch in enumerate(self.branches):
            part = theta[start : start + branch.network.size]
            start += branch.network.size
            asked = [wanted[name] for name in branch.unknowns if name in wanted]
            if not asked:
                continue
            indices = closure(frozenset().union(*asked))
            marks = tapped[k] if tapped else ()
            if branch.span is None:
                output, tap = branch.network.forward(self.inputs(ground, indices, branch), part, marks)
            else:
                output, tap = self.in_time(branch, part, ground, indices, marks)
            taps += tap
            for row, name in enumerate(branch.unknowns):
                if name in wanted:
                    own = closure(wanted[name]) if len(asked) > 1 else indices
                    jet = Jet({a: v[row] for a, v in output.terms.items() if a in own}, own)
                    sums[name] = sums[name] + jet if name in sums else jet
        return {name: self.constrained(name, jet, ground) for name, jet in sums.items()}, taps

    def in_time(
        self, branch: Branch, part: Tensor, ground: Ground, indices: Indices, marks: Sequence[bool]
    ) -> tuple[Jet, list[Tap]]:
        """A network's outputs [O, N] in its own time and zero elsewhere, with the taps of the layers marked."""
        counts = self.counts(branch, ground.points)
        if any(marks):
            output, taps = branch.network.forward(self.inputs(ground, indices, branch), part, marks)
            return Jet({a: v * counts for a, v in output.terms.items()}, indices), taps
        where = counts.nonzero()[:, 0]
        blank = ground.points.new_zeros(len(branch.unknowns), ground.count)
        if not len(where):
            return Jet({(0,) * len(self.box): blank}, indices), []
        inputs = self.inputs(Ground(ground.points[:, where], ground.pinned), indices, branch)
        output, _ = branch.network.forward(inputs, part)
        terms = {a: blank.index_copy(1, where, v.expand(-1, len(where))) for a, v in output.terms.items()}
        return Jet(terms, indices), []

    def spanned(self, spans: Sequence[tuple[float, float] | None]) -> Trial:
        """The same with each network kept to an interval of time, where one is given, mapped to [−1, 1]."""
        axis, found = self.scope.coordinates.index("t") if any(spans) else 0, []
        for branch, span in zip(self.branches, spans):
            box = span and tuple(span if k == axis else ends for k, ends in enumerate(self.box))
            found.append(replace(branch, span=span, box=box or branch.box))
        return replace(self, branches=(*found, *self.branches[len(found) :]))

    def counts(self, branch: Branch, points: Tensor) -> Tensor:
        """Whether points [d, N] lie in a branch's time, its end excepted where another time follows."""
        assert branch.span is not None
        axis = self.scope.coordinates.index("t")
        (low, high), (first, last), t = branch.span, self.box[axis], points[axis]
        return ((t >= low) | (low <= first)) & ((t < high) | (high >= last))

    def inputs(self, ground: Ground, indices: Indices, branch: Branch) -> Jet:
        """A network's inputs [I, N]: coordinates mapped to [−1, 1], cos and sin of the periodic ones."""
        axes = tuple(range(len(self.box))) if branch.axes is None else branch.axes
        circles = () if branch.winds(len(self.box)) else self.periodic
        box = branch.box or self.box
        key = (hash((axes, circles, box)), indices)
        if key not in ground.found:
            rows = [jet for axis in axes for jet in embedded(axis, box[axis], axis in circles, ground, indices)]
            ground.found[key] = stacked(rows, indices, ground.points)
        return ground.found[key]  # type: ignore[return-value]

    def constrained(self, name: str, jet: Jet, ground: Ground) -> Jet:
        """The unknown with its exact conditions, from its network output."""
        data = self.built_in.get(name, ())
        if not data:
            return jet
        if self.vanishing:
            return self.known(name, data, ground, jet.indices)[0] + jet
        lift, distance = self.known(name, data, ground, jet.indices)
        return lift + distance * jet

    def known(self, name: str, data: Sequence[Datum], ground: Ground, indices: Indices) -> tuple[Jet, Jet]:
        """The unknown's lift and distance at the ground's points, computed once."""
        key = (hash(name), indices)
        if key not in ground.found:
            ground.found[key] = (self.lift(data, ground, indices), self.distance(data, ground, indices))  # type: ignore[assignment]
        return ground.found[key]  # type: ignore[return-value]

    def distance(self, data: Sequence[Datum], ground: Ground, indices: Indices) -> Jet:
        """A product of powers of the distances to the sides with data, at most one."""
        found = constant(1.0, indices)
        for axis in sorted({d.axis for d in data}):
            z = self.unit(axis, ground, indices)
            least, greatest = (sum(d.axis == axis and d.side == side for d in data) for side in (0, 1))
            top = (least + greatest) ** (least + greatest) / (least**least * greatest**greatest)
            found = found * (top * z**least * (1.0 - z) ** greatest)
        return found

    def lift(self, data: Sequence[Datum], ground: Ground, indices: Indices) -> Jet:
        """A function that fulfils all data, built one axis after another; what is met by the others costs nothing."""
        data = [d for d in data if not d.met]
        axes = sorted({d.axis for d in data})
        if not axes:
            return Jet({}, indices)
        last, earlier = axes[-1], [d for d in data if d.axis != axes[-1]]
        found = self.lift(earlier, ground, indices)
        here = [d for d in data if d.axis == last]
        z, length = self.unit(last, ground, indices), self.box[last][1] - self.box[last][0]
        for datum, weights in zip(here, hermite(tuple((d.side, d.order) for d in here))):
            gap = self.gap(datum, earlier, ground, indices)
            blend = sum(
                (z**k * (w * length**datum.order) for k, w in enumerate(weights) if w), start=constant(0.0, indices)
            )
            found = found + blend * gap
        return found

    def gap(self, datum: Datum, earlier: Sequence[Datum], ground: Ground, indices: Indices) -> Jet:
        """What the earlier axes' lift lacks on a side; it does not vary along the side's axis."""
        points = ground.points.clone()
        points[datum.axis] = self.box[datum.axis][datum.side]
        side = Ground(points)
        along = frozenset(a for a in indices if not a[datum.axis])
        asked = as_jet(evaluate(datum.data, along, self.scope, side, no_unknowns), along, side)
        higher = frozenset(raised(a, datum.axis, datum.order) for a in along)
        present = self.lift(earlier, side, closure(higher))
        terms = {a: asked[a] - present[raised(a, datum.axis, datum.order)] for a in along}
        return Jet(terms, indices)

    def unit(self, axis: int, ground: Ground, indices: Indices) -> Jet:
        """A coordinate mapped to [0, 1]."""
        low, high = self.box[axis]
        return (ground.coordinate(axis, indices) - low) * (1 / (high - low))


def embedded(
    axis: int, ends: tuple[float, float], circle: bool, ground: Ground, indices: Indices
) -> tuple[Jet, ...]:
    """A network's inputs that stand for one coordinate: it between its ends, or a point on a circle."""
    x, (low, high) = ground.coordinate(axis, indices), ends
    if circle:
        angle = (x - low) * (2 * pi / (high - low))
        return UNIVARIATE["cos"](angle), UNIVARIATE["sin"](angle)
    return ((x - low) * (2 / (high - low)) - 1.0,)


def no_unknowns(name: str, wanted: Indices) -> Jet:
    """Data are functions of the coordinates."""
    raise KeyError(name)


@lru_cache(maxsize=256)
def hermite(conditions: tuple[tuple[int, int], ...]) -> tuple[tuple[float, ...], ...]:
    """Monomial coefficients of the polynomials on [0, 1] dual to the conditions (side, order of derivative)."""
    count = len(conditions)
    rows = torch.zeros(count, count, dtype=torch.float64)
    for i, (side, order) in enumerate(conditions):
        for k in range(order, count):
            factor = float(torch.arange(k - order + 1, k + 1).prod()) if order else 1.0
            rows[i, k] = factor * (1.0 if side or k == order else 0.0)
    return tuple(tuple(column) for column in torch.linalg.inv(rows).T.tolist())


def stacked(jets: Sequence[Jet], indices: Indices, points: Tensor) -> Jet:
    """Jets of single fields as one jet with terms [fields, N], or [fields, 1] where nothing varies."""
    terms: dict[Index, Tensor] = {}
    for alpha in sorted(indices):
        values = [torch.as_tensor(jet.terms.get(alpha, 0.0), dtype=points.dtype, device=points.device) for jet in jets]
        if any(alpha in jet.terms for jet in jets) or not any(alpha):
            width = points.shape[1] if any(v.ndim for v in values) or not any(alpha) else 1
            terms[alpha] = torch.stack([v.expand(width) for v in values]) if values else points[:0]
    return Jet(terms, indices)
