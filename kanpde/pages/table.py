"""The page of many runs: a table that can be sorted and filtered, and plots of its columns."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import Any, Mapping, Sequence
from urllib.parse import quote

from kanpde.pages.document import document, picture


@dataclass(frozen=True)
class Column:
    """One column: its key in rows, its heading, and whether it is a number, a word to choose by, or any text.

    `varied` columns are what the runs differ in; those that are `plotted` may stand along an axis.
    """

    key: str
    heading: str
    kind: str = "text"  # number, choice or text
    varied: bool = False
    plotted: bool = False


@dataclass(frozen=True)
class Line:
    """One run: its values by column, what is shown where this differs, where it leads, and small pictures by name."""

    values: Mapping[str, Any]
    shown: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    pictures: Mapping[str, bytes] = field(default_factory=dict)


def table_page(title: str, words: str, columns: Sequence[Column], lines: Sequence[Line]) -> str:
    """The page, as HTML."""
    names = tuple(dict.fromkeys(name for line in lines for name in line.pictures))
    plotted = [vars(column) for column in columns if column.plotted or column.varied or column.kind == "choice"]
    keys = [column["key"] for column in plotted]
    rows = [
        {"name": line.link, "shown": line.shown, **{key: line.values.get(key) for key in keys}} for line in lines
    ]
    data = {"columns": plotted, "rows": rows}
    first, *others = map(heading, columns)
    head = first + "".join(f"<th>{escape(name)}</th>" for name in names) + "".join(others)
    body = "\n".join(row(columns, names, line) for line in lines)
    return document(
        title,
        f"<header><h1>{escape(title)}</h1><p>{escape(words)}</p></header>\n"
        '<section id="plots" aria-label="Plots"></section>\n'
        '<section><div id="filters" role="search"></div><p id="count" aria-live="polite"></p>\n'
        f'<div class="wide"><table id="runs"><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'
        "</section>",
        ("table.js", "plot.js"),
        data,
    )


def heading(column: Column) -> str:
    """The heading of a column, a button by which to sort."""
    return (
        f'<th data-key="{escape(column.key)}" data-kind="{column.kind}" aria-sort="none">'
        f'<button type="button">{escape(column.heading)}</button></th>'
    )


def row(columns: Sequence[Column], names: Sequence[str], line: Line) -> str:
    """A run as a row; the first column leads to its folder."""
    first, *others = (cell(column, line, column is columns[0]) for column in columns)
    pictures = [
        f"<td>{linked(picture(line.pictures[name], name), line.link)}</td>" if name in line.pictures else "<td></td>"
        for name in names
    ]
    return f"<tr>{first}{''.join(pictures)}{''.join(others)}</tr>"


def cell(column: Column, line: Line, leads: bool) -> str:
    """One value, with what it is sorted by."""
    value = line.values.get(column.key)
    text = escape(line.shown.get(column.key, "" if value is None else str(value)))
    kind = ' class="number"' if column.kind == "number" else ""
    sorted_by = escape("" if value is None else str(value))
    return f'<td{kind} data-value="{sorted_by}">{linked(text, line.link) if leads else text}</td>'


def linked(content: str, target: str) -> str:
    """Something that leads to a folder beside the page."""
    return f'<a href="{escape(quote(target))}/">{content}</a>' if target else content
