"""Fits: values, standard errors and intervals are those of maximum likelihood; what is doubtful is said."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import inf, pi, sqrt
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
import torch
from program import run
from scipy.optimize import lsq_linear
from scipy.stats import chi2, t

from kanpde.bootstrap import bootstrapped
from kanpde.clock import Clock
from kanpde.elimination import bounded, eliminated
from kanpde.estimates import as_dictionary, from_dictionary, rounded
from kanpde.fitting import fitted
from kanpde.inverse import Inverse, on_ramps
from kanpde.objective import Residuals
from kanpde.orientation import moment
from kanpde.profile import profiled
from kanpde.quantiles import chi_square_tail, student_quantile
from kanpde.ramps import Ramps, ramps_problem
from kanpde.result import Outcome
from kanpde.solution import Solution, unknown_values
from kanpde.spec import Spec, read_spec_text
from kanpde.uncertainty import estimates
from kanpde.writers import read

D, SIGMA, READINGS = 0.2, 0.01, 100
HEAT = """\
unknowns: [u]
fit: {D: {start: 1, range: [0.01, 10]}}
domain: {x: [0, 1], t: [0, 1]}
equations: {heat: u_t = D*u_xx}
initial: {u: sin(pi*x)}
boundary: {all: u = 0}
data: {probe: {file: probe.csv, sigma: 0.01}}
exact: {D: 0.2}
"""
STRING = """\
unknowns: [u]
fit: {lam: {start: START}}
domain: {x: [0, 1]}
equations: {string: -u_xx = lam*u}
boundary: {all: u = 0}
constraints: {norm: integral(u^2) = 1}
"""


@lru_cache
def places() -> tuple[np.ndarray, np.ndarray]:
    """Where the readings are taken, in x and t."""
    x, time = np.random.default_rng(1).uniform(0, 1, (2, READINGS))
    return x, time


def temperature(diffusivity: float = D) -> np.ndarray:
    """The exact solution at these places."""
    x, time = places()
    return np.exp(-diffusivity * pi**2 * time) * np.sin(pi * x)


def noise(seed: int) -> np.ndarray:
    """What is added to the readings."""
    return SIGMA * np.random.default_rng(seed).normal(size=READINGS)


def spec_of(text: str, folder: Path, values: np.ndarray) -> Spec:
    """The problem with these readings."""
    rows = np.stack([*places(), values], 1)
    np.savetxt(folder / "probe.csv", rows, "%.17g", ",", header="x,t,u", comments="")
    return read_spec_text(text, "probe.yaml", folder)


def fit(spec: Spec, width: int = 150, slope: float = 2.0) -> Inverse:
    """The problem fitted on given ramps."""
    ramps = Ramps(width, (slope,) * len(spec.box))
    return on_ramps(ramps_problem(spec, 2), spec, ramps, None, Clock(monotonic()))


def test_readings_without_noise_give_the_constant_to_rounding(tmp_path: Path) -> None:
    for text in (HEAT, HEAT.replace(", sigma: 0.01", "")):
        found = fit(spec_of(text, tmp_path, temperature()))
        assert abs(float(found.estimates.values[0]) - D) < 1e-9 and found.found.settled


@pytest.mark.parametrize("start", [0.01, 0.5, 10])
def test_the_start_does_not_matter(start: float, tmp_path: Path) -> None:
    found = fit(spec_of(HEAT.replace("start: 1", f"start: {start}"), tmp_path, temperature() + noise(0)))
    assert float(found.estimates.values[0]) == pytest.approx(0.2, abs=0.01)


def test_standard_errors_are_those_of_the_exact_solution(tmp_path: Path) -> None:
    found = fit(spec_of(HEAT, tmp_path, temperature())).estimates
    slope = (temperature(D + 1e-5) - temperature(D - 1e-5)) / 2e-5
    assert float(found.sigma[0]) == pytest.approx(SIGMA / np.linalg.norm(slope), rel=1e-6)
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.959964 * found.sigma[0], rel=1e-6)
    assert found.scatter["probe"].freedom == pytest.approx(READINGS - 1, abs=1e-5)


def test_estimates_are_those_of_maximum_likelihood(tmp_path: Path) -> None:
    values = temperature() + noise(3)
    found = fit(spec_of(HEAT, tmp_path, values)).estimates
    tried = np.linspace(found.values[0] - 1e-3, found.values[0] + 1e-3, 201)
    squares = [np.square(values - temperature(one)).sum() / SIGMA**2 for one in tried]
    assert found.values[0] == pytest.approx(
        -np.polyfit(tried, squares, 2)[1] / 2 / np.polyfit(tried, squares, 2)[0], abs=0.01 * found.sigma[0]
    )
    assert found.chi_square == pytest.approx(min(squares), rel=1e-6)
    assert found.chance == pytest.approx(chi2.sf(found.chi_square, READINGS - 1), rel=1e-6)


def test_an_unknown_deviation_is_estimated_and_widens_the_interval(tmp_path: Path) -> None:
    found = fit(spec_of(HEAT.replace(", sigma: 0.01", ""), tmp_path, temperature() + noise(3))).estimates
    known = fit(spec_of(HEAT, tmp_path, temperature() + noise(3))).estimates
    scale = found.scatter["probe"].sigma
    assert scale == pytest.approx(SIGMA * sqrt(known.chi_square / (READINGS - 1)), rel=1e-5)
    assert found.sigma[0] == pytest.approx(known.sigma[0] * scale / SIGMA, rel=1e-4)
    half = t.ppf(0.975, READINGS - 1) * found.sigma[0]
    assert found.high[0] - found.values[0] == pytest.approx(half, rel=1e-5) and np.isnan(found.chi_square)


def test_the_reduced_problem_is_the_slope_of_what_is_left(tmp_path: Path) -> None:
    found = fit(spec_of(HEAT, tmp_path, temperature() + noise(0)))
    objective, order = found.fit.objective, found.sought.order
    theta = found.found.theta.clone()
    theta[-1] += 0.01

    def left(change: float) -> float:
        moved = theta.clone()
        moved[-1] += change
        return eliminated(objective, moved, order).left

    here = eliminated(objective, theta + eliminated(objective, theta, order).step(torch.zeros(1).double()), order)
    slope = 2 * float(here.reduced[0, 0] * here.gap[0])
    assert slope == pytest.approx((left(1e-5) - left(-1e-5)) / 2e-5, rel=1e-4)


def test_a_range_is_kept_and_its_end_reported(tmp_path: Path) -> None:
    text = HEAT.replace("[0.01, 10]", "[0.3, 10]")
    found = fit(spec_of(text, tmp_path, temperature())).estimates
    assert found.values[0] == 0.3 and any("end of its range, 0.3" in text for text in found.warnings)


def test_constants_that_only_act_together_are_not_determined(tmp_path: Path) -> None:
    text = HEAT.replace("{D: {start: 1, range: [0.01, 10]}}", "{D: {start: 1, range: [0.01, 10]}, k: {start: 0.3}}")
    found = fit(spec_of(text.replace("D*u_xx", "D*k*u_xx"), tmp_path, temperature() + noise(0))).estimates
    assert found.verdict == "undetermined" and any("do not determine" in text for text in found.warnings)
    assert float(found.values.prod()) == pytest.approx(0.2, abs=0.01)


def test_a_wrong_model_is_a_misfit(tmp_path: Path) -> None:
    found = fit(spec_of(HEAT, tmp_path, temperature() + 0.2)).estimates
    assert found.verdict == "misfit" and any("scatter more" in text for text in found.warnings)


def test_ramps_that_leave_the_equations_too_much_are_no_fit(tmp_path: Path) -> None:
    found = fit(spec_of(HEAT, tmp_path, temperature() + noise(0)), 8)
    assert found.estimates.verdict == "unresolved" and any("more time" in text for text in found.estimates.warnings)
    assert fit(spec_of(HEAT, tmp_path, temperature() + noise(0)), 60).estimates.verdict == ""


def test_readings_that_scatter_too_little_are_told(tmp_path: Path) -> None:
    found = fit(spec_of(HEAT, tmp_path, temperature())).estimates
    assert found.verdict == "" and any("scatter less" in text for text in found.warnings)


def test_a_run_tells_the_fit_and_keeps_it(tmp_path: Path) -> None:
    text = HEAT + "network: {width: 150, scale: 2}\noutput: {save: [h5]}\ntraining: {threads: 1}\n"
    spec_of(text, tmp_path, temperature() + noise(0))
    (tmp_path / "probe.yaml").write_text(text)
    solved = run("solve", tmp_path / "probe.yaml", "--out", tmp_path / "run")
    assert solved.exit_code == 0 and "± 0.00" in solved.output and "95 % in [0.1" in solved.output
    kept = read(tmp_path / "run").estimates
    assert kept is not None and kept.names == ("D",) and kept.line("D") in run("show", tmp_path / "run").output
    table = run("eval", tmp_path / "run", "--at", "-", stdin="x,t\n0.5,0.25\n")
    assert table.exit_code == 0 and table.stdout.startswith("x,t,")
    again = from_dictionary(as_dictionary(kept))
    assert again is not None and again.line("D") == kept.line("D") and again.scatter == kept.scatter


def test_a_failed_fit_exits_with_3(tmp_path: Path) -> None:
    text = HEAT + "network: {width: 150, scale: 2}\noutput: {save: [h5]}\ntraining: {threads: 1}\n"
    spec_of(text, tmp_path, temperature() + 0.2)
    (tmp_path / "probe.yaml").write_text(text)
    solved = run("solve", tmp_path / "probe.yaml", "--out", tmp_path / "run")
    assert solved.exit_code == 3 and "misfit" in solved.output
    refused = run("solve", tmp_path / "probe.yaml", "--set", "network.depth=3", "--out", tmp_path / "other")
    assert refused.exit_code == 1 and "only ramps" in refused.stderr


@pytest.mark.parametrize(("start", "number"), [(8, 1), (45, 2), (80, 3)])
def test_the_eigenvalue_nearest_the_start_is_found(start: float, number: int, tmp_path: Path) -> None:
    spec = read_spec_text(STRING.replace("START", str(start)), "string.yaml", tmp_path)
    found = fit(spec, 100, 15.0)
    assert float(found.estimates.values[0]) == pytest.approx((number * pi) ** 2, rel=1e-11)
    assert np.isnan(found.estimates.sigma[0]) and found.estimates.verdict == ""
    assert found.held_out < 1e-9


def test_eigenfunctions_are_positive_where_coordinates_are_small(tmp_path: Path) -> None:
    for seed in range(3):
        spec = read_spec_text(STRING.replace("START", "8") + f"training: {{seed: {seed}}}\n", "s.yaml", tmp_path)
        found = fit(spec, 100, 15.0)
        assert moment(found.fit.objective, found.found.theta, "u") > 0


TWO = """
unknowns: [u, v]
fit: {E: {start: 0.4}, F: {start: 1.4}}
domain: {x: [-7, 7]}
equations: {ground: -u_xx + x^2*u = 2*E*u, excited: -v_xx + x^2*v = 2*F*v}
boundary: {all: [u = 0, v = 0]}
constraints: {one: integral(u^2) = 1, two: integral(v^2) = 1, apart: integral(u*v) = 0}
"""


@pytest.mark.parametrize("seed", [0, 2])
def test_of_two_eigenvalues_each_is_the_nearest_to_its_start(seed: int, tmp_path: Path) -> None:
    found = fit(read_spec_text(f"{TWO}training: {{seed: {seed}}}\n", "two.yaml", tmp_path), 60, 10.0)
    assert found.estimates.values == pytest.approx([0.5, 1.5], abs=1e-5)


def renewed(objective: Residuals, values: np.ndarray) -> Residuals:
    """The same problem with other readings."""
    *others, last = objective.samples
    (ground,) = last.chunks
    attached = {**ground.attached, "probe.u": torch.as_tensor(values)}
    return replace(objective, samples=(*others, replace(last, chunks=(replace(ground, attached=attached, found={}),))))


@pytest.mark.parametrize("readings", [100, 12])
def test_profiles_end_where_the_exact_likelihood_falls(readings: int, tmp_path: Path) -> None:
    values = temperature() + 3 * noise(5)
    spec = spec_of(HEAT.replace("0.01}}", "0.03}}"), tmp_path, values)
    table = (tmp_path / "probe.csv").read_text().splitlines()
    (tmp_path / "probe.csv").write_text("\n".join(table[: readings + 1]) + "\n")
    found = fit(spec)
    told = profiled(found.estimates, found.fit.objective, found.found, found.sought)

    def squares(diffusivity: float) -> float:
        return float(np.square((values - temperature(diffusivity))[:readings]).sum() / 0.03**2)

    least = squares(float(told.values[0]))
    for end in (float(told.low[0]), float(told.high[0])):
        assert sqrt(squares(end) - least) == pytest.approx(1.959964, rel=3e-3)
    assert told.high[0] - told.values[0] > told.values[0] - told.low[0]


def test_intervals_cover_the_truth_as_often_as_they_say(tmp_path: Path) -> None:
    # Of 100 intervals of 95 %, 90 to 99 hold the truth with a probability of 0.98; the seeds are fixed.
    spec = spec_of(HEAT, tmp_path, temperature())
    first = fit(spec, 60, 1.5)
    covered, scores = 0, []
    for seed in range(100):
        objective = renewed(first.fit.objective, temperature() + noise(100 + seed))
        found = fitted(objective, first.found.theta, first.sought)
        told, _ = estimates(spec, objective, found, first.sought, {})
        covered += bool(told.low[0] <= D <= told.high[0])
        scores.append((told.values[0] - D) / told.sigma[0])
    assert 90 <= covered <= 99
    assert abs(np.mean(scores)) < 0.3 and 0.8 < np.std(scores) < 1.2


LAYER = """\
unknowns: [u]
fit: {k: {of: [x], start: 1}}
domain: {x: [0, 1]}
equations: {flow: "-d(k*u_x, x) = 5"}
boundary: {left: "u = 0", right: "u = 0"}
constraints: {known: k(x=0) = 1}
data: {probe: {file: probe.csv, sigma: 0.002}}
"""


def conductivity(x: np.ndarray) -> np.ndarray:
    """A smooth function."""
    return 1 + 0.4 * np.sin(3 * x)


def test_bands_of_functions_cover_the_truth(tmp_path: Path) -> None:
    # Bayesian intervals of smoothing splines cover as they say on the average along the function (Nychka 1988).
    fine = np.linspace(0, 1, 20001)
    middle = (fine[1:] + fine[:-1]) / 2
    inner = [np.concatenate([[0], np.cumsum(g / conductivity(middle)) / 20000]) for g in (1 + 0 * middle, 5 * middle)]
    exact = inner[0] * inner[1][-1] / inner[0][-1] - inner[1]
    shares = []
    for seed in range(6):
        random = np.random.default_rng(seed)
        x = random.uniform(0, 1, 200)
        values = np.interp(x, fine, exact) + 0.002 * random.normal(size=200)
        table = np.stack([x, values], 1)
        np.savetxt(tmp_path / "probe.csv", table, "%.17g", ",", header="x,u", comments="")
        spec = read_spec_text(LAYER, "layer.yaml", tmp_path)
        found = fit(spec, 150, 20.0)
        assert found.estimates.verdict == ""
        shares.append(share_covered(found, spec))
    assert 0.85 < np.mean(shares)


def share_covered(found: Inverse, spec: Spec) -> float:
    """How much of the function lies within two standard deviations."""
    solution = Solution(spec, found.fit.problem, found.fit.theta, {}, Outcome.FINISHED, {}, {}, found.estimates)
    points = torch.linspace(0.02, 1, 101, dtype=torch.float64)[None]
    values = unknown_values(found.fit.problem, found.fit.theta, ("k",), points)["k"].numpy()
    return float(np.mean(np.abs(values - conductivity(points[0].numpy())) < 1.96 * solution.deviation("k", points)))


@pytest.mark.parametrize("freedom", [1, 2, 3.5, 10, 99, 2500, 1e6, inf])
def test_quantiles_are_those_of_students_t(freedom: float) -> None:
    assert student_quantile(freedom) == pytest.approx(t.ppf(0.975, freedom), rel=1e-8)
    assert chi_square_tail(1.2 * min(freedom, 1e4), min(freedom, 1e4)) == pytest.approx(
        chi2.sf(1.2 * min(freedom, 1e4), min(freedom, 1e4)), abs=1e-9
    )


@pytest.mark.parametrize("seed", range(20))
def test_bounded_least_squares_are_those_of_another_program(seed: int) -> None:
    random = np.random.default_rng(seed)
    matrix, right = random.normal(size=(12, 5)), random.normal(size=12)
    low, high = -random.uniform(0, 0.3, 5), random.uniform(0, 0.3, 5)
    wanted = lsq_linear(matrix, right, (low, high), method="bvls").x
    found = bounded(*map(torch.as_tensor, (matrix, right, low, high)))
    np.testing.assert_allclose(found.numpy(), wanted, atol=1e-10)


@pytest.mark.parametrize(
    ("value", "sigma", "text"),
    [(0.20031, 0.00107, "0.2003"), (12345.6, 120.0, "12350"), (-3.14159, 0.5, "-3.14"), (2e-12, 3e-14, "2.000e-12")],
)
def test_numbers_end_where_their_error_begins(value: float, sigma: float, text: str) -> None:
    assert rounded(value, sigma) == text


@pytest.mark.parametrize("known", [pytest.param(True, marks=pytest.mark.slow), False])
def test_readings_drawn_anew_scatter_the_estimate_as_its_standard_error_says(known: bool, tmp_path: Path) -> None:
    """Where the model is nearly linear; with 400 draws the ends have standard errors of an eighth of the estimate's."""
    text = HEAT if known else HEAT.replace(", sigma: 0.01}", "}")
    found = fit(spec_of(text, tmp_path, temperature() + noise(0)), 60, 1.5)
    told = bootstrapped(found.estimates, found.fit.objective, found.found, found.sought, 0, lambda: False)
    sigma = float(told.sigma[0])
    assert told.method == "bootstrap"
    assert abs(told.low[0] - found.estimates.low[0]) < 0.5 * sigma
    assert abs(told.high[0] - found.estimates.high[0]) < 0.5 * sigma


def test_without_time_for_draws_intervals_stay(tmp_path: Path) -> None:
    found = fit(spec_of(HEAT, tmp_path, temperature() + noise(0)), 60, 1.5)
    assert (
        bootstrapped(found.estimates, found.fit.objective, found.found, found.sought, 0, lambda: True)
        is found.estimates
    )
