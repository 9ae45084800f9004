"""A run that is killed goes on bit for bit; what is damaged is told; what is not finite is named and mended."""

from __future__ import annotations

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from program import run, started
from torch import Tensor

from kanpde import journal as journals
from kanpde.errors import KanpdeError, ResultError
from kanpde.journal import Journal
from kanpde.result import Outcome
from kanpde.solution import Solution
from kanpde.solve import solve
from kanpde.spec import Spec, read_spec_text
from kanpde.writers import checkpoints, figures, read
from kanpde.writers.claims import CLAIM

BRATU = """
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations: {bratu: lap(u) + exp(u) = 0}
boundary: {all: u = 0}
"""
BURGERS = """
unknowns: [u]
domain: {x: [-1, 1], t: [0, 0.05]}
equations: {burgers: u_t + u*u_x = 0.1*u_xx}
initial: {u: -sin(pi*x)}
boundary: {all: u = 0}
"""
LAYER = """
unknowns: [u]
domain: {x: [0, 1], y: [0, 1]}
equations: {layer: 0.01*lap(u) - u = -1}
boundary: {all: u = 0}
"""
FIT = """
unknowns: [u]
domain: {x: [0, 1]}
equations: {rate: u_x = -k*u}
boundary: {left: u = 1, right: free}
fit: {k: {start: 1, range: [0.1, 10]}}
constraints: {end: u(x=1) = 0.2}
"""


def staged(*stages: str, more: str = "") -> str:
    """Stages of a small deep network on Bratu's problem."""
    return (
        f"{BRATU}network: {{basis: chebyshev, width: 4, depth: 2, degree: 3}}\n"
        f"sampling: {{interior: 60, boundary: 20}}\ntraining: {{threads: 1, {more}stages: [{', '.join(stages)}]}}\n"
    )


METHODS = {
    "ramps, linear": f"{LAYER}network: {{width: 30}}\ntraining: {{threads: 1, stop: {{steps: 1}}}}",
    "ramps, nonlinear": f"{BRATU}network: {{basis: sine, width: 20}}\ntraining: {{threads: 1, stop: {{steps: 1}}}}",
    "march": f"{BURGERS}network: {{basis: separable, degree: 7, grid: 4}}\n"
    "training: {threads: 1, stop: {residual: 0.1}}",
    "splines": f"{LAYER}network: {{basis: separable, degree: 5, grid: 2}}\n"
    "training: {threads: 1, stop: {steps: 3}}",
    "fit": f"{FIT}network: {{width: 30}}\ntraining: {{threads: 1}}",
    "levenberg-marquardt": staged("{optimiser: levenberg-marquardt, steps: 5}"),
    "orthogonal": staged("{optimiser: orthogonal, steps: 11}"),
    "l-bfgs": staged("{optimiser: l-bfgs, steps: 6}"),
    "self-scaled-broyden": staged("{optimiser: self-scaled-broyden, steps: 6}"),
    "l-bfgs after adam": staged("{optimiser: adam, steps: 25}", "{optimiser: l-bfgs, steps: 4, adapt: false}"),
    "deep": f"{BRATU}network: {{basis: chebyshev, width: 3, depth: 2, degree: 3}}\n"
    "sampling: {interior: 40, boundary: 10}\ntraining: {threads: 1, stop: {steps: 4}}",
}


def spec_of(text: str) -> Spec:
    """A problem without a file."""
    return read_spec_text(text, "problem.yaml", Path("."))


@dataclass(frozen=True)
class Shelf:
    """Every checkpoint that a run would write, as the bytes of its file."""

    files: list[bytes] = field(default_factory=list)

    def save(self, content: dict[str, Any]) -> None:
        """Keep one more."""
        self.files.append(b"".join(checkpoints.packed(content)))


@pytest.fixture()
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint at every entry of the journal; no second solution and no pictures, which take longest here."""
    monkeypatch.setattr(journals, "RARELY", 0.0)
    monkeypatch.setattr(import_module("kanpde.solve"), "replicas", lambda *state: ())
    monkeypatch.setattr(figures, "draw", lambda result: {})


def resumed(text: str, file: bytes) -> Solution:
    """The solution from a checkpoint on."""
    return solve(spec_of(text), journal=Journal(lambda content: None, 1e9, checkpoints.unpacked(file)))


def same(one: Tensor, other: Tensor) -> bool:
    """Whether all bits are equal."""
    return one.shape == other.shape and one.numpy().tobytes() == other.numpy().tobytes()


def follow(text: str, places: int) -> None:
    """Resume from some checkpoints of a run, the last one among them."""
    shelf = Shelf()
    whole = solve(spec_of(text), journal=Journal(shelf.save, 1e-9))
    count = len(shelf.files)
    assert count > 1
    chosen = torch.randperm(count, generator=torch.Generator().manual_seed(1)).tolist()[: places - 1]
    for place in {*chosen, count - 1}:
        again = resumed(text, shelf.files[place])
        assert same(again.theta, whole.theta), f"checkpoint {place} of {count}"
        assert again.outcome is whole.outcome


@pytest.mark.parametrize("method", METHODS)
def test_a_run_goes_on_bit_for_bit_from_its_checkpoints(method: str, eager: None) -> None:
    follow(METHODS[method], 2)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_a_run_goes_on_bit_for_bit_from_many_checkpoints(method: str, eager: None) -> None:
    follow(METHODS[method], 40)


def deep_file(folder: Path, steps: int) -> tuple[Path, bytes]:
    """A problem file for a short deep run, and the bytes of the coefficients it ends with."""
    stages = f"{{optimiser: adam, steps: {steps}}}", "{optimiser: levenberg-marquardt, steps: 9}"
    text = staged(*stages, more="stop: {time: 1e6}, ")  # a limit of time would end runs on a busy machine elsewhere
    file = folder / "deep.yaml"
    file.write_text(text + "output: {save: [h5], grid: 5}\n")
    assert run("solve", file, "--out", folder / "whole", "--quiet").exit_code in (0, 3)
    return file, coefficients(folder / "whole")


def process_of(*arguments: object) -> subprocess.Popen[str]:
    """The program in a process of its own, without a second solution and pictures at the end."""
    code = ("import importlib, signal, sys; "
            "importlib.import_module('kanpde.solve').replicas = lambda *state: (); "
            "importlib.import_module('kanpde.writers.figures').draw = lambda result: {}; "
            "signal.signal(signal.SIGINT, signal.default_int_handler); from kanpde.cli import main; main(sys.argv[1:])")
    return subprocess.Popen([sys.executable, "-c", code, *map(str, arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def coefficients(folder: Path) -> bytes:
    """All coefficients of a result, in bytes."""
    layers = read(folder).network["branches"]["0"]["layers"]
    return b"".join(layers[key]["coefficients"].tobytes() for key in sorted(layers))


def saved(out: Path) -> int:
    """When the latest checkpoint was written."""
    latest = out / checkpoints.LATEST
    return latest.stat().st_mtime_ns if latest.exists() else 0


def killed_again_and_again(folder: Path, steps: int, kills: int) -> None:
    """Kill a run some random time after a checkpoint, every third time after its start, and resume it each time."""
    file, bits = deep_file(folder, steps)
    out, moments = folder / "killed", random.Random(kills)
    first = ("solve", file, "--set", "training.checkpoint=0.001", "--out", out, "--quiet")
    for number in range(kills):
        arguments = ("solve", "--resume", out, "--quiet") if checkpoints.exists(out) else first
        before, process = saved(out), process_of(*arguments)
        while number % 3 != 2 and saved(out) == before and process.poll() is None:
            time.sleep(0.01)
        time.sleep(moments.uniform(0.0, 2.0 if number % 3 == 2 else 0.2))
        assert process.poll() is None, "the run is too short to be killed so often"
        process.kill()
        process.communicate()
    assert run("solve", "--resume", out, "--quiet").exit_code in (0, 3)
    assert coefficients(out) == bits and {path.name for path in out.iterdir()} == {".kanpde-run", "solution.h5"}


def test_a_killed_run_ends_with_the_bits_of_one_that_was_not(tmp_path: Path, eager: None) -> None:
    killed_again_and_again(tmp_path, 100, 1)


@pytest.mark.slow
def test_a_run_killed_fifty_times_ends_with_the_bits_of_one_that_was_not(tmp_path: Path, eager: None) -> None:
    killed_again_and_again(tmp_path, 1500, 50)


@pytest.fixture()
def stopped(tmp_path: Path, eager: None) -> Path:
    """The folder of a run that a limit has stopped, with both of its checkpoints."""
    file = tmp_path / "deep.yaml"
    file.write_text(staged("{optimiser: levenberg-marquardt, steps: 6}", more="stop: {steps: 3}, checkpoint: 1e-3, ")
                    + "output: {save: [h5], grid: 5}\n")
    assert run("solve", file, "--out", tmp_path / "run", "--quiet").exit_code in (0, 3)
    assert all((tmp_path / "run" / name).is_file() for name in (checkpoints.LATEST, checkpoints.BEFORE))
    return tmp_path / "run"


def test_a_run_that_a_limit_stopped_goes_on_with_another(stopped: Path) -> None:
    result = run("solve", "--resume", stopped)
    assert result.exit_code in (0, 3) and "nothing to resume" in result.stderr and "training.stop" in result.stderr
    longer = run("solve", "--resume", stopped, "--set", "training.stop.steps=100", "--quiet")
    assert longer.exit_code in (0, 3) and not longer.stderr and not checkpoints.exists(stopped)
    assert read(stopped).summary["steps"] == 6
    again = run("solve", "--resume", stopped)
    assert again.exit_code == longer.exit_code and "nothing to resume" in again.stderr


def test_a_damaged_checkpoint_gives_way_to_the_one_before_with_a_word(stopped: Path) -> None:
    latest, more = stopped / checkpoints.LATEST, ("--set", "training.stop.steps=100", "--quiet")
    whole = latest.read_bytes()
    latest.write_bytes(whole[: len(whole) // 2])
    result = run("solve", "--resume", stopped, *more)
    assert result.exit_code in (0, 3) and "checksum" in result.stderr and "the checkpoint before" in result.stderr
    assert read(stopped).summary["steps"] == 6


def test_without_an_intact_checkpoint_nothing_is_begun_anew(stopped: Path) -> None:
    for name in (checkpoints.LATEST, checkpoints.BEFORE):
        data = bytearray((stopped / name).read_bytes())
        data[-1] ^= 1
        (stopped / name).write_bytes(data)
    before = {path.name: path.read_bytes() for path in stopped.iterdir()}
    for arguments in (("--resume", stopped), (stopped.parent / "deep.yaml", "--out", stopped)):
        result = run("solve", *arguments)
        assert result.exit_code == 1 and "checkpoint" in result.stderr and "Traceback" not in result.stderr
    assert {path.name: path.read_bytes() for path in stopped.iterdir()} == before


def test_every_byte_of_a_checkpoint_is_checked() -> None:
    file = b"".join(checkpoints.packed({"a": np.arange(3.0), "b": [1, None, {"c": "text"}]}))
    assert checkpoints.unpacked(file)["b"] == [1, None, {"c": "text"}]
    for place in range(len(file)):
        broken = bytes([*file[:place], file[place] ^ 255, *file[place + 1 :]])
        with pytest.raises(ResultError):
            checkpoints.unpacked(broken)
        with pytest.raises(ResultError):
            checkpoints.unpacked(file[:place])


STRANGE = [["float64", [10**15], 0], ["float64", [-1], 0], ["object", [1], 0], ["float64", [1], 10**9], 3]


@pytest.mark.parametrize("value", STRANGE, ids=str)
def test_a_checkpoint_of_a_stranger_is_refused_with_a_word(value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkpoints, "referred", lambda content, arrays, end: {"a": {"#": value}})
    with pytest.raises(ResultError, match="damaged"):
        checkpoints.unpacked(b"".join(checkpoints.packed({})))


def test_a_journal_of_another_run_is_refused(eager: None) -> None:
    shelf = Shelf()
    solve(spec_of(METHODS["orthogonal"]), journal=Journal(shelf.save, 1e-9))
    for other in ("march", "deep", "fit"):
        with pytest.raises(KanpdeError, match="does not fit"):
            resumed(METHODS[other].replace("width: 3", "width: 5"), shelf.files[-1])


def test_settings_that_change_the_steps_and_other_problems_are_refused(stopped: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.yaml"
    other.write_text((tmp_path / "deep.yaml").read_text() + "# another\n")
    for arguments in (("--set", "training.seed=5"), (other,)):
        result = run("solve", "--resume", stopped, *arguments)
        assert result.exit_code == 1 and "another folder" in result.stderr, result.stderr
    assert run("solve", "--resume", stopped, tmp_path / "deep.yaml").exit_code in (0, 3)
    assert run("solve", "--resume", tmp_path).exit_code == 1
    assert run("solve").exit_code == 2 and run("solve", "--resume", stopped, "--out", stopped).exit_code == 2


def test_another_number_of_threads_is_told(stopped: Path) -> None:
    latest = stopped / checkpoints.LATEST
    content = checkpoints.unpacked(latest.read_bytes())
    content["machine"]["threads"] = "64"
    checkpoints.write(stopped, content)
    assert "threads was 64 and is 1" in run("solve", "--resume", stopped).stderr


def test_a_stopped_run_is_not_replaced_silently(stopped: Path, tmp_path: Path) -> None:
    (stopped / "solution.h5").unlink()
    result = run("solve", tmp_path / "deep.yaml", "--out", stopped)
    assert result.exit_code == 1 and f"--resume {stopped}" in result.stderr and checkpoints.exists(stopped)


def test_a_second_run_in_a_folder_is_refused_and_a_dead_one_is_not_in_the_way(stopped: Path, tmp_path: Path) -> None:
    claim = {"host": os.uname().nodename, "process": os.getpid(), "started": ""}
    (stopped / CLAIM).write_text(json.dumps(claim))
    for arguments in (("--resume", stopped), (tmp_path / "deep.yaml", "--out", stopped)):
        result = run("solve", *arguments)
        assert result.exit_code == 1 and f"process {os.getpid()} is at work here" in result.stderr
    (stopped / CLAIM).write_text(json.dumps({**claim, "host": "elsewhere"}))
    assert "on elsewhere is at work" in run("solve", "--resume", stopped).stderr
    for dead in (json.dumps({**claim, "started": "1"}), json.dumps({**claim, "process": 2**22 + 1}), "", "[]"):
        (stopped / CLAIM).write_text(dead)
        (stopped / f".{checkpoints.LATEST}.1234.part").write_text("half")
        assert "nothing to resume" in run("solve", "--resume", stopped).stderr
        assert not list(stopped.glob(".*.part")) and not (stopped / CLAIM).exists()


def test_a_full_disk_costs_no_older_checkpoint_and_not_the_run(stopped: Path) -> None:
    before = (stopped / checkpoints.LATEST).read_bytes()
    more = ("--resume", str(stopped), "--set", "training.stop.steps=5", "--quiet")
    former = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, former[1]))
        result = run("solve", *more)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, former)
    complaints = result.stderr
    assert result.exit_code == 1 and "no checkpoint could be written (File too large)" in complaints, complaints
    assert "the solution cannot be written" in complaints and f"--resume {stopped} goes on" in complaints
    assert (stopped / checkpoints.LATEST).read_bytes() == before
    assert run("solve", *more).exit_code in (0, 3) and read(stopped).summary["steps"] == 5


def children() -> float:
    """The seconds that all processes begun here and ended have had of a processor."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def processor_seconds(number: int) -> float:
    """The seconds that a process has had of a processor."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the seconds of a process are not told here")
def test_a_terminated_run_exits_with_143_in_five_seconds_and_goes_on(tmp_path: Path, eager: None) -> None:
    file, bits = deep_file(tmp_path, 300)
    process = started("solve", file, "--out", tmp_path / "run")
    assert process.stdout is not None and "loss" in process.stdout.readline()
    before = children() + processor_seconds(process.pid)
    process.send_signal(signal.SIGTERM)
    begun = time.monotonic()
    _, complaints = process.communicate(timeout=60)
    took = min(time.monotonic() - begun, children() - before)  # on a busy machine, those of a processor
    assert process.returncode == 143 and took < 5.0, complaints
    assert checkpoints.exists(tmp_path / "run") and read(tmp_path / "run").outcome is Outcome.INTERRUPTED
    run("solve", "--resume", tmp_path / "run", "--quiet")
    assert coefficients(tmp_path / "run") == bits


def terminating(*arguments: object) -> dict[str, bytes]:
    """What SIGTERM to this process, from here, leaves to be drawn."""
    os.kill(os.getpid(), signal.SIGTERM)
    raise AssertionError("the signal was not heeded")


@pytest.mark.parametrize("place", ["kanpde.writers.figures.draw", "kanpde.solve.replicas"])
def test_sigterm_in_the_second_solution_or_in_a_picture_leaves_them_out(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "line.yaml").write_text(METHODS["ramps, linear"] + "\noutput: {grid: 5}\n")
    module, _, name = place.rpartition(".")
    monkeypatch.setattr(import_module(module), name, terminating)
    result = run("solve", tmp_path / "line.yaml", "--out", tmp_path / "run")
    assert result.exit_code == 143 and "no pictures" in result.stderr, result.stderr
    assert not (tmp_path / "run" / "plots").exists()
    found = read(tmp_path / "run")
    assert (found.outcome is Outcome.INTERRUPTED) == name.startswith("replicas") == (not found.estimated)


def test_a_solution_that_takes_long_to_write_is_left_to_the_resumed_run(
    stopped: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(import_module("kanpde.solve"), "replicas", terminating)
        patch.setattr(Solution, "tabulate", lambda solution: time.sleep(60))
        before = time.monotonic()
        result = run("solve", "--resume", stopped, "--set", "training.stop.steps=100")
    assert result.exit_code == 143 and time.monotonic() - before < 10, result.stderr
    assert f"--resume {stopped} goes on" in result.stderr
    assert run("solve", "--resume", stopped, "--set", "training.stop.steps=100", "--quiet").exit_code in (0, 3)


def test_a_resumed_run_finds_files_elsewhere_where_it_may_and_knows_them_again(tmp_path: Path, eager: None) -> None:
    place = tmp_path / "place"
    place.mkdir()
    (tmp_path / "known.csv").write_text("x,u\n0,1\n1,0.2\n")
    file = place / "line.yaml"
    file.write_text(staged("{optimiser: adam, steps: 9}").replace(BRATU, FIT.partition("fit:")[0].replace("-k*u", "-u"))
                    + "reference: {file: ../known.csv}\noutput: {save: [h5]}\n")
    where = ("--files", tmp_path, "--set", "training.stop.steps=4")
    assert run("solve", file, "--out", tmp_path / "run", *where, "--quiet").exit_code in (0, 3)
    more = ("solve", "--resume", tmp_path / "run", "--set", "training.stop.steps=6", "--quiet")
    assert "--files" in run(*more).stderr
    (tmp_path / "known.csv").write_text("x,u\n0,1\n1,0.3\n")
    assert "not the file that the run began with" in run(*more, "--files", tmp_path).stderr
    (tmp_path / "known.csv").write_text("x,u\n0,1\n1,0.2\n")
    result = run(*more, "--files", tmp_path)
    assert result.exit_code in (0, 3) and read(tmp_path / "run").summary["steps"] == 6, result.stderr


LOGARITHM = f"{BRATU.replace('lap(u) + exp(u) = 0', 'lap(u) = log(u)').replace('all: u = 0', 'all: u = LEVEL')}"
NETWORK = "network: {basis: chebyshev, width: 4, depth: 2, degree: 3}\nsampling: {interior: 100, boundary: 20}\n"


def trained(equation: str, level: float, stage: str) -> Solution:
    """A short deep run on an equation in a square."""
    text = LOGARITHM.replace("lap(u) = log(u)", equation).replace("LEVEL", str(level))
    return solve(spec_of(f"{text}{NETWORK}training: {{threads: 1, stages: [{stage}]}}\n"))


def test_a_start_that_is_not_finite_is_mended_by_the_conditions(eager: None) -> None:
    found = trained("lap(u) = log(u)", 1, "{optimiser: levenberg-marquardt, steps: 6}")
    assert found.outcome is not Outcome.DIVERGED and found.history["loss"][-1] < 1e-3


def test_steps_into_what_is_not_finite_are_named_rolled_back_and_shortened(eager: None) -> None:
    found = trained("lap(u) = sqrt(u)", 0.1, "{optimiser: adam, rate: 0.1, steps: 20}")
    assert "bratu is nan at x = " in found.summary["not finite"] and "of Adam" in found.summary["not finite"]
    assert found.outcome is not Outcome.DIVERGED and found.summary["steps"] == 20
    assert np.isfinite(found.history["loss"]).all() and found.theta.isfinite().all()


@pytest.mark.parametrize("optimiser", ["adam", "orthogonal"])
def test_what_cannot_be_mended_is_said(optimiser: str, eager: None) -> None:
    found = trained("lap(u) = log(u)", -1, f"{{optimiser: {optimiser}, steps: 3}}")
    assert found.outcome is Outcome.DIVERGED and found.outcome.exit_code == 3
    assert "bratu is nan at x = " in found.summary["not finite"] and found.theta.isfinite().all()
