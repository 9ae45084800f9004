"""The page of one run: the problem, what came of it, how, and how to cite."""

from __future__ import annotations

from html import escape
from importlib.metadata import metadata
from typing import Any, Iterable, Mapping

from kanpde.expression import ExpressionError, parse
from kanpde.pages.document import document, picture
from kanpde.pages.mathml import formula, named
from kanpde.pages.problem import problem_table
from kanpde.result import Result
from kanpde.spec import Spec

PICTURES = {
    "solution": "Solution", "vectors": "Vectors", "error": "Error", "estimate": "Estimated error",
    "sigma": "Standard error", "residual": "Residuals", "history": "Training", "points": "Sampling points",
}  # fmt: skip
EDGES = "edges"  # how the names of pictures of networks begin
HELD = ("files", "clock", "versions")  # of the provenance, not shown as they are


def run_page(result: Result, spec: Spec, plots: Mapping[str, bytes], formulas: Mapping[str, Any]) -> str:
    """The page, as HTML; `formulas` is what is known of them, if anything."""
    titles = PICTURES | {name: "Edges of the network" for name in plots if name.startswith(EDGES)}
    parts = [
        f"<header><h1>{escape(result.title)}</h1><p>{escape(result.outcome.message)}</p></header>",
        section("Problem", problem_table(spec)),
        section("Errors", errors_table(result)) if result.errors or result.estimated else "",
        section("Fitted", f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in fitted(result))}</ul>")
        if result.estimates else "",
        *(section(title, f"<figure>{picture(plots[name], title)}</figure>")
          for name, title in titles.items() if name in plots),
        section("Formula", f'<div class="wide">{formulas_found(formulas)}</div>'),
        section("Method", listed(result.summary)),
        section("Provenance", listed(provenance(result))),
        section("Problem file", f"<p class=\"soft\">{escape(overridden(result))}</p>"
                                f"<pre>{escape(result.spec_text)}</pre>"),
        section("How to cite", f"<pre>{escape(citation())}</pre>"),
    ]  # fmt: skip
    return document(result.title, "\n".join(filter(None, parts)))


def section(title: str, content: str) -> str:
    """A part of the page under its title."""
    return f"<section><h2>{escape(title)}</h2>{content}</section>"


def errors_table(result: Result) -> str:
    """The true errors by field, and the estimated ones."""
    rows = []
    for name, one in (*result.errors.items(), *result.estimated.items()):
        sure = f" (certified to {one.certified:.0e})" if one.certified else ""
        rows.append(f'<tr><td>{escape(name)}</td><td class="number">{one.relative_l2:.3e}</td>'
                    f'<td class="number">{one.maximum:.3e}</td><td>{escape(one.against + sure)}</td></tr>')  # fmt: skip
    head = "".join(f"<th>{word}</th>" for word in ("field", "relative L2 error", "largest", "against"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def formulas_found(facts: Mapping[str, Any]) -> str:
    """The formulas of a run, and what is known of them; or how to look for some."""
    if not facts:
        return '<p class="soft">None was looked for: <code>kanpde formula</code> does.</p>'
    shown = "".join(f"<p><math>{named(name)}<mo>=</mo></math> {set_out(text)}</p>"
                    for name, text in facts["formulas"].items())  # fmt: skip
    about = ": ".join(filter(None, [str(facts.get("outcome", "")), str(facts.get("reason") or "")]))
    return f'{shown}<p class="soft">{escape(about)}</p>'


def set_out(text: str) -> str:
    """A formula as mathematics, or as it is where it cannot be read."""
    try:
        return formula(parse(text))
    except ExpressionError:
        return f"<code>{escape(text)}</code>"


def fitted(result: Result) -> Iterable[str]:
    """What was fitted, a line for each name."""
    found = result.estimates
    return [f"{name} {found.line(name)}" for name in found.names] if found else []


def listed(facts: Mapping[str, Any]) -> str:
    """Names with what is said of them."""
    rows = (f"<dt>{escape(name.replace('_', ' '))}</dt><dd>{escape(said(value))}</dd>" for name, value in facts.items())
    return f"<dl>{''.join(rows)}</dl>"


def said(value: Any) -> str:
    """A value for a person."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {said(entry)}" for name, entry in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def provenance(result: Result) -> dict[str, Any]:
    """Where, when and with what the run was made."""
    found = {name: value for name, value in result.provenance.items() if name not in HELD}
    return {**found, **result.provenance.get("versions", {}), "files": ", ".join(result.provenance.get("files", {}))}


def overridden(result: Result) -> str:
    """The name of the problem's file, and what was set beside it."""
    return ", ".join([result.spec_name, *(f"--set {one}" for one in result.overrides)])


def citation() -> str:
    """How to cite the program."""
    about = metadata("kanpde")
    return (
        f"@software{{kanpde,\n  author  = {{{{{about.get('Author', 'the kanpde authors')}}}}},\n"
        f"  title   = {{kanpde: {about['Summary']}}},\n  version = {{{about['Version']}}}\n}}"
    )
