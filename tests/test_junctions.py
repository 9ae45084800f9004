"""Data on a region that contradict each other where pieces meet are told, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from kanpde.proof import prove
from kanpde.spec import read_spec_text

REGION = """
unknowns: [u]
domain:
  shapes: {plate: "rectangle(x=[0, 2], y=[0, 1])", hole: "disc(center=[1, 0], radius=0.4)"}
  region: plate - hole
"""
INLET = "  parts: {inlet: {of: plate.left, where: y > 0.25}}\n"
LAPLACE, HEAT = "equations: {p: lap(u) = 0}\n", "  t: [0, 1]\nequations: {p: u_t = lap(u)}\n"
SPACE = """
unknowns: [u]
domain:
  shapes: {ball: "ball(center=[0, 0, 0], radius=1)", bore: "cylinder(center=[0, 0, 0], radius=0.4, height=3)"}
  region: ball - bore
  t: [0, 1]
equations: {p: u_t = lap(u)}
"""


def told(text: str) -> tuple[str, ...]:
    """What is odd about a problem."""
    proof = prove(read_spec_text(text, "region.yaml", Path()))
    assert not proof.mistakes
    return proof.warnings


@pytest.mark.parametrize(
    ("text", "warnings"),
    [
        (
            REGION + LAPLACE + "boundary: {plate.left: u = 1, hole: dn(u) = 0, rest: u = 0}",
            [
                "plate.left.u and plate.bottom.u disagree by 1 at x = 0, y = 0",
                "plate.left.u and plate.top.u disagree by 1 at x = 0, y = 1",
            ],
        ),
        (
            REGION + LAPLACE + "boundary: {plate.bottom: u = x, hole: u = 0.6, rest: dn(u) = 0}",
            ["plate.bottom.u and hole.u disagree by 0.8 at x = 1.4, y = 0"],
        ),
        (
            REGION + INLET + LAPLACE + "boundary: {inlet: 2*u = 2, plate.left: u = 0, rest: dn(u) = 0}",
            ["inlet.1 and plate.left.u disagree by 1 at x = 0, y = 0.25"],
        ),
        (
            REGION + HEAT + "initial: {u: 0}\nboundary: {plate.left: u = t, plate.bottom: u = 0, rest: dn(u) = 0}",
            ["plate.left.u and plate.bottom.u disagree by 1 at x = 0, y = 0, t = 1"],
        ),
        (
            REGION + HEAT + "initial: {u: x}\nboundary: {hole: dn(u) = 0, plate.right: dn(u) = 1, rest: u = x}",
            ["the initial values do not fulfil hole.dn_u: its sides differ by "],
        ),
        (
            SPACE + "initial: {u: 1}\nboundary: {ball: u = cos(t), bore: u = 0}",
            ["the initial values do not fulfil bore.side.u: its sides differ by 1 at x = "],
        ),
        (
            REGION + LAPLACE.replace("0}", "1/x + 1/(x^2 + y^2 - 2*x + 1)}") + "boundary: {all: u = 0}",
            ["1/x in equations.p is not a finite number at x = 0, y = 0"],
        ),
    ],
)
def test_what_does_not_agree_is_told(text: str, warnings: list[str]) -> None:
    found = told(text)
    assert len(found) == len(warnings) and all(part in whole for part, whole in zip(warnings, found)), found


@pytest.mark.parametrize(
    "text",
    [
        REGION
        + LAPLACE
        + "boundary: {plate.bottom: u = x, plate.top: u = x, hole: dn(u) = 0, rest: u = x*(y + 1 - y)}",
        REGION + INLET + LAPLACE + "boundary: {inlet: u = (y - 0.25)*(1 - y), rest: u = 0}",
        REGION + HEAT + "initial: {u: x*y}\nboundary: {plate.left: u = 0, plate.top: dn(u) = x, rest: u = x*y}",
        REGION + LAPLACE.replace("0}", "1/(x^2 + y^2 - 2*x + 1)}") + "boundary: {all: u = 0}",
        SPACE + "initial: {u: x*y*z}\nboundary: {ball: dn(u) = 3*u, bore: u = x*y*z}",
    ],
)
def test_what_agrees_raises_no_warning(text: str) -> None:
    assert told(text) == ()
