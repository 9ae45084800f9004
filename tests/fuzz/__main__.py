"""Fuzz every entrance: `python -m tests.fuzz --cases 100000 --seed 1`; `--target NAME --again FIND` repeats a case."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .engines import ENGINES, SHARES, available
from .targets import TARGETS
from .worker import Board, again, keep

HUNG = 60.0  # seconds for one case
MOST_CRASHES = 20


def pursued(name: str, engine: str, seed: int, cases: int, finds: Path) -> int:
    """Try so many cases in processes of their own, a new one after each crash; the number that were tried."""
    done = 0
    for attempt in range(MOST_CRASHES):
        board = Path(tempfile.mkstemp(prefix="fuzz_board_")[1])
        board.unlink()
        place = Board(board)
        what = (name, engine, seed + 1000 * attempt, cases - done, board, finds)
        command = [sys.executable, "-m", "tests.fuzz.worker", *map(str, what)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        said = watched(process, place)
        done += place.count
        board.unlink()
        if not said:
            return done
        if place.data:
            keep(finds, name, place.data, said)
        print(f"  {name}: {said.splitlines()[0]} after {done} cases", flush=True)
        if done >= cases or not place.count:
            return done
    return done


def watched(process: subprocess.Popen[bytes], place: Board) -> str:
    """Wait for a worker; what is wrong with how it ended, '' if nothing."""
    count, since = place.count, time.monotonic()
    while True:
        try:
            _, said = process.communicate(timeout=1)
            if process.returncode == 0:
                return ""
            return f"the process ended with {process.returncode}\n{said.decode(errors='replace')[-3000:]}"
        except subprocess.TimeoutExpired:
            if place.count != count:
                count, since = place.count, time.monotonic()
            elif time.monotonic() - since > HUNG and count:
                process.kill()
                process.communicate()
                return f"one case took more than {HUNG:g} s"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--target", choices=TARGETS, action="append", help="all if absent")
    parser.add_argument("--engine", choices=ENGINES, action="append", help="all that are installed if absent")
    parser.add_argument("--cases", type=int, default=10_000, help="shared by targets and engines")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--finds", type=Path, default=None, help="folder for inputs that do harm")
    parser.add_argument("--again", type=Path, help="an input to try once more")
    given = parser.parse_args()
    names = given.target or list(TARGETS)
    if given.again:
        print(again(names[0], given.again) or "nothing happens")
        return 0
    finds = given.finds or Path(tempfile.mkdtemp(prefix="fuzz_finds_"))
    finds.mkdir(parents=True, exist_ok=True)
    engines = [engine for engine in given.engine or ENGINES if available(engine)]
    shares = {(name, engine): TARGETS[name].share * SHARES[engine] for name in names for engine in engines}
    total = 0
    for (name, engine), share in shares.items():
        start = time.monotonic()
        done = pursued(name, engine, given.seed, -(-given.cases * share // sum(shares.values())), finds)
        total += done
        print(f"{name:<10} {engine:<10} {done:>9} cases {time.monotonic() - start:8.0f} s", flush=True)
    found = sorted(finds.glob("*.txt"))
    print(f"{total} cases, {len(found)} finds{f' in {finds}' if found else ''}")
    return bool(found)


if __name__ == "__main__":
    sys.exit(main())
