"""A run does not end because nobody can read what it says."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from program import HEAT, ONE_THREAD

from kanpde.writers import read
from kanpde.writers.table import write_table

FULL = Path("/dev/full")
with_a_full_device = pytest.mark.skipif(not FULL.is_char_device(), reason="no device that is always full")


def program(*arguments: object) -> list[str]:
    """The command line of the program in a process of its own."""
    return [sys.executable, "-m", "kanpde.cli", *map(str, arguments)]


@pytest.mark.parametrize("view", ["--json", "--set=title=plain"])
def test_a_closed_pipe_does_not_end_a_run(view: str, tmp_path: Path) -> None:
    process = subprocess.Popen(program("solve", HEAT, *ONE_THREAD, view, "--out", tmp_path / "run"),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    complaints = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=120) == 0 and not complaints
    assert read(tmp_path / "run").errors["u"].relative_l2 < 1e-10


@with_a_full_device
def test_a_full_disk_behind_standard_output_is_one_clear_line() -> None:
    with FULL.open("w") as full:
        done = subprocess.run(program("check", "--fast", HEAT), stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 1 and done.stderr == "standard output: No space left on device\n"


def test_a_table_does_not_take_the_place_of_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    write_table(tmp_path / "pipe", ("x",), [[1.0]], {})
    assert os.read(reader, 100) == b"x\n1\n" and (tmp_path / "pipe").is_fifo()
    os.close(reader)


def test_a_table_written_through_a_link_leaves_the_link(tmp_path: Path) -> None:
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    write_table(tmp_path / "link.csv", ("x",), [[1.0]], {})
    assert (tmp_path / "link.csv").is_symlink() and (tmp_path / "real.csv").read_text() == "x\n1\n"
