"""One solve shared by several processes: the same sums, the same solution, and no silence where one of them goes."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path
from time import monotonic, sleep

import pytest
import torch
from program import run as command
from slurm_cluster import cluster, free_ports, lacking

from kanpde import read, read_spec
from kanpde.errors import KanpdeError
from kanpde.objective import Residuals
from kanpde.optimisers.least_squares import triangle
from kanpde.shared import Shared, shared
from kanpde.solve import solve
from kanpde.team import Team, asked
from kanpde.training import deep_setting

PROBLEM = """\
kanpde: 1
title: Small
unknowns: [u]
domain: {x: [-1, 1], y: [-1, 1]}
equations: {bratu: lap(u) + exp(u) = x*y}
boundary: {all: u = 0}
network: {basis: chebyshev, degree: 5, width: 4, depth: 2}
sampling: {interior: 301, boundary: 21}
training: {stages: [{optimiser: levenberg-marquardt, steps: STEPS}], threads: 1, checkpoint: 0.05}
output: {grid: 11, save: [h5]}
"""


def problem(folder: Path, steps: int) -> Path:
    """A file with a small nonlinear problem for a deep network."""
    path = folder / "small.yaml"
    path.write_text(PROBLEM.replace("STEPS", str(steps)), encoding="utf-8")
    return path


def parts(folder: Path, count: int) -> tuple[Residuals, torch.Tensor, list[Shared]]:
    """An objective, its start, and what each of so many processes has of it."""
    setting, theta = deep_setting(read_spec(problem(folder, 1)), torch.Generator().manual_seed(0))
    whole = setting.unshared(theta, False)
    found = [shared(whole, Team(rank, count)) for rank in range(count)]
    assert all(isinstance(one, Shared) for one in found)
    return whole, theta, found  # type: ignore[return-value]


@pytest.mark.parametrize("count", [2, 3, 40])
def test_shares_sum_to_the_whole(tmp_path: Path, count: int) -> None:
    whole, theta, found = parts(tmp_path, count)
    expected, owned = whole.normal(theta), [one.own.normal(theta) for one in found]
    matrix, gradient = sum(one.matrix for one in owned), sum(one.gradient for one in owned)
    assert (matrix - expected.matrix).abs().max() <= 1e-12 * expected.matrix.abs().max()
    assert (gradient - expected.gradient).abs().max() <= 1e-12 * expected.gradient.abs().max()
    assert sum(one.loss for one in owned) == pytest.approx(expected.loss, rel=1e-12)


def test_each_residual_belongs_to_one_process(tmp_path: Path) -> None:
    whole, theta, found = parts(tmp_path, 3)
    together = sum(one.gathered(one.own.residuals(theta)) for one in found)
    assert len(together) == found[0].length
    assert torch.allclose(together.sort().values, whole.residuals(theta).sort().values, rtol=1e-12, atol=1e-15)


def test_triangles_of_shares_make_that_of_the_whole(tmp_path: Path) -> None:
    whole, theta, found = parts(tmp_path, 2)
    pieces = [piece for one in found for piece in one.own.scaled_rows(theta)]
    ours, expected = triangle(pieces), whole.triangle(theta)
    product = expected.T @ expected
    assert (ours.T @ ours - product).abs().max() <= 1e-12 * product.abs().max()


def test_alone_nothing_is_shared(tmp_path: Path) -> None:
    setting, theta = deep_setting(read_spec(problem(tmp_path, 1)), torch.Generator().manual_seed(0))
    assert type(setting.objective(theta, False)) is Residuals


def test_a_launcher_is_noticed_and_its_absence_told() -> None:
    assert asked({}, False) == {}
    assert asked({"RANK": "1", "WORLD_SIZE": "2", "LOCAL_RANK": "1"}, False)["RANK"] == "1"
    slurm = {"SLURM_PROCID": "3", "SLURM_NTASKS": "4", "SLURM_LOCALID": "1"}
    assert asked(slurm, False) == {}
    with pytest.raises(KanpdeError, match="MASTER_ADDR and MASTER_PORT not set"):
        asked(slurm, True)
    told = asked(slurm | {"MASTER_ADDR": "a", "MASTER_PORT": "1"}, True)
    assert told == {"RANK": "3", "WORLD_SIZE": "4", "LOCAL_RANK": "1"}
    with pytest.raises(KanpdeError, match="torchrun"):
        asked({}, True)


def program(*words: object) -> list[str]:
    """The command line of the program."""
    return [sys.executable, "-m", "kanpde.cli", *map(str, words)]


def test_two_processes_reach_what_one_does(tmp_path: Path) -> None:
    file = problem(tmp_path, 3)
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    words = ["-m", "kanpde.cli", "solve", str(file), "--quiet", "--out", str(tmp_path / "two")]
    run = subprocess.run([*launcher, *words], capture_output=True, text=True, timeout=300)
    two, one = read(tmp_path / "two"), solve(read_spec(file))
    assert two.outcome is one.outcome
    assert (run.returncode == 0) == (one.outcome.exit_code == 0), run.stderr
    assert two.history["loss"][-1] == pytest.approx(one.history["loss"][-1], rel=1e-6)
    assert two.history["step"][-1] == one.history["step"][-1] == 3
    again = command("rerun", tmp_path / "two")
    assert two.provenance["processes"] == 2 and "processes then: 2\nprocesses now:  1" in again.stdout
    assert again.exit_code == 0 or (again.exit_code == 4 and "sums round differently" in again.stdout)


SCRIPT = """\
#!/bin/sh
export MASTER_ADDR=127.0.0.1 MASTER_PORT={port} OMP_NUM_THREADS=1
srun --output={folder}/said-%t.txt {program} solve {file} --distributed --out {folder}/two
"""


@pytest.mark.slow
@pytest.mark.skipif(bool(lacking()), reason=lacking())
def test_tasks_of_a_slurm_job_reach_what_one_process_does(tmp_path: Path) -> None:
    file = problem(tmp_path, 3)
    words = {"port": free_ports(1)[0], "folder": tmp_path, "program": " ".join(program()), "file": file}
    (tmp_path / "job.sh").write_text(SCRIPT.format(**words))
    with cluster(tmp_path / "slurm", nodes=2, cpus=1):
        job = ["sbatch", "--wait", "--nodes=2", "--ntasks=2", "--output", tmp_path / "job.txt", tmp_path / "job.sh"]
        done = subprocess.run(job, capture_output=True, text=True, timeout=900)
    said = "".join(path.read_text() for path in sorted(tmp_path.glob("said-*.txt")))
    assert (tmp_path / "two").is_dir(), (done.stderr, said, (tmp_path / "job.txt").read_text())
    two, one = read(tmp_path / "two"), solve(read_spec(file))
    assert done.returncode == one.outcome.exit_code and two.outcome is one.outcome
    assert two.provenance["processes"] == 2 and two.summary["coefficients"] == one.summary["coefficients"]
    assert two.history["loss"][-1] == pytest.approx(one.history["loss"][-1], rel=1e-6)
    assert (tmp_path / "said-0.txt").read_text() and not (tmp_path / "said-1.txt").read_text()


@pytest.mark.slow
def test_a_lost_process_is_told_and_another_number_goes_on(tmp_path: Path) -> None:
    file, folder = problem(tmp_path, 40), tmp_path / "run"
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    team = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "WORLD_SIZE": "2", "OMP_NUM_THREADS": "1"}
    ranks = [
        subprocess.Popen(program("solve", file, "--out", folder), env={**os.environ, **team, "RANK": str(rank)},
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for rank in range(2)
    ]  # fmt: skip
    until = monotonic() + 120
    while not list(folder.glob("checkpoint*")) and monotonic() < until:
        sleep(0.05)
    ranks[1].kill()
    said, _ = ranks[0].communicate(timeout=60)
    ranks[1].communicate()
    assert ranks[0].returncode == 1
    assert "another process of this solve has gone" in said and "--resume" in said
    resumed = subprocess.run(program("solve", "--resume", folder, "--quiet"), capture_output=True, text=True)
    alone = subprocess.run(program("solve", file, "--quiet", "--out", tmp_path / "one"), timeout=300)
    assert resumed.returncode == alone.returncode, resumed.stderr
    assert read(folder).history["loss"][-1] == pytest.approx(read(tmp_path / "one").history["loss"][-1], rel=1e-3)
