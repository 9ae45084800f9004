"""The manual says what the program reads, and nothing in it is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from kanpde.manual import Example, examples, manual
from kanpde.sections import json_schema
from kanpde.spec import read_spec_text

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


def test_every_section_is_there() -> None:
    assert {f"Sections: `{name}`" for name in json_schema()["properties"]} <= EXAMPLES.keys()
