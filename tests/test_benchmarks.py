"""What the benchmarks make of their measurements."""

from __future__ import annotations

import json
from math import inf
from pathlib import Path
from typing import Any

import accuracy
import pytest
from accuracy_plots import draw
from accuracy_run import thinned
from accuracy_summary import Measured, meets, robustness, seconds_to, verdict, worst
from accuracy_tables import PLOTS, document, readme_table
from estimates import compared, table, told
from formula_run import cases as formula_cases
from formula_run import longest_first, orders
from formulas import claims_too_much
from numerals import brief, power, short
from tiers import Case, Target, cases, chosen

from kanpde import read_spec

ROOT = Path(__file__).parent.parent
GALLERY = {path.stem for path in (ROOT / "problems").glob("*.yaml")}


def run(*errors: float, outcome: str = "finished", code: int = 0, certified: float = 0.0) -> dict[str, Any]:
    """A run with an error for each field, of which the first decade is gone after a second, the next after two."""
    last = max(errors, default=1.0)
    return {
        "errors": {f"u{k}": {"relative_l2": e, "certified": certified} for k, e in enumerate(errors)},
        "history": [[1.0, 0.1], [2.0, 0.01], [30.0, last]], "outcome": outcome, "exit_code": code,
        "wall_seconds": 31.0, "coefficients": 100, "steps": 3, "threads": 1, "limit": None, "machine": 0,
    }


def case(label: str) -> Case:
    return next(one for one in cases() if one.label == label)


def test_every_problem_of_the_gallery_is_measured_and_none_is_unknown() -> None:
    assert {one.problem for one in chosen([], None)} == GALLERY
    assert len({one.name for one in cases()}) == len({one.label for one in cases()}) == len(cases())


def test_problems_are_chosen_by_id_by_name_and_by_tier() -> None:
    assert [one.label for one in chosen(["p1", "parabolic_1d_burgers"], None)] == ["P1", "B1"]
    assert {one.id for one in chosen(["hyperbolic_1d_convection"], None)} == {"C1", "C1-50", "C1-80"}
    assert {one.tier for one in chosen([], "B")} == {"B"}


def test_the_worst_field_counts_and_no_error_is_below_what_is_certified() -> None:
    assert worst(run(1e-5, 1e-3)) == 1e-3
    assert worst(run(1e-12, certified=1e-9)) == 1e-9
    assert worst({"errors": {}}) == worst({"errors": {"u": {"relative_l2": None, "certified": 0.0}}}) == inf


def test_a_target_is_met_by_the_error_at_the_end_and_in_time() -> None:
    assert meets(run(1e-7), Target(1e-6)) and meets(run(1e-7), Target(1e-6, 30))
    assert not meets(run(1e-7), Target(1e-6, 29)) and not meets(run(1e-5), Target(1e-6))
    runs = {"0": run(1e-7), "1": run(1e-5), "2": run(1e-8)}
    assert [verdict(Measured(case("P1"), runs), Target(e)) for e in (1e-4, 1e-6, 1e-9)] == ["yes", "2 of 3", "no"]


def test_smooth_problems_that_are_missed_and_wrong_solutions_that_are_sold_are_named() -> None:
    found = [
        Measured(case("P1"), {"0": run(1e-12), "1": run(2e-8)}),
        Measured(case("HZ1"), {"0": {"errors": {}, "history": [], "outcome": "nothing saved", "exit_code": 1}}),
        Measured(case("B1"), {"0": run(0.5), "1": run(0.5, outcome="suspicious", code=3), "2": run(1e-3)}),
        Measured(case("K1"), {"0": run(0.5, outcome="limit")}),
        Measured(case("elliptic_1d_poisson"), {"0": run(1.0)}),
    ]
    said = robustness(found)
    assert said["tier_a_above_1e-8"] == ["P1, seed 1: 2.0e-8", "HZ1, seed 0: –"]
    assert said["tier_b_success_above_1e-2"] == ["B1, seed 0: 5.0e-1"]
    assert (said["tier_a_runs"], said["tier_b_runs"]) == (3, 4)


def test_a_thinned_history_reaches_every_power_of_ten_when_the_whole_one_does() -> None:
    pairs = [(0.1 * k + 1.0, 10.0 ** (-k / 100)) for k in range(1200)]
    few = thinned(pairs, 60)
    assert len(few) <= 60 and few[0] == pairs[0] and few[-1] == pairs[-1] and few == sorted(few)
    for level in range(12):
        assert seconds_to(few, 10.0**-level) == seconds_to(pairs, 10.0**-level)


@pytest.mark.parametrize("value, text", [(1.23e-7, "1.2e-7"), (1e-3, "1.0e-3"), (0.0, "0"), (inf, "–")])
def test_numbers_are_short(value: float, text: str) -> None:
    assert power(value) == text and brief(value) == text.replace(".0e", "e")
    assert short(9.87) == "9.9" and short(432.1) == "432" and short(inf) == "–"


def test_tables_hold_a_row_for_each_case_and_as_many_cells_as_heads() -> None:
    found = [Measured(one, {"0": run(1e-9), "1": run(1e-7), "2": run(2e-9)}) for one in cases()]
    small, page = readme_table(found, ["a machine"]), document(found, ["a machine"], PLOTS)
    rows = [line for line in small.splitlines() if line.startswith("| [")]
    known = [one for one in cases() if one.record and not one.changes]
    assert len(rows) == len(known) and all(line.count("|") == rows[0].count("|") for line in rows)
    widths = {line.count("|") for line in page.splitlines() if line.startswith("|")}
    assert len(widths) == 2
    assert "1.0e-9 | 2.0e-9 | 1.0e-7" in page and "1e-11 in 20 s" in page


def test_estimates_are_compared_where_the_truth_is_known_better() -> None:
    runs = {"0": run(1e-9, 1e-6, certified=1e-7) | {"estimated": {"u0": 2e-9, "u1": 5e-8, "u2": 1.0}}}
    pairs = compared([Measured(case("P1"), runs)])
    assert [(one.field, one.ratio) for one in pairs] == [("u1", pytest.approx(0.05))]
    assert "u1 | 1.0e-6 | 5.0e-8 | 0.05" in table(pairs) and told(pairs).startswith("0 of 1 estimates lie within")
    assert "1 below a tenth of it (P1 u1)" in told(pairs)


def test_what_is_saved_is_read_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accuracy, "FILE", tmp_path / "accuracy.json")
    kept = {"machines": ["a machine"], "runs": {"elliptic_2d_poisson": {"0": run(1e-9)}, "gone": {"0": run(1.0)}}}
    accuracy.saved(kept)
    found = accuracy.loaded()
    assert found["runs"] == {"elliptic_2d_poisson": {"0": run(1e-9)}} and found["robustness"]["tier_a_runs"] == 1
    assert json.loads(accuracy.FILE.read_text()) == found


def test_pictures_are_drawn_of_whatever_there_is(tmp_path: Path) -> None:
    failed = {"errors": {}, "history": [], "outcome": "nothing saved", "exit_code": 1, "wall_seconds": 1.0}
    for found in ([], [Measured(one, {"0": run(1e-9), "1": failed}) for one in chosen([], None)]):
        draw(found, tmp_path)
        assert {path.name for path in tmp_path.iterdir()} == set(PLOTS)


@pytest.mark.parametrize(
    ("outcome", "stated", "true", "too_much"),
    [
        ("approximate", {"u": 1e-3}, {"u": 9e-4}, False),
        ("approximate", {"u": 1e-3, "v": 1e-3}, {"u": 9e-4, "v": 2e-3}, True),
        ("approximate", {}, {"u": 0.5}, False),
        ("verified exact", {}, {"u": 1e-15}, False),
        ("verified exact", {}, {"u": 1e-6}, True),
    ],
)
def test_a_formula_claims_too_much_when_its_error_is_above_the_stated_one(
    outcome: str, stated: dict[str, float], true: dict[str, float], too_much: bool
) -> None:
    assert claims_too_much({"outcome": outcome, "claimed": stated, "errors": true}) is too_much


def test_what_takes_longest_and_what_is_not_known_to_be_short_begins_first() -> None:
    everything = list(formula_cases())
    kept = {case.name: {"solving_seconds": 1.0 * k, "seconds": 1.0} for k, case in enumerate(everything[:-1])}
    assert longest_first(everything, kept) == [everything[-1], *reversed(everything[:-1])]


def test_modes_are_compared_in_every_order_in_which_they_solve_the_problem() -> None:
    spec = read_spec(ROOT / "problems" / "eigen_1d_string.yaml")
    first, second = "sqrt(2)*sin(pi*x)", "sqrt(2)*sin(2*pi*x)"
    found = list(orders(spec, {"u": second, "v": first, "lam": "4*pi^2", "mu": "pi^2"}))
    assert found[1:] == [{"u": first, "v": second, "lam": "pi^2", "mu": "4*pi^2"}]
