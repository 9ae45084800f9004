"""Inputs to begin with, and how others grow from them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Callable, Sequence

from kanpde.sections import SECTIONS as KNOWN
from kanpde.vocabulary import CONSTANTS, FUNCTIONS, OPERATORS

ROOT = Path(__file__).resolve().parents[2]
LONGEST = 200_000  # bytes of a grown input
NUMBERS = ("0", "1", "2", "-1", "0.5", "1e-300", "1e308", "9^9^9^9", "1e999", "0.1.2", "1/0", "inf", "nan", "2**63")
SYMBOLS = (*"+-*/^=<>(),:[]{}'\"&|!%#@?\\.\n\t _²λ\0é", "**", "<=", "==", "!=", ": ", "- ", "\r\n", "\ud7ff")
NAMES = (*"uvxytfgkd", "u_x", "u_xx", "u_t", "dt", "dxx", *CONSTANTS, *FUNCTIONS, *OPERATORS)
FIELDS = ("shapes", "region", "parts", "file", "sigma", "columns", "in", "is", "of", "where", "basis", "width", "grid")
SECTIONS = (*KNOWN, *FIELDS, "times", "extra", "stages", "stop", "optimiser")
FILES = ("readings.csv", "known.h5", "../secret.csv", "/etc/passwd", "link.csv", "away/secret.csv", "\0", ".")
WORDS = tuple(word.encode("utf-8", "surrogatepass") for word in (*NUMBERS, *SYMBOLS, *NAMES, *SECTIONS, *FILES))


def formula(random: Random, depth: int = 5) -> str:
    """A formula, mostly a sound one."""
    if depth == 0 or random.random() < 0.2:
        return random.choice((random.choice(NUMBERS), random.choice(NAMES), "x", "u", f"{random.random():.3g}"))
    shape = random.randrange(9)
    one = formula(random, depth - 1)
    if shape < 4:
        return f"{one}{random.choice('+-*/^<=')}{formula(random, depth - 1)}"
    if shape == 4:
        return f"({one})"
    if shape == 5:
        return f"-{one}"
    if shape == 6:
        return f"d({one}, {random.choice('xyt')})"
    arguments = ", ".join(formula(random, depth - 1) for _ in range(random.randrange(4)))
    return f"{random.choice(NAMES)}({one}{', ' if arguments else ''}{arguments})"


def node(random: Random, depth: int = 3) -> str:
    """YAML on one line."""
    if depth == 0 or random.random() < 0.5:
        scalar = random.choice((formula(random, 3), random.choice(FILES), random.choice(NAMES), random.choice(NUMBERS)))
        return random.choice((scalar, f'"{scalar}"', f"'{scalar}'"))
    inner = [node(random, depth - 1) for _ in range(random.randrange(4))]
    if random.random() < 0.5:
        return f"[{', '.join(inner)}]"
    keys = [random.choice((*SECTIONS, *NAMES, "left", "all", "x_min", "disc.left")) for _ in inner]
    return f"{{{', '.join(f'{key}: {value}' for key, value in zip(keys, inner))}}}"


def problem(random: Random) -> bytes:
    """A problem file in which some sections are replaced, added or left out."""
    lines = random.choice(problems()).decode().split("\n")
    starts = [number for number, line in enumerate(lines) if line[:1].isalpha()]
    for _ in range(random.randrange(1, 4)):
        at = random.choice(starts or [0])
        key = random.choice((lines[at].partition(":")[0], random.choice(SECTIONS)))
        if random.random() < 0.5:
            lines[at : at + random.randrange(3)] = [f"{key}: {node(random)}"]
        else:
            entry = f"  {random.choice((*NAMES, 'left', 'all', 'x', 'width'))}: {node(random)}"
            lines[at + 1 : at + 1 + random.randrange(2)] = [entry]
        starts = [number for number, line in enumerate(lines) if line[:1].isalpha()]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@lru_cache
def problems() -> tuple[bytes, ...]:
    """The problems of the gallery and the recorded mistakes."""
    files = [*sorted((ROOT / "problems").glob("*.yaml")), *sorted((ROOT / "tests" / "mistakes").glob("*.yaml"))]
    return tuple(data for path in files if len(data := path.read_bytes()) < 4000)


@lru_cache
def formulas() -> tuple[bytes, ...]:
    """What stands behind the colons of the gallery."""
    lines = [line for data in problems() for line in data.decode(errors="replace").splitlines()]
    return tuple(dict.fromkeys(line.partition(": ")[2].strip().encode() for line in lines if ": " in line))


def table(random: Random) -> bytes:
    """A table of numbers with a few faults."""
    names = random.sample(("x", "y", "t", "u", "v", "sigma", "x", "", "#x", '"', "u,"), random.randrange(1, 5))
    cells = ("0.1", "1", "0.5", "nan", "inf", "", "a", '"', "1e999", "0x1", " 2 ", "1;2", "1_0", "#", "\0", "9" * 500)
    lines = [",".join(names)]
    for _ in range(random.randrange(6)):
        some = [random.choice(cells) if random.random() < 0.2 else f"{random.random():.4f}" for _ in names]
        lines.append(",".join(some[: random.randrange(len(some) + 2)] if random.random() < 0.1 else some))
    return random.choice(("\n", "\r\n", "\r")).join(lines).encode("utf-8", "surrogatepass")


def mutated(random: Random, seeds: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A seed after some changes: bits, bytes and numbers in it, words, cuts, copies and splices."""
    data = bytearray(random.choice(seeds))
    for _ in range(1 << random.randrange(5)):
        at = random.randrange(len(data) + 1)
        random.choice(CHANGES)(random, data, at, seeds, words)
    return bytes(data[:LONGEST])


def flip(random: Random, data: bytearray, at: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """One bit the other way round."""
    if at < len(data):
        data[at] ^= 1 << random.randrange(8)


def overwrite(random: Random, data: bytearray, at: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """A number of a few bytes, often an extreme one."""
    width = random.choice((1, 2, 4, 8))
    value = random.choice((0, 1, 2 ** (8 * width) - 1, 2 ** (8 * width - 1), random.randrange(2 ** (8 * width))))
    data[at : at + width] = value.to_bytes(width, "little")


def insert(random: Random, data: bytearray, at: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """A word put in."""
    data[at:at] = random.choice(words) if words else random.randbytes(random.randrange(1, 9))


def replace(random: Random, data: bytearray, at: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """A word in place of something."""
    data[at : at + random.randrange(1, 9)] = random.choice(words) if words else b""


def cut(random: Random, data: bytearray, at: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """A piece, or all that follows, left out."""
    del data[at : at + random.choice((1, 2, 8, 64, 10**9))]


def repeat(random: Random, data: bytearray, at: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """A piece many times."""
    times = min(random.choice((1, 2, 30, 300, 3000)), LONGEST // max(len(data), 1) + 1)
    data[at:at] = data[at : at + random.randrange(1, 20)] * times


def splice(random: Random, data: bytearray, at: int, seeds: Sequence[bytes], words: Sequence[bytes]) -> None:
    """The end of another seed."""
    other = random.choice(seeds)
    data[at:] = other[random.randrange(len(other) + 1) :]


CHANGES: tuple[Callable[..., None], ...] = (
    *(flip, flip, overwrite, insert, insert),
    *(replace, replace, cut, repeat, splice),
)
