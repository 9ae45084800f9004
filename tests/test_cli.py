"""The command line: exit codes, streams, and how soon it answers."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from kanpde.cli import LISTS, main

GOOD = Path(__file__).parent.parent / "problems" / "elliptic_2d_poisson.yaml"
BAD = Path(__file__).parent / "mistakes" / "unknown_name.yaml"


def run(*arguments: str) -> Result:
    """One call of the program."""
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help(command: str) -> None:
    result = run(command, "--help")
    assert result.exit_code == 0 and len(result.output.splitlines()) > 3


def test_a_sound_problem_is_summarised() -> None:
    result = run("check", str(GOOD))
    assert result.exit_code == 0 and not result.stderr
    for part in ("Poisson", "linear", "dirichlet", "order 2 in x", "exact"):
        assert part in result.stdout


def test_mistakes_go_to_stderr_and_the_other_files_are_checked_too() -> None:
    result = run("check", str(BAD), str(GOOD))
    assert result.exit_code == 2
    assert "did you mean 'nu'?" in result.stderr and "Poisson" in result.stdout


def test_json_says_the_same() -> None:
    result = run("check", "--json", str(BAD), str(GOOD), "--set", "network.width=9")
    bad, good = json.loads(result.stdout)
    assert result.exit_code == 2 and not bad["ok"] and good["ok"] and good["linear"]
    assert bad["mistakes"][0]["line"] == 4 and bad["mistakes"][0]["column"] == 26


def test_overrides_are_checked() -> None:
    result = run("check", str(GOOD), "--set", "network.widht=9")
    assert result.exit_code == 2 and "did you mean 'width'?" in result.stderr


@pytest.mark.parametrize("arguments", [["check"], ["nothing"], ["list", "nothing"], ["check", "--nothing"], ["new"]])
def test_wrong_usage_exits_with_2(arguments: list[str]) -> None:
    assert run(*arguments).exit_code == 2


@pytest.mark.parametrize("what", sorted(LISTS))
def test_every_list_has_entries_with_a_meaning(what: str) -> None:
    lines = run("list", what).output.splitlines()
    assert lines and all(len(line.split()) > 1 for line in lines)


def test_the_schema_is_json() -> None:
    assert json.loads(run("schema").output)["additionalProperties"] is False


def test_a_new_problem_is_sound_and_nothing_is_overwritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("new", "mine").exit_code == 0
    assert run("check", "mine.yaml").exit_code == 0
    assert run("new", "mine.yaml").exit_code == 2
    assert run("new", "../mine").exit_code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["mine.yaml"]


def test_help_and_check_import_nothing_heavy() -> None:
    heavy = "{'torch', 'numpy', 'h5py', 'matplotlib'}"
    for arguments, more in (["--help"], ["pydantic", "yaml"]), (["check", str(GOOD)], []):
        code = (
            "import sys; from kanpde.cli import main; main(sys.argv[1:], standalone_mode=False)"
            if arguments == ["--help"]
            else "import sys; from kanpde.spec import read_spec; import kanpde.check; read_spec(sys.argv[2])"
        )
        code += f"; assert not ({heavy} | set({more!r})) & set(sys.modules), sorted(sys.modules)"
        done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr[-500:]
