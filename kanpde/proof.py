"""What can be proved of a problem before it is solved: its exact solution is one, its data are finite and agree."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from math import isfinite
from typing import Mapping, NamedTuple, Sequence

from torch import Tensor

from kanpde import junctions
from kanpde.agreement import disagreements, kinks
from kanpde.build import scope_of
from kanpde.domain import Inside
from kanpde.errors import Mistake, Place
from kanpde.evaluation import Ground, Scope, as_jet, evaluate
from kanpde.expression import show
from kanpde.finite import place_of, singular, unsound
from kanpde.jet import Index, Indices, Jet, raised
from kanpde.laws import Law, Side, grounds, laws, spot
from kanpde.operators import expand
from kanpde.piecewise import base, home
from kanpde.problem import Block, Row, needed_derivatives, residual_rows
from kanpde.regional import known_fields, scene_of
from kanpde.relative import root_mean_square, smooth_fields, terms
from kanpde.spec import Spec
from kanpde.tree import Tree
from kanpde.trial import Trial, no_unknowns

TOLERANCE = 1e-10  # of a residual, relative to its largest term
APART = 1e4  # between the terms of one equation, unremarked


@dataclass(frozen=True)
class Proof:
    """What is wrong with a problem, and what is allowed but odd."""

    mistakes: tuple[Mistake, ...]
    warnings: tuple[str, ...]


class Remainder(NamedTuple):
    """What the exact solution leaves of a law [N], the size of the law's terms, and the points [d, N]."""

    name: str
    place: Place
    residual: Tensor
    scale: float
    points: Tensor

    @property
    def relative(self) -> float:
        """The largest residual over the size of the terms; NaN or infinite where it is not finite."""
        return float(self.residual.abs().max()) / max(self.scale, 1e-300)


@dataclass(frozen=True)
class Setting:
    """The laws of a problem, the points on which to try them, and its exact solution in partial derivatives."""

    spec: Spec
    trial: Trial  # without networks: only its scope and box are used
    laws: list[Law]
    grounds: Mapping[Side, Ground]
    exact: Mapping[str, Tree]  # of each field, as it is in its region
    anywhere: Mapping[str, Tree]  # of each field, as the solution is at any point

    @property
    def scope(self) -> Scope:
        """What the names mean."""
        return self.trial.scope


def setting_of(spec: Spec) -> Setting:
    """Everything needed to try a problem's laws."""
    scope, scene, exact = scope_of(spec), scene_of(spec), known_fields(spec)
    found = laws(spec, scope)
    anywhere = {name: expand(spec.exact[base(name)], scene) for name in exact}
    periodic = tuple(tuple(spec.box).index(name) for name in spec.periodic)
    trial = Trial(scope, tuple(spec.box.values()), periodic, (), {})
    return Setting(spec, trial, found, grounds(spec, [law.side for law in found]), exact, anywhere)


def prove(spec: Spec) -> Proof:
    """The mistakes and oddities that show when the formulas are evaluated; no training."""
    setting = setting_of(spec)
    known = {base(name): tree for name, tree in setting.anywhere.items()}
    mistakes = unsound(spec, setting.scope, setting.laws, known, setting.grounds)
    mistakes = mistakes or [*refuted(setting), *seams(setting)]
    if mistakes:
        return Proof(tuple(mistakes), ())
    equations = [law for law in setting.laws if law.word == "equation"]
    warnings = [
        *singular(spec, setting.scope, equations),
        *disagreements(spec, setting.scope),
        *kinks(spec, setting.scope),
        *junctions.disagreements(spec, setting.scope),
        *(text for law in equations for text in imbalance(setting, law)),
    ]
    return Proof((), tuple(warnings))


def exact_residuals(spec: Spec) -> list[Remainder]:
    """What the exact solution leaves of every equation and condition whose unknowns it gives."""
    setting = setting_of(spec)
    return [found for _, found in remainders(setting)]


def remainders(setting: Setting) -> list[tuple[Law, Remainder]]:
    """Each law whose unknowns are all known, with what the exact solution leaves of it.

    The terms of a condition are measured in the interior too, so that `u = 0` on a side has a scale.
    """
    found = []
    for law in setting.laws:
        needed = needed_derivatives(setting.trial, (law.row,))
        if set(needed) <= set(setting.exact):
            ground = setting.grounds[law.side]
            residual, *here = values(setting, law, ground, exact_fields(setting, needed, ground))
            within = [inside(setting, term) for term in terms(law.row.formula)]
            scale = max(float(term.abs().nan_to_num(0.0, 0.0).max()) for term in (*here, *within))
            found.append((law, Remainder(law.name, law.place, residual, scale, ground.points)))
    return found


def inside(setting: Setting, term: Tree) -> Tensor:
    """A term of a law in the region of its fields, if that is one, else in all of the interior."""
    row = Row("term", term)
    needed = needed_derivatives(setting.trial, (row,))
    zones = {home(name) for name in needed}
    side = Inside(*zones) if len(zones) == 1 and "" not in zones else None
    ground = setting.grounds[side]
    fields = evaluated(setting, setting.anywhere, needed, ground)
    return residual_rows(setting.trial, Block("term", side, (row,), {}), ground, fields)[0]


def values(setting: Setting, law: Law, ground: Ground, fields: Mapping[str, Jet]) -> list[Tensor]:
    """A law's residual [N], then each of the terms whose sum it is."""
    rows = (law.row, *(Row(law.name, term) for term in terms(law.row.formula)))
    return residual_rows(setting.trial, Block(law.name, law.side, rows, {}), ground, fields)


def exact_fields(setting: Setting, needed: Mapping[str, Indices], ground: Ground) -> dict[str, Jet]:
    """The derivatives of the exact solution."""
    return evaluated(setting, setting.exact, needed, ground)


def evaluated(
    setting: Setting, known: Mapping[str, Tree], needed: Mapping[str, Indices], ground: Ground
) -> dict[str, Jet]:
    """The derivatives of known formulas."""
    return {
        name: as_jet(evaluate(known[name], wanted, setting.scope, ground, no_unknowns), wanted, ground)
        for name, wanted in needed.items()
    }


def refuted(setting: Setting) -> list[Mistake]:
    """A mistake for each entry of the file that the exact solution does not satisfy, by its worst side."""
    worst: dict[Place, tuple[Law, Remainder]] = {}
    for law, found in remainders(setting):
        if not found.relative <= TOLERANCE and not worse(worst.get(law.place), found):
            worst[law.place] = (law, found)
    return [refutation(law, found, tuple(setting.spec.box)) for law, found in worst.values()]


def seams(setting: Setting) -> list[Mistake]:
    """A mistake for each exact field that does not close around a periodic coordinate."""
    equations = [law.row for law in setting.laws if law.side is None]
    needed = needed_derivatives(setting.trial, equations)
    return [
        Mistake(place_of(setting.spec, "exact", name), f"exact.{name}", text)
        for name, axis in product(setting.exact, setting.trial.periodic)
        for text in seam(setting, name, axis, max((index[axis] for index in needed.get(name, ())), default=0))[:1]
    ]


def seam(setting: Setting, name: str, axis: int, order: int) -> list[str]:
    """What jumps where a coordinate closes, of an exact field and its derivatives below the equations' order."""
    box, names = setting.trial.box, setting.scope.coordinates
    sides = [grounds(setting.spec, [(axis, side)])[axis, side] for side in (0, 1)]
    found = []
    for k in range(order):
        index = raised((0,) * len(box), axis, k)
        low, high, inside = (one_derivative(setting, name, index, g) for g in (*sides, setting.grounds[None]))
        difference = (high - low).abs()
        size, at = float(difference.max()), int(difference.argmax())
        if not size <= TOLERANCE * max(float(values.abs().max()) for values in (low, high, inside)):
            what = f"derivative of order {k} along {names[axis]}" if k else "value"
            where = f"from {spot(names, sides[0].points[:, at])} to {names[axis]} = {box[axis][1]:.3g}"
            found.append(f"the exact solution is not periodic: its {what} changes by {size:.3g} {where}")
    return found


def one_derivative(setting: Setting, name: str, index: Index, ground: Ground) -> Tensor:
    """One derivative of an exact field [N]."""
    return exact_fields(setting, {name: frozenset({index})}, ground)[name][index] + 0.0 * ground.points[0]


def worse(other: tuple[Law, Remainder] | None, found: Remainder) -> bool:
    """Whether another law's residual is at least as large."""
    return other is not None and not found.residual.abs().max() > other[1].residual.abs().max()


def refutation(law: Law, found: Remainder, names: Sequence[str]) -> Mistake:
    """How far off the exact solution is, and where."""
    at = int(found.residual.abs().nan_to_num(float("inf")).argmax())
    size, where = float(found.residual[at].abs()), spot(names, found.points[:, at])
    if not isfinite(size):
        text = f"with the exact solution this {law.word} is not a finite number at {where}"
    else:
        text = f"the exact solution does not satisfy this {law.word} (residual up to {size:.3g} at {where})"
    return Mistake(law.place, law.path, text)


def imbalance(setting: Setting, law: Law) -> list[str]:
    """A warning where the terms of an equation differ much in size, for its exact solution or else a smooth field."""
    needed = needed_derivatives(setting.trial, (law.row,))
    ground, known = setting.grounds[law.side], set(needed) <= set(setting.exact)
    fields = exact_fields(setting, needed, ground) if known else smooth_fields(setting.trial.box, ground, needed)
    _, *found = values(setting, law, ground, fields)
    sizes = [(root_mean_square(v), show(term)) for v, term in zip(found, terms(law.row.formula))]
    sizes = [(size, text) for size, text in sizes if size > 0 and isfinite(size)]
    if not sizes or max(sizes)[0] <= APART * min(sizes)[0]:
        return []
    (high, large), (low, small) = max(sizes), min(sizes)
    whose = "of the exact solution" if known else "of a smooth field"
    return [
        f"the terms of {law.path} differ in size: {large} is about {high:.1e}, {small} about {low:.1e} ({whose}); "
        "an equation is weighted as a whole, so expect thin layers, or choose other units"
    ]
