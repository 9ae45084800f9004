"""`kanpde doctor`: what is installed, what the machine has, and whether a small problem is solved."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Iterator

import click

from kanpde.packages import installed

NEEDED = ("torch", "numpy", "click", "h5py", "matplotlib", "contourpy", "pyyaml", "pydantic", "rich", "shapely")
EXTRAS = {
    "mesh": ("trimesh", "meshio"), "insight": ("sympy",), "onnx": ("onnx", "onnxscript", "onnxruntime"),
    "readers": ("xarray", "h5netcdf", "netCDF4", "vtk"),
}  # fmt: skip
PROBLEM = {
    "title": "self-test",
    "unknowns": ["u"],
    "domain": {"x": [0, 1]},
    "equations": {"poisson": "-u_xx = pi^2*sin(pi*x)"},
    "boundary": {"all": "u = 0"},
    "exact": {"u": "sin(pi*x)"},
    "network": {"width": 20, "scale": 2},
    "training": {"stop": {"time": 5}},
    "output": {"grid": 21, "save": ["h5"]},
}
ENOUGH = 1e-6  # error of the self-test; 20 ramps leave rounding

Line = tuple[str, str, bool]  # what, how it is, whether that is well


@click.command()
def doctor() -> None:
    """Look at the installation and the machine, and solve a small problem.

    The exit code is 1 where something is missing or wrong.
    """
    wrong = 0
    for check in (programs, machine, graphics, folders, self_test):
        for name, found, well in check():
            wrong += not well
            click.echo(f"{'ok ' if well else 'BAD'}  {name:<12} {found}")
    click.echo("everything is well" if not wrong else f"{wrong} of these need attention")
    sys.exit(1 if wrong else 0)


def programs() -> Iterator[Line]:
    """Versions of what is needed, and which extras are there."""
    yield "kanpde", f"{installed('kanpde')} in {Path(__file__).parents[1]}", True
    yield "Python", f"{platform.python_version()} at {sys.executable}", sys.version_info >= (3, 11)
    for name in NEEDED:
        yield name, installed(name) or f"missing: pip install {name}", bool(installed(name))
    for extra, names in EXTRAS.items():
        missing = [name for name in names if not installed(name)]
        found = ", ".join(f"{name} {installed(name)}" for name in names if name not in missing)
        yield f"[{extra}]", found if not missing else f"not installed: pip install 'kanpde[{extra}]'", True


def machine() -> Iterator[Line]:
    """Processors, threads and memory."""
    import torch

    from kanpde.capacity import capacity

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    yield "processors", f"{usable} usable, {platform.processor() or platform.machine()}, {platform.platform()}", True
    threads = os.environ.get("OMP_NUM_THREADS")
    hint = f"; OMP_NUM_THREADS={threads}" if threads else ""
    yield "threads", f"{torch.get_num_threads()} by PyTorch{hint}; training.threads sets others", True
    memory = capacity()
    yield "memory", f"{memory.free / 2**30:.1f} GiB free of {memory.whose}", memory.free > 2**30


def graphics() -> Iterator[Line]:
    """Devices other than the processor."""
    import torch

    if not torch.cuda.is_available():
        yield "GPU", f"none that PyTorch {torch.__version__} sees; training.device is cpu", True
        return
    for number in range(torch.cuda.device_count()):
        facts = torch.cuda.get_device_properties(number)
        yield f"cuda:{number}", f"{facts.name}, {facts.total_memory / 2**30:.0f} GiB", True


def folders() -> Iterator[Line]:
    """Room for results here."""
    free = shutil.disk_usage(".").free
    writable = os.access(".", os.W_OK)
    where = f"{Path.cwd()}, {free / 2**30:.1f} GiB free"
    yield "folder", where if writable else f"{where}: cannot be written; use --out", writable and free > 2**28


def self_test() -> Iterator[Line]:
    """A problem solved, written, read and evaluated."""
    from kanpde.interface import load, solve

    start = perf_counter()
    try:
        run = solve(PROBLEM)
        with tempfile.TemporaryDirectory() as folder:
            run.save(folder)
            again = load(folder)
        error = run.errors["u"].relative_l2
        same = bool((again.at(x=0.3)["u"] == run.at(x=0.3)["u"]).all())
    except Exception as problem:  # whatever is wrong with an installation is what this is to tell
        yield "self-test", f"{type(problem).__name__}: {problem}", False
        return
    taken = f"{perf_counter() - start:.1f} s"
    yield "self-test", f"error {error:.1e} in {taken}, the same when read again", error < ENOUGH and same
