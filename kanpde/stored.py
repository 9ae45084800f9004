"""Networks as plain arrays and back."""

from __future__ import annotations

from dataclasses import astuple
from typing import Any, Mapping

import numpy as np
import torch
from torch import Tensor

from kanpde.bases import BASES
from kanpde.errors import ResultError
from kanpde.lattice import LatticeLayer
from kanpde.network import DenseLayer, KanLayer, Layer, Network
from kanpde.problem import Problem
from kanpde.separable import ProductLayer
from kanpde.singular import Mode, SingularLayer
from kanpde.splines import Spline
from kanpde.waves import MODES, WaveLayer

MOST_DEGREE = 64
NAMES = {kind: name for name, kind in BASES.items()}


def network_arrays(problem: Problem, theta: Tensor, enforce: str) -> dict[str, Any]:
    """All that is needed, beside the problem's text, to evaluate a trial solution again."""
    branches, start = {}, 0
    for number, branch in enumerate(problem.trial.branches):
        part = theta[start : start + branch.network.size]
        start += branch.network.size
        layers = {str(k): layer_arrays(layer, c) for k, (layer, c) in enumerate(branch.network.split(part))}
        span = {} if branch.span is None else {"span": np.array(branch.span)}
        branches[str(number)] = {"unknowns": list(branch.unknowns), "layers": layers, **span}
    return {"enforce": enforce, "branches": branches}


def layer_arrays(layer: Layer, coefficients: Tensor) -> dict[str, Any]:
    """One layer's kind, sizes and coefficients."""
    found: dict[str, Any] = {"before": layer.before or "", "inputs": layer.inputs, "outputs": layer.outputs}
    found["coefficients"] = coefficients.detach().cpu().numpy().copy()
    if isinstance(layer, ProductLayer):
        axes = {str(k): {"breaks": a.breaks.cpu().numpy().copy(), **axis_numbers(a)} for k, a in enumerate(layer.axes)}
        return {"basis": "separable", **found, "axes": axes}
    if isinstance(layer, LatticeLayer):
        place = np.array([*layer.periods, *layer.centre, layer.radius])
        return {"basis": "lattice", **found, "box": np.array(layer.box), "place": place}
    if isinstance(layer, WaveLayer):
        axes = {str(k): {"breaks": a.breaks.cpu().numpy().copy(), **axis_numbers(a)} for k, a in enumerate(layer.axes)}
        return {"basis": "waves", **found, "axes": axes, **wave_arrays(layer)}
    if isinstance(layer, SingularLayer):
        rows = [[float(value) for value in (*m.centre, *astuple(m)[1:])] for m in layer.modes]
        return {"basis": "singular", **found, "box": np.array(layer.box), "modes": np.array(rows)}
    if isinstance(layer, KanLayer):
        plain = {k: v.cpu().numpy() if isinstance(v, Tensor) else v for k, v in layer.basis.arrays().items()}
        return {"basis": NAMES[type(layer.basis)], **found, "options": plain}
    return {"basis": "mlp", **found}


def wave_arrays(layer: WaveLayer) -> dict[str, Any]:
    """What waves are, beside their amplitudes."""
    return {
        "box": np.array(layer.box),
        "orders": np.array(layer.orders),
        "rates": np.array([[z.real, z.imag] for z in layer.rates]),
        "directions": np.array([[[z.real, z.imag] for z in one] for one in layer.directions]),
        **{name: getattr(layer, name) for name in ("along", "start", "lowest", "highest")},
    }


def axis_numbers(axis: Spline) -> dict[str, int]:
    """A spline's plain numbers."""
    return {"degree": axis.degree, "smooth": axis.smooth, "periodic": int(axis.periodic)}


def stored_networks(arrays: Mapping[str, Any]) -> tuple[list[tuple[Network, tuple[str, ...]]], Tensor]:
    """The networks with their unknowns, and the coefficients; raises ResultError for arrays that make none."""
    try:
        networks, parts = [], []
        for number in sorted(arrays["branches"], key=int):
            branch = arrays["branches"][number]
            layers = [branch["layers"][k] for k in sorted(branch["layers"], key=int)]
            network = Network(tuple(stored_layer(entry) for entry in layers))
            for layer, entry in zip(network.layers, layers):
                if tuple(np.shape(entry["coefficients"])) != layer.shape:
                    raise ValueError(f"coefficients of shape {np.shape(entry['coefficients'])}, expected {layer.shape}")
            networks.append((network, tuple(str(name) for name in branch["unknowns"])))
            parts += [torch.as_tensor(np.asarray(entry["coefficients"]).ravel()) for entry in layers]
        return networks, torch.cat(parts)
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
        raise ResultError(f"the stored network cannot be read: {error}") from error


def stored_spans(arrays: Mapping[str, Any]) -> list[tuple[float, float] | None]:
    """The time in which each network counts, None for those that always do; raises ResultError where it is none."""
    found: list[tuple[float, float] | None] = []
    for number in sorted(arrays["branches"], key=int):
        span = np.asarray(arrays["branches"][number].get("span", ()), dtype=np.float64).ravel()
        if len(span) not in (0, 2) or (len(span) == 2 and not span[0] < span[1]):
            raise ResultError("the stored network cannot be read: a span of time has a beginning and a later end")
        found.append((float(span[0]), float(span[1])) if len(span) else None)
    return found


def stored_layer(entry: Mapping[str, Any]) -> Layer:
    """One layer from its arrays."""
    sizes = int(entry["inputs"]), int(entry["outputs"])
    before = str(entry["before"]) or None
    if entry["basis"] == "mlp":
        return DenseLayer(*sizes, before)
    if entry["basis"] == "separable":
        return ProductLayer(tuple(stored_axis(entry["axes"][k]) for k in sorted(entry["axes"], key=int)), sizes[1])
    if entry["basis"] == "waves":
        return stored_waves(entry)
    if entry["basis"] == "singular":
        return stored_modes(entry)
    if entry["basis"] == "lattice":
        return stored_lattice(entry)
    options = {name: stored_option(value) for name, value in entry["options"].items()}
    return KanLayer(BASES[str(entry["basis"])](**options), *sizes, before)


def stored_option(value: Any) -> Any:
    """An argument of a basis from what was stored of it: an array, some numbers or a whole one."""
    if isinstance(value, np.ndarray) and value.ndim:
        return torch.as_tensor(value)
    return tuple(map(float, value)) if isinstance(value, (list, tuple)) else int(value)


def stored_axis(entry: Mapping[str, Any]) -> Spline:
    """One coordinate's spline from its arrays; raises ValueError where they make none."""
    breaks = torch.as_tensor(np.asarray(entry["breaks"], dtype=np.float64))
    degree, smooth = int(entry["degree"]), int(entry["smooth"])
    periodic = bool(entry["periodic"])
    if breaks.ndim != 1 or len(breaks) < 2 or not (breaks.isfinite().all() and (breaks.diff() > 0).all()):
        raise ValueError("breaks must ascend")
    if not 0 <= smooth < degree <= MOST_DEGREE or (periodic and smooth != degree - 1):
        raise ValueError(f"no spline has degree {degree} and {smooth} continuous derivatives here")
    return Spline(degree, breaks, smooth, periodic)


def stored_lattice(entry: Mapping[str, Any]) -> LatticeLayer:
    """Functions around a hole of a periodic cell from their arrays; raises ValueError where they make none."""
    place, box = (np.asarray(entry[name], dtype=np.float64) for name in ("place", "box"))
    coefficients = np.shape(entry["coefficients"])
    sound = place.shape == (5,) and box.shape == (2, 2) and len(coefficients) == 3 and coefficients[1] % 2 == 1
    if not sound or not (place[[0, 1, 4]] > 0).all() or not np.isfinite([*place[[2, 3, 4]], min(place[:2])]).all():
        raise ValueError("a hole of a periodic cell has two periods, a centre and a radius")
    (left, right), (low, high) = box.tolist()
    a, b, x, y, radius = place.tolist()
    count = (coefficients[1] - 1) // 2
    return LatticeLayer(((left, right), (low, high)), (a, b), (x, y), radius, count, int(entry["outputs"]))


def stored_modes(entry: Mapping[str, Any]) -> SingularLayer:
    """Singular functions from their arrays; raises ValueError where they make none."""
    rows, box = np.asarray(entry["modes"], dtype=np.float64), np.asarray(entry["box"], dtype=np.float64)
    if rows.ndim == 2 and rows.shape[1] in (7, 9):  # of a time before there were conjugates and bent cuts, or foci
        rows = np.pad(rows, ((0, 0), (0, 10 - rows.shape[1])))
    if rows.ndim != 2 or rows.shape[1] != 10 or box.shape != (2, 2) or not (rows[:, 3] > 0).all():
        raise ValueError("singular functions are given by ten numbers each")
    modes = tuple(
        Mode((x, y), turn, scale, power, phase, log > 0, bar > 0, kappa, focus)
        for x, y, turn, scale, power, phase, log, bar, kappa, focus in rows.tolist()
    )
    (left, right), (low, high) = box.tolist()
    return SingularLayer(((left, right), (low, high)), modes, int(entry["outputs"]))


def stored_waves(entry: Mapping[str, Any]) -> WaveLayer:
    """Waves from their arrays; raises ValueError where they make none."""
    axes = tuple(stored_axis(entry["axes"][k]) for k in sorted(entry["axes"], key=int))
    box, orders = np.asarray(entry["box"], dtype=np.float64), np.asarray(entry["orders"])
    rates, directions = (np.asarray(entry[name], dtype=np.float64) for name in ("rates", "directions"))
    along, start = int(entry["along"]), float(entry["start"])
    lowest, highest = int(entry["lowest"]), int(entry["highest"])
    if len(axes) != 2 or box.shape != (2, 2) or not (box[:, 0] < box[:, 1]).all() or along not in (0, 1):
        raise ValueError("waves run along one of two axes")
    if not 0 <= lowest < highest <= MODES or orders.ndim != 1 or not all(0 < int(m) <= MOST_DEGREE for m in orders):
        raise ValueError("waves are sums over wave numbers, by whole powers of them")
    if rates.ndim != 2 or directions.shape != (len(rates), int(entry["outputs"]), 2) or rates.shape[1] != 2:
        raise ValueError("each polarisation has a rate and a direction, of complex numbers")
    if not np.isfinite(start) or not all(np.isfinite(part).all() for part in (box, rates, directions)):
        raise ValueError("waves are given by finite numbers")
    if (rates[:, 0] < 0).any():
        raise ValueError("waves do not grow")
    (left, right), (low, high) = box.tolist()
    return WaveLayer(
        axes, ((left, right), (low, high)), along, start, tuple(complex(*z) for z in rates.tolist()),
        tuple(tuple(complex(*z) for z in one) for one in directions.tolist()), tuple(map(int, orders)), lowest,
        highest,
    )
