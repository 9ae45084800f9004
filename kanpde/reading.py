"""YAML text into a tree of nodes that remember where they stand; scalars stay text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, Union

import yaml

from kanpde.advice import ADVICE, BRACKET_IN_FLOW
from kanpde.errors import Mistake, Place, SpecError

LARGEST = 1_000_000
DEEPEST = 20
MOST = 10_000
LONGEST_MENDED = 1_000
WIDEST_SHOWN = 160


@dataclass(frozen=True)
class Scalar:
    """A piece of text; `inset` is where it starts within its source, None when columns cannot be matched."""

    text: str
    path: str
    place: Place
    inset: int | None = 0

    def at(self, column: int) -> Place:
        """The place of one column (from 0) of the text."""
        return self.place if self.inset is None else self.place.moved(self.inset + column)


@dataclass(frozen=True)
class Sequence:
    """A list of nodes."""

    items: tuple[Node, ...]
    path: str
    place: Place


@dataclass(frozen=True)
class Entry:
    """One `key: value` of a table."""

    key: Scalar
    value: Node


@dataclass(frozen=True)
class Table:
    """Entries with distinct keys, in the file's order."""

    entries: tuple[Entry, ...]
    path: str
    place: Place

    def entry(self, key: str) -> Entry | None:
        """The entry with this key, if there is one."""
        return next((entry for entry in self.entries if entry.key.text == key), None)

    def get(self, key: str) -> Node | None:
        """The value under this key, if there is one."""
        entry = self.entry(key)
        return entry.value if entry else None

    def keys(self) -> tuple[str, ...]:
        """The keys in the file's order."""
        return tuple(entry.key.text for entry in self.entries)


Node = Union[Scalar, Sequence, Table]


def is_empty(node: Node) -> bool:
    """Whether nothing is written there, as after `training:`."""
    return isinstance(node, Scalar) and not node.text and node.inset == 0


def mistake(node: Node, message: str) -> Mistake:
    """A mistake at a node."""
    return Mistake(node.place, node.path, message)


def joined(path: str, key: str) -> str:
    """The path of an entry of a table."""
    return f"{path}.{key}" if path else key


def read_text(path: Path, name: str) -> str:
    """The text of a file, refused with a place when it cannot be a problem file."""
    start = Place(name, 1, 1)
    try:
        if path.is_dir():
            raise SpecError([Mistake(start, "", "this is a folder, not a problem file")])
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except FileNotFoundError:
        raise SpecError([Mistake(start, "", "there is no such file")]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise SpecError([Mistake(start, "", f"the file cannot be read ({reason.lower()})")]) from None
    if len(data) > LARGEST:
        raise SpecError([Mistake(start, "", "the file is larger than 1 MB, the limit for a problem file")])
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SpecError([Mistake(start, "", "this is not a text file (UTF-8)")]) from None
    if "\0" in text:
        raise SpecError([Mistake(start, "", "this is not a text file (it holds a zero byte)")])
    return text


def read_tree(text: str, name: str) -> tuple[Table, tuple[Mistake, ...]]:
    """The tree of a problem file and the mistakes that did not hinder reading it."""
    source = Source(text, name)
    root, mistakes = source.tree()
    if not isinstance(root, Table):
        message = "the file is empty" if is_empty(root) else "a problem file consists of 'section: value' entries"
        raise SpecError([*mistakes, Mistake(root.place, "", message)])
    return root, tuple(mistakes)


class Source:
    """A YAML text that becomes nodes, event by event, so that nothing is expanded or constructed."""

    def __init__(self, text: str, name: str, path: str = "") -> None:
        self.text = text
        self.name = name
        self.path = path
        self.lines = re.split("\r\n|[\r\n\x85\u2028\u2029]", text)
        self.mistakes: list[Mistake] = []
        self.count = 0

    def place(self, line: int, column: int) -> Place:
        """The place of a line and column counted from 0."""
        shown = self.lines[line] if line < len(self.lines) else ""
        if len(shown) > WIDEST_SHOWN:
            return Place(self.name, line + 1, column + 1)
        return Place(self.name, line + 1, column + 1, "".join(c if c.isprintable() else " " for c in shown))

    def tree(self) -> tuple[Node, list[Mistake]]:
        """The root node and the mistakes found."""
        try:
            return self._document(yaml.parse(self.text, Loader=yaml.SafeLoader)), self.mistakes
        except yaml.reader.ReaderError as error:
            before = self.text[: error.position]
            line = before.count("\n")
            place = self.place(line, len(before) - before.rfind("\n") - 1)
            code = error.character if isinstance(error.character, int) else ord(error.character)
            self.mistakes.append(Mistake(place, "", f"the character U+{code:04X} is not allowed in a text file"))
        except yaml.MarkedYAMLError as error:
            self.mistakes.append(self._syntax(error))
        except (ValueError, OverflowError):
            self.mistakes.append(Mistake(self.place(0, 0), "", 'an escape like "\\U..." names no character'))
        raise SpecError(self.mistakes)

    def _syntax(self, error: yaml.MarkedYAMLError) -> Mistake:
        problem = error.problem or str(error)
        mark = error.problem_mark or error.context_mark
        if "end of stream" in problem:
            mark = error.context_mark or mark
        place = self.place(mark.line, mark.column) if mark else self.place(0, 0)
        if "mapping values" in problem and ": " not in place.text[: place.column - 1]:
            return Mistake(place, "", "this entry is not indented like the lines above")
        if "expected ','" in problem and _is_open(place.text[: place.column - 1]):
            return Mistake(place, "", BRACKET_IN_FLOW)
        for pattern, advice in ADVICE.items():
            if pattern in problem:
                return Mistake(place, "", advice)
        return Mistake(place, "", f"not valid YAML: {problem}")

    def _document(self, events: Iterator[yaml.Event]) -> Node:
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    message = "a second document starts here; a problem file holds one problem"
                    raise SpecError([*self.mistakes, Mistake(self._start(event), "", message)])
                root = self._node(next(events), events, self.path, 0)
        return root if root is not None else Scalar("", "", self.place(0, 0))

    def _start(self, event: yaml.Event) -> Place:
        return self.place(event.start_mark.line, event.start_mark.column)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], path: str, depth: int) -> Node:
        place = self._start(event)
        if depth > DEEPEST:
            raise SpecError([*self.mistakes, Mistake(place, "", f"nested more than {DEEPEST} deep")])
        self.count += 1
        if self.count > MOST:
            raise SpecError([*self.mistakes, Mistake(place, "", f"the file has more than {MOST} entries")])
        if isinstance(event, yaml.AliasEvent):
            message = "'*' here refers to a YAML anchor, which is not supported; put a formula in quotes"
            raise SpecError([*self.mistakes, Mistake(place, path, message)])
        assert isinstance(event, (yaml.ScalarEvent, yaml.CollectionStartEvent))
        if event.anchor is not None:
            message = "YAML anchors ('&') are not supported; use definitions"
            self.mistakes.append(Mistake(place, path, message))
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            message = f"the YAML tag '{tag}' is not supported; put text that starts with '!' in quotes"
            self.mistakes.append(Mistake(place, path, message))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, path)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(event, events, path, depth)
        return self._table(event, events, path, depth)

    def _scalar(self, event: yaml.ScalarEvent, path: str) -> Scalar:
        raw = self.text[event.start_mark.index : event.end_mark.index]
        inset = {raw[1:-1]: 1, raw: 0}.get(event.value) if "\n" not in raw else None
        node = Scalar(event.value.strip() if inset is None else event.value, path, self._start(event), inset)
        if not all(character.isprintable() or character in "\n\t" for character in event.value):
            self.mistakes.append(mistake(node, "the text holds characters that cannot be shown"))
        return node

    def _sequence(
        self, event: yaml.CollectionStartEvent, events: Iterator[yaml.Event], path: str, depth: int
    ) -> Sequence:
        items: list[Node] = []
        for item in events:
            if isinstance(item, yaml.SequenceEndEvent):
                break
            items.append(self._node(item, events, f"{path}[{len(items)}]", depth + 1))
        if event.flow_style:
            items = self._mend_items(items)
        return Sequence(tuple(items), path, self._start(event))

    def _table(self, event: yaml.CollectionStartEvent, events: Iterator[yaml.Event], path: str, depth: int) -> Table:
        entries: list[Entry] = []
        for item in events:
            if isinstance(item, yaml.MappingEndEvent):
                break
            key = self._node(item, events, path, depth + 1)
            if not isinstance(key, Scalar):
                message = "a list or table cannot be a name; put a formula that starts with '{' or '[' in quotes"
                raise SpecError([*self.mistakes, Mistake(key.place, path, message)])
            key = Scalar(key.text, joined(path, key.text), key.place, key.inset)
            entries.append(Entry(key, self._node(next(events), events, key.path, depth + 1)))
        if event.flow_style:
            entries = self._mend_entries(entries)
        return Table(tuple(self._distinct(entries)), path, self._start(event))

    def _distinct(self, entries: list[Entry]) -> Iterator[Entry]:
        seen: dict[str, Entry] = {}
        for entry in entries:
            first = seen.setdefault(entry.key.text, entry)
            if first is entry:
                yield entry
            else:
                message = f"'{entry.key.text}' is already given on line {first.key.place.line}"
                self.mistakes.append(mistake(entry.key, message))

    def _mend_items(self, items: list[Node]) -> list[Node]:
        """Put pieces of an expression that a comma cut apart together again, and say so."""
        mended: list[Node] = []
        for item in items:
            last = mended[-1] if mended else None
            if isinstance(last, Scalar) and isinstance(item, Scalar) and _is_open(last.text):
                mended[-1] = Scalar(f"{last.text}, {item.text}", last.path, last.place, last.inset)
                if not _is_open(f"{last.text}, {item.text}"):
                    self._say_quote(mended[-1])
            else:
                mended.append(item)
        return mended

    def _mend_entries(self, entries: list[Entry]) -> list[Entry]:
        mended: list[Entry] = []
        for entry in entries:
            last = mended[-1].value if mended else None
            if isinstance(last, Scalar) and is_empty(entry.value) and _is_open(last.text):
                whole = Scalar(f"{last.text}, {entry.key.text}", last.path, last.place, last.inset)
                mended[-1] = Entry(mended[-1].key, whole)
                if not _is_open(whole.text):
                    self._say_quote(whole)
            else:
                mended.append(entry)
        return mended

    def _say_quote(self, whole: Node) -> None:
        assert isinstance(whole, Scalar)
        message = f'a comma ends an entry inside {{ }} and [ ]; put the expression in quotes: "{whole.text}"'
        self.mistakes.append(mistake(whole, message))


def _is_open(text: str) -> bool:
    return len(text) < LONGEST_MENDED and text.count("(") > text.count(")")
