"""What the README shows is what the program does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from kanpde.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks of the README in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


PROBLEMS = [text for text in blocks("yaml") if "equations:" in text]


@pytest.mark.parametrize("text", PROBLEMS)
def test_a_problem_in_the_readme_is_sound_and_solved(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("poisson.yaml").write_text(text)
    for arguments in (["check", "poisson.yaml"], ["solve", "poisson.yaml", "--set", "training.threads=1"]):
        assert CliRunner().invoke(main, arguments).exit_code == 0


def test_the_readme_has_a_problem_and_its_result() -> None:
    assert PROBLEMS and any("relative L2 error" in text for text in blocks("text"))


def test_the_commands_in_the_readme_exist() -> None:
    named = {command for text in blocks("sh") for command in re.findall(r"^kanpde ([\w-]+)", text, re.MULTILINE)}
    assert named and named <= set(main.commands)


def test_the_files_in_the_readme_exist() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)
    assert named and all((ROOT / name).exists() for name in named)


def test_the_python_in_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("poisson.yaml").write_text(PROBLEMS[0])
    for text in blocks("python"):
        exec(compile(text, "README.md", "exec"), {})
