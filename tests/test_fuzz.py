"""A short run of the fuzzer: `python -m tests.fuzz` makes long ones."""

from __future__ import annotations

from random import Random

import pytest
from fuzz.engines import made
from fuzz.guard import Guard
from fuzz.targets import TARGETS, furnish

CASES = {"formula": 500, "problem": 15, "override": 40, "table": 150, "result": 10, "grid": 20}


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Guard:
    """One for all, as the interpreter does not forget who listens."""
    return Guard(tmp_path_factory.mktemp("fuzz").resolve()).install()


@pytest.mark.parametrize("name", CASES)
def test_no_input_does_harm(name: str, guard: Guard) -> None:
    target, folder = TARGETS[name], guard.folder / name
    inside = furnish(folder)
    for number in range(CASES[name]):
        data = made(target, Random(number))
        assert not guard.trouble(lambda data=data: target.run(data, inside)), data

