"""What a stranger expects of a program: completion, examples, a self-test, a schema, a package that installs."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import click
import pytest
from program import ROOT, run, understood

from kanpde.cli import main
from kanpde.commands.help import EXAMPLES
from kanpde.sections import json_schema

PROBLEMS = sorted((ROOT / "problems").glob("*.yaml"))
SCHEMA = "kanpde.schema.json"
LINES = [line for known in EXAMPLES.values() for line in known if line.startswith("kanpde ")]
PROJECT = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
VERSION = re.search(r'^version = "(.*)"', PROJECT, re.MULTILINE).group(1)


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_help_of_every_command_ends_with_examples(name: str) -> None:
    shown = run(name, "--help")
    assert shown.exit_code == 0 and "Examples:" in shown.stdout
    assert all(f"  {line}" in shown.stdout for line in EXAMPLES[name])


def test_no_command_is_without_examples() -> None:
    assert {name for name in main.commands if name not in EXAMPLES} <= {"prune"}


@pytest.mark.parametrize("line", LINES)
def test_examples_are_commands_that_exist(line: str) -> None:
    understood(shlex.split(line.partition(">")[0])[1:])


@pytest.mark.parametrize("line", [
    "slove x", "solve x --rezume y", "export x --to cvs", "batch status x --jsn", "batch x --dryrun",
])
def test_what_is_no_command_is_not_understood(line: str) -> None:
    with pytest.raises(click.UsageError):
        understood(shlex.split(line))


@pytest.mark.parametrize("given, meant", [
    (["slove", "x"], "solve"), (["solve", "x", "--rezume", "y"], "--resume"), (["list", "shape"], "shapes"),
    (["export", "x", "--to", "cvs"], "csv"), (["completion", "bassh"], "bash"),
])
def test_what_was_meant_is_said(given: list[str], meant: str) -> None:
    result = run(*given)
    assert result.exit_code == 2 and f"id you mean '{meant}'" in result.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_their_script(shell: str) -> None:
    assert "_KANPDE_COMPLETE" in run("completion", shell).stdout


def test_a_shell_completes_commands_and_options() -> None:
    environment = {"_KANPDE_COMPLETE": "bash_complete", "COMP_WORDS": "kanpde solve --re", "COMP_CWORD": "2"}
    code = "from kanpde.cli import main; main(prog_name='kanpde')"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == "plain,--resume\n"


def test_editors_find_the_schema_of_every_problem() -> None:
    """Else: `kanpde schema > problems/kanpde.schema.json`, or a modeline is missing."""
    assert json.loads((ROOT / "problems" / SCHEMA).read_text(encoding="utf-8")) == json_schema()
    for path in PROBLEMS:
        assert path.read_text(encoding="utf-8").startswith(f"# yaml-language-server: $schema={SCHEMA}\n"), path.name


def test_the_citation_is_of_this_version() -> None:
    assert f"\nversion: {VERSION}\n" in (ROOT / "CITATION.cff").read_text(encoding="utf-8")


def test_the_checks_before_a_commit_are_commands_that_exist() -> None:
    named = re.findall(r"entry: (.*)", (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    for command in re.findall(r"\.venv/bin/kanpde (\w+)", " ".join(named)):
        assert command in main.commands
    assert any("ruff check" in entry for entry in named)


@pytest.mark.slow
def test_the_doctor_finds_nothing_wrong() -> None:
    result = run("doctor")
    assert result.exit_code == 0 and "self-test" in result.stdout and result.stdout.endswith("everything is well\n")


CLEAN = """
import sys, kanpde, kanpde.problems
from pathlib import Path
assert Path(kanpde.__file__).is_relative_to(sys.prefix), kanpde.__file__
assert (Path(kanpde.__file__).parent / "py.typed").is_file()
"""


@pytest.mark.slow
def test_wheel_and_sdist_install_and_solve(tmp_path: Path) -> None:
    """In an environment of its own, which borrows nothing but the packages that kanpde needs."""
    build = "import setuptools.build_meta as b, sys; print(b.build_sdist(sys.argv[1]))"
    done = subprocess.run([sys.executable, "-c", build, tmp_path], cwd=copied(tmp_path), capture_output=True, text=True)
    archive = tmp_path / done.stdout.splitlines()[-1]
    with tarfile.open(archive) as packed:
        packed.extractall(tmp_path / "sdist", filter="data")
    (source,) = (tmp_path / "sdist").iterdir()
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", tmp_path, source]
    subprocess.run(pip, check=True, timeout=300)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"kanpde/py.typed", f"kanpde/problems/{SCHEMA}", "kanpde/problems/elliptic_1d_poisson.yaml"} <= set(names)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True, timeout=300)
    python = tmp_path / "env" / "bin" / "python"
    found = subprocess.run([python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
                           capture_output=True, text=True, check=True)
    home = Path(found.stdout.strip())
    (home / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run(pip, check=True, timeout=300)
    subprocess.run([python, "-c", CLEAN], check=True, cwd=tmp_path, timeout=120)
    problem = home / "kanpde" / "problems" / "elliptic_1d_poisson.yaml"
    settings = ["--set", "training.threads=1", "--set", "training.stop.error=1e-8", "--out", "run", "--quiet"]
    kanpde = tmp_path / "env" / "bin" / "kanpde"
    subprocess.run([kanpde, "solve", problem, *settings], check=True, cwd=tmp_path, timeout=300)
    assert (tmp_path / "run" / "solution.h5").is_file()


def copied(folder: Path) -> Path:
    """The files that git does not ignore, in a folder of their own, where a build may leave its own."""
    target = folder / "source"
    parts = ["kanpde", "problems", "pyproject.toml", "setup.py", "README.md", "LICENSE"]
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *parts]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_bytes((ROOT / name).read_bytes())
    return target
