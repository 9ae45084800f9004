"""The pictures of the gallery: problems are solved, and what came of each is drawn small, with a note of the run.

    python handbook/pictures.py                                  all that have no picture yet, into docs/images/gallery
    python handbook/pictures.py --all --processes 14 --seconds 120 --out build/gallery --tar gallery.tar
    python handbook/pictures.py --all --runs FOLDER              of runs that are there already: FOLDER/NAME/solution.h5
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from PIL import Image

from kanpde import KanpdeError, read, read_spec
from kanpde.writers.figures import figure, picture_of

Note = Mapping[str, Any]

ROOT = Path(__file__).resolve().parent.parent
PROBLEMS, GALLERY = ROOT / "problems", ROOT / "docs" / "images" / "gallery"
NOTES = "pictures.json"
SHOWN = {"solution": "", "vectors": "-vectors"}  # what is drawn, and how the name of its file ends
LARGEST = 60_000  # bytes of a picture
WORST = 0.05  # relative L2 error of a solution that is shown
SIZES = tuple((width, colours) for width in (1000, 800, 640, 480) for colours in (256, 128, 64, 32))
PROGRAM = "from kanpde.cli import main; main(prog_name='kanpde')"
LONG = ("dispersive", "parabolic", "reaction", "flow", "inverse")  # these begin, so that none is left over at the end


def main(words: Sequence[str] | None = None) -> int:
    """Solve, draw, note and pack; the exit code says how many problems have no picture."""
    asked = arguments(words)
    asked.out.mkdir(parents=True, exist_ok=True)
    wanted = chosen(asked.problems, asked.out, asked.all)
    missing = 0
    with ProcessPoolExecutor(asked.processes) as pool:
        if asked.runs:
            wanted = [name for name in wanted if (asked.runs / name / "solution.h5").is_file()]
            jobs = {pool.submit(drawn, name, asked.runs / name, asked.out): name for name in wanted}
        else:
            jobs = {pool.submit(made, name, asked.out, asked.seconds, asked.error): name for name in wanted}
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
    parser.add_argument("--error", type=float, default=0, help="below which a run may end")
    parser.add_argument("--runs", type=Path, help="draw runs that are there, and solve nothing")
    parser.add_argument("--tar", type=Path, help="pack what is in the folder into this file")
    return parser.parse_args(words)


def chosen(names: Sequence[str], folder: Path, again: bool) -> list[str]:
    """The problems to solve: those that are named, or all without a picture, long ones first."""
    known = sorted(path.stem for path in PROBLEMS.glob("*.yaml"))
    unknown = set(names) - set(known)
    if unknown:
        sys.exit(f"no such problem: {', '.join(sorted(unknown))}")
    if names:
        return list(names)
    wanted = [name for name in known if again or not (folder / f"{name}.png").exists()]
    return sorted(wanted, key=lambda name: not name.startswith(LONG))


def made(name: str, folder: Path, seconds: float, error: float) -> Note | None:
    """Solve a problem in a process of its own and draw it; None where there is no result."""
    settings = {"training.threads": "1", "training.stop.time": f"{seconds:g}", "output.save": "[h5]"}
    settings |= {"training.stop.error": f"{error:g}"} if error else {}
    chosen = [word for path, value in settings.items() for word in ("--set", f"{path}={value}")]
    known = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": known}
    with TemporaryDirectory() as home:
        run = Path(home) / "run"
        words = ["solve", str(PROBLEMS / f"{name}.yaml"), "--quiet", "--out", str(run), *chosen]
        try:
            subprocess.run([sys.executable, "-c", PROGRAM, *words], env=environment, timeout=3 * seconds + 120,
                           capture_output=True, check=False)  # fmt: skip
        except subprocess.TimeoutExpired:
            return None
        return drawn(name, run, folder) if (run / "solution.h5").is_file() else None


def drawn(name: str, run: Path, folder: Path) -> Note | None:
    """Keep the pictures of a run, made small, and tell of it; None where it is of another problem, or went wrong."""
    result = read(run)
    known = {unknown: float(f"{one.relative_l2:.3e}") for unknown, one in result.errors.items()}
    if stated(result.spec_text) != stated(read_spec(PROBLEMS / f"{name}.yaml").text) or max(known.values()) > WORST:
        return None
    for shown, suffix in SHOWN.items():
        try:
            picture = picture_of(figure(result, shown))
        except KanpdeError:  # there is nothing of that kind to show
            continue
        (folder / f"{name}{suffix}.png").write_bytes(reduced(picture))
    return {"set": [one for one in result.overrides if not one.startswith("output.")], "errors": known}


def stated(text: str) -> list[str]:
    """A problem file without its comments."""
    return [line for line in text.splitlines() if not line.startswith("#")]


def noted(path: Path, name: str, found: Note) -> None:
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
        small.quantize(colours, kmeans=2, dither=Image.Dither.NONE).save(stream, "PNG", optimize=True)
        if stream.tell() <= LARGEST:
            break
    return stream.getvalue()


if __name__ == "__main__":
    sys.exit(main())
