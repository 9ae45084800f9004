"""What went wrong, where in the user's file, and what was probably meant."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import Iterable


@dataclass(frozen=True)
class Place:
    """A spot in a text: file name, line and column (both from 1), and the text of that line."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def moved(self, columns: int) -> Place:
        """The place `columns` further along the same line."""
        return Place(self.file, self.line, self.column + columns, self.text)


@dataclass(frozen=True)
class Mistake:
    """One mistake of the user's: its place, the path of the entry (`equations.burgers`), what is wrong."""

    place: Place
    path: str
    message: str

    def __str__(self) -> str:
        head = f"{self.place}: {self.path}: {self.message}" if self.path else f"{self.place}: {self.message}"
        if not self.place.text:
            return head
        return f"{head}\n    {self.place.text}\n    {' ' * (self.place.column - 1)}^"


class KanpdeError(Exception):
    """Anything the program refuses to do; its text is for the user."""

    exit_code = 1

    def __init__(self, text: str) -> None:
        super().__init__(printable(text))


class SpecError(KanpdeError):
    """A problem file that cannot be solved as it stands, with all its mistakes."""

    exit_code = 2

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(mistakes, key=lambda m: (m.place.file, m.place.line, m.place.column)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


class ResultError(KanpdeError):
    """A result file that is missing, broken, or not one of ours."""


def printable(text: str) -> str:
    """The text with '�' for whatever could steer a terminal: a stranger may have written it."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "�" for letter in text)


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean 'nu'?` for the known name most like `name`, else an empty string."""
    found = get_close_matches(name, list(known), n=1, cutoff=0.5)
    return f"; did you mean '{found[0]}'?" if found else ""
