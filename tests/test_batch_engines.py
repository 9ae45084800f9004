"""A batch on a real Slurm: an array, members that fail or are killed, and preemption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import Iterator

import pytest
from program import run, started
from slurm_cluster import alive, cluster, lacking
from small_batch import FAILING, LONG, PROBLEM, small_sweep
from test_batch import wait_for

from kanpde.batch import queue
from kanpde.batch.folder import read_batch
from kanpde.batch.records import held
from kanpde.batch.rows import rows
from kanpde.batch.standing import LOG, State, last_attempt, standing

pytest.importorskip("submitit", reason="submitit is not installed: pip install 'kanpde[slurm]'")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(lacking()), reason=lacking())]

ENGINE = ("--engine", "slurm", "--mem", "700M")
DASK = ("--engine", "dask", "--mem", "700M", "--scheduler", "cluster=slurm", "--scheduler", "interface=lo",
        "--scheduler", "workers=2")  # fmt: skip
PATIENCE = 1200.0  # seconds: what is waited for comes, however busy the machine is
HAS_DASK = find_spec("distributed") is not None and find_spec("dask_jobqueue") is not None


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One node of two processors; where the daemons do not come up, that is the reason for skipping."""
    with ExitStack() as running:
        try:
            running.enter_context(cluster(tmp_path_factory.mktemp("slurm"), nodes=1, cpus=2, memory=4000))
        except (RuntimeError, subprocess.CalledProcessError) as error:
            pytest.skip(str(error))
        yield


def preempted(seconds: int) -> None:
    """Let a job of another partition have the whole node for a while, and wait until it has had it."""
    options = ["-p", "urgent", "-c", "2", "--mem=100M", "-o", "/dev/null", "--wrap", f"sleep {seconds}"]
    job = subprocess.run(["sbatch", "--parsable", *options], check=True, capture_output=True, text=True).stdout.strip()
    wait_for(lambda: not queue.active([job]), PATIENCE)


@pytest.mark.parametrize("engine", [
    pytest.param(ENGINE, id="slurm"),
    pytest.param(DASK, id="dask", marks=pytest.mark.skipif(not HAS_DASK, reason="pip install 'kanpde[dask]'")),
])  # fmt: skip
def test_twenty_members_of_which_one_is_refused_one_killed_and_one_preempted(
    engine: tuple[str, ...], slurm: None, tmp_path: Path
) -> None:
    sweep, out = twenty(tmp_path), tmp_path / "out"
    process = started("batch", sweep, "--out", out, *engine)
    members = wait_for(lambda: (out / "batch.json").exists() and read_batch(out).members, PATIENCE)
    assert len(members) == 20
    steady = [one.name for one in members if Path(one.source.name).name == "long.yaml"]
    long = wait_for(lambda: next((one for one in steady if (out / one / "checkpoint.kanpde").exists()), ""), PATIENCE)
    preempted(3)
    (victim,) = {*steady} - {long}
    os.kill(wait_for(lambda: at_work(out / victim), PATIENCE), signal.SIGKILL)
    wait_for(lambda: "SIGKILL" in (out / victim / LOG).read_text(), PATIENCE)
    output, _ = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1, output
    found = {row.name: row for row in rows(out)[1]}
    assert {name: row.reason for name, row in found.items() if row.state != "done"}.keys() == {victim, members[-1].name}
    assert found[victim].state == "killed" and "SIGKILL" in found[victim].reason
    assert found[members[-1].name].state == "failed" and "no such device here" in found[members[-1].name].reason
    assert found[long].attempts >= 2 and found[long].state == "done"
    assert held(out) == {}
    again = run("batch", sweep, "--out", out, *engine, "--time", "5")
    assert again.exit_code == 1 and "19 done, 1 failed" in again.stdout


def twenty(folder: Path) -> Path:
    """A sweep of twenty members, the last one refused; two work longer than preempted jobs are given to finish."""
    (folder / "chain.yaml").write_text(PROBLEM)
    long = LONG.replace("= 1}", "= k}").replace("stop: {time: 30}", "stop: {steps: 6000, time: 3000}")
    (folder / "long.yaml").write_text(long + "definitions: {k: 1}\n")
    refused = FAILING.replace("=", ": ")
    left_out = [*(f"definitions.k: {k}" for k in range(3, 18)), refused]
    (folder / "sweep.yaml").write_text(
        "problem: [long.yaml, chain.yaml]\n"
        f"vary: {{definitions.k: [{', '.join(map(str, range(1, 18)))}]}}\n"
        f"include: [{{{refused}}}]\n"
        f"exclude: [{', '.join(f'{{problem: long.yaml, {entry}}}' for entry in left_out)}]\n"
    )
    return folder / "sweep.yaml"


def at_work(folder: Path) -> int:
    """The number of the process that is at work on a member, 0 if there is none."""
    last = last_attempt(folder)
    return last.process if last is not None and not last.ended and alive(last.process) else 0


def test_a_time_limit_queues_a_member_again_and_it_goes_on(slurm: None, tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, "problem: chain.yaml\nseeds: [0]\n", LONG.replace("time: 30", "time: 100"))
    out = tmp_path / "out"
    result = run("batch", sweep, "--out", out, *ENGINE, "--time", "2", "--scheduler", "signal=USR2@20")
    assert result.exit_code in (0, 3), result.output
    (one,) = read_batch(out).members
    assert standing(out / one.name).state is State.DONE and standing(out / one.name).attempts >= 2


def test_ctrl_c_leaves_the_queue_which_status_tells_and_cancel_empties(slurm: None, tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, "problem: chain.yaml\nseeds: [0, 1, 2, 3]\n", LONG)
    out = tmp_path / "out"
    process = started("batch", sweep, "--out", out, *ENGINE)
    members = wait_for(lambda: (out / "batch.json").exists() and read_batch(out).members)
    wait_for(lambda: any((out / one.name / "checkpoint.kanpde").exists() for one in members), 300)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130 and "the queue goes on" in said
    told = json.loads(run("batch", "status", out, "--json").stdout)
    assert told["running"] + told["queued"] == 4
    assert "0 missing" not in run("batch", sweep, "--out", out, *ENGINE, "--detach").stdout
    assert len(list((out / ".queue").glob("slurm-*.json"))) == 1
    assert "4 Slurm jobs cancelled" in run("batch", "cancel", out).stdout
    wait_for(lambda: not held(out), 120)
    states = {standing(out / one.name).state for one in members}
    assert states == {State.INTERRUPTED, State.MISSING}
    interrupted = [one for one in members if standing(out / one.name).state is State.INTERRUPTED]
    assert all(last_attempt(out / one.name).code == 143 for one in interrupted)


def test_what_slurm_refuses_is_told(slurm: None, tmp_path: Path) -> None:
    sweep = small_sweep(tmp_path, "problem: chain.yaml\nseeds: [0]\n")
    result = run("batch", sweep, "--out", tmp_path / "out", *ENGINE, "--partition", "nowhere")
    assert result.exit_code == 1 and "partition" in result.stderr
    assert "1 missing" in run("batch", "status", tmp_path / "out").stdout
