"""Solving and looking at results: exit codes, streams, files, and that nothing is left half done."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner, Result

from kanpde.cli import main
from kanpde.commands.results import listed
from kanpde.commands.solve import stopped_by
from kanpde.result import Outcome
from kanpde.solution import restored
from kanpde.writers import read

ROOT = Path(__file__).parent.parent
HEAT = ROOT / "problems" / "parabolic_1d_heat.yaml"
BRATU = ROOT / "problems" / "elliptic_2d_nonlinear_poisson.yaml"
WRONG = ROOT / "tests" / "mistakes" / "unknown_name.yaml"
ONE_THREAD = ("--set", "training.threads=1")
POINTS = "t,x,note\n0.5,0.25,a\n0,1,b\n0.125,0.75,c\n"
FAR = "x,t\n0.5,0.5\n2,0.5\n"
LINE = """\
unknowns: [u]
domain: {x: [0, 1]}
equations: {line: u_xx = 0}
boundary: {left: u = 0, right: u = 1}
reference: {file: known.csv, tolerance: 1e-3}
"""


def run(*arguments: object, stdin: str | None = None) -> Result:
    """One call of the program in this process."""
    result = CliRunner().invoke(main, [str(a) for a in arguments], input=stdin)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def started(*arguments: object) -> subprocess.Popen[str]:
    """The program in a process of its own, in which Ctrl-C works whatever this process does with it."""
    code = ("import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
            "from kanpde.cli import main; main(sys.argv[1:])")
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def rows(text: str) -> list[dict[str, float]]:
    """The rows of a CSV table of numbers."""
    return [{name: float(cell) for name, cell in row.items()} for row in csv.DictReader(io.StringIO(text))]


@pytest.fixture(scope="module")
def heat(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the heat equation."""
    folder = tmp_path_factory.mktemp("runs") / "heat"
    assert run("solve", HEAT, *ONE_THREAD, "--out", folder, "--quiet").exit_code == 0
    return folder


def line_problem(folder: Path, slope: float) -> Path:
    """A problem with the solution x, and a reference that says `slope` times x."""
    (folder / "known.csv").write_text("x,u\n" + "".join(f"{x},{slope * x}\n" for x in np.linspace(0, 1, 5)))
    (folder / "line.yaml").write_text(LINE)
    return folder / "line.yaml"


# solve

def test_a_run_is_saved_in_a_new_numbered_folder_and_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for number in ("001", "002"):
        result = run("solve", HEAT, *ONE_THREAD)
        assert result.exit_code == 0 and not result.stderr
        assert f"parabolic_1d_heat-{number}" in result.stdout and "relative L2 error" in result.stdout
        assert read(tmp_path / "outputs" / f"parabolic_1d_heat-{number}").errors["u"].relative_l2 < 1e-10
    assert (tmp_path / "outputs" / "parabolic_1d_heat-001" / "plots" / "solution.png").stat().st_size > 1000


def test_quiet_says_nothing_and_json_an_object_on_each_line(tmp_path: Path) -> None:
    quiet = run("solve", HEAT, *ONE_THREAD, "--out", tmp_path / "a", "--quiet")
    assert quiet.exit_code == 0 and not quiet.output
    lines = run("solve", HEAT, *ONE_THREAD, "--out", tmp_path / "b", "--json").stdout.splitlines()
    told = [json.loads(line) for line in lines]
    assert [one["event"] for one in told] == ["step"] * (len(told) - 1) + ["result"] and len(told) > 1
    assert all(Path(file).is_file() for file in told[-1]["files"]) and told[-1]["exit_code"] == 0


def test_mistakes_in_the_file_exit_with_2_and_create_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file, words in ((WRONG, "did you mean 'nu'?"), (Path("nowhere.yaml"), "there is no such file")):
        result = run("solve", file, "--out", "here")
        assert result.exit_code == 2 and words in result.stderr and not result.stdout
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("out", [(), ("--out", "deep/in/folders")])
def test_a_run_that_cannot_start_leaves_nothing(
    out: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run("solve", HEAT, "--set", "training.device=cuda:99", *out)
    assert result.exit_code in (1, 2) and "device" in result.stderr
    assert not list(tmp_path.iterdir())


def test_an_earlier_run_stays_when_a_new_one_fails_and_gives_way_when_it_succeeds(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    run("solve", HEAT, *ONE_THREAD, "--out", folder)
    before = (folder / "solution.h5").read_bytes()
    assert run("solve", HEAT, "--set", "training.device=cuda:99", "--out", folder).exit_code != 0
    assert (folder / "solution.h5").read_bytes() == before
    assert run("solve", HEAT, *ONE_THREAD, "--set", "title=Another", "--out", folder).exit_code == 0
    assert read(folder).title == "Another"


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    result = run("solve", HEAT, "--out", tmp_path)
    assert result.exit_code == 1 and "other things" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_error_above_the_tolerance_exits_with_4(tmp_path: Path) -> None:
    problem = line_problem(tmp_path, 2)
    assert run("solve", problem, *ONE_THREAD, "--out", tmp_path / "run").exit_code == 4
    assert run("show", tmp_path / "run").exit_code == 0
    line_problem(tmp_path, 1)
    assert run("solve", problem, *ONE_THREAD, "--out", tmp_path / "run").exit_code == 0


def test_a_fit_to_too_few_points_is_suspicious(tmp_path: Path) -> None:
    few = ("--set", "sampling.interior=3", "--set", "network.width=40", "--set", "training.stop.steps=1")
    assert run("solve", HEAT, *ONE_THREAD, *few, "--out", tmp_path / "run", "--quiet").exit_code == 3


@pytest.mark.parametrize("number, code", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_run_is_saved(number: signal.Signals, code: int, tmp_path: Path) -> None:
    small = ("--set", "network.depth=2", "--set", "network.width=3", *ONE_THREAD)
    process = started("solve", BRATU, *small, "--out", tmp_path / "run")
    assert process.stdout is not None
    assert "loss" in process.stdout.readline()
    process.send_signal(number)
    shown, complaints = process.communicate(timeout=120)
    assert process.returncode == code and "interrupted" in shown and "Traceback" not in complaints
    result = read(tmp_path / "run")
    assert result.outcome is Outcome.INTERRUPTED and np.isfinite(result.fields["u"].values).all()


def test_ctrl_c_while_saving_waits_once() -> None:
    stops: list[int] = []
    with stopped_by([], patience=0), stopped_by(stops, patience=1):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert stops == [signal.SIGINT] * 2


def test_the_same_seed_gives_the_same_bits_in_another_process(tmp_path: Path) -> None:
    runs = [started("solve", HEAT, *ONE_THREAD, "--quiet", "--out", tmp_path / name) for name in "ab"]
    assert [process.wait(timeout=120) for process in runs] == [0, 0]
    one, other = (read(tmp_path / name) for name in "ab")
    assert all(np.array_equal(one.fields[name].values, other.fields[name].values) for name in one.fields)
    for process in runs:
        process.communicate()


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


def test_a_full_disk_leaves_the_earlier_run_and_says_so(tmp_path: Path) -> None:
    problem, folder = line_problem(tmp_path, 1), tmp_path / "run"
    assert run("solve", problem, *ONE_THREAD, "--out", folder).exit_code == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    limit = ("import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)); "
             "from kanpde.cli import main; main(sys.argv[1:])")
    done = subprocess.run([sys.executable, "-c", limit, "solve", str(problem), *ONE_THREAD, "--out", str(folder)],
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "cannot be written: File too large" in done.stderr, done.stderr[-500:]
    assert len(done.stderr.splitlines()) == 1
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


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


def test_a_run_is_evaluated_without_its_reference_file_but_not_compared_with_it(tmp_path: Path) -> None:
    problem = line_problem(tmp_path, 1)
    run("solve", problem, *ONE_THREAD, "--out", tmp_path / "run", "--quiet")
    assert run("compare", tmp_path / "run", "--tolerance", "1e-10").exit_code == 0
    (tmp_path / "known.csv").unlink()
    assert rows(run("eval", tmp_path / "run", "--at", "-", stdin="x\n0.5\n").stdout)[0]["u"] == pytest.approx(0.5)
    result = run("compare", tmp_path / "run")
    assert result.exit_code == 1 and "known.csv: there is no such file" in result.stderr


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
