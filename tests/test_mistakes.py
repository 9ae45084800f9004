"""Wrong problem files beside the exact text that the user sees.

KANPDE_UPDATE_GOLDEN=1 writes the texts anew.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from kanpde.errors import SpecError
from kanpde.spec import read_spec

FOLDER = Path(__file__).parent / "mistakes"
FILES = sorted(FOLDER.glob("*.yaml"))
OVERRIDE = "# --set "


def shown(name: str, *overrides: str) -> str:
    """The text that a file in the current folder gives rise to."""
    with pytest.raises(SpecError) as caught:
        read_spec(name, overrides)
    assert caught.value.exit_code == 2
    return str(caught.value)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_mistake_is_shown_as_recorded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(FOLDER)
    lines = path.read_text(encoding="utf-8").splitlines()
    overrides = [line.removeprefix(OVERRIDE) for line in lines if line.startswith(OVERRIDE)]
    text = shown(path.name, *overrides) + "\n"
    golden = path.with_suffix(".txt")
    if os.environ.get("KANPDE_UPDATE_GOLDEN"):
        golden.write_text(text, encoding="utf-8")
    assert text == golden.read_text(encoding="utf-8")


def test_every_recorded_text_has_its_file() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == {path.stem for path in FILES}
    assert len(FILES) >= 35


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"unknowns: [u]\0", "not a text file"),
        (bytes(range(128, 256)), "not a text file"),
        (b"# " + b"x" * 10_000_000, "larger than 1 MB"),
        (b"\xff\xfeu\0", "not a text file"),
        (b"a: \x07", "U+0007"),
        (b'a: "\\UFFFFFFFF"', "names no character"),
    ],
)
def test_files_that_hold_no_text_are_refused(data: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_bytes(data)
    text = shown(str(path))
    assert message in text and text.startswith(f"{path}:1:")


def test_files_that_cannot_be_opened_are_refused(tmp_path: Path) -> None:
    assert shown(str(tmp_path / "none.yaml")) == f"{tmp_path}/none.yaml:1:1: there is no such file"
    assert shown(str(tmp_path)) == f"{tmp_path}:1:1: this is a folder, not a problem file"
    assert "cannot be read" in shown(str(tmp_path / ("n" * 300)))
    assert "cannot be read" in shown(str(tmp_path / "a\0b"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "locked.yaml"
    path.write_text("unknowns: [u]")
    path.chmod(0)
    assert "cannot be read" in shown(str(path))


def test_no_mistake_runs_code(tmp_path: Path) -> None:
    assert not Path("/tmp/owned").exists()
