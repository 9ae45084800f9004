"""Known data: which names may not stand in them, and the exact solution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

from kanpde.analysis import Ground
from kanpde.formulas import Log
from kanpde.names import suggestion
from kanpde.piecewise import read_known
from kanpde.reading import Table
from kanpde.resolution import Scope
from kanpde.tree import Tree, free_names
from kanpde.vocabulary import CONSTANTS

_HERE = "known data are expected here"


@dataclass(frozen=True)
class Facts:
    """What is known once the definitions are read: what names mean, constants, and the interval of each coordinate."""

    scope: Scope
    ground: Ground
    definitions: Mapping[str, Tree]
    constants: Mapping[str, float]
    box: Mapping[str, tuple[float, float]]

    def fixed(self, tree: Tree) -> bool:
        """Whether a formula is made of known constants."""
        return reach(tree, self.definitions) <= set(CONSTANTS)

    def varying(self, tree: Tree, along: tuple[str, ...]) -> str:
        """A name through which a formula depends on the unknowns or these coordinates, '' for none."""
        functions = (name for name, of in self.scope.fitted.items() if set(of) & set(along))
        found = reach(tree, self.definitions) & {*self.scope.unknowns, *along, *functions}
        return min(found, default="")


def barred(scope: Scope, ground: Ground) -> dict[str, str]:
    """Why names that depend on the unknowns, or on what is fitted, cannot stand in data."""
    own = {name: f"'{name}' is an unknown; {_HERE}" for name in scope.unknowns}
    own |= {name: f"'{name}' is fitted; {_HERE}" for name in scope.fitted}
    for name, degree in ground.degrees.items():
        if ground.orders[name]:
            own[name] = f"'{name}' depends on the unknowns; {_HERE}"
        elif degree:
            own[name] = f"'{name}' depends on what is fitted; {_HERE}"
    return own


def reach(tree: Tree, definitions: Mapping[str, Tree]) -> frozenset[str]:
    """The names other than definitions on which a formula depends, if only through definitions."""
    waiting, met = list(free_names(tree)), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in met:
            met.add(name)
            waiting.extend(free_names(definitions[name]) if name in definitions else ())
    return frozenset(met - set(definitions))


def read_exact(section: Table | None, scope: Scope, definitions: Mapping[str, Tree], log: Log) -> dict[str, Tree]:
    """The exact values of unknowns and of what is fitted; `scope` bars what is not known."""
    found: dict[str, Tree] = {}
    names = (*scope.unknowns, *scope.fitted)
    for entry in section.entries if section else ():
        name = entry.key.text
        tree = read_known(entry.value, scope, log)
        if name not in names:
            fitted = " and is not fitted" if scope.fitted else ""
            log.say(entry.key, f"'{name}' is not an unknown{fitted}{suggestion(name, names)}")
        elif tree is not None:
            of = scope.fitted.get(name, scope.coordinates)
            others = [axis for axis in scope.coordinates if axis not in of and axis in reach(tree, definitions)]
            if others:
                what = f"a function of {', '.join(of)}" if of else "a constant"
                log.say(entry.value, f"'{name}' is {what}, and this depends on '{others[0]}'")
            found[name] = tree
    return found
