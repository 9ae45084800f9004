"""Fields that are radial about a centre, or similar to themselves at another scale."""

from __future__ import annotations

from itertools import combinations
from typing import Callable, Iterator, Sequence

import numpy as np

from kanpde.insight.export import decimal
from kanpde.insight.formula import Formula, call, power, product, replaced, total
from kanpde.insight.symmetry import Sampled, Structure, anew, counted, fraction, gap_of, listed, ratio
from kanpde.tree import Binary, Call, Tree

SAMPLES, SIDE, FEW = 257, 65, 17  # along one new coordinate, along each of two, and of more
TIME = "t"
UNSURE = 1e-4  # of the largest: a singular value below which what solves a system is not unique
FAR = 10.0  # intervals: an origin farther away is none
LARGEST_BELOW = 6  # denominator of an exponent
ROUNDED = 1e-2  # by which an exponent may differ from its fraction: how nearly the structure holds is then looked at
CLOSE_TO = 1e-3  # of an interval: what the domain must keep from a singular point
SHORT = 4  # constants of a formula beside which no other is looked for
WHOLE = range(7)  # powers that are found as polynomials anyway
Change = Callable[[np.ndarray], np.ndarray]
DISTANCES: Sequence[tuple[Change, Change, str]] = (  # z from r, r from z, and z from r²
    (lambda r: 2 * np.log(r), lambda z: np.exp(z / 2), "log"),
    (np.square, np.sqrt, ""),
    (lambda r: r, lambda z: z, "sqrt"),
)


def solved(columns: Sequence[np.ndarray], right: np.ndarray) -> np.ndarray | None:
    """The factors of columns whose sum is nearest to the right-hand side, if they are unique."""
    matrix = np.stack(columns, axis=1)
    sizes = np.linalg.norm(matrix, axis=0)
    if not np.isfinite(matrix).all() or not np.isfinite(right).all() or (sizes == 0).any():
        return None
    found, _, _, singular = np.linalg.lstsq(matrix / sizes, right, rcond=None)
    return found / sizes if singular[-1] > UNSURE * singular[0] else None


def cleaned(origin: float, length: float, gap: float) -> float:
    """An origin, 0 where it is no more than the rest of what was solved for it."""
    return 0.0 if abs(origin) <= max(10 * gap, 1e-9) * length else origin


def grids(count: int) -> int:
    """Samples along each of so many coordinates."""
    return {1: SAMPLES, 2: SIDE}.get(count, FEW)


def radial(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """A centre about which the field is the same all round: x u_y − y u_x vanishes."""
    spatial = [k for k, name in enumerate(field.box) if name != TIME]
    if len(spatial) < 2:
        return
    rows, right = [], []
    for i, j in combinations(spatial, 2):
        part = np.zeros((len(spatial), field.points.shape[1]))
        part[spatial.index(j)], part[spatial.index(i)] = field.slopes[i], -field.slopes[j]
        rows.append(part)
        right.append(field.slopes[i] * field.points[j] - field.slopes[j] * field.points[i])
    found = solved(list(np.concatenate(rows, axis=1)), np.concatenate(right))
    if found is None:
        return
    names, ends = list(field.box), np.array(list(field.box.values()), dtype=float)
    turning = np.concatenate(right) - found @ np.concatenate(rows, axis=1)
    scale = np.linalg.norm(field.swings[spatial]) * float(np.mean(field.lengths[spatial])) / 2
    gap = float(np.linalg.norm(turning) / scale) if scale else np.inf
    far = np.abs(found - ends[spatial].mean(1)) > FAR * field.lengths[spatial]
    if not gap <= tolerance or far.any():
        return
    centre = np.array([cleaned(c, field.lengths[k], gap) for c, k in zip(found, spatial)])
    where = ", ".join(decimal(c) for c in centre)
    said = f"a function of the distance from ({where})" + (" and of t" if TIME in names else "")
    yield Structure(said, gap, around(field, spatial, centre))


def around(field: Sampled, spatial: Sequence[int], centre: np.ndarray) -> Callable[[float], list[Formula]]:
    """The formulas in the distance's logarithm, its square and itself, as far as a short one."""
    names, ends = list(field.box), np.array(list(field.box.values()), dtype=float)
    near = np.clip(centre, *ends[spatial].T)
    far = np.where(np.abs(ends[spatial, 0] - centre) > np.abs(ends[spatial, 1] - centre), *ends[spatial].T)
    low, high = (float(np.linalg.norm(point - centre)) for point in (near, far))
    others = [k for k in range(len(names)) if k not in spatial]
    side = grids(1 + len(others))

    def squared(values: list[float]) -> Tree:
        return total(power(counted(names[k], float(c), values), 2) for k, c in zip(spatial, centre))

    readings = []
    for into, out, function in DISTANCES[0 if low > CLOSE_TO * (high - low) else 1 :]:
        z = np.linspace(*into(np.array([low, high])), side)
        step, base = far - near, near - centre
        a, b = step @ step, base @ step
        rest = np.clip(out(z), low, high) ** 2 - base @ base
        path = near[:, None] + step[:, None] * np.clip((np.sqrt(b * b + a * rest) - b) / a, 0.0, 1.0)
        axes = {names[spatial[0]]: z} | {names[k]: np.linspace(*ends[k], side) for k in others}
        mesh = np.meshgrid(np.arange(side), *(axes[names[k]] for k in others), indexing="ij")
        points = np.empty((len(names), *mesh[0].shape))
        points[spatial] = path[:, mesh[0].astype(int)]
        for k, values in zip(others, mesh[1:]):
            points[k] = values

        def back(formula: Formula, function: str = function) -> Formula:
            values = list(formula.values)
            distance = squared(values)
            tree = call(function, distance) if function else distance
            return Formula(replaced(formula.tree, {names[spatial[0]]: tree}), tuple(values))

        readings.append(anew(field, axes, points, back))

    def formulas(tolerance: float) -> list[Formula]:
        found: list[Formula] = []
        for one in readings:
            found += one(tolerance)
            if any(len(formula.values) <= SHORT for formula in found):
                break
        return found

    return formulas


def similar(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """u = sᵃ f((x − x₀)/sᵇ) for s = ±(t − t₀): (t − t₀) u_t + b (x − x₀)·∇u = a u, with as few origins as will do."""
    names, ends = list(field.box), np.array(list(field.box.values()), dtype=float)
    if len(names) < 2:
        return
    last = names.index(TIME) if TIME in names else len(names) - 1
    others = [k for k in range(len(names)) if k != last]
    u, slope, moving = field.values, field.slopes[last], field.slopes[others]
    spread = (field.points[others] * moving).sum(0)
    right = field.points[last] * slope
    for free in ((), (last,), (*others,), (last, *others)):
        found = solved([-spread, u, *(field.slopes[k] for k in free)], right)
        if found is None:
            continue
        above = [fraction(value, LARGEST_BELOW, ROUNDED) for value in found[:2]]
        if not all(above):
            continue
        (p, q), (m, n) = above[1], above[0]  # type: ignore[misc]
        if not m:
            continue
        moved = {k: value / (m / n if k != last else 1.0) for k, value in zip(free, found[2:])}
        a, b = p / q, m / n
        rest = right - moved.get(last, 0.0) * slope - a * u
        rest = rest + b * (spread - sum((moved.get(k, 0.0) * field.slopes[k] for k in others), start=0 * u))
        gap = float(np.linalg.norm(rest)) / max(float(np.linalg.norm(field.swings)), float(np.linalg.norm(u)), 1e-300)
        origin = np.array([cleaned(moved.get(k, 0.0), field.lengths[k], gap) for k in range(len(names))])
        sides = ends[last] - origin[last]
        far = np.abs(origin - ends.mean(1)) > FAR * field.lengths
        if gap > tolerance or far.any() or sides[0] * sides[1] < 0 or np.abs(sides).min() < CLOSE_TO * np.ptp(sides):
            continue
        yield Structure(*scaling(field, last, origin, ((p, q), (m, n)), gap))
        return


def scaling(
    field: Sampled, last: int, origin: np.ndarray, exponents: tuple[tuple[int, int], tuple[int, int]], gap: float
) -> tuple[str, float, Callable[[float], list[Formula]]]:
    """What a similar field is in words, and the formulas of its profile."""
    (p, q), (m, n) = exponents
    names, ends = list(field.box), np.array(list(field.box.values()), dtype=float)
    others = [k for k in range(len(names)) if k != last]
    sides = np.abs(ends[last] - origin[last])
    late = bool(ends[last].mean() < origin[last])
    nearest = int(sides.argmin() if m > 0 else sides.argmax())
    s, side = float(sides[nearest]), grids(len(others))
    axes = {names[k]: (np.linspace(*ends[k], side) - origin[k]) / s ** (m / n) for k in others}
    mesh = np.meshgrid(*(np.linspace(*ends[k], side) for k in others), indexing="ij")
    points = np.full((len(names), *mesh[0].shape), ends[last][nearest])
    for k, values in zip(others, mesh):
        points[k] = values

    def back(formula: Formula) -> Formula:
        values = list(formula.values)
        since = counted(names[last], float(origin[last]), values)
        if late and isinstance(since, Binary):
            since = Binary("-", since.right, since.left)
        given: dict[str, Tree] = {}
        for k in others:
            given[names[k]] = Binary("/", counted(names[k], float(origin[k]), values), raised(since, m, n))
        return Formula(product([raised(since, p, q), replaced(formula.tree, given)]), tuple(values))

    s_said = names[last] if not origin[last] else f"({names[last]} - {decimal(origin[last])})"
    s_said = f"({decimal(origin[last])} - {names[last]})" if late else s_said
    x_said = [names[k] if not origin[k] else f"({names[k]} - {decimal(origin[k])})" for k in others]
    profile = listed([f"{x}/{powered(s_said, m, n)}" for x in x_said])
    said = f"{powered(s_said, p, q)} times a function of {profile}" if p else f"a function of {profile}"
    return said, gap, anew(field, axes, points, back, s ** (p / q))


def raised(base: Tree, above: int, below: int) -> Tree:
    """A tree to the power of a fraction."""
    if (abs(above), below) == (1, 2):
        root = Call("sqrt", (base,))
        return root if above > 0 else Binary("/", ratio(1, 1), root)
    if below == 1 and above in (0, 1):
        return power(base, above)
    return Binary("^", base, ratio(above, below))


def powered(base: str, above: int, below: int) -> str:
    """A power in words."""
    if below == 1:
        return base if above == 1 else f"{base}^{above}"
    return f"{base}^({above}/{below})"


def powers(field: Sampled, tolerance: float) -> Iterator[Structure]:
    """A power of one coordinate from an origin, times a function of the others: (x − x₀) u_x = p u."""
    names = list(field.box)
    for axis, name in enumerate(names):
        slope, (low, high) = field.slopes[axis], field.box[name]
        right = field.points[axis] * slope
        for columns in ([field.values], [field.values, slope]):
            found = solved(columns, right)
            above = None if found is None else fraction(float(found[0]), LARGEST_BELOW, ROUNDED)
            if found is None or above is None or not above[0]:
                continue
            origin = float(found[1]) if len(found) > 1 else 0.0
            rest = right - origin * slope - above[0] / above[1] * field.values
            gap = gap_of(rest + field.values, field.values)
            if gap > tolerance or abs(origin - (low + high) / 2) > FAR * (high - low):
                continue
            origin = cleaned(origin, high - low, gap)
            since = name if not origin else f"({name} - {decimal(origin)})"
            since = f"({decimal(origin)} - {name})" if (low + high) / 2 < origin else since
            word = "a constant" if len(names) == 1 else f"a function of {listed([n for n in names if n != name])}"
            yield Structure(f"{powered(since, *above)} times {word}", gap, divided_by(field, axis, origin, above))
            break


def divided_by(
    field: Sampled, axis: int, origin: float, above: tuple[int, int]
) -> Callable[[float], list[Formula]]:
    """The formulas of what is left when a power of one coordinate is divided out."""
    names, ends = list(field.box), np.array(list(field.box.values()), dtype=float)
    late, others = ends[axis].mean() < origin, [k for k in range(len(names)) if k != axis]
    if not others or above[1] == 1 and above[0] in WHOLE:
        return lambda tolerance: []
    place = ends[axis][int(np.abs(ends[axis] - origin).argmax())]
    side = grids(len(others))
    axes = {names[k]: np.linspace(*ends[k], side) for k in others}
    mesh = np.meshgrid(*axes.values(), indexing="ij")
    points = np.full((len(names), *mesh[0].shape), place)
    for k, values in zip(others, mesh):
        points[k] = values
    factor = abs(place - origin) ** (above[0] / above[1])

    def back(formula: Formula) -> Formula:
        values = list(formula.values)
        since = counted(names[axis], origin, values)
        if late and isinstance(since, Binary):
            since = Binary("-", since.right, since.left)
        return Formula(product([raised(since, *above), formula.tree]), tuple(values))

    return anew(field, axes, points, back, factor)
