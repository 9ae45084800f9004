"""Separable networks marched in time or refined on a rectangle: as exact as asked for, the same twice, and truthful."""

from __future__ import annotations

from math import inf
from pathlib import Path
from time import monotonic

import numpy as np
import pytest
import torch
from program import run

from kanpde.clock import Clock
from kanpde.errors import KanpdeError
from kanpde.marching import March, joined, windows
from kanpde.patch import Patch
from kanpde.problem import Problem
from kanpde.result import Outcome
from kanpde.separable import ProductLayer
from kanpde.separation import first_patch, initial_orders, separated
from kanpde.solution import restored, unknown_values
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec_text
from kanpde.steady import refinements
from kanpde.truth import truth_of
from kanpde.writers import read

TEXTS = {
    "burgers": """
domain: {x: [0, 1], t: [0, 0.25]}
equations: {e: u_t + u*u_x = nu*u_xx}
definitions: {nu: 0.05, U: 1/2 - tanh((x - 0.3 - t/2)/(4*nu))/2}
initial: {u: U}
boundary: {left: u = U, right: u = U}
exact: {u: U}""",
    "wave": """
domain: {t: [0, 0.5], x: [0, 1]}
equations: {e: u_tt = u_xx}
initial: {u: sin(pi*x), u_t: sin(2*pi*x)}
boundary: {left: u = 0, right: u = 0}
exact: {u: sin(pi*x)*cos(pi*t) + sin(2*pi*x)*sin(2*pi*t)/(2*pi)}""",
    "closed": """
domain: {x: [-1, 1], t: [1, 1.2]}
equations: {e: u_t + u_x + u_xxx/100 = 0}
definitions: {c: 1 - pi^2/100}
initial: {u: sin(pi*(x - c*t))}
boundary: {x: periodic}
exact: {u: sin(pi*(x - c*t))}""",
    "flux": """
domain: {x: [0, 1], t: [0, 0.05]}
equations: {e: u_t = u_xx + u^2 - exp(-72*t)*cos(6*x)^2}
initial: {u: cos(6*x)}
boundary: {left: u_x = 0, right: u_x + u^2 = -6*exp(-36*t)*sin(6) + exp(-72*t)*cos(6)^2}
exact: {u: exp(-36*t)*cos(6*x)}""",
}
SQUARE = """
domain: {x: [0, 1], y: [0, 1]}
equations: {e: lap(u) - u^3 = f}
definitions: {U: sin(pi*x)*sin(2*pi*y), f: -5*pi^2*U - U^3}
boundary: {all: u = 0}
exact: {u: U}"""
BLOWN = """
domain: {x: [0, 1], t: [0, 1]}
equations: {e: u_t = u_xx + u^2}
initial: {u: 2 + cos(2*pi*x)/10}
boundary: {x: periodic}"""
BACKWARDS = """
domain: {x: [0, 1], t: [0, 1]}
equations: {e: u_t = -u_xx}
initial: {u: 1/(1.2 + sin(2*pi*x))}
boundary: {x: periodic}"""
FAST = """
domain: {x: [-1, 1], t: [0, 0.001]}
equations: {e: u_t = u_xx}
initial: {u: sin(16*pi*x)}
boundary: {x: periodic}
exact: {u: exp(-256*pi^2*t)*sin(16*pi*x)}"""
every_evolution = pytest.mark.parametrize("name", TEXTS)


def spec_of(text: str, *overrides: str) -> Spec:
    """A problem of one unknown for separable networks, on one thread."""
    chosen = ("network.basis=separable", "training.threads=1", *overrides)
    return read_spec_text(f"unknowns: [u]{text}\n", "test.yaml", Path("."), chosen)


def marched(spec: Spec, tolerance: float) -> tuple[March, list[Patch]]:
    """All windows at one tolerance."""
    patch = first_patch(spec)
    march = March(patch.problem, 1 - patch.axis, initial_orders(spec), tolerance)  # type: ignore[arg-type]
    return march, [window for window, _ in windows(march, patch.along)]


def error_of(spec: Spec, problem: Problem, theta: torch.Tensor) -> float:
    """The relative L2 error."""
    truth = truth_of(spec)
    assert truth is not None
    return truth.errors(unknown_values(problem, theta, ("u",), truth.points))["u"].relative_l2


@every_evolution
def test_the_error_falls_with_the_tolerance(name: str) -> None:
    # What is cut off in one window is below the tolerance; over all windows errors add up, in space and time, and
    # each derivative that the equation takes multiplies them once more.
    spec = spec_of(TEXTS[name])
    errors = [error_of(spec, *joined(*marched(spec, tolerance))) for tolerance in (1e-5, 1e-11)]
    assert errors[0] < 100e-5 and errors[1] < 100e-11 and errors[1] < errors[0]


@every_evolution
def test_windows_cover_all_times_and_join_as_smoothly_as_initial_data(name: str) -> None:
    spec = spec_of(TEXTS[name])
    march, found = marched(spec, 1e-7)
    times = [window.box[march.time] for window in found]
    assert times[0][0] == march.ends[0] and times[-1][1] == march.ends[1] and len(found) > 1
    assert all(before[1] == after[0] for before, after in zip(times, times[1:]))
    for before, after in zip(found, found[1:]):
        earlier = before.moved(after.along, before.across).cube
        assert (earlier[:, -1] - after.cube[:, 0]).abs().max() < 1e-12
        lengths = [end - start for start, end in (before.box[march.time], after.box[march.time])]
        slopes = [(earlier[:, -1] - earlier[:, -2]) / lengths[0], (after.cube[:, 1] - after.cube[:, 0]) / lengths[1]]
        if march.given[0] > 1:
            assert (slopes[0] - slopes[1]).abs().max() < 1e-10 * slopes[0].abs().max()


@every_evolution
def test_the_network_of_all_windows_is_that_of_each(name: str) -> None:
    spec = spec_of(TEXTS[name])
    march, found = marched(spec, 1e-6)
    whole, theta = joined(march, found)
    assert whole.trial.branches[0].network.layers[0].axes[march.time].intervals == len(found)
    for window in found:
        points = torch.rand(2, 40, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        points = torch.stack([low + (high - low) * row for (low, high), row in zip(window.box, points)])
        alone, together = (
            unknown_values(problem, coefficients, ("u",), points)["u"]
            for problem, coefficients in ((window.placed, window.theta), (whole, theta))
        )
        assert (alone - together).abs().max() < 1e-12


def test_after_the_last_window_the_solution_stands_still() -> None:
    march, found = marched(spec_of(TEXTS["burgers"]), 1e-5)
    problem, theta = joined(march, found[:2])
    stop = found[1].box[march.time][1]
    x = torch.linspace(0, 1, 30, dtype=torch.float64)
    late = [
        unknown_values(problem, theta, ("u",), torch.stack([x, torch.full_like(x, t)]))["u"] - lift
        for t in (stop, (stop + 0.25) / 2, 0.25)
        for lift in [unknown_values(problem, 0 * theta, ("u",), torch.stack([x, torch.full_like(x, t)]))["u"]]
    ]
    assert all((part - late[0]).abs().max() < 1e-13 for part in late)


def test_a_march_is_the_same_twice() -> None:
    spec = spec_of(TEXTS["burgers"])
    first, second = (joined(*marched(spec, 1e-6))[1] for _ in range(2))
    assert torch.equal(first, second)


def test_initial_data_that_vanish_between_the_first_points_are_seen() -> None:
    """A wave in each interval, the same to all points of the first splines."""
    assert error_of(spec_of(FAST), *joined(*marched(spec_of(FAST, "network.grid=16"), 1e-7))) < 1e-5


STILL = """
domain: {x: [0, 1], t: [0, 0.1]}
equations: {e: u_t = u_xx, f: v_t = v_xx/10}
initial: {u: sin(pi*x), v: 0}
boundary: {left: [u = 0, v = 0], right: [u = 0, v = 0]}"""


def test_an_unknown_that_stays_zero_asks_for_nothing() -> None:
    """Its rounding errors are no structure to be resolved."""
    spec = read_spec_text(f"unknowns: [u, v]{STILL}\n", "test.yaml", Path("."), ("network.basis=separable",))
    march, found = marched(spec, 1e-10)
    assert found[-1].box[march.time][1] == 0.1 and len(found) < 12 and found[-1].along.intervals < 60
    assert found[-1].cube[:, :, 1].abs().max() < 1e-14


KELVIN = """
domain: {x: [0, 1], t: [0, 0.1]}
equations: {e: u_t = u_xx}
initial: {u: 300 + sin(pi*x)/1000}
boundary: {all: u = 300}
exact: {u: 300 + exp(-pi^2*t)*sin(pi*x)/1000}"""


def test_tolerances_are_relative_to_the_unknown_with_what_is_built_in() -> None:
    """Rounding of a large lift is no structure to be resolved either."""
    march, found = marched(spec_of(KELVIN), 1e-12)
    assert found[-1].box[march.time][1] == 0.1 and len(found) < 12
    assert error_of(spec_of(KELVIN), *joined(march, found)) < 1e-13


# where there is no solution

def test_a_march_ends_where_the_solution_does() -> None:
    # The mean is at least 1 / (1/2 − t), by Jensen, and diffusion soon evens it out: the end is just
    # below 1/2, to the tolerance.
    march, found = marched(spec_of(BLOWN), 1e-3)
    assert found and 0.49 < found[-1].box[march.time][1] < 0.501


@pytest.mark.parametrize("text", [BLOWN, BACKWARDS], ids=["blow-up", "backwards"])
def test_what_has_no_solution_is_not_called_converged(text: str) -> None:
    # Backwards in time everything grows, so that the residual may be small beside the solution, but not in itself.
    begun = monotonic()
    solution = solve(spec_of(text, "training.stop={time: 3, residual: 1e-6}"))
    assert solution.outcome != Outcome.CONVERGED and solution.summary["held_out_residual"] > 1
    assert text != BLOWN or solution.outcome == Outcome.UNRESOLVED
    assert monotonic() - begun < 10


@pytest.mark.parametrize("seconds", [0.0, 0.7])
def test_the_time_limit_holds_to_a_few_windows(seconds: float) -> None:
    """One window is always made, so that there is something to show."""
    clock = Clock(monotonic(), seconds)
    states = list(separated(spec_of(TEXTS["burgers"], "training.stop.time=1"), clock))
    assert states and clock.elapsed() < seconds + 3
    assert torch.isfinite(states[-1].theta).all()


# on a rectangle

def test_a_nonlinear_problem_on_a_square_is_solved_to_nine_digits() -> None:
    spec = spec_of(SQUARE)
    errors = [error_of(spec, state.problem, state.theta) for state in separated(spec, Clock(monotonic(), inf))]
    assert min(errors) < 1e-11 and errors[-1] < 1e-9
    assert errors[1] < errors[0] / 10


def test_refinement_on_a_square_ends_at_its_tolerance() -> None:
    spec = spec_of(SQUARE)
    coarse, fine = (list(refinements(first_patch(spec), tolerance)) for tolerance in (1e-3, 1e-7))
    assert len(coarse) <= len(fine)
    for found, tolerance in ((coarse, 1e-3), (fine, 1e-7)):
        assert error_of(spec, found[-1][0].placed, found[-1][0].theta) < tolerance


# the program

def test_a_run_is_read_back_bit_for_bit(tmp_path: Path) -> None:
    text = f"unknowns: [u]{TEXTS['closed']}\noutput: {{save: [h5], grid: 11, times: 3}}\n"
    (tmp_path / "closed.yaml").write_text(text)
    chosen = ("--set", "network.basis=separable", "--set", "training={threads: 1, stop: {error: 1e-7}}")
    result = run("solve", tmp_path / "closed.yaml", *chosen, "--out", tmp_path / "run", "--quiet")
    assert result.exit_code == 0, result.stderr
    stored = read(tmp_path / "run")
    again = restored(stored)
    points = np.stack(np.meshgrid(*stored.axes.values(), indexing="ij"), axis=-1).reshape(-1, 2)
    assert np.array_equal(again.at(points)["u"], stored.fields["u"].values.ravel())
    assert isinstance(again.problem.trial.branches[0].network.layers[0], ProductLayer)


UNFIT = {
    "two coordinates are needed, not 3": "domain: {x: [0, 1], y: [0, 1], z: [0, 1]}\nequations: {e: lap(u) = 1}",
    "two coordinates are needed, not 1": "domain: {x: [0, 1]}\nequations: {e: u_xx = 1}",
    "the first time needs values": "domain: {x: [0, 1], t: [0, 1]}\nequations: {e: u_xx = t}",
    "must be float64": "domain: {x: [0, 1], y: [0, 1]}\nequations: {e: lap(u) = 1}\ntraining: {precision: float32}",
    "enforce: hard": "domain: {x: [0, 1], t: [0, 1]}\nequations: {e: u_t = u_xx}\ninitial: {u: 0}\nenforce: hard",
}


@pytest.mark.parametrize(("reason", "text"), UNFIT.items(), ids=UNFIT)
def test_problems_that_do_not_separate_are_refused_with_the_reason(reason: str, text: str, tmp_path: Path) -> None:
    text = f"{text}\nboundary: {{all: u = 0}}"
    with pytest.raises(KanpdeError, match=reason):
        next(separated(spec_of(f"\n{text}"), Clock(monotonic(), 1.0)))
    (tmp_path / "unfit.yaml").write_text(f"unknowns: [u]\n{text}\n")
    result = run("solve", tmp_path / "unfit.yaml", "--set", "network.basis=separable", "--out", tmp_path / "run")
    assert result.exit_code == 1 and result.stderr.startswith("network.basis: separable: ")
    assert reason in result.stderr and not (tmp_path / "run").exists()


@pytest.mark.parametrize("choice", ["network.unknowns.u.basis=separable", "training.stages=[{optimiser: adam}]"])
def test_separable_networks_stand_alone(choice: str, tmp_path: Path) -> None:
    (tmp_path / "two.yaml").write_text(f"unknowns: [u]{TEXTS['wave']}\n")
    chosen = ("network.basis=separable", choice) if "stages" in choice else (choice,)
    result = run("solve", tmp_path / "two.yaml", *(x for c in chosen for x in ("--set", c)), "--out", tmp_path / "run")
    assert result.exit_code == 1 and "separable is for all unknowns together" in result.stderr


def test_splines_stay_on_the_processor_whatever_device_is_asked_for() -> None:
    state = next(separated(spec_of(TEXTS["wave"], "training.device=cuda:1"), Clock(monotonic(), inf)))
    assert state.theta.device.type == "cpu" and state.note.endswith(", on the processor")
    here = next(separated(spec_of(TEXTS["wave"]), Clock(monotonic(), inf)))
    assert "processor" not in here.note
