"""Functions around holes of periodic cells: harmonic, closed across every seam, and what such cells need."""

from __future__ import annotations

from dataclasses import replace
from math import inf, pi
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from kanpde.build import assemble
from kanpde.enrichment import enrichment
from kanpde.extras import quadrature
from kanpde.jet import Index, Jet, closure
from kanpde.lattice import LatticeLayer
from kanpde.network import Network
from kanpde.points import draw
from kanpde.ramps import Ramps, linear_fit, ramps_problem
from kanpde.solution import unknown_values
from kanpde.spec import read_spec_text
from kanpde.stored import network_arrays, stored_networks

PERIODS = [(1.0, 1.0), (1.0, 1.7), (2.0, 1.3), (1.0, inf), (inf, 1.5)]
SECOND = closure(frozenset({(2, 0), (0, 2), (1, 1)}))
CELL = """\
unknowns: [u]
domain:
  shapes: {cell: 'rectangle(x=[0, 1], y=[0, 1])', hole: 'disc(center=[0.5, 0.5], radius=0.25)'}
  region: cell - hole
equations: {p: -lap(u) = 0}
boundary: {x: periodic, y: periodic, hole: dn(u) = -n_x}
constraints: {gauge: mean(u) = 0}
"""


def layer(periods: tuple[float, float]) -> LatticeLayer:
    """Twenty powers around a hole off the middle of a cell."""
    box = tuple((0.0, period if period < inf else 2.0) for period in periods)
    return LatticeLayer((box[0], box[1]), periods, (0.45 * box[0][1], 0.5 * box[1][1]), 0.25, 20, 1)


def points_of(one: LatticeLayer) -> Tensor:
    """Points [2, N] of the cell outside of the hole."""
    found = torch.rand(2, 300, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = found * torch.tensor([[high] for _, high in one.box])
    return found[:, (found - torch.tensor(one.centre)[:, None]).norm(dim=0) > one.radius]


def features(one: LatticeLayer, points: Tensor) -> dict[Index, Tensor]:
    """All functions with derivatives up to the second, by the coordinates themselves."""
    scales = [2 / (high - low) for low, high in one.box]
    return one.features(Jet({(0, 0): mapped(one, points)}, SECOND)) if scales else {}


def mapped(one: LatticeLayer, points: Tensor) -> Tensor:
    """Coordinates on [−1, 1]."""
    return torch.stack([2 * (x - low) / (high - low) - 1 for x, (low, high) in zip(points, one.box)])


@pytest.mark.parametrize("periods", PERIODS)
def test_all_but_the_logarithm_are_harmonic(periods: tuple[float, float]) -> None:
    """On a closed cell the logarithm's Laplacian is that of an even charge against it, 2π over the area."""
    one = layer(periods)
    found = features(one, points_of(one))
    sums, size = found[2, 0] + found[0, 2], float(found[2, 0].abs().max())
    area = periods[0] * periods[1]
    assert float(sums[1:].abs().max()) < 1e-12 * size
    np.testing.assert_allclose(sums[0], -2 * pi / area if area < inf else 0.0, atol=1e-11)


@pytest.mark.parametrize("periods", PERIODS)
def test_they_close_up_across_every_seam(periods: tuple[float, float]) -> None:
    one = layer(periods)
    for axis in (axis for axis in (0, 1) if periods[axis] < inf):
        sides = []
        for step in (-1e-13, 1e-13):
            points = points_of(one)
            points[axis] = one.centre[axis] + periods[axis] / 2 + step
            sides.append(features(one, points))
        for alpha in SECOND:
            np.testing.assert_allclose(sides[0][alpha], sides[1][alpha], atol=1e-10)


@pytest.mark.parametrize("periods", PERIODS)
def test_derivatives_are_those_by_automatic_differentiation(periods: tuple[float, float]) -> None:
    one = layer(periods)
    points = points_of(one).requires_grad_()
    coefficients = torch.randn(one.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    value = one.value(mapped(one, points), coefficients)[0]
    found = {a: torch.einsum("kn,k->n", f, coefficients[0, :, 0]) for a, f in features(one, points.detach()).items()}
    np.testing.assert_allclose(found[0, 0], value.detach(), atol=1e-12)
    slopes = torch.autograd.grad(value.sum(), points, create_graph=True)[0]
    for axis, alpha in enumerate([(1, 0), (0, 1)]):
        np.testing.assert_allclose(found[alpha], slopes[axis].detach(), rtol=1e-9, atol=1e-9)
        second = torch.autograd.grad(slopes[axis].sum(), points, retain_graph=True)[0][axis]
        np.testing.assert_allclose(found[2 * alpha[0], 2 * alpha[1]], second, rtol=1e-8, atol=1e-8)


def test_near_a_hole_they_are_powers() -> None:
    """Near its pole Σ (w − ω)^−k is w^−k and what is smooth."""
    one = replace(layer((1.0, 1.0)), radius=1e-3)
    angles = torch.linspace(0, 6, 7, dtype=torch.float64)
    points = torch.tensor(one.centre, dtype=torch.float64)[:, None] + 1e-3 * torch.stack([angles.cos(), angles.sin()])
    found = features(one, points)[0, 0]
    for k in (1, 2, 5, 20):
        np.testing.assert_allclose(found[2 * k - 1], (k * angles).cos(), atol=1e-5)
        np.testing.assert_allclose(found[2 * k], (k * angles).sin(), atol=1e-5)


def test_a_cell_with_a_round_hole_conducts_as_rayleigh_found() -> None:
    """A square array of insulating cylinders, by the formula of Rayleigh (1892) and Perrins et al. (1979)."""
    spec = read_spec_text(CELL, "cell.yaml", Path())
    found = linear_fit(ramps_problem(spec, 2), spec, Ramps(150, (3.0, 3.0)))
    assert found.held_out < 1e-8
    nodes, step = quadrature(spec), 1e-4
    moved = torch.tensor([[step], [0.0]], dtype=torch.float64)
    ahead, behind = (
        unknown_values(found.problem, found.theta, ("u",), nodes.nodes + side * moved)["u"] for side in (1, -1)
    )
    conductivity = float(nodes.weights @ (1 + (ahead - behind) / (2 * step)))
    f = pi * 0.25**2
    known = 1 - 2 * f / (1 + f - 0.305827 * f**4 / (1 - 1.402958 * f**8) - 0.013362 * f**8)
    assert conductivity == pytest.approx(known, abs=2e-6)


def test_each_hole_of_a_periodic_cell_has_its_functions_and_they_are_stored() -> None:
    text = CELL.replace("region: cell - hole", "region: cell - hole - other").replace(
        "radius=0.25)'", "radius=0.1)', other: 'disc(center=[0.2, 0.2], radius=0.1)'"
    ).replace("hole: dn(u) = -n_x", "rest: dn(u) = -n_x")  # fmt: skip
    spec = read_spec_text(text, "cell.yaml", Path())
    pairs = enrichment(spec)
    assert [type(network.layers[0]) for network, _ in pairs] == [LatticeLayer] * 2
    networks = [(Network(network.layers), names) for network, names in pairs]
    problem = assemble(spec, networks)
    theta = torch.randn(problem.trial.size, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    again, kept = stored_networks(network_arrays(problem, theta, "auto"))
    points = draw(problem, problem.blocks[0], 40, torch.Generator().manual_seed(1)).points
    before, after = (
        unknown_values(one, part, ("u",), points)["u"]
        for one, part in ((problem, theta), (assemble(spec, again), kept))
    )
    assert torch.equal(before, after)
