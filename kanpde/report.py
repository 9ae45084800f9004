"""The terminal's view of a result."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from math import isfinite
from pathlib import Path
from typing import Any, Iterable, Mapping, Sequence

import numpy as np
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from kanpde.comparison import Comparison
from kanpde.errors import printable
from kanpde.estimates import Estimates
from kanpde.graph import Graph
from kanpde.graph_table import LISTED, listed
from kanpde.next_step import next_step
from kanpde.result import Result
from kanpde.writers.layout import FILE

SAID_BY_TRAINING = ("steps", "seconds", "held_out_residual")  # parts of the summary that the history gives too
COLOURS = {0: "green", 3: "red", 4: "yellow", 130: "yellow"}  # of an outcome, by its exit code


def result_facts(result: Result, files: Iterable[Path] = ()) -> dict[str, Any]:
    """A result as a dictionary: all but its arrays."""
    return {
        "event": "result",
        "title": result.title,
        "problem": result.spec_name,
        "outcome": result.outcome.name.lower(),
        "message": result.outcome.message,
        "exit_code": result.outcome.exit_code,
        "errors": {name: vars(error) for name, error in result.errors.items()},
        "estimated": {name: vars(error) for name, error in result.estimated.items()},
        "residuals": residual_sizes(result),
        "fit": fit_facts(result.estimates) if result.estimates else {},
        "last": last_row(result),
        "summary": result.summary,
        "files": [str(file) for file in files],
    }


def fit_facts(found: Estimates) -> dict[str, Any]:
    """What is fitted as a dictionary: all but the covariances of functions."""
    ends = zip(found.names, found.values.tolist(), found.sigma.tolist(), found.low.tolist(), found.high.tolist())
    return {
        "constants": {name: {"value": v, "sigma": s, "interval": [low, high]} for name, v, s, low, high in ends},
        "correlation": found.correlation.tolist(),
        "chi_square": found.chi_square,
        "freedom": found.freedom,
        "chance": found.chance,
        "readings": {name: vars(one) for name, one in found.scatter.items()},
        "functions": found.smoothing,
        "intervals": found.method,
        "warnings": list(found.warnings),
    }


METHODS = {"profile": "by profile likelihood", "bootstrap": "by the bootstrap"}


def fit_table(found: Estimates) -> Table:
    """What is fitted, to what, and what is doubtful."""
    table = Table.grid(padding=(0, 3))
    rows = [(name, found.line(name)) for name in found.names]
    for (i, one), (j, other) in combinations(enumerate(found.names), 2):
        if isfinite(found.correlation[i, j]):
            rows.append((f"{one}, {other}", f"correlation {found.correlation[i, j]:.3f}"))
    rows += [(name, f"a function, as of {size:.3g} coefficients") for name, size in found.smoothing.items()]
    for name, one in found.scatter.items():
        known = "estimated" if one.estimated else "given"
        rows.append((name, f"{one.readings} readings, sigma {one.sigma:.3g} ({known}), residual {one.residual:.3g}"))
    if found.chi_square == found.chi_square:
        rows.append(("χ²", f"{found.chi_square:.4g} with {found.freedom:.4g} degrees of freedom"))
    if found.method != "linear":
        rows.append(("intervals", METHODS[found.method]))
    for name, text in rows:
        table.add_row(Text(printable(name), style="cyan"), Text(printable(text), overflow="fold"))
    for text in found.warnings:
        table.add_row(Text("warning", style="yellow"), Text(printable(text), overflow="fold"))
    return table


def last_row(result: Result) -> dict[str, Any]:
    """The last row of the history."""
    return {name: column[-1] for name, column in result.history.items() if len(column)}


def residual_sizes(result: Result) -> dict[str, float]:
    """The root-mean-square residual of each equation on the output grid."""
    found = {field.of: field.values[np.isfinite(field.values)]
             for field in result.fields.values() if field.kind == "residual"}
    return {name: float(np.sqrt(np.mean(values**2))) for name, values in found.items() if values.size}


def show(result: Result, files: Iterable[Path] = ()) -> RenderableType:
    """A result on one screen."""
    outcome = Text(result.outcome.message, style=COLOURS.get(result.outcome.exit_code, "red"))
    parts: list[RenderableType] = [Text(printable(result.title), style="bold"), outcome]
    parts.append(Padding(facts_table(result), (1, 0, 0, 2)))
    if result.estimates:
        parts.append(Padding(fit_table(result.estimates), (1, 0, 0, 2)))
    if result.errors or result.estimated:
        parts.append(Padding(errors_table(result), (1, 0, 0, 2)))
    files = list(files)
    listed = [Text(f"  {file}", style="dim", overflow="fold") for file in files]
    if files:
        advice = Text.assemble(("next   ", "cyan"), printable(next_step(result, home(files[0]))))
        parts.append(Padding(advice, (1, 0, 1, 2)))
    return Group(*parts, *listed)


def home(file: Path) -> Path:
    """What names a run whose result this is: its folder, or the file where that is called otherwise."""
    path = Path(file)
    return path.parent if path.name == FILE else path


def facts_table(result: Result) -> Table:
    """Problem, network and training in words and numbers."""
    table = Table.grid(padding=(0, 3))
    chosen = {name.replace("_", " "): value for name, value in result.summary.items() if name not in SAID_BY_TRAINING}
    for name, value in {"problem": result.spec_name, **chosen, **training(result)}.items():
        if value not in ("", None):
            table.add_row(Text(printable(name), style="cyan"), Text(printable(words(value)), overflow="fold"))
    return table


def training(result: Result) -> dict[str, str]:
    """Steps, time and residuals at the end."""
    last = last_row(result)
    found = {}
    if "step" in last:
        seconds = f" in {last['seconds']:.3g} s" if "seconds" in last else ""
        found["steps"] = f"{last['step']:.0f}{seconds}"
    if "held_out" in last:
        found["held-out residual"] = f"{last['held_out']:.2e}"
    return found | {f"residual of {name}": f"{size:.2e} (root mean square)"
                    for name, size in residual_sizes(result).items()}


def words(value: Any) -> str:
    """A value of the summary for a person."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {words(entry)}" for name, entry in value.items())
    if isinstance(value, (list, tuple, np.ndarray)):
        return "[" + ", ".join(words(entry) for entry in value) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def errors_table(result: Result) -> Table:
    """The true errors by field, and the estimated ones, which take no notice of what is known."""
    table = table_of("field", "relative L2 error", "largest", "against")
    for name, error in (*result.errors.items(), *result.estimated.items()):
        sure = f" (certified to {error.certified:.0e})" if error.certified else ""
        against = Text(printable(error.against + sure))
        table.add_row(Text(printable(name)), f"{error.relative_l2:.3e}", f"{error.maximum:.3e}", against)
    return table


def comparison_table(comparison: Comparison) -> RenderableType:
    """The differences by field, and how they were found."""
    table = table_of("field", "relative L2", "largest", "points", "certified to")
    for name, one in comparison.differences.items():
        sure = f"{one.certified:.0e}" if one.certified else "–"
        table.add_row(Text(printable(name)), f"{one.relative_l2:.3e}", f"{one.maximum:.3e}", str(one.points), sure)
    how = printable(f"against {comparison.against}, by {comparison.how}")
    return Group(Text(how, overflow="fold"), table)


def edges(graphs: Iterable[Graph]) -> RenderableType:
    """The leading edges of each layer of some networks."""
    parts: list[RenderableType] = []
    for graph in graphs:
        shares = ", ".join(f"{name} {100 * share:.0f} %" for name, share in graph.of_coordinates().items())
        parts.append(Text(printable(f"{', '.join(graph.unknowns)}: {graph.network}"), style="bold"))
        parts += [Text(printable(text), overflow="fold") for text in (f"importance of {shares}", *graph.notes)]
        table = table_of("layer", "edge", "share", "values", "R²", "match")
        for row in listed(graph, LISTED):
            table.add_row(
                str(row["layer"]), printable(f"{row['from']} → {row['to']}"), f"{100 * row['importance']:.1f} %",
                f"{row['low']:.2g} … {row['high']:.2g}", explained(row["r2"]),
                Text(printable(row["formula"])),
            )  # fmt: skip
        parts.append(Padding(table, (1, 0, 1, 2)))
        hidden = [(n, len(graph.layer(n)) - LISTED) for n in range(1, len(graph.columns))]
        parts += [Text(f"  and {more} more in layer {n}", style="dim") for n, more in hidden if more > 0]
    return Group(*parts)


def members_table(rows: Iterable[tuple[str, str, str]]) -> Table:
    """The members of a batch: name, state, and what is to be said."""
    table = table_of("member", "state", "how")
    for name, state, text in rows:
        style = STATES.get(state, "red")
        table.add_row(Text(printable(name)), Text(state, style=style), Text(printable(text)))
    return table


def plan_table(rows: Iterable[tuple[str, str, Any]]) -> Table:
    """The members of a batch: name, state, and what each is going to cost."""
    table = table_of("index", "member", "state", "coefficients", "memory", "seconds", "how")
    for number, (name, state, cost) in enumerate(rows):
        sizes = (str(cost.coefficients), f"{cost.memory / 1e9:.2g} GB", f"{cost.seconds:.0f}")
        words = Text(printable(cost.refused), style="red")
        table.add_row(str(number), Text(printable(name)), Text(state, style=STATES.get(state, "red")), *sizes, words)
    return table


def runs_table(title: str, rows: Sequence[Mapping[str, Any]], varied: Iterable[str]) -> RenderableType:
    """What came of many runs: what is varied, errors, cost and outcome; the reason where there is no solution."""
    numbers = ("error", "estimate", "seconds", "steps", "coefficients")
    several = ["problem"] if len({row["problem"] for row in rows}) > 1 else []
    words = [*several, *varied]
    seeds = ["seed"] if any(isfinite(row["seed"]) for row in rows) else []
    table = table_of(*(path.rpartition(".")[2] for path in words), *seeds, *numbers, "outcome")
    for row in rows:
        cells = [Text(printable(row[path])) for path in words]
        cells += [Text(f"{row['seed']:.0f}" if isfinite(row["seed"]) else "–") for _ in seeds]
        cells += [Text(f"{row[name]:.3g}" if isfinite(row[name]) else "–") for name in numbers]
        how = row["outcome"] if row["state"] == "done" else row["state"]
        table.add_row(*cells, Text(printable(how), style=STATES.get(row["state"], "red"), overflow="fold"))
    open_ones = [row for row in rows if row["state"] != "done" and row["reason"]]
    causes = Counter((row["state"], row["reason"].partition("\n")[0]) for row in open_ones)
    told = [Text(printable(f"{count} {state}: {reason}")) for (state, reason), count in causes.items()]
    return Group(Text(printable(title), style="bold"), table, *told)


def explained(r2: float) -> str:
    """R² in few letters, also where it is close to 1."""
    left = 1 - r2
    return "1" if left < 1e-12 else f"1-{left:.0e}" if left < 1e-3 else f"{r2:.3f}"


STATES = {"done": "green", "running": "cyan", "queued": "cyan", "missing": "", "interrupted": "yellow"}
LEFT = ("field", "against", "edge", "match", "member", "state", "how", "outcome")  # columns of words


def table_of(*names: str) -> Table:
    """An empty table, its numbers to the right."""
    table = Table(box=None, header_style="cyan", pad_edge=False, padding=(0, 3, 0, 0))
    for name in names:
        table.add_column(name, justify="left" if name in LEFT else "right", overflow="fold")
    return table
