"""Three ways to make inputs: seeded mutations, hypothesis, and atheris, which follows what code an input reaches."""

from __future__ import annotations

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Callable, Mapping

import hypothesis
from hypothesis import strategies as st

from .corpus import mutated
from .targets import Target

Attempt = Callable[[bytes], None]


def made(target: Target, random: Random) -> bytes:
    """An input that is grown or mutated."""
    if target.grow is not None and random.random() < 0.5:
        return target.grow(random)
    return mutated(random, target.seeds(), target.words)


def mutations(target: Target, seed: int, cases: int, attempt: Attempt, folder: Path) -> None:
    """Each input from a generator of its own."""
    for seeded in target.seeds() if seed == 0 else ():
        attempt(seeded)
    for number in range(cases):
        attempt(made(target, Random(f"{seed} {number}")))


def by_hypothesis(target: Target, seed: int, cases: int, attempt: Attempt, folder: Path) -> None:
    """Inputs whose every choice hypothesis makes, beside plain bytes."""
    choices = st.randoms(use_true_random=False)
    inputs = st.one_of(choices.map(lambda random: made(target, random)), st.binary(max_size=300))

    @hypothesis.seed(seed)
    @hypothesis.settings(
        max_examples=cases, database=None, deadline=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip
    @hypothesis.given(inputs)
    def tried(data: bytes) -> None:
        attempt(data)

    tried()


def by_atheris(target: Target, seed: int, cases: int, attempt: Attempt, folder: Path) -> None:
    """Inputs that reach new code, kept and changed further; it ends the process."""
    atheris = import_module("atheris")
    (folder / "corpus").mkdir()
    for number, data in enumerate(target.seeds()):
        (folder / "corpus" / str(number)).write_bytes(data)
    limits = ("-len_control=0", "-max_len=20000", "-rss_limit_mb=0", "-malloc_limit_mb=0", "-timeout=600")
    limits = (*limits, "-report_slow_units=600", f"-artifact_prefix={folder}/")
    arguments = [sys.argv[0], str(folder / "corpus"), f"-runs={cases}", f"-seed={seed + 1}", *limits]
    atheris.Setup(arguments, attempt)
    atheris.Fuzz()


ENGINES: Mapping[str, Callable[[Target, int, int, Attempt, Path], None]] = {
    "mutations": mutations,
    "hypothesis": by_hypothesis,
    "atheris": by_atheris,
}

SHARES = {"mutations": 12, "hypothesis": 1, "atheris": 12}  # by how fast they are


def available(engine: str) -> bool:
    """Whether an engine is installed."""
    return engine != "atheris" or find_spec("atheris") is not None


def instrumented() -> None:
    """Let atheris see which lines of the program run; before it is imported."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["kanpde", "yaml"]):
        for name in ("check", "spec", "columns", "references", "writers", "shapes"):
            import_module(f"kanpde.{name}")
