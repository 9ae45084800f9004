"""What each part of a step costs, beside the one product of matrices that cannot be avoided.

    python benchmarks/speed.py                  # writes benchmarks/results/speed.json and prints Markdown tables
    python benchmarks/speed.py --device cuda    # the same on a GPU, and large networks on many points there

The floor is JᵀJ as one plain `addmm` of the whole Jacobian, on the same rows and coefficients. A step is one trial of
Levenberg-Marquardt: JᵀJ, a Cholesky factorisation, the geodesic's acceleration and the loss at the new coefficients.
Times are the least of several runs taken in turns; on a processor they count its own time in one thread, so that
other programs disturb little.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections import deque
from dataclasses import dataclass, replace
from math import log
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Callable, Mapping, Sequence

import torch
from machine import ROOT, machine
from torch import Tensor

from kanpde import read_spec
from kanpde.network import Network
from kanpde.objective import Residuals, residuals_of
from kanpde.optimisers import LevenbergMarquardt
from kanpde.points import chunk
from kanpde.training import deep_setting

FILE = ROOT / "benchmarks" / "results" / "speed.json"
BRATU = "elliptic_2d_nonlinear_poisson"
POINTS, WIDTHS, DEPTHS = (1000, 2000, 4000, 8000), (5, 7, 9, 12, 14), (1, 2, 3, 4)
ORDERS = ("hyperbolic_1d_convection", "elliptic_2d_poisson", "dispersive_1d_kdv", "elliptic_2d_plate")
DIMENSIONS = ("elliptic_1d_poisson", "elliptic_2d_poisson", "elliptic_3d_poisson", "elliptic_5d_poisson")
MEMORY = (1000, 4000, 16000)
LARGE = ((9, 100_000), (9, 1_000_000), (20, 100_000), (28, 100_000), (28, 1_000_000))  # width and points, on a GPU
KIB = 1024
Work = Callable[[], object]


@dataclass(frozen=True)
class Case:
    """An objective at its random start."""

    name: str
    objective: Residuals
    theta: Tensor


def case(name: str, points: int, device: str, *settings: str) -> Case:
    """A problem of the gallery on a number of interior points, with a deep network."""
    asked = [f"sampling.interior={points}", f"training.device={device}", *settings]
    spec = read_spec(ROOT / "problems" / f"{name}.yaml", asked)
    setting, theta = deep_setting(spec, torch.Generator().manual_seed(0))
    return Case(name, setting.objective(theta, False), theta)


def works(one: Case) -> Mapping[str, Work]:
    """What is timed."""
    objective, theta = one.objective, one.theta
    normal, method = objective.normal(theta), LevenbergMarquardt()
    shift = 1e3 * float(normal.matrix.diagonal().mean())  # large, so that the step is not refused
    damped = normal.matrix + shift * torch.eye(len(theta)).to(theta)
    rows, product = theta.new_ones(len(theta), len(normal.residuals)), torch.zeros_like(damped)

    def value() -> None:
        trial, zero = objective.problem.trial, frozenset({(0,) * len(objective.problem.trial.box)})
        with torch.no_grad():
            for _, ground, _ in objective.pieces():
                trial.fields(theta, ground, dict.fromkeys(trial.scope.unknowns, zero))

    return {
        "floor": lambda: product.addmm_(rows, rows.T),
        "value": value,
        "residuals": lambda: objective.residuals(theta),
        "gradient": lambda: objective.loss_and_gradient(theta),
        "jacobian": lambda: deque(objective.scaled_rows(theta), maxlen=0),
        "normal": lambda: objective.normal(theta),
        "cholesky": lambda: torch.linalg.cholesky_ex(damped),
        "step": lambda: method.attempt(objective, objective.normal(theta), theta, shift),
    }


def least(tasks: Mapping[str, Work], repeats: int, device: str) -> dict[str, float]:
    """The least seconds of each, taken in turns."""
    found = dict.fromkeys(tasks, float("inf"))
    clock = process_time if device == "cpu" else perf_counter
    for number in range(repeats + 1):
        for name, do in tasks.items():
            start = clock()
            do()
            if device != "cpu":
                torch.cuda.synchronize()
            found[name] = min(found[name], clock() - start) if number else found[name]
    return found


def timed(label: object, one: Case, repeats: int, device: str) -> dict[str, Any]:
    """All times of a case."""
    seconds = least(works(one), repeats, device)
    rows = sum(part.count * len(part.block.rows) for part in one.objective.samples)
    return {"case": label, "problem": one.name, "rows": rows, "coefficients": len(one.theta), "seconds": seconds}


def sweeps(repeats: int, device: str) -> dict[str, list[dict[str, Any]]]:
    """Times against points, coefficients, layers, order and dimension."""
    def many(cases: Sequence[tuple[object, Case]]) -> list[dict[str, Any]]:
        return [timed(label, one, repeats, device) for label, one in cases]

    width = "network.width=9"
    return {
        "points": many([(n, case(BRATU, n, device, width)) for n in POINTS]),
        "width": many([(w, case(BRATU, 2000, device, f"network.width={w}")) for w in WIDTHS]),
        "hidden layers": many([(k, case(BRATU, 2000, device, width, f"network.depth={k}")) for k in DEPTHS]),
        "order": many([(k, case(name, 2000, device, width)) for k, name in enumerate(ORDERS, start=1)]),
        "dimension": many([(d, case(name, 2000, device, width)) for d, name in zip((1, 2, 3, 5), DIMENSIONS)]),
    }


def exponents(found: Mapping[str, list[dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """The slopes of the logarithms of times between the ends of the sweeps of points and of widths."""
    def slope(one: Sequence[Mapping[str, Any]], size: str, work: str) -> float:
        first, last = one[len(one) // 2 - 1], one[-1]
        return log(last["seconds"][work] / first["seconds"][work]) / log(last[size] / first[size])

    return {
        size: {work: slope(found[sweep], size, work) for work in found[sweep][0]["seconds"]}
        for sweep, size in (("points", "rows"), ("width", "coefficients"))
    }


def others(repeats: int, device: str, points: int = 512) -> dict[str, float]:
    """The gradient and the Jacobian on a few interior points by jets, nested autograd, and torch.func; and an MLP."""
    kan, mlp = case(BRATU, points, device, "network.width=9"), case(BRATU, points, device, *equal_mlp())
    inside = {name: interior(one) for name, one in (("kan", kan), ("mlp", mlp))}
    nested = replace(inside["kan"], problem=replace(inside["kan"].problem, derivatives="autograd"))
    network = kan.objective.problem.trial.branches[0].network
    x = torch.cat([ground.points for _, ground, _ in inside["kan"].pieces()], dim=1).T
    by_rows = torch.func.vmap(torch.func.jacrev(bratu(network)), in_dims=(None, 0))
    ours = inside["kan"].jacobian(kan.theta)[0] / next(inside["kan"].pieces())[2][0]
    assert (by_rows(kan.theta, x).T - ours).abs().max() < 1e-8 * ours.abs().max()
    return least({
        "gradient": lambda: inside["kan"].loss_and_gradient(kan.theta),
        "gradient by nested autograd": lambda: nested.loss_and_gradient(kan.theta),
        "jacobian": lambda: deque(inside["kan"].scaled_rows(kan.theta), maxlen=0),
        "jacobian by vmap(jacrev)": lambda: by_rows(kan.theta, x),
    }, repeats, device) | least({
        f"{work} of {name}, 4000 points": (lambda do=do: do())
        for name, settings in (("kan", ("network.width=9",)), ("mlp", equal_mlp()))
        for work, do in works(case(BRATU, 4000, device, *settings)).items() if work in ("gradient", "step")
    }, repeats, device)


def large(width: int, points: int, repeats: int, device: str) -> dict[str, Any]:
    """The parts of a step, and the floor's speed, of a network on so many points that only a GPU is made for it."""
    torch.cuda.reset_peak_memory_stats()
    one = case(BRATU, points, device, f"network.width={width}")
    objective, theta = one.objective, one.theta
    rows = sum(part.count * len(part.block.rows) for part in objective.samples)
    some = theta.new_ones(len(theta), min(rows, chunk(theta)))
    matrix = objective.normal(theta).matrix
    damped = matrix + 1e3 * matrix.diagonal().mean() * torch.eye(len(theta)).to(theta)
    seconds = least({
        "floor": lambda: matrix.addmm_(some, some.T),
        "residuals": lambda: objective.residuals(theta),
        "gradient": lambda: objective.loss_and_gradient(theta),
        "normal": lambda: objective.normal(theta),
        "cholesky": lambda: torch.linalg.cholesky_ex(damped),
    }, repeats, device)
    seconds["floor"] *= rows / some.shape[1]  # of one chunk until here
    return {"case": f"{width} wide, {points} points", "problem": one.name, "rows": rows, "coefficients": len(theta),
            "seconds": seconds, "floor_flops": 2 * rows * len(theta) ** 2 / seconds["floor"],
            "memory_GiB": torch.cuda.max_memory_allocated() / 2**30}


def equal_mlp() -> tuple[str, str]:
    """An MLP [2, 22, 22, 22, 1] has 1101 coefficients, a KAN [2, 9, 9, 9, 1] of degree 5 has 1134."""
    return "network.basis=mlp", "network.width=22"


def interior(one: Case) -> Residuals:
    """The objective on the interior alone."""
    objective = one.objective
    return residuals_of(objective.problem, objective.samples[:1], one.theta, objective.trained)


def bratu(network: Network) -> Callable[[Tensor, Tensor], Tensor]:
    """The residual −Δu − eᵘ at one point on [−1, 1]², by nested forward and reverse modes."""
    def residual(theta: Tensor, x: Tensor) -> Tensor:
        def u(y: Tensor) -> Tensor:
            return network.value(y[:, None], theta)[0, 0]

        return -torch.func.hessian(u)(x).diagonal().sum() - u(x).exp()

    return residual


def peak(work: str, points: int) -> float:
    """The MiB that one work adds to the peak of a fresh process."""
    command = [sys.executable, __file__, "--once", work, str(points)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def once(work: str, points: int) -> None:
    """Do one work and print what it added to the peak memory, in MiB; the first of few points loads what is lazy."""
    def do(one: Case) -> object:
        whole = {"whole Jacobian": lambda: one.objective.jacobian(one.theta)}
        plain = {
            "residuals": lambda: one.objective.residuals(one.theta),
            "gradient": lambda: one.objective.loss_and_gradient(one.theta),
            "normal": lambda: one.objective.normal(one.theta),
        }
        return (whole | plain)[work]()

    do(case(BRATU, 64, "cpu"))
    one = case(BRATU, points, "cpu")
    before = highest()
    do(one)
    print(highest() - before)


def highest() -> float:
    """The peak of this process in MiB; on Linux not ru_maxrss, which begins at that of the process that started it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / KIB
    return next(float(line.split()[1]) for line in lines if line.startswith("VmHWM")) / KIB


def table(heads: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    """Markdown."""
    lines = [heads, ["---", *["--:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines) + "\n"


def tables(found: Mapping[str, Any]) -> str:
    """Every measurement as Markdown: the floor in ms, the rest in floors."""
    parts = []
    for name, rows in found["sweeps"].items():
        works_of = [work for work in rows[0]["seconds"] if work != "floor"]
        parts.append(table([name, "P", "rows", "floor, ms", *works_of], [
            [one["case"], one["coefficients"], one["rows"], f"{1e3 * one['seconds']['floor']:.1f}",
             *(f"{one['seconds'][work] / one['seconds']['floor']:.2f}" for work in works_of)] for one in rows
        ]))
    parts += [table(["exponent in", *slopes], [[size, *(f"{s:.2f}" for s in slopes.values())]])
              for size, slopes in found["exponents"].items()]
    parts.append(table(["beside others", "ms"], [[k, f"{1e3 * v:.1f}"] for k, v in found["others"].items()]))
    if found["large"]:
        parts.append(table(["on a GPU", "P", "rows", *found["large"][0]["seconds"], "floor, Tflop/s", "GiB"], [
            [one["case"], one["coefficients"], one["rows"], *(f"{s:.4f} s" for s in one["seconds"].values()),
             f"{one['floor_flops'] / 1e12:.1f}", f"{one['memory_GiB']:.1f}"] for one in found["large"]
        ]))
    if found["memory"]:
        heads = list(next(iter(found["memory"].values())))
        parts.append("Peak memory added, MiB:\n\n" + table(
            ["points", *heads], [[n, *(f"{one[h]:.0f}" for h in heads)] for n, one in found["memory"].items()]
        ))
    return "\n".join(parts)


def main() -> None:
    """Measure, save and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--once", nargs=2, metavar=("WORK", "POINTS"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    if asked.once:
        once(asked.once[0], int(asked.once[1]))
        return
    if asked.device != "cpu" and not torch.cuda.is_available():
        print(f"There is no device {asked.device} here: nothing was measured.")
        return
    done = sweeps(asked.repeats, asked.device)
    kept = ("residuals", "gradient", "normal", "whole Jacobian") if asked.device == "cpu" else ()
    found = {
        **machine(), "threads": 1, "torch": torch.__version__, "device": asked.device, "sweeps": done,
        "exponents": exponents(done), "others": others(asked.repeats, asked.device),
        "large": [large(w, n, 2, asked.device) for w, n in LARGE] if asked.device != "cpu" else [],
        "gpu": "" if asked.device == "cpu" else torch.cuda.get_device_name(),
        "memory": {str(n): {work: peak(work, n) for work in kept} for n in MEMORY if kept},
    }
    file = FILE if asked.device == "cpu" else FILE.with_stem("speed_cuda")
    file.write_text(json.dumps(found, indent=1) + "\n")
    print(tables(found))


if __name__ == "__main__":
    main()
