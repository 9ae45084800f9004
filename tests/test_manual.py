"""The manual says what the program reads, and nothing in it is wrong."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from kanpde.manual import Example, examples, manual
from kanpde.sections import json_schema
from kanpde.spec import read_spec_text

MISTAKES = [path.read_text(encoding="utf-8") for path in (Path(__file__).parent / "mistakes").glob("*.txt")]
DOCUMENT = Path(__file__).parent.parent / "docs" / "file-format.md"
EXAMPLES = dict(examples())


def test_the_manual_is_the_one_that_the_program_prints() -> None:
    """Else: `kanpde schema --markdown > docs/file-format.md`."""
    assert DOCUMENT.read_text(encoding="utf-8") == manual()


@pytest.mark.parametrize("example", EXAMPLES.values(), ids=EXAMPLES)
def test_every_example_is_read(example: Example, tmp_path: Path) -> None:
    for name, text in example.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert "\n" not in example.lines or example.whole == example.lines
    read_spec_text(example.whole, "example.yaml", tmp_path)


def spoken(name: str) -> list[str]:
    """The words of a row of the manual that messages would use of it: `fit.start` is `start` there."""
    words = re.findall(r"`([^`]+)`", name.partition(": ")[2])
    return [re.split(r"[(: ]", word)[0].rpartition(".")[2] for word in words]


@pytest.mark.parametrize("name", [name for name in EXAMPLES if spoken(name)])
def test_of_every_construct_a_wrong_use_is_recorded(name: str) -> None:
    assert any(word in text for word in spoken(name) for text in MISTAKES)


def test_every_section_is_there() -> None:
    assert {f"Sections: `{name}`" for name in json_schema()["properties"]} <= EXAMPLES.keys()
