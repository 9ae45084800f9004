"""Looking at results: what is shown, drawn, evaluated and compared, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
from program import HEAT, ONE_THREAD, line_problem, rows, run

from kanpde.commands.results import listed
from kanpde.solution import restored
from kanpde.writers import read

POINTS = "t,x,note\n0.5,0.25,a\n0,1,b\n0.125,0.75,c\n"
FAR = "x,t\n0.5,0.5\n2,0.5\n"


@pytest.fixture(scope="module")
def heat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the heat equation."""
    folder = tmp_path_factory.mktemp("runs") / "heat"
    assert run("solve", HEAT, *ONE_THREAD, "--out", folder, "--quiet").exit_code == 0
    return folder


# show and plot

def test_show_tells_the_same_of_a_folder_and_of_its_file(heat: Path) -> None:
    shown = run("show", heat)
    assert shown.exit_code == 0 and "Heat equation" in shown.stdout and "history.png" in shown.stdout
    told = json.loads(run("show", heat / "solution.h5", "--json").stdout)
    assert told["errors"]["u"]["relative_l2"] < 1e-10 and told["files"] == [str(heat / "solution.h5")]


def test_plot_draws_the_pictures_again(heat: Path, tmp_path: Path) -> None:
    result = run("plot", heat, "--out", tmp_path / "pictures")
    assert result.exit_code == 0
    assert {path.name for path in (tmp_path / "pictures").iterdir()} == {p.name for p in (heat / "plots").iterdir()}
    assert all(Path(line).read_bytes().startswith(b"\x89PNG") for line in result.stdout.splitlines())


# eval

def test_values_and_derivatives_are_those_of_the_exact_solution(heat: Path, tmp_path: Path) -> None:
    (tmp_path / "points.csv").write_text(POINTS)
    result = run("eval", heat, "--at", tmp_path / "points.csv", "--fields", "u, u_t,d(u,x,x), u^2 + u_x")
    assert result.exit_code == 0 and not result.stderr
    assert result.stdout.splitlines()[0] == 'x,t,u,u_t,"d(u,x,x)",u^2 + u_x'
    for row in rows(result.stdout):
        decay, s, c = np.exp(-np.pi**2 * row["t"] / 4), np.sin(np.pi * row["x"]), np.cos(np.pi * row["x"])
        exact = [decay * s, -np.pi**2 / 4 * decay * s, -np.pi**2 * decay * s, (decay * s)**2 + np.pi * decay * c]
        assert np.allclose(list(row.values())[2:], exact, rtol=0, atol=1e-9)


def test_a_table_holds_the_numbers_bit_for_bit(heat: Path, tmp_path: Path) -> None:
    result = run("eval", heat, "--at", "-", "--output", tmp_path / "found.csv", stdin=POINTS)
    assert result.exit_code == 0 and not result.output
    found = np.array([list(row.values()) for row in rows((tmp_path / "found.csv").read_text())])
    assert np.array_equal(restored(read(heat)).at(found[:, :2])["u"], found[:, 2])


def test_points_outside_are_nan_and_counted(heat: Path) -> None:
    result = run("eval", heat, "--at", "-", stdin=FAR)
    inside, outside = rows(result.stdout)
    assert result.exit_code == 0 and "1 of 2 points" in result.stderr
    assert np.isfinite(inside["u"]) and np.isnan(outside["u"])


@pytest.mark.parametrize("fields, points, words, code", [
    ("w", FAR, "unknown name 'w'", 2), ("u_", FAR, "u_", 2), ("grad(u)", FAR, "a number is expected", 2),
    ("u = 1", FAR, "=", 2), ("__import__('os')", FAR, "no meaning", 2), ("u", "x,y\n0,0\n", "no column 't'", 1),
    ("u", "x,t\n0,zero\n", "not a number", 1), ("u", "", "empty", 1),
])
def test_what_cannot_be_evaluated_is_refused(heat: Path, fields: str, points: str, words: str, code: int) -> None:
    result = run("eval", heat, "--at", "-", "--fields", fields, stdin=points)
    assert result.exit_code == code and words in result.stderr and not result.stdout


def test_fields_of_the_output_can_be_evaluated_by_name(tmp_path: Path) -> None:
    problem = line_problem(tmp_path, 1)
    chosen = ("--set", "output={extra: {slope: 2*u_x}, save: [h5, h5]}")
    assert run("solve", problem, *ONE_THREAD, *chosen, "--out", tmp_path / "run").exit_code == 0
    found = rows(run("eval", tmp_path / "run", "--at", "-", "--fields", "slope", stdin="x\n0.5\n").stdout)
    assert found[0]["slope"] == pytest.approx(2)


def test_a_list_of_fields_is_cut_at_its_own_commas_only() -> None:
    assert listed(" u,d(u,x, t) ,, atan2(u, [1,2]),u") == ("u", "d(u,x, t)", "atan2(u, [1,2])")


# compare

def test_a_run_agrees_with_its_exact_solution_and_with_itself(heat: Path) -> None:
    assert run("compare", heat, "--tolerance", "1e-10").exit_code == 0
    told = json.loads(run("compare", heat, heat / "solution.h5", "--tolerance", "0", "--json").stdout)
    assert told["differences"]["u"]["relative_l2"] == 0.0


def test_a_difference_above_the_tolerance_exits_with_4(heat: Path) -> None:
    result = run("compare", heat, "--tolerance", "1e-30")
    assert result.exit_code == 4 and "relative L2" in result.stdout


def test_a_run_agrees_with_a_table_of_the_exact_solution(heat: Path, tmp_path: Path) -> None:
    x, t = np.random.default_rng(0).random((2, 50))
    table = np.stack([x, t, np.exp(-np.pi**2 * t / 4) * np.sin(np.pi * x)], axis=1)
    np.savetxt(tmp_path / "known.csv", table, delimiter=",", header="x,t,u", comments="")
    assert run("compare", heat, tmp_path / "known.csv", "--tolerance", "1e-10").exit_code == 0


def test_a_run_is_evaluated_and_compared_without_its_reference_file(tmp_path: Path) -> None:
    problem = line_problem(tmp_path, 1)
    run("solve", problem, *ONE_THREAD, "--out", tmp_path / "run", "--quiet")
    assert run("compare", tmp_path / "run", "--tolerance", "1e-10").exit_code == 0
    (tmp_path / "known.csv").unlink()
    assert rows(run("eval", tmp_path / "run", "--at", "-", stdin="x\n0.5\n").stdout)[0]["u"] == pytest.approx(0.5)
    assert run("compare", tmp_path / "run", "--tolerance", "1e-10").exit_code == 0


# all of them

COMMANDS = (["show"], ["plot"], ["eval", "--at", "-"], ["compare"])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_files_that_are_no_results_exit_with_1(command: list[str], heat: Path, tmp_path: Path) -> None:
    whole = (heat / "solution.h5").read_bytes()
    (tmp_path / "cut.h5").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.h5").write_text("no result")
    (tmp_path / "empty").mkdir()
    for name in ("cut.h5", "text.h5", "empty", "absent"):
        result = run(command[0], tmp_path / name, *command[1:], stdin=FAR)
        assert result.exit_code == 1 and name in result.stderr and not result.stdout


@pytest.mark.parametrize("lost", ["network", "u", "entry", "provenance", "entry/history", "t"])
def test_a_result_that_lost_a_part_is_refused_or_read_but_never_fails_otherwise(
    lost: str, heat: Path, tmp_path: Path
) -> None:
    (tmp_path / "part.h5").write_bytes((heat / "solution.h5").read_bytes())
    with h5py.File(tmp_path / "part.h5", "a") as file:
        del file[lost]
    codes = {run(c[0], tmp_path / "part.h5", *c[1:], stdin=FAR).exit_code for c in COMMANDS}
    assert codes <= {0, 1} and (1 in codes or lost == "entry/history")


@pytest.mark.parametrize("arguments", [
    ["solve"], ["solve", "a", "b"], ["solve", HEAT, "--outt"], ["show"], ["plot"], ["eval", "."], ["compare"],
    ["compare", ".", "--tolerance", "-1"],
])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2
