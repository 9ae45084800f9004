"""Where the data of a problem are not finite numbers, down to the part of the formula that is to blame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.errors import Mistake, Place
from kanpde.evaluation import Ground, Scope, as_jet, evaluate, parts
from kanpde.expression import show
from kanpde.laws import Law, Side, lattice, spot
from kanpde.overrides import overridden
from kanpde.reading import Table, read_tree
from kanpde.spec import Spec
from kanpde.tree import Binary, Call, Name, Tree, free_names
from kanpde.trial import no_unknowns


@dataclass(frozen=True)
class Culprit:
    """A part of a formula that is not finite, the definition it stands in ('' for none), and where it is so [N]."""

    tree: Tree
    definition: str
    bad: Tensor

    def spot(self, spec: Spec, ground: Ground) -> str:
        """The first such point in words."""
        return spot(tuple(spec.box), ground.points[:, int(self.bad.int().argmax())])


@dataclass(frozen=True)
class Entry:
    """A formula's entry in the file."""

    path: str
    place: Place


def culprit(tree: Tree, scope: Scope, ground: Ground, home: str = "") -> Culprit | None:
    """The smallest part made of coordinates alone that is not finite somewhere, None if there is none."""
    if not scope.free_of_unknowns(tree):
        found = (culprit(part, scope, ground, name) for part, name in inside(tree, scope, home))
        return vanishing_divisor(tree, scope, ground, home) or next((c for c in found if c), None)
    bad = unusable(tree, scope, ground)
    if not bad.any():
        return None
    for part, name in inside(tree, scope, home):
        found = culprit(part, scope, ground, name)
        if found and (found.bad & bad).any():
            return Culprit(found.tree, found.definition, found.bad & bad)
    return Culprit(tree, home, bad)


def inside(tree: Tree, scope: Scope, home: str) -> Iterator[tuple[Tree, str]]:
    """The parts of a formula, or the body of a definition, with the definition in which they stand."""
    if isinstance(tree, Name):
        if tree.name in scope.definitions:
            yield scope.definitions[tree.name], tree.name
        return
    guarded = isinstance(tree, Call) and tree.function == "where"
    if guarded and not scope.free_of_unknowns(tree):
        return  # a branch may be undefined where it is not taken
    yield from ((part, home) for part in parts(tree)[1 if guarded else 0 :])


def vanishing_divisor(tree: Tree, scope: Scope, ground: Ground, home: str) -> Culprit | None:
    """A quotient of unknowns whose divisor is known and zero everywhere."""
    if not isinstance(tree, Binary) or tree.operator != "/" or not scope.free_of_unknowns(tree.right):
        return None
    zero = values(tree.right, scope, ground) == 0
    return Culprit(tree, home, zero) if zero.all() else None


def unusable(tree: Tree, scope: Scope, ground: Ground) -> Tensor:
    """Where a formula of the coordinates is no finite real number [N]."""
    return ~values(tree, scope, ground).isfinite()


def values(tree: Tree, scope: Scope, ground: Ground) -> Tensor:
    """A formula of the coordinates [N], NaN where it cannot be computed."""
    zero = frozenset({(0,) * ground.points.shape[0]})
    nothing = torch.full_like(ground.points[0], torch.nan)
    try:
        found = torch.as_tensor(as_jet(evaluate(tree, zero, scope, ground, no_unknowns), zero, ground).value)
    except (ArithmeticError, ValueError, TypeError, RuntimeError):  # of plain numbers: 1/0, log(-1), sin((-8)^0.5)
        return nothing
    return nothing if found.is_complex() else found


def unsound(
    spec: Spec, scope: Scope, found: Sequence[Law], known: Mapping[str, Tree], where: Mapping[Side, Ground]
) -> list[Mistake]:
    """A mistake for each formula of the coordinates that is not finite at some of the points, one per place."""
    formulas = [(law.row.formula, Entry(law.path, law.place), where[law.side]) for law in found]
    for name, tree in known.items():
        formulas.append((tree, Entry(f"exact.{name}", place_of(spec, "exact", name)), where[None]))
    mistakes: dict[Place, Mistake] = {}
    for tree, entry, ground in formulas:
        if blamed := culprit(tree, scope, ground):
            told = mistake(spec, scope, blamed, ground, entry)
            mistakes.setdefault(told.place, told)
    return list(mistakes.values())


def mistake(spec: Spec, scope: Scope, blamed: Culprit, ground: Ground, entry: Entry) -> Mistake:
    """What to say of a part that is not finite, at the definition it stands in."""
    text = f"{show(blamed.tree)} is not a finite number"
    if varies(blamed.tree, scope):
        text += f" at {blamed.spot(spec, ground)}"
    if not blamed.definition:
        return Mistake(entry.place, entry.path, text)
    where = place_of(spec, "definitions", blamed.definition)
    return Mistake(where, f"definitions.{blamed.definition}", f"{text} (needed by {entry.path})")


def varies(tree: Tree, scope: Scope) -> bool:
    """Whether a formula mentions a coordinate, if only through definitions."""
    names = free_names(tree)
    inner = (scope.definitions[name] for name in names if name in scope.definitions)
    return bool(names & set(scope.coordinates)) or any(varies(body, scope) for body in inner)


def singular(spec: Spec, scope: Scope, found: Sequence[Law]) -> list[str]:
    """A warning for each equation with data that are not finite at a corner or halfway between corners."""
    ground, warnings = Ground(lattice(spec)), []
    for law in found if ground.count else ():
        blamed = culprit(law.row.formula, scope, ground) if law.side is None else None
        if blamed:
            warnings.append(f"{show(blamed.tree)} in {law.path} is not a finite number at {blamed.spot(spec, ground)}")
    return warnings


def place_of(spec: Spec, section: str, name: str) -> Place:
    """Where an entry of a section stands in the file."""
    file = spec.equations[0].place.file
    root = overridden(read_tree(spec.text, file)[0], spec.overrides, [])
    entries = root.get(section)
    node = entries.get(name) if isinstance(entries, Table) else None
    return node.place if node is not None else Place(file, 1, 1)
