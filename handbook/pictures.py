"""The pictures of the gallery: problems are solved, and what came of each is drawn small, with a note of the run.

    python handbook/pictures.py                                  all that have no picture yet, into docs/images/gallery
    python handbook/pictures.py --all --processes 14 --seconds 120 --out build/gallery --tar gallery.tar
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from io import BytesIO
from pathlib import Path
from time import monotonic

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
PROBLEMS, GALLERY = ROOT / "problems", ROOT / "docs" / "images" / "gallery"
NOTES = "pictures.json"
SHOWN = ("solution", "vectors")
LARGEST = 60_000  # bytes of a picture
SIZES = tuple((width, colours) for width in (1000, 800, 640, 480) for colours in (128, 64, 32))
PROGRAM = "from kanpde.cli import main; main(prog_name='kanpde')"
LONG = ("dispersive", "parabolic", "reaction", "flow", "inverse")  # these begin, so that none is left over at the end


def main(words: Sequence[str] | None = None) -> int:
    """Solve, draw, note and pack; the exit code says how many problems have no picture."""
    asked = arguments(words)
    asked.out.mkdir(parents=True, exist_ok=True)
    wanted = chosen(asked.problems, asked.out, asked.all)
    missing = 0
    with ThreadPoolExecutor(asked.processes) as pool:
        jobs = {pool.submit(made, name, asked.out, asked.seconds): name for name in wanted}
        for done in as_completed(jobs):
            name, found = jobs[done], done.result()
            missing += found is None
            print(name, "no picture" if found is None else json.dumps(found), flush=True)
            if found is not None:
                noted(asked.out / NOTES, name, found)
    if asked.tar:
        with tarfile.open(asked.tar, "w") as packed:
            for path in sorted([*asked.out.glob("*.png"), asked.out / NOTES]):
                packed.add(path, path.name)
    return min(missing, 125)


def arguments(words: Sequence[str] | None) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("problems", nargs="*", help="names of files in problems/; all without a picture if absent")
    parser.add_argument("--out", type=Path, default=GALLERY, help="where the pictures go (docs/images/gallery)")
    parser.add_argument("--all", action="store_true", help="make those again that are there")
    parser.add_argument("--processes", type=int, default=1, help="runs at the same time, one thread each")
    parser.add_argument("--seconds", type=float, default=120, help="after which a run must end")
    parser.add_argument("--tar", type=Path, help="pack what is in the folder into this file")
    return parser.parse_args(words)


def chosen(names: Sequence[str], folder: Path, again: bool) -> list[str]:
    """The problems to solve, long ones first."""
    known = sorted(path.stem for path in PROBLEMS.glob("*.yaml"))
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no such problem: {', '.join(sorted(unknown))}")
    wanted = [name for name in names or known if again or names or not (folder / f"{name}.png").exists()]
    return sorted(wanted, key=lambda name: not name.startswith(LONG))


def made(name: str, folder: Path, seconds: float) -> dict[str, object] | None:
    """Solve a problem in a process of its own, keep its pictures made small, and tell of the run; None on failure."""
    run, began = folder / "runs" / name, monotonic()
    settings = {"training.threads": "1", "training.stop.time": f"{seconds:g}", "output.save": "[h5, png]"}
    words = ["solve", PROBLEMS / f"{name}.yaml", "--quiet", "--out", run, *(
        word for path, value in settings.items() for word in ("--set", f"{path}={value}"))]  # fmt: skip
    path = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": path}
    try:
        subprocess.run([sys.executable, "-c", PROGRAM, *map(str, words)], env=environment, timeout=3 * seconds + 120,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)  # fmt: skip
    except subprocess.TimeoutExpired:
        return None
    pictures = [shown for shown in SHOWN if (run / "plots" / f"{shown}.png").is_file()]
    if not pictures:
        return None
    for shown in pictures:
        target = folder / (f"{name}.png" if shown == SHOWN[0] else f"{name}-{shown}.png")
        target.write_bytes(reduced((run / "plots" / f"{shown}.png").read_bytes()))
    return {"limit": seconds, "seconds": round(monotonic() - began, 1), "errors": errors(run)}


def errors(run: Path) -> Mapping[str, float]:
    """The true errors of a run by unknown."""
    words = [sys.executable, "-c", PROGRAM, "show", str(run), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run(words, env=environment, capture_output=True, text=True, check=True, timeout=120)
    facts = json.loads(told.stdout)
    return {name: float(f"{one['relative_l2']:.3e}") for name, one in facts.get("errors", {}).items()}


def noted(path: Path, name: str, found: Mapping[str, object]) -> None:
    """Add what is said of a run to the notes."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    lines = [f'"{key}": {json.dumps(value)}' for key, value in sorted({**known, name: found}.items())]
    path.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def reduced(png: bytes) -> bytes:
    """A picture of fewer dots and colours, as large as fits into the bytes it may have."""
    with Image.open(BytesIO(png), formats=("PNG",)) as image:
        whole = Image.new("RGB", image.size, "white")
        whole.paste(image, mask=image.getchannel("A") if image.mode == "RGBA" else None)
    for width, colours in SIZES:
        small = whole
        if whole.width > width:
            small = whole.resize((width, round(whole.height * width / whole.width)), Image.Resampling.LANCZOS)
        stream = BytesIO()
        small.quantize(colours, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        if stream.tell() <= LARGEST:
            break
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
