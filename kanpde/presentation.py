"""A result as a piece of HTML, for notebooks."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import Iterable, Mapping

from kanpde.report import training, words
from kanpde.result import FieldError, Result

COLOURS = {0: "#117733", 3: "#CC3311", 4: "#B8860B", 130: "#B8860B"}  # of an outcome, by its exit code
SAID = ("network", "method", "why")  # of the summary


def html(result: Result, pictures: Mapping[str, bytes]) -> str:
    """Title, outcome, facts, errors and pictures, without a reference to anything outside."""
    colour = COLOURS.get(result.outcome.exit_code, "#CC3311")
    facts = {name: words(result.summary[name]) for name in SAID if name in result.summary} | training(result)
    return "".join([
        f"<div><b>{escape(result.title)}</b><br><span style='color:{colour}'>{escape(result.outcome.message)}</span>",
        table([], ((name, value) for name, value in facts.items())),
        table(["field", "relative L2 error", "largest", "against"], error_rows(result)),
        *(picture(name, png) for name, png in pictures.items()), "</div>",
    ])  # fmt: skip


def error_rows(result: Result) -> Iterable[tuple[str, ...]]:
    """The true errors, then the estimated ones."""
    for name, one in (*result.errors.items(), *result.estimated.items()):
        yield name, *numbers(one), one.against


def numbers(error: FieldError) -> tuple[str, str]:
    """An error in digits."""
    return f"{error.relative_l2:.3e}", f"{error.maximum:.3e}"


def table(header: list[str], rows: Iterable[tuple[str, ...]]) -> str:
    """A table; nothing without rows."""
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    head = "<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in header) + "</tr>" if header else ""
    return f"<table>{head}{body}</table>" if body else ""


def picture(name: str, png: bytes) -> str:
    """A picture inside the page."""
    return f"<img alt='{escape(name)}' style='max-width:100%' src='data:image/png;base64,{b64encode(png).decode()}'>"
