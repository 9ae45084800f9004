"""The same problem, seed and threads give the same bits in another process, by every method."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from program import HEAT, ONE_THREAD, ROOT, line_problem, run

from kanpde.writers import read

PROBLEMS = ROOT / "problems"
SMALL = ("training.threads=1", "training.seed=5", "output={grid: 9, save: [h5]}")
FEW = "sampling={interior: 100, boundary: 40}"
METHODS = {
    "ramps": ("elliptic_2d_poisson", "network.width=40", "training.stop.steps=1"),
    "splines": ("parabolic_1d_burgers_mild", "network.basis=separable", "training.stop.steps=3"),
    "levenberg-marquardt": ("elliptic_2d_nonlinear_poisson", "network={basis: chebyshev, width: 4, depth: 2}",
                            "training.stop.steps=4", FEW),
    "adam": ("elliptic_2d_poisson", "network={basis: bspline, width: 3}",
             "training.stages=[{optimiser: adam, steps: 3}]", FEW),
    "fit": ("inverse_1d_heat", "network.width=20", "training.stop.steps=2"),
}
QUICK = "ramps", "levenberg-marquardt"
SOLVE = """
import sys; from pathlib import Path; from kanpde import read_spec, solve; from kanpde.writers import write_run
for line in sys.stdin:
    folder, problem, *overrides = line.rstrip("\\n").split("\\t")
    write_run(solve(read_spec(problem, overrides)).result, Path(folder), ("h5",), drawn=False)
"""
REPEAT = """
import sys, json; from kanpde.repetition import repeated; from kanpde.writers import read
for line in sys.stdin:
    found = repeated(read(line.rstrip("\\n")))
    print(json.dumps([found.same, found.arrays, found.differences, list(found.circumstances)]))
"""


def process(code: str, lines: list[str]) -> str:
    """What a process of its own prints."""
    settings = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run([sys.executable, "-c", code], input="\n".join(lines), env=settings, cwd=ROOT,
                          capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("names", [QUICK, pytest.param(tuple(METHODS), marks=pytest.mark.slow)], ids=["few", "all"])
def test_every_method_gives_the_same_bits_in_another_process(names: tuple[str, ...], tmp_path: Path) -> None:
    asked = [
        "\t".join((str(tmp_path / name), str(PROBLEMS / f"{METHODS[name][0]}.yaml"), *METHODS[name][1:], *SMALL))
        for name in names
    ]
    process(SOLVE, asked)
    told = process(REPEAT, [str(tmp_path / name) for name in names]).splitlines()
    found = dict(zip(names, map(json.loads, told), strict=True))
    assert all(same and arrays > 3 and not elsewhere for same, arrays, _, elsewhere in found.values()), found


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run with a reference file, which is then gone."""
    folder = tmp_path_factory.mktemp("line")
    problem = line_problem(folder, 1)
    assert run("solve", problem, *ONE_THREAD, "--out", folder / "run", "--quiet").exit_code == 0
    (folder / "known.csv").unlink()
    problem.unlink()
    return folder / "run"


def test_a_result_holds_what_is_needed_to_repeat_it(line: Path) -> None:
    told = run("rerun", line)
    assert told.exit_code == 0 and "the same, bit for bit" in told.stdout
    facts = json.loads(run("rerun", line, "--json").stdout.splitlines()[-1])
    assert facts["same"] and facts["differences"] == {} and facts["circumstances"] == {}


def change_field(file: h5py.File) -> None:
    file["u"][3] += 1e-9


def change_versions(file: h5py.File) -> None:
    file["provenance/versions"].attrs["torch"] = "0.4"


def lose_file(file: h5py.File) -> None:
    del file["provenance/files"]["known.csv"]


def spoil_file(file: h5py.File) -> None:
    file["provenance/files/known.csv"].attrs["sha256"] = "0" * 64


def drop_content(file: h5py.File) -> None:
    del file["provenance/files/known.csv/content"]


CHANGES = {
    change_field: (4, "field u: by up to 1e-09"), change_versions: (0, "torch 0.4"),
    lose_file: (1, "there is no file 'known.csv'"), spoil_file: (1, "checksum"),
    drop_content: (1, "known.csv is needed"),
}


@pytest.mark.parametrize(("change", "code", "words"), [(c, *told) for c, told in CHANGES.items()])
def test_what_differs_or_lacks_is_said(change, code: int, words: str, line: Path, tmp_path: Path) -> None:
    copy = tmp_path / "solution.h5"
    copy.write_bytes((line / "solution.h5").read_bytes())
    with h5py.File(copy, "r+") as file:
        change(file)
    result = run("rerun", copy)
    assert result.exit_code == code and words in result.output


def test_a_run_cut_short_is_repeated_by_its_steps(tmp_path: Path) -> None:
    chosen = ("--set", "network={basis: chebyshev, width: 3}", "--set", "training.stop.steps=2")
    run("solve", HEAT, *ONE_THREAD, *chosen, "--set", "output.grid=5", "--out", tmp_path / "run", "--quiet")
    assert read(tmp_path / "run").outcome.name in ("LIMIT", "UNRESOLVED")
    assert run("rerun", tmp_path / "run", "--quiet").exit_code == 0


def test_equal_arrays_that_are_not_numbers_are_equal() -> None:
    from kanpde.repetition import gaps

    assert dict(gaps({"u": np.array([np.nan])}, {"u": np.array([np.nan])})) == {"u": 0.0}
    assert dict(gaps({"u": np.array([0.0])}, {"u": np.array([-0.0])}))["u"] > 0
