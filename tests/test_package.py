"""The package as a stranger meets it: quick to answer, and its names where they are said to be."""

from __future__ import annotations

import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from kanpde import packages, provenance

WRONG = Path(__file__).parent / "mistakes" / "unknown_name.yaml"
HEAVY = {"torch", "numpy", "matplotlib", "h5py"}
LOADED = f"""
import sys
from kanpde.cli import main
try:
    main(sys.argv[1:], standalone_mode=False)
except SystemExit:
    pass
print(sorted({HEAVY} & set(sys.modules)))
"""
NAMES = """
import kanpde.solve
from kanpde.solve import solve as inner
from kanpde.interface import solve as same
from kanpde import *
assert kanpde.solve is solve is same is not inner
assert read_spec and Spec and Solution and Result and read and problem and load and Run and KanpdeError
assert kanpde.__version__ and not hasattr(kanpde, "nothing")
"""


@pytest.mark.parametrize("arguments", [["--help"], ["solve", "--help"], ["eval", "--help"], ["solve", str(WRONG)]])
def test_help_and_mistakes_come_before_anything_slow_is_loaded(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", LOADED, *arguments], capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr[-500:]


def test_public_names_are_there_in_any_order_of_imports() -> None:
    subprocess.run([sys.executable, "-c", NAMES], check=True, timeout=60)


def test_a_folder_on_the_path_runs_without_installation(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(packages, "version", absent)
    assert set(provenance.versions().values()) == {"not installed", platform.python_version()}
