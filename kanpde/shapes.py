"""Shapes as text, like disc(center=[0, 0], radius=1), made geometric objects."""

from __future__ import annotations

import inspect
import re
from dataclasses import replace
from itertools import accumulate
from typing import Any, Iterator, Mapping

from kanpde.declarations import read_constant
from kanpde.errors import KanpdeError
from kanpde.formulas import Log, scalar
from kanpde.geometries import SHAPES, Shape
from kanpde.names import suggestion
from kanpde.reading import Node, Scalar, joined
from kanpde.terrain import Ground

LARGEST_LIST = 10_000
DEEPEST = 20
FARTHEST = 1e50  # squares and cubes of lengths are still finite
_CALL = re.compile(r"\s*([A-Za-z_][A-Za-z0-9_]*)\s*\((.*)\)\s*", re.DOTALL)
_KEYWORD = re.compile(r"([A-Za-z_][A-Za-z0-9_]*)\s*=(?!=)\s*")
_PAIRS = {")": "(", "]": "["}
_WRITTEN = "a shape is written name(keyword=value, …), as in disc(center=[0, 0], radius=1)"

Value = Any  # a number, a text, or lists of numbers


def read_shape(node: Node, ground: Ground, log: Log) -> Shape | None:
    """The shape that a text describes, or None after a mistake."""
    text = scalar(node, "a shape, as in disc(center=[0, 0], radius=1),", log)
    if text is None or not _is_closed(text, log):
        return None
    found = _CALL.fullmatch(text.text)
    if found is None or _closing(text.text, found.start(2) - 1) != found.end(2):
        log.say_at(text, 0, _WRITTEN)
        return None
    kind = _part(text, *found.span(1))
    if kind.text not in SHAPES:
        hint = suggestion(kind.text, SHAPES) or f"; known are {', '.join(SHAPES)}"
        log.say_at(kind, 0, f"unknown shape '{kind.text}'{hint}")
        return None
    before = len(log.mistakes)
    nodes = _nodes(kind.text, _part(text, *found.span(2)), log)
    values = {name: _TEXTS.get(name, _number)(value, ground, log) for name, value in nodes.items()}
    if len(log.mistakes) > before:
        return None
    needed = [name for name, known in _keywords(kind.text).items() if known.default is known.empty]
    if missing := [name for name in needed if name not in values]:
        log.say_at(kind, 0, f"'{missing[0]}' is missing; write {usage(kind.text)}")
        return None
    try:
        shape = SHAPES[kind.text](**values)
    except (ValueError, KanpdeError) as error:
        log.say_at(nodes.get(str(error).partition(" ")[0], kind), 0, str(error))
        return None
    if any(abs(end) > FARTHEST for ends in shape.bounds for end in ends):
        log.say_at(kind, 0, f"this shape reaches farther than {FARTHEST:g} from the origin")
        return None
    return shape


def usage(kind: str) -> str:
    """How shapes of a kind are written."""
    known = _keywords(kind)
    needed = [f"{name}=…" for name, one in known.items() if one.default is one.empty]
    choices = [f"{name}=…" for name, one in known.items() if one.default is None]
    others = [f"{name}={one.default}" for name, one in known.items() if one.default not in (one.empty, None)]
    return f"{kind}({', '.join([*needed, *([' or '.join(choices)] if choices else []), *others])})"


def _keywords(kind: str) -> Mapping[str, inspect.Parameter]:
    """What the shapes of a kind are made from."""
    return inspect.signature(SHAPES[kind]).parameters


def _nodes(kind: str, inside: Scalar, log: Log) -> dict[str, Scalar]:
    """The texts of the values by keyword."""
    known = _keywords(kind)
    found: dict[str, Scalar] = {}
    for item in listed(inside):
        key = _KEYWORD.match(item.text)
        if key is None:
            log.say_at(item, 0, f"a keyword is missing here, as in {next(iter(known))}=…; known are {', '.join(known)}")
        elif key[1] not in known:
            hint = suggestion(key[1], known) or f"; known are {', '.join(known)}"
            log.say_at(item, 0, f"'{kind}' has no '{key[1]}'{hint}")
        elif key[1] in found:
            log.say_at(item, 0, f"'{key[1]}' is already given")
        else:
            value = _part(item, key.end(), len(item.text))
            found[key[1]] = replace(value, path=joined(value.path, key[1]))
    return found


def _number(node: Scalar, ground: Ground, log: Log) -> Value:
    """A number, or a list of such values."""
    text = node.text
    if text.startswith("["):
        if _closing(text, 0) < len(text) - 1:
            log.say_at(node, _closing(text, 0) + 1, "a list stands alone, as in [0, 1]")
            return None
        items = list(listed(_part(node, 1, len(text) - 1)))
        if len(items) > LARGEST_LIST:
            log.say_at(node, 0, f"{len(items)} entries; at most {LARGEST_LIST}, or write them to a file")
            return None
        return tuple(_number(item, ground, log) for item in items)
    if text.startswith("(") and len(list(listed(_part(node, 1, _closing(text, 0))))) > 1:
        log.say_at(node, 0, f"a list is written [{text[1:-1]}]")
        return None
    return read_constant(node, ground.constants, log, "a value")


def _word(node: Scalar, ground: Ground, log: Log) -> str:
    """A text, quoted or not."""
    quoted = len(node.text) > 1 and node.text[0] == node.text[-1] and node.text[0] in "'\""
    return node.text[1:-1] if quoted else node.text


def _file(node: Scalar, ground: Ground, log: Log) -> str | None:
    """A file in the problem's folder."""
    try:
        return str(ground.folder.find(_word(node, ground, log)))
    except KanpdeError as error:
        log.say_at(node, 0, str(error))
        return None


_TEXTS = {"file": _file, "axis": _word}


def _part(node: Scalar, start: int, end: int) -> Scalar:
    """A part of a text at its own place, without the blanks around it."""
    text = node.text[start:end]
    start += len(text) - len(text.lstrip())
    inset = None if node.inset is None else 0
    return Scalar(text.strip(), node.path, node.at(start), inset)


def listed(node: Scalar) -> Iterator[Scalar]:
    """The parts of a text between the commas outside brackets; nothing after a comma at the end."""
    depth, start = 0, 0
    for column, letter in enumerate(f"{node.text},"):
        depth += (letter in "([") - (letter in ")]")
        if letter == "," and depth == 0:
            part = _part(node, start, column)
            if part.text or column < len(node.text):
                yield part
            start = column + 1


def _closing(text: str, opening: int) -> int:
    """Where the bracket at a column is closed."""
    depths = accumulate((letter in "([") - (letter in ")]") for letter in text[opening:])
    return opening + next(column for column, depth in enumerate(depths) if depth == 0)


def _is_closed(node: Scalar, log: Log) -> bool:
    """Whether every bracket has its partner."""
    opened: list[int] = []
    for column, letter in enumerate(node.text):
        if letter in "([":
            opened.append(column)
            if len(opened) > DEEPEST:
                log.say_at(node, column, f"nested more than {DEEPEST} deep")
                return False
        elif letter in _PAIRS and (not opened or node.text[opened.pop()] != _PAIRS[letter]):
            log.say_at(node, column, f"this '{letter}' has no matching '{_PAIRS[letter]}'")
            return False
    if opened:
        log.say_at(node, opened[-1], f"this '{node.text[opened[-1]]}' is never closed")
    return not opened
