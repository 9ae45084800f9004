"""A problem as the lines of a paper: what is sought, where, and what must hold."""

from __future__ import annotations

from html import escape
from typing import Iterator

from kanpde.expression import parse_equation
from kanpde.pages.mathml import equation, formula, named
from kanpde.spec import Spec

Row = tuple[str, str, str]  # a word, a formula, where it holds


def problem_table(spec: Spec) -> str:
    """The problem, as a table of its formulas."""
    lines = []
    for title, rows in sections(spec):
        for number, (word, shown, where) in enumerate(rows):
            head = escape(title) if number == 0 else ""
            about = escape(", ".join(filter(None, (word, where))))
            lines.append(f'<tr><th>{head}</th><td>{shown}</td><td class="soft">{about}</td></tr>')
    return f"<table class=\"equations\">{''.join(lines)}</table>"


def sections(spec: Spec) -> Iterator[tuple[str, list[Row]]]:
    """The parts of the problem, those that it has."""
    every = {
        "Sought": [("", ", ".join(map(math, spec.unknowns)), of(spec))],
        "Domain": [("", interval(name, *ends), "parameter" if name in spec.parameters else "")
                   for name, ends in spec.box.items()],
        "Equations": [(one.name, equation(one.left, one.right), where(one.zone)) for one in spec.equations],
        "Initially": [("", equation(one.equation.left, one.equation.right), str(one.face)) for one in spec.initial],
        "On the boundary": [*merged(spec), *(("periodic", math(name), "") for name in spec.periodic)],
        "Constraints": [(one.name, equation(*parse_equation(one.text)), "") for one in spec.constraints],
        "Fitted": [(str(one), math(name), "") for name, one in spec.fitted.items()],
        "Where": [("", f"<math>{named(name)}<mo>=</mo></math> {formula(tree)}", "")
                  for name, tree in spec.definitions.items()],
        "Known solution": [("used to measure only", f"<math>{named(name)}<mo>=</mo></math> {formula(tree)}", "")
                           for name, tree in spec.exact.items()],
    }  # fmt: skip
    yield from ((title, rows) for title, rows in every.items() if rows)


def math(name: str) -> str:
    """A name alone."""
    return f"<math>{named(name)}</math>"


def of(spec: Spec) -> str:
    """What the unknowns are functions of."""
    return f"of {', '.join(spec.box)}"


def where(zone: str) -> str:
    """Where an equation holds, if not everywhere."""
    return f"in {zone}" if zone else ""


def interval(name: str, low: float, high: float) -> str:
    """A coordinate and its range."""
    ends = ", ".join(f"{end:.6g}".replace("-", "−") for end in (low, high))
    left, right = (f'<mo stretchy="false">{bracket}</mo>' for bracket in "[]")
    return f"<math>{named(name)}<mo>∈</mo>{left}<mtext>{ends}</mtext>{right}</math>"


def merged(spec: Spec) -> list[Row]:
    """The boundary conditions, each once with all its places."""
    places: dict[str, list[str]] = {}
    for one in spec.boundary:
        places.setdefault(equation(one.equation.left, one.equation.right), []).append(str(one.face))
    return [("", shown, f"on {', '.join(dict.fromkeys(found))}") for shown, found in places.items()]
