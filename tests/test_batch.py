"""Batches: what members leave in their folders, how they stand by it, and what is told of them."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import signal
import socket
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from program import run, started
from small_batch import LONG, small_sweep
from synthetic import synthetic

from kanpde.batch.folder import read_batch
from kanpde.batch.records import Record, write_record
from kanpde.batch.rows import rows
from kanpde.batch.standing import ATTEMPT, State, begin, end, standing
from kanpde.batch.tables import csv_text, page, write_h5
from kanpde.commands.engines import Duration, Memory
from kanpde.pages.document import document
from kanpde.result import Outcome
from kanpde.writers import hdf5
from kanpde.writers.claims import CLAIM, Occupied, claim, occupied
from kanpde.writers.folders import chosen_run_folder

SWEEP = """\
title: Three chains
problem: chain.yaml
seeds: [0]
vary: {definitions.k: [1, 0.5/pi]}
include: [{training.device: "cuda:97"}]
"""


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A batch whose members were run one by one, as the elements of a job array: two are solved, one fails."""
    folder = tmp_path_factory.mktemp("batch")
    sweep = small_sweep(folder, SWEEP)
    for index, code in enumerate((0, 0, 1)):
        result = run("batch", sweep, "--index", index, "--out", folder / "out", "--quiet")
        assert result.exit_code == code, result.output
    return folder / "out"


def test_members_stand_as_they_ended(batch: Path) -> None:
    found = [standing(batch / one.name) for one in read_batch(batch).members]
    assert [now.state for now in found] == [State.DONE, State.DONE, State.FAILED]
    assert "no such device here" in found[2].reason and not (batch / read_batch(batch).members[2].name / CLAIM).exists()


def test_a_member_that_is_done_is_not_run_again_and_one_that_failed_is(batch: Path) -> None:
    sweep = batch.parent / "sweep.yaml"
    names = [one.name for one in read_batch(batch).members]
    before = (batch / names[0] / "solution.h5").stat().st_mtime_ns
    result = run("batch", sweep, "--index", 0, "--out", batch)
    assert result.exit_code == 0 and "nothing to do" in result.stderr
    assert (batch / names[0] / "solution.h5").stat().st_mtime_ns == before
    attempts = standing(batch / names[2]).attempts
    assert run("batch", sweep, "--index", 2, "--out", batch).exit_code == 1
    assert standing(batch / names[2]).attempts == attempts + 1


def test_status_tells_how_members_stand(batch: Path) -> None:
    told = run("batch", "status", batch)
    assert told.exit_code == 0 and "2 done, 1 failed" in told.stdout and "cuda:97" in told.stdout
    facts = json.loads(run("batch", "status", batch, "--json").stdout)
    assert (facts["done"], facts["failed"]) == (2, 1) and len(facts["members"]) == 3
    assert "nothing of this batch" in run("batch", "cancel", batch).stdout


def test_a_dry_run_tells_the_cost_and_makes_nothing(batch: Path, tmp_path: Path) -> None:
    told = run("batch", batch.parent / "sweep.yaml", "--dry-run", "--out", tmp_path / "new", "--json")
    members = json.loads(told.stdout)["members"]
    assert [one["state"] for one in members] == ["missing"] * 3 and not (tmp_path / "new").exists()
    assert all(one["cost"]["memory"] > 1e8 and one["cost"]["coefficients"] > 0 for one in members[:2])


def test_without_the_queue_the_folders_still_tell(batch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    path = write_record(batch, Record.here("slurm", {read_batch(batch).members[2].name: "12_0"}))
    told = run("batch", "status", batch)
    assert told.exit_code == 0 and "2 done, 1 failed" in told.stdout and "no such command" in told.stderr
    again = run("batch", batch.parent / "sweep.yaml", "--out", batch)
    assert again.exit_code == 1 and "squeue" in again.stderr
    path.unlink()


WRONG = (["--index", 3], ["--mem", "lots"], ["--time", "1:2:3:4"], ["--scheduler", "x"], ["--partition", "short"])


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_arguments_are_refused(batch: Path, arguments: list[object]) -> None:
    assert run("batch", batch.parent / "sweep.yaml", "--out", batch, *arguments).exit_code == 2


def test_amounts_of_memory_and_time_are_read() -> None:
    assert Memory().convert("500M", None, None) == Memory().convert("500MiB", None, None) == 500 * 2**20
    times = {"90": 90, "1:30:00": 90, "1:30": 90, "2-12:00:00": 3600, "0:00:01": 1}
    assert {text: Duration().convert(text, None, None) for text in times} == times


HELD: list[object] = []  # claims that last until the end


def held(folder: Path) -> None:
    HELD.append(claim(folder))
    HELD[-1].__enter__()  # type: ignore[attr-defined]


STANDINGS = {
    State.MISSING: lambda folder: None,
    State.RUNNING: held,
    State.KILLED: lambda folder: begin(folder),
    State.INTERRUPTED: lambda folder: end(folder, begin(folder), 143, "stopped"),
    State.FAILED: lambda folder: end(folder, begin(folder), 1, "refused"),
}


@pytest.mark.parametrize("state", STANDINGS)
def test_a_folder_says_how_its_member_stands(state: State, tmp_path: Path) -> None:
    folder = chosen_run_folder(tmp_path / "run")
    STANDINGS[state](folder)
    assert standing(folder).state is state


def test_a_member_that_was_stopped_and_then_killed_is_killed(tmp_path: Path) -> None:
    folder = chosen_run_folder(tmp_path / "run")
    hdf5.write(replace(synthetic("line"), outcome=Outcome.INTERRUPTED), {}, folder / "solution.h5")
    end(folder, begin(folder), 143, "stopped")
    assert standing(folder).state is State.INTERRUPTED
    begin(folder)
    assert standing(folder).state is State.KILLED


def test_a_killed_process_leaves_a_member_that_is_run_again(tmp_path: Path) -> None:
    folder = chosen_run_folder(tmp_path / "run")
    begin(folder)
    (folder / CLAIM).write_text(json.dumps({"host": socket.gethostname(), "process": 2**22 + 1, "started": ""}))
    assert standing(folder).state is State.KILLED and not occupied(folder)
    (folder / ATTEMPT).write_text("{")
    assert standing(folder).state is State.MISSING


def test_a_claim_from_elsewhere_holds_but_not_against_the_same_job_requeued(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = chosen_run_folder(tmp_path / "run")
    elsewhere = {"host": "node17", "process": 5, "started": "1", "job": "slurm 12", "restart": 0}
    for number, restart, holds in (("12", "0", True), ("13", "1", True), ("12", "1", False)):
        (folder / CLAIM).write_text(json.dumps(elsewhere))
        monkeypatch.setenv("SLURM_JOB_ID", number)
        monkeypatch.setenv("SLURM_RESTART_COUNT", restart)
        assert occupied(folder) is holds
        if holds:
            with pytest.raises(Occupied, match="on node17"), claim(folder):
                pass
        else:
            with claim(folder):
                assert json.loads((folder / CLAIM).read_text())["restart"] == 1


def test_the_tables_say_what_the_runs_say(batch: Path, tmp_path: Path) -> None:
    title, found = rows(batch)
    assert title == "Three chains"
    lines = list(csv.DictReader(io.StringIO(csv_text(found))))
    assert [one["definitions.k"] for one in lines] == ["1", "0.5/pi", ""]
    assert all(float(one["error"]) < 1e-6 for one in lines[:2]) and lines[2]["error"] == ""
    assert "no such device" in lines[2]["reason"] and lines[0]["outcome"] == "finished"
    write_h5(found[:2], tmp_path / "table.h5")
    with h5py.File(tmp_path / "table.h5") as file:
        assert np.allclose(file["definitions.k"], [1, 0.5 / np.pi]) and file["error"].dtype == np.float64
        assert np.array_equal(file["error"], [float(one["error"]) for one in lines[:2]])
        assert file["name"].asstr()[0] == found[0].name and set(file.attrs["columns"]) < set(lines[0])


def test_the_report_is_written_and_stands_alone(batch: Path, tmp_path: Path) -> None:
    told = run("report", batch, "--out", tmp_path)
    assert told.exit_code == 0 and "failed" in told.stdout and "finished" in told.stdout
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.csv", "report.h5", "report.html"]
    text = (tmp_path / "report.html").read_text()
    assert not re.findall(r'(?:src|href)="(?!data:)[a-z]+:|@import|url\(', text)
    assert text.count("<img") == 4 and text.count("<tr>") == 4


def test_a_folder_of_plain_runs_is_reported_as_well(batch: Path) -> None:
    folder = batch.parent / "plain"
    folder.mkdir()
    for one in read_batch(batch).members[:2]:
        (folder / one.name).symlink_to(batch / one.name)
    title, found = rows(folder)
    assert title == "plain" and sorted(one.varied["definitions.k"] for one in found) == ["0.5/pi", "1"]
    assert [one.seed for one in found] == [0, 0]


def test_the_page_of_a_run_holds_its_problem_errors_pictures_and_provenance(batch: Path, tmp_path: Path) -> None:
    run_folder = batch / read_batch(batch).members[0].name
    told = run("report", run_folder, "--out", tmp_path)
    assert told.exit_code == 0 and told.stdout.strip() == str(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "<math" in text and "A hanging &lt;b&gt;chain&lt;/b&gt;" in text and "@software{kanpde" in text
    assert all(f"<h2>{title}</h2>" in text for title in ("Sampling points", "Edges of the network", "Formula"))
    assert text.count("<img") == 7 and "--set training.seed=0" in text and "torch" in text
    assert "script-src 'none'" in text and "<script" not in text
    assert run("report", batch / read_batch(batch).members[2].name).exit_code == 1


def test_what_a_stranger_wrote_is_shown_as_text(batch: Path) -> None:
    hostile = "</script><script>alert(1)</script><img src=http://a.b/c>"
    found = [row.__class__(hostile, hostile, 0, {hostile: hostile}, "failed", reason=hostile) for row in rows(batch)[1]]
    text = page(hostile, found, batch)
    assert "<script>alert" not in text and "<img src=http" not in text
    whole = document(hostile, "", (), {"a": hostile, "b": float("nan")})
    assert whole.count("</script>") == 1 and "<script>alert" not in whole


def test_nothing_to_report_is_told(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "absent"):
        result = run("report", folder)
        assert result.exit_code == 1 and str(folder) in result.stderr


@pytest.mark.slow
def test_ctrl_c_lets_members_save_and_a_second_call_goes_on(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, "problem: chain.yaml\nseeds: [0, 1, 2]\n", LONG.replace("time: 30", "time: 12"))
    out = tmp_path / "out"
    process = started("batch", sweep, "--out", out, "--mem", "300M")
    folders = [out / one.name for one in wait_for(lambda: (out / "batch.json").exists() and read_batch(out).members)]
    wait_for(lambda: any((folder / "checkpoint.kanpde").exists() for folder in folders))
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=120)
    assert process.returncode == 130
    states = [standing(folder).state for folder in folders]
    assert State.INTERRUPTED in states and set(states) <= {State.INTERRUPTED, State.MISSING}
    assert not list((out / ".queue").iterdir()) and not any(occupied(folder) for folder in folders)
    again = run("batch", sweep, "--out", out, "--mem", "300M")
    assert again.exit_code in (0, 3) and "3 done" in again.stdout
    assert max(standing(folder).attempts for folder in folders) == 2


@pytest.mark.slow
def test_members_save_when_the_program_that_runs_them_is_killed(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, "problem: chain.yaml\n", LONG)
    out = tmp_path / "out"
    process = started("batch", sweep, "--out", out, "--mem", "300M")
    (one,) = wait_for(lambda: (out / "batch.json").exists() and read_batch(out).members)
    wait_for(lambda: (out / one.name / "checkpoint.kanpde").exists())
    process.kill()
    process.communicate(timeout=60)
    wait_for(lambda: not occupied(out / one.name))
    assert standing(out / one.name).state is State.INTERRUPTED
    assert "1 interrupted" in run("batch", "status", out).stdout
    assert not list((out / ".queue").iterdir())


@pytest.mark.slow
def test_a_failing_or_killed_member_takes_no_other_along(tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, SWEEP)
    long = small_sweep(tmp_path, SWEEP)
    assert long == sweep
    out = tmp_path / "out"
    process = started("batch", sweep, "--out", out)
    members = wait_for(lambda: (out / "batch.json").exists() and read_batch(out).members)
    victim = out / members[0].name / ATTEMPT
    number = json.loads(wait_for(lambda: victim.exists() and victim.read_text()))["process"]
    os.kill(number, signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 1 and "ended by SIGKILL" in output
    assert [standing(out / one.name).state for one in members] == [State.KILLED, State.DONE, State.FAILED]
    again = run("batch", "retry", out)
    assert again.exit_code == 1 and "2 done, 1 failed" in again.stdout


def wait_for(look, seconds: float = 180.0):  # type: ignore[no-untyped-def]
    """What `look` finds, once it finds something."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)
    return found
