"""Where the data of a problem are not finite numbers, down to the part of the formula that is to blame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

import torch
from torch import Tensor

from kanpde.errors import Mistake, Place
from kanpde.evaluation import Ground, Scope, as_jet, evaluate, parts
from kanpde.expression import show
from kanpde.laws import Law, lattice, spot
from kanpde.overrides import overridden
from kanpde.reading import Table, read_tree
from kanpde.spec import Spec
from kanpde.tree import Binary, Call, Name, Tree
from kanpde.trial import no_unknowns


@dataclass(frozen=True)
class Culprit:
    """A part of a formula that is not finite, the definition it stands in ('' for none), and where it is so [N]."""

    tree: Tree
    definition: str
    bad: Tensor


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
    except (ArithmeticError, ValueError, TypeError):  # of plain numbers: 1/0, log(-1)
        return nothing
    return nothing if found.is_complex() else found


def unsound(spec: Spec, scope: Scope, found: list[Law], known: dict[str, Tree], where: dict[object, Ground]) -> list[Mistake]:
    """A mistake for each formula of the coordinates that is not finite at some of the points."""
    formulas = [(law.row.formula, law.path, law.place, where[law.side]) for law in found]
    formulas += [(tree, f"exact.{name}", place_of(spec, "exact", name), where[None]) for name, tree in known.items()]
    mistakes = []
    for tree, path, place, ground in formulas:
        if blamed := culprit(tree, scope, ground):
            mistakes.append(mistake(spec, blamed, ground, path, place))
    return list({(m.place, m.path, m.message.partition(" at ")[0]): m for m in reversed(mistakes)}.values())[::-1]


def mistake(spec: Spec, blamed: Culprit, ground: Ground, path: str, place: Place) -> Mistake:
    """What to say of a part that is not finite, at the definition it stands in."""
    text = f"{show(blamed.tree)} is not a finite number"
    if not blamed.bad.all():
        text += f" at {spot(tuple(spec.box), ground.points[:, int(blamed.bad.int().argmax())])}"
    if not blamed.definition:
        return Mistake(place, path, text)
    where = place_of(spec, "definitions", blamed.definition)
    return Mistake(where, f"definitions.{blamed.definition}", f"{text} (needed by {path})")


def singular(spec: Spec, scope: Scope, found: list[Law]) -> list[str]:
    """A warning for each equation with data that are not finite at a corner or halfway between corners."""
    ground, names = Ground(lattice(spec)), tuple(spec.box)
    warnings = []
    for law in found:
        blamed = culprit(law.row.formula, scope, ground) if law.side is None else None
        if blamed:
            point = spot(names, ground.points[:, int(blamed.bad.int().argmax())])
            warnings.append(f"{show(blamed.tree)} in {law.path} is not a finite number at {point}")
    return warnings


def place_of(spec: Spec, section: str, name: str) -> Place:
    """Where an entry of a section stands in the file."""
    file = spec.equations[0].place.file
    root = overridden(read_tree(spec.text, file)[0], spec.overrides, [])
    entries = root.get(section)
    node = entries.get(name) if isinstance(entries, Table) else None
    return node.place if node is not None else Place(file, 1, 1)
