"""The page on extensions is a program that works."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from kanpde import read

PAGE = Path(__file__).parent.parent / "docs" / "extending.md"


def blocks(language: str) -> list[str]:
    """The examples of the page."""
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_s_script_solves_its_problem(tmp_path: Path) -> None:
    script, problem = tmp_path / "mine.py", tmp_path / "diamond.yaml"
    script.write_text("\n".join(blocks("python")), encoding="utf-8")
    problem.write_text("".join(blocks("yaml")), encoding="utf-8")

    def mine(*words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([sys.executable, script, *map(str, words)], capture_output=True, text=True, timeout=300)

    solved = mine("solve", problem, "--out", tmp_path / "run", "--quiet")
    assert solved.returncode in (0, 3), solved.stderr
    result = read(tmp_path / "run")
    assert result.errors["u"].relative_l2 < 1e-2
    told = mine("export", tmp_path / "run", "--to", "text", "--output", tmp_path / "told.txt")
    assert told.returncode == 0, told.stderr
    assert "u " in (tmp_path / "told.txt").read_text()


def test_examples_are_short() -> None:
    assert all(len(block.splitlines()) <= 40 for block in blocks("python"))
