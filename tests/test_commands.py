"""Solving: exit codes, streams, files, and that nothing is left half done."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import numpy as np
import pytest
from program import HEAT, ONE_THREAD, ROOT, line_problem, run, started

from kanpde.commands.solve import stopped_by
from kanpde.result import Outcome
from kanpde.writers import read

BRATU = ROOT / "problems" / "elliptic_2d_nonlinear_poisson.yaml"
WRONG = ROOT / "tests" / "mistakes" / "unknown_name.yaml"


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
    assert "its error was not estimated" in shown
    result = read(tmp_path / "run")
    assert result.outcome is Outcome.INTERRUPTED and np.isfinite(result.fields["u"].values).all()
    assert (tmp_path / "run" / "plots").exists() == (number == signal.SIGINT)


@pytest.fixture
def heeding() -> Iterator[None]:
    """Ctrl-C is heeded, also where the tests run in the background of a shell."""
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, former)


def test_ctrl_c_while_saving_waits_once(heeding: None) -> None:
    stops: list[int] = []
    with stopped_by([], patience=0), stopped_by(stops, patience=1):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert stops == [signal.SIGINT] * 2


def test_the_same_seed_gives_the_same_bits_in_another_process(tmp_path: Path) -> None:
    settings = (*ONE_THREAD, "--set", "network.width=60", "--quiet")
    runs = [started("solve", HEAT, *settings, "--out", tmp_path / name) for name in "ab"]
    assert [process.wait(timeout=120) for process in runs] == [0, 0]
    one, other = (read(tmp_path / name) for name in "ab")
    assert all(np.array_equal(one.fields[name].values, other.fields[name].values) for name in one.fields)
    for process in runs:
        process.communicate()


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
