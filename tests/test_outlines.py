"""Regions are drawn as they are: every piece once, by name, and no name over another."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

from kanpde.outlines import level, outlines
from kanpde.plan import plan
from kanpde.portrait import outline, portrait
from kanpde.spec import Spec, read_spec_text
from kanpde.writers.outline import DRAWINGS, named, overlap
from kanpde.writers.png import pixels
from kanpde.writers.views import views

REGIONS = {
    "intervals": """
domain:
  shapes: {a: "interval(x=[0, 1])", b: "interval(x=[1.5, 2])"}
  region: a + b
equations: {p: u_xx = 1}
boundary: {a: u = 0, b: [u = 0]}
""",
    "intervals in time": """
domain:
  shapes: {a: "interval(x=[0, 1])", b: "interval(x=[1.5, 2])"}
  region: a + b
  t: [0, 0.5]
equations: {p: u_t = u_xx}
initial: {u: 0}
boundary: {a.left: u = 0, rest: dn(u) = 1}
""",
    "channel": """
domain:
  shapes:
    channel: rectangle(x=[0, 3], y=[-0.5, 0.5])
    post: ellipse(center=[0.7, 0.05], radii=[0.2, 0.1], angle=0.5)
    notch: polygon(points=[[1.5, 0.5], [2, 0.5], [1.75, 0.1]])
    side: disc(center=[3, 0], radius=0.5)
  region: channel - post - notch + side
  parts:
    inlet: {of: channel.left, where: abs(y) < 0.2}
equations: {p: lap(u) = 1}
boundary: {inlet: u = 1, channel: u = 0, post: dn(u) = 0, notch: dn(u) = 0, side: free}
""",
    "disc in time": """
domain: {shapes: {plate: "disc(center=[0, 0], radius=1)"}, t: [0, 1]}
equations: {p: u_t = lap(u)}
initial: {u: 0}
boundary: {all: u = 0}
""",
    "pierced ball": """
domain:
  shapes:
    ball: ball(center=[0, 0, 0], radius=1)
    bore: cylinder(center=[0, 0, 0], radius=0.4, height=3)
  region: ball - bore
equations: {p: lap(u) = 1}
boundary: {ball: u = 0, bore: dn(u) = 0}
""",
}


def spec_of(kind: str) -> Spec:
    """The problem on a region."""
    return read_spec_text(f"unknowns: [u]\n{REGIONS[kind]}", f"{kind}.yaml", Path())


@pytest.mark.parametrize("kind", REGIONS)
def test_every_region_is_drawn_at_a_readable_size(kind: str) -> None:
    height, width, _ = pixels(portrait(spec_of(kind), plan(spec_of(kind)))).shape
    assert 600 <= width <= 1700 and 250 <= height <= 2000


@pytest.mark.parametrize("kind", REGIONS)
def test_every_piece_is_shown_where_it_is_and_said_once(kind: str) -> None:
    spec = spec_of(kind)
    assert spec.region is not None
    found = outline(spec, plan(spec), spec.region)
    assert len(found.axes) in DRAWINGS and len({part.name for part in found.parts}) == len(found.parts)
    told = "\n".join(found.told)
    for part in found.parts:
        assert part.name in told
        if part.name not in ("t_min", "t_max"):
            points, normals = (rows[: len(spec.region.axes)] for rows in (part.points, part.normals))
            there = np.isfinite(points[0])
            points, normals = points[:, there], normals[:, there]
            assert spec.region.inside(points).all() and not spec.region.inside(points, closed=False).any()
            assert not spec.region.inside(points[:, 1:-1] + 1e-6 * normals[:, 1:-1]).any()


@pytest.mark.parametrize("kind", ["intervals in time", "channel", "disc in time"])
def test_no_name_lies_over_another(kind: str) -> None:
    spec = spec_of(kind)
    assert spec.region is not None
    labels = list(named(outline(spec, plan(spec), spec.region).parts, np.array([100.0, 100.0])))
    assert not any(overlap(one.frame, other.frame) for one, other in combinations(labels, 2))


@pytest.mark.parametrize("kind", REGIONS)
def test_the_outline_in_every_plane_is_the_boundary(kind: str) -> None:
    spec = spec_of(kind)
    assert spec.region is not None
    axes = {name: np.linspace(*ends, 12) for name, ends in spec.box.items()}
    found, planes = outlines(spec.region, axes), {view.plane: view for view in views(axes) if view.up}
    assert found.keys() == planes.keys()
    for plane, points in found.items():
        view = planes[plane]
        known = {name: np.full(points.shape[1], axes[name][index]) for name, index in view.fixed.items()}
        known |= {view.across: points[0], str(view.up): points[1]}
        heights = level(spec.region, spec.region.tree, np.stack([known[name] for name in spec.region.axes]))
        assert np.nanmax(np.abs(heights)) < (1e-12 if len(spec.region.axes) == 2 else 1e-3)


def test_the_outline_in_the_plane_is_as_long_as_the_boundary() -> None:
    region = spec_of("channel").region
    assert region is not None
    points = outlines(region, {"x": np.linspace(0, 3.5, 9), "y": np.linspace(-0.5, 0.5, 9)})["x y"]
    length = np.nansum(np.hypot(*np.diff(points, axis=1)))
    assert length == pytest.approx(sum(region.measure(*piece) for piece in region.pieces), rel=1e-4)
