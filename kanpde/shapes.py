"""Shapes as text, like disc(center=[0, 0], radius=1), made geometric objects."""

from __future__ import annotations

import inspect
import re
from typing import Any, Iterator, Mapping

from kanpde.declarations import read_constant
from kanpde.errors import KanpdeError
from kanpde.formulas import Log, scalar
from kanpde.geometries import SHAPES, Shape
from kanpde.names import suggestion
from kanpde.reading import Node, Scalar, joined
from kanpde.terrain import Ground

LARGEST_LIST = 10_000
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
    if found is None:
        log.say_at(text, 0, _WRITTEN)
        return None
    kind = found[1]
    if kind not in SHAPES:
        hint = suggestion(kind, SHAPES) or f"; known are {', '.join(SHAPES)}"
        log.say_at(text, found.start(1), f"unknown shape '{kind}'{hint}")
        return None
    before = len(log.mistakes)
    values = _values(kind, _part(text, *found.span(2)), ground, log)
    missing = [name for name, known in _keywords(kind).items() if known.default is known.empty and name not in values]
    if len(log.mistakes) > before:
        return None
    if missing:
        log.say_at(text, found.start(1), f"'{missing[0]}' is missing; write {_usage(kind)}")
        return None
    try:
        return SHAPES[kind](**values)
    except (ValueError, KanpdeError) as error:
        log.say_at(text, found.start(1), str(error))
        return None


def _keywords(kind: str) -> Mapping[str, inspect.Parameter]:
    """What the shapes of a kind are made from."""
    return inspect.signature(SHAPES[kind]).parameters


def _usage(kind: str) -> str:
    """How shapes of a kind are written."""
    return (
        f"{kind}({', '.join(f'{name}=…' for name, known in _keywords(kind).items() if known.default is known.empty)})"
    )


def _values(kind: str, inside: Scalar, ground: Ground, log: Log) -> dict[str, Value]:
    """The values by keyword; those that are mistaken are left out."""
    known = _keywords(kind)
    values: dict[str, Value] = {}
    for item in listed(inside):
        key = _KEYWORD.match(item.text)
        if key is None:
            hint = f"; known are {', '.join(known)}"
            log.say_at(item, 0, f"a value of a shape has its keyword before it, as in {next(iter(known))}=…{hint}")
            continue
        name, value = key[1], _part(item, key.end(), len(item.text))
        if name not in known:
            hint = suggestion(name, known) or f"; known are {', '.join(known)}"
            log.say_at(item, 0, f"'{kind}' has no '{name}'{hint}")
        elif name in values:
            log.say_at(item, 0, f"'{name}' is already given")
        else:
            read = _TEXTS.get(name, _number)
            values[name] = read(Scalar(value.text, joined(value.path, name), value.place, value.inset), ground, log)
    return values


def _number(node: Scalar, ground: Ground, log: Log) -> Value:
    """A number, or a list of such values."""
    text = node.text
    if text.startswith("["):
        if not text.endswith("]") or text.index("]") < len(text) - 1 and _closes(text) < len(text) - 1:
            log.say_at(node, 0, "a list is written [a, b]")
            return None
        items = list(listed(_part(node, 1, len(text) - 1)))
        if len(items) > LARGEST_LIST:
            log.say_at(node, 0, f"{len(items)} entries; at most {LARGEST_LIST}, or write them to a file")
            return None
        return tuple(_number(item, ground, log) for item in items)
    if text.startswith("(") and _closes(text) == len(text) - 1 and len(list(listed(_part(node, 1, len(text) - 1)))) > 1:
        log.say_at(node, 0, f"a list is written [{text[1:-1]}]")
        return None
    return read_constant(node, ground.constants, log, "a value")


def _word(node: Scalar, ground: Ground, log: Log) -> str:
    """A text, quoted or not."""
    quoted = len(node.text) > 1 and node.text[0] == node.text[-1] and node.text[0] in "'\""
    return node.text[1:-1] if quoted else node.text


def _file(node: Scalar, ground: Ground, log: Log) -> str | None:
    """A file in the problem's folder."""
    name = _word(node, ground, log)
    path = (ground.folder / name).resolve()
    if not path.is_relative_to(ground.folder.resolve()):
        log.say_at(node, 0, f"'{name}' lies outside the problem's folder")
    elif not path.is_file():
        log.say_at(node, 0, f"there is no file '{name}' in the problem's folder")
    else:
        return str(path)
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


def _closes(text: str) -> int:
    """Where the bracket that a text starts with is closed."""
    depth = 0
    for column, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0:
            return column
    return len(text)


def _is_closed(node: Scalar, log: Log) -> bool:
    """Whether every bracket has its partner."""
    opened: list[int] = []
    for column, letter in enumerate(node.text):
        if letter in "([":
            opened.append(column)
        elif letter in _PAIRS and (not opened or node.text[opened.pop()] != _PAIRS[letter]):
            log.say_at(node, column, f"this '{letter}' has no matching '{_PAIRS[letter]}'")
            return False
    if opened:
        log.say_at(node, opened[-1], f"this '{node.text[opened[-1]]}' is never closed")
    return not opened
