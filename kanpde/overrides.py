"""`--set path=value`: entries of a problem file replaced from the command line."""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable

from kanpde.errors import Mistake, Place, SpecError
from kanpde.names import suggestion
from kanpde.reading import DEEPEST, Entry, Node, Scalar, Source, Table, joined

# Sections whose keys are the user's own names: an override replaces such an entry, it never makes a new one.
_OWN_NAMES = (
    *("domain", "domain.shapes", "domain.parts", "definitions", "parameters", "fit"),
    *("equations", "initial", "boundary", "constraints", "data", "exact", "output.extra"),
)


def overridden(root: Table, overrides: Iterable[str], mistakes: list[Mistake]) -> Table:
    """The tree with each override put in its place."""
    for number, text in enumerate(overrides, start=1):
        try:
            root = _apply(root, text, number)
        except SpecError as error:
            mistakes.extend(error.mistakes)
    return root


def _apply(root: Table, text: str, number: int) -> Table:
    place = Place("--set", number, 1, text)
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise SpecError([Mistake(place, "", "an override is written path=value, as in network.width=32")])
    if path.count(".") > DEEPEST:
        raise SpecError([Mistake(place, "", f"nested more than {DEEPEST} deep")])
    return _put(root, path.strip().split("."), _value(text, len(path) + 1, path.strip(), number), place)


def _value(text: str, start: int, path: str, number: int) -> Node:
    """The node of the value; only lists, tables and quoted texts are read as YAML."""
    value = text[start:].strip()
    column = len(text) - len(text[start:].lstrip())
    if value[:1] not in ("[", "{", "'", '"'):
        return Scalar(value, path, Place("--set", number, column + 1, text))
    try:
        node, faults = Source(" " * column + value, "--set", path).tree()
    except SpecError as error:
        raise SpecError([_moved(fault, number, text) for fault in error.mistakes]) from None
    if faults:
        raise SpecError([_moved(fault, number, text) for fault in faults])
    return _placed(node, number, text)


def _moved(fault: Mistake, number: int, text: str) -> Mistake:
    return replace(fault, place=Place("--set", number, fault.place.column, text))


def _placed(node: Node, number: int, text: str) -> Node:
    """The node with all places on the line of the override."""
    place = Place("--set", number, node.place.column, text)
    if isinstance(node, Scalar):
        return replace(node, place=place)
    if isinstance(node, Table):
        entries = tuple(
            Entry(
                replace(e.key, place=Place("--set", number, e.key.place.column, text)), _placed(e.value, number, text)
            )
            for e in node.entries
        )
        return replace(node, entries=entries, place=place)
    return replace(node, items=tuple(_placed(item, number, text) for item in node.items), place=place)


def _put(table: Table, steps: list[str], value: Node, place: Place) -> Table:
    """The table with the value at the end of the steps."""
    step, *further = steps
    path = joined(table.path, step)
    old = table.entry(step)
    if old is None and table.path in _OWN_NAMES:
        message = f"there is no '{path}' to override{suggestion(step, table.keys())}"
        raise SpecError([Mistake(place, path, message)])
    new = value
    if further:
        inside = (
            old.value if old and not (isinstance(old.value, Scalar) and not old.value.text) else Table((), path, place)
        )
        if not isinstance(inside, Table):
            raise SpecError(
                [Mistake(place, path, f"'{path}' holds no entries, so '{'.'.join(further)}' cannot be set")]
            )
        new = _put(inside, further, value, place)
    column = sum(len(part) + 1 for part in path.split(".")[:-1])
    entry = Entry(old.key if old else Scalar(step, path, place.moved(column)), new)
    entries = tuple(entry if e is old else e for e in table.entries)
    return replace(table, entries=entries if old else (*entries, entry))
