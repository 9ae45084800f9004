"""Formulas of a run, in a file beside its result."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Mapping

from kanpde.errors import ResultError
from kanpde.json_lines import strict
from kanpde.writers.atomic import write_text

FORMULA = "formula.json"
FORMAT, VERSION = "kanpde-formula", "1.0"
LARGEST = 4_000_000  # bytes read


def write_formulas(facts: Mapping[str, Any], path: Path) -> None:
    """What was found, as JSON."""
    content = strict({"format": FORMAT, "version": VERSION, **facts})
    write_text(path, json.dumps(content, indent=1, allow_nan=False) + "\n")


def read_formulas(path: Path) -> dict[str, str]:
    """The formula of each field; raises ResultError for what is no such file or has no formula."""
    formulas = read_facts(path)["formulas"]
    if not formulas:
        raise ResultError(f"{path}: no formula was found in that run")
    return {str(name): text for name, text in formulas.items()}


def read_facts(path: Path) -> dict[str, Any]:
    """All that is known of the formulas; raises ResultError for what is no such file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ResultError(f"{path}: larger than {LARGEST} bytes; no formula is so long")
        facts = json.loads(content)
    except OSError as error:
        raise ResultError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ResultError(f"{path}: not JSON: {error}") from error
    formulas = facts.get("formulas") if isinstance(facts, dict) and facts.get("format") == FORMAT else None
    if not isinstance(formulas, dict) or not all(isinstance(text, str) for text in formulas.values()):
        raise ResultError(f"{path}: not a file that kanpde formula wrote; a {FORMULA} is expected")
    return facts
