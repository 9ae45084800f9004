"""What a run is going to do: its network, points and weights, and roughly what it costs."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields, replace
from math import prod
from typing import Any, Mapping

import torch
from torch import Tensor

from kanpde.build import is_linear
from kanpde.capacity import Capacity
from kanpde.domain import Joined
from kanpde.errors import KanpdeError
from kanpde.inverse import first_weights
from kanpde.optimisers.least_squares import GATHERED
from kanpde.patch import EMPHASIS
from kanpde.points import CHUNK, counts, draw
from kanpde.problem import Problem
from kanpde.ramps import Ramps, layout, points_per_ramp, ramps_problem, setting
from kanpde.regional import families, fields_of
from kanpde.search import SPREADS, Aim
from kanpde.separation import described as described_splines
from kanpde.separation import first_patch, refuse
from kanpde.settings import usual_sides
from kanpde.shooting import shoots
from kanpde.solve import SECONDS
from kanpde.spec import Spec
from kanpde.strategy import (
    ACCEPTED,
    AT_ONCE,
    asks_for_depth,
    refuse_other_networks,
    splines_first,
    splines_fit_first,
)
from kanpde.succession import follows
from kanpde.training import deep_setting

# Measured on one core, over ramps from 300 to 2000 and deep networks of 1500 coefficients; half or twice as much
# is usual elsewhere.
RATE = 1.5e10  # operations per second and thread, of factorisations and products of matrices
ENTRY = 1e-7  # seconds and threads per entry of the Jacobian
NONLINEAR = 12  # linear fits per Gauss-Newton fit, in time: 7 to 23 in the problems tried
GROWN = 20  # times as many intervals as at the start, of splines at the end: 10 to 30 in the problems tried
COPIES = {True: 4, False: 8}  # of the rows in memory, held at once by a linear or nonlinear fit
WORK = 1e8  # bytes beside them
OF_A_POINT = 60  # numbers that stay of a point beside its coordinates, where rows are folded as they come
OF_A_FIELD = 6  # numbers at a point of the output, in the making of a field on it
LIBRARIES = 2.5e8  # bytes
FALLBACK = f"all layers of a deep network if the relative residual stays above {ACCEPTED:.0e}"


@dataclass(frozen=True)
class Plan:
    """The first problem that a run solves, the points per block, the weights, and the cost of its parts.

    `parts` are seconds by what they are spent on; `memory` is in bytes, at the largest size a run may reach, without
    the 250 MB of the libraries, and `least` at the size it begins with. `lever` makes that smaller, `bound` the other.
    """

    problem: Problem
    method: str
    network: str
    coefficients: int
    built_in: tuple[str, ...]
    penalised: tuple[str, ...]
    points: Mapping[str, int]
    weights: Mapping[str, float]
    memory: float
    parts: Mapping[str, float]
    limit: float
    least: float
    lever: str
    bound: str

    def samples(self, most: int = 400) -> dict[str, Tensor]:
        """Points [d, N] as a run draws them, at most so many per block."""
        generator = torch.Generator().manual_seed(0)
        blocks = self.problem.blocks
        return {b.name: draw(self.problem, b, min(most, self.points[b.name]), generator).points for b in blocks}


def plan(spec: Spec) -> Plan:
    """What `solve` does first with a problem; raises KanpdeError where it would refuse it."""
    refuse_other_networks(spec)
    all_layers = bool(spec.training.stages) or asks_for_depth(spec.network) or spec.training.derivatives == "autograd"
    plain = replace(spec, training=replace(spec.training, device="cpu", derivatives="taylor"))
    if spec.network.basis == "separable" or (not all_layers and splines_first(plain)):
        return splines_plan(plain)
    return (deep_plan if all_layers else ramps_plan)(plain)


def fits(found: Plan, spec: Spec, there: Capacity) -> str:
    """A warning where a run may outgrow the memory there is, '' if not; raises KanpdeError if it cannot even begin."""
    has = f"{there.whose} has {gigabytes(there.free)} left"
    for needed, lever in ((found.least, found.lever), (output_memory(spec), "output.grid or output.times")):
        if LIBRARIES + needed > there.free:
            needs = f"this run needs about {gigabytes(LIBRARIES + needed)} of memory"
            raise KanpdeError(f"{spec.path}: {needs}, and {has}; make {lever} smaller")
    if LIBRARIES + found.memory > there.free:
        needs = f"this run may come to need {gigabytes(LIBRARIES + found.memory)} of memory"
        return f"{spec.path}: {needs}, and {has}; {found.bound} bounds it"
    return ""


def output_memory(spec: Spec) -> float:
    """The bytes that fields on the output grid take while they are made."""
    sides = usual_sides(tuple(spec.box)) | dict(zip((name for name in spec.box if name != "t"), spec.output.grid or ()))
    times = spec.output.times
    if "t" in sides and times is not None:
        sides["t"] = times if isinstance(times, int) else len(times)
    fields = 3 * len(spec.unknowns) + len(spec.equations) + len(spec.output.extra or ())
    return 8.0 * prod(sides.values()) * (2 * len(sides) + fields + OF_A_FIELD)


def gigabytes(size: float) -> str:
    """Bytes in words."""
    return f"{size / 1e9:.2g} GB" if size < 1e10 else f"{size / 1e9:,.0f} GB"


def threads(spec: Spec) -> int:
    """The threads that a run takes."""
    return spec.training.threads or min(os.cpu_count() or 1, 8)


def ramps_plan(spec: Spec) -> Plan:
    """Least squares on ramps: a linear fit takes 2 R P² operations, and R P entries of a Jacobian to assemble.

    R rows are the points times the residuals on them, P columns are the read-outs.
    """
    dimensions, width = len(spec.box), spec.network.width
    aim = Aim().shared(len(families(spec)))
    first, last = (width, width) if width else (aim.first, aim.last)
    slopes = (spec.network.scale or SPREADS[2] * first ** (1 / dimensions),) * dimensions
    problem, theta, objective, weights = setting(ramps_problem(spec, 2), spec, Ramps(first, slopes))
    rows = {size: rows_of(problem, spec, size, points_per_ramp(problem)) for size in (first, last)}
    linear, unknowns = is_linear(spec), len(fields_of(spec))
    fits = (1 if linear else NONLINEAR) / threads(spec)
    parts = {f"a fit of {n} ramps": fits * linear_seconds(r, n * unknowns) for n, r in rows.items()}
    method = f"read-outs of ramps by {'least squares' if linear else 'Gauss-Newton steps'}; {FALLBACK}"
    if follows(spec):
        method = method.replace(FALLBACK, f"windows of time above a relative residual of {AT_ONCE:.0e}; {FALLBACK}")
    if spec.fitted:
        method = "read-outs of ramps together with what is fitted, by Gauss-Newton steps"
        method += f"; splines for each guess {'first' if splines_fit_first(spec) else 'after'}" * shoots(spec)
        weights = first_weights(problem, objective, theta, spec)
    more = f", up to {last} ramps" if last > first else ""
    return Plan(
        problem, method, layout(problem) + more, problem.trial.size,
        *kinds(spec, problem), {s.block.name: s.count for s in objective.samples}, weights,
        ramps_memory(rows[last], last * unknowns, linear), parts, spec.training.stop.time or SECONDS,
        ramps_memory(rows[first], first * unknowns, linear), "network.width or sampling.interior", "network.width",
    )  # fmt: skip


def ramps_memory(rows: int, columns: int, linear: bool) -> float:
    """The bytes of a fit: rows are folded into a triangle once there are a few times as many as columns."""
    gathered = min(rows, GATHERED * columns + CHUNK)
    return WORK + 8.0 * (COPIES[linear] * gathered * columns + OF_A_POINT * rows)


def splines_plan(spec: Spec) -> Plan:
    """Separable splines, in the first window of time or on the whole rectangle: QR along the band of their rows."""
    refuse(spec)
    patch = first_patch(spec)
    problem = patch.placed
    points = {block.name: patch.points(block)[1].numel() for block in problem.blocks}
    rows = sum(points[block.name] * len(block.rows) for block in problem.blocks)
    columns = (2 * patch.along.degree + 1) * patch.cube[0].numel()
    where = "in windows of time, after a fit of the initial data" if "t" in spec.box else "on the whole rectangle"
    weights = {row.name: 1.0 if b.face is None else EMPHASIS for b in problem.blocks for row in b.rows}
    parts = {f"a step on {patch.along.intervals} intervals": linear_seconds(rows, columns) / threads(spec)}
    after = "" if spec.network.basis == "separable" else f"; {FALLBACK}"
    network = described_splines(problem) + ", more as needed"
    return Plan(
        problem, f"separable splines by Gauss-Newton steps {where}{after}", network,
        problem.trial.size, *kinds(spec, problem), points, weights,
        WORK + 8.0 * COPIES[False] * GROWN * rows * columns / 2, parts, spec.training.stop.time or SECONDS,
        WORK + 8.0 * COPIES[False] * rows * columns / 2, "network.degree or network.grid", "training.stop.time",
    )  # fmt: skip


def linear_seconds(rows: int, columns: int) -> float:
    """The time of one least-squares problem on one thread."""
    return 2 * rows * columns**2 / RATE + ENTRY * rows * columns


def rows_of(problem: Problem, spec: Spec, width: int, ratio: float) -> int:
    """The number of residuals of a fit."""
    number, time = counts(spec.sampling, len(spec.box), width, ratio), time_axis(spec)
    return sum(number.of(block, time) * len(block.rows) for block in problem.blocks)


def time_axis(spec: Spec) -> int | None:
    """The axis of t, if there is one."""
    return tuple(spec.box).index("t") if "t" in spec.box else None


def deep_plan(spec: Spec) -> Plan:
    """All layers at once: a Levenberg–Marquardt step takes 2 R P² + P³/3 operations and three matrices P × P."""
    made, theta = deep_setting(spec, torch.Generator().manual_seed(spec.training.seed))
    points = {block.name: made.number.of(block, time_axis(spec)) for block in made.problem.blocks}
    rows = sum(points[block.name] * len(block.rows) for block in made.problem.blocks)
    size = len(theta)
    names = tuple(dict.fromkeys(stage.optimiser for stage in spec.training.stages)) or ("levenberg-marquardt",)
    steps = {"a Levenberg-Marquardt step": (2 * rows * size**2 + size**3 / 3) / (RATE * threads(spec))}
    memory = WORK + 8.0 * (3 * size**2 + 4096 * size + OF_A_POINT * rows)
    return Plan(
        made.problem, f"all layers by {' and '.join(names)}", made.note, size, *kinds(spec, made.problem), points,
        made.weights, memory, steps if "levenberg-marquardt" in names else {}, spec.training.stop.time or SECONDS,
        memory, "network.width, network.depth or network.degree", "network.width",
    )  # fmt: skip


def kinds(spec: Spec, problem: Problem) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the conditions that hold exactly, and of those that are penalised."""
    soft = {row.name: row.name for block in problem.blocks if not block.inside for row in block.rows}
    for block in problem.blocks:
        if isinstance(block.face, Joined):
            ends = {row.name: row.name.removeprefix(block.name) for row in block.rows}
            soft |= {f"{piece}{end}": name for piece in block.face.pieces for name, end in ends.items()}
    names = [condition.name for condition in (*spec.initial, *spec.boundary)]
    return tuple(n for n in names if n not in soft), tuple(dict.fromkeys(soft[n] for n in names if n in soft))


def listed(found: Plan) -> dict[str, Any]:
    """The plan as data, without the problem itself."""
    return {one.name: getattr(found, one.name) for one in fields(found) if one.name != "problem"}


def stated(found: Plan) -> str:
    """The plan as lines for a person."""
    weights = {name: f"{name} (weight {found.weights[name]:.2g})" for name in found.penalised}
    equations = {n: w for n, w in found.weights.items() if n not in weights}
    insides = {b.name: b.name.replace("interior", "inside", 1) for b in found.problem.blocks if b.inside}
    points = ", ".join(f"{n} {insides.get(name, f'on {name}')}" for name, n in found.points.items())
    costs = ", ".join(f"{name} about {rounded(seconds)}" for name, seconds in found.parts.items())
    lines = {
        "built in": ", ".join(found.built_in),
        "penalised": ", ".join(weights.values()),
        "weights": ", ".join(f"{n} {w:.2g}" for n, w in equations.items()) if len(equations) > 1 else "",
        "method": found.method,
        "network": f"{found.network}; {found.coefficients} coefficients",
        "points": points,
        "memory": f"at most {max(1, round(found.memory / 2**20))} MB beside the libraries",
        "time": ", ".join(filter(None, [costs, f"stops once {rounded(found.limit)} have passed"])),
    }
    return "\n".join(f"  {name:<11} {text}" for name, text in lines.items() if text)


def rounded(seconds: float) -> str:
    """A duration in words, to one digit where it is short."""
    return f"{seconds:.1g} s" if seconds < 1 else f"{seconds:.0f} s"
