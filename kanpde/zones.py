"""The regions in which different equations hold: together they fill the domain, and they do not overlap."""

from __future__ import annotations

from typing import Iterator, Sequence

import numpy as np

from kanpde.formulas import Log
from kanpde.geometries import Region, Zones
from kanpde.joins import read_join
from kanpde.piecewise import spelt
from kanpde.reading import Scalar

TRIED = 4000  # points of a region at which to look for others


def read_zones(nodes: Sequence[Scalar], whole: Region, log: Log) -> Zones | None:
    """The regions that equations name, each once; None where there are none, or after a mistake."""
    first = {spelt(node.text): node for node in reversed(nodes)}
    named = {spelt(node.text): first[spelt(node.text)] for node in nodes}
    before = len(log.mistakes)
    parts = {name: _region(node, whole, log) for name, node in named.items()}
    zones = Zones(whole, {name: region for name, region in parts.items() if region is not None})
    if named and len(log.mistakes) == before:
        for name, message in _faults(zones):
            log.say(named[name], message)
    return zones if named and len(log.mistakes) == before else None


def _region(node: Scalar, whole: Region, log: Log) -> Region | None:
    """A region by its expression over shapes, or None after a mistake."""
    tree = read_join(node, tuple(whole.shapes), log)
    if tree is None:
        return None
    try:
        region = Region(whole.shapes, tree)
        message = "" if region.pieces else "this region is empty"
    except ValueError as error:
        message = str(error)
    if message:
        log.say(node, message)
    return None if message else region


def _faults(zones: Zones) -> Iterator[tuple[str, str]]:
    """What is wrong with some regions as parts of a whole, by the names of the regions."""
    generator = np.random.default_rng(0)
    found = False
    for number, (name, region) in enumerate(zones.parts.items()):
        points = region.interior(TRIED, lambda d, n: generator.random((d, n)))
        outside = ~zones.whole.inside(points)
        earlier = zones.at(points, closed=False)
        overlap = (earlier >= 0) & (earlier < number)
        if overlap.any():
            point = points[:, overlap.argmax()]
            yield name, f"'{name}' and '{zones.names[earlier[overlap][0]]}' overlap, as at {_spot(zones, point)}"
        elif outside.any():
            yield name, f"'{name}' reaches outside the region, as at {_spot(zones, points[:, outside.argmax()])}"
        found |= bool(overlap.any() or outside.any())
    points = zones.whole.interior(TRIED, lambda d, n: generator.random((d, n)))
    gap = zones.at(points) < 0
    if gap.any() and not found:
        yield zones.names[-1], f"no equation holds at {_spot(zones, points[:, gap.argmax()])}"


def _spot(zones: Zones, point: Sequence[float]) -> str:
    """A point in words."""
    return ", ".join(f"{axis} = {value:.3g}" for axis, value in zip(zones.whole.axes, point))
