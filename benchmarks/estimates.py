"""How near estimated errors come to true ones, over the gallery.

    python benchmarks/estimates.py                # the table, of the runs that benchmarks/accuracy.py made
    python benchmarks/estimates.py --page         # and put it into docs/trust.md

Where what is known of a solution is not known better than the estimate, nothing can be said, and nothing is counted.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from accuracy import loaded, together
from accuracy_summary import Measured
from accuracy_tables import markdown, title
from machine import ROOT
from numerals import power

PAGE = ROOT / "docs" / "trust.md"
BEGIN, END = "<!-- estimates: begin", "<!-- estimates: end -->"
WITHIN = 3.0  # times too large or too small that an estimate may be
LEAST = 0.1  # of the true error, below which none may be
KNOWN = 3.0  # times the certified error of a reference, from which on the true error is one


@dataclass(frozen=True)
class Compared:
    """An estimate of one field of one run beside its true error."""

    one: Measured
    seed: str
    field: str
    error: float
    estimate: float

    @property
    def ratio(self) -> float:
        """The estimate over the error."""
        return self.estimate / self.error


def compared(found: Iterable[Measured]) -> list[Compared]:
    """All fields of all runs with an estimate and a known error."""
    pairs = []
    for one in found:
        for seed, run in one.runs.items():
            for field, known in run.get("errors", {}).items():
                estimate = run.get("estimated", {}).get(field)
                if estimate and known["relative_l2"] and known["relative_l2"] > KNOWN * known["certified"]:
                    pairs.append(Compared(one, seed, field, known["relative_l2"], estimate))
    return pairs


def table(pairs: Sequence[Compared]) -> str:
    """A row for each field of each problem: medians over the seeds."""
    groups: dict[tuple[str, str], list[Compared]] = {}
    for pair in pairs:
        groups.setdefault((title(pair.one.case, "../"), pair.field), []).append(pair)
    rows = [
        (name, field, *(power(median(getattr(pair, fact) for pair in group)) for fact in ("error", "estimate")),
         f"{median(pair.ratio for pair in group):.2g}")
        for (name, field), group in sorted(groups.items())
    ]
    return markdown(("problem", "field", "true error:", "estimate:", "ratio:"), rows)


def told(pairs: Sequence[Compared]) -> str:
    """How many estimates are near, and which are not."""
    near = [pair for pair in pairs if 1 / WITHIN <= pair.ratio <= WITHIN]
    bold = [pair for pair in pairs if pair.ratio < LEAST]
    names = ", ".join(f"{pair.one.case.label} {pair.field}" for pair in bold)
    return (f"{len(near)} of {len(pairs)} estimates lie within a factor {WITHIN:g} of the true error; "
            f"{len(bold)} below a tenth of it{f' ({names})' if names else ''}.")


def into_page(text: str) -> None:
    """Put the table between its marks."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    begin = next(k for k, line in enumerate(lines) if line.startswith(BEGIN))
    end = lines.index(END)
    PAGE.write_text("\n".join([*lines[: begin + 1], *text.splitlines(), *lines[end:], ""]), encoding="utf-8")


def main() -> None:
    """Print the table; put it into the page, if asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", action="store_true", help="write it into docs/trust.md")
    pairs = compared(together(loaded()))
    text = f"{table(pairs)}\n\n{told(pairs)}"
    print(text)
    if parser.parse_args().page:
        into_page(text)


if __name__ == "__main__":
    main()
