"""What the gallery is measured against: targets, and the best errors in print of any network and of a KAN.

Tier A is smooth and analytic; tier B sharp or chaotic. Errors are relative L2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from machine import ROOT

PROBLEMS = ROOT / "problems"


@dataclass(frozen=True)
class Published:
    """An error that somebody else reached."""

    error: float
    how: str = ""


@dataclass(frozen=True)
class Target:
    """An error to reach, and the seconds in which."""

    error: float
    seconds: float = inf


@dataclass(frozen=True)
class Case:
    """A problem of the gallery, what is changed in it, and what its error is measured against."""

    problem: str  # the stem of its file
    id: str = ""
    tier: str = ""
    changes: tuple[str, ...] = ()
    targets: tuple[Target, ...] = ()
    record: Published | None = None
    kan: Published | None = None

    @property
    def name(self) -> str:
        """The problem with its changes."""
        return " ".join((self.problem, *self.changes))

    @property
    def label(self) -> str:
        """The shortest name there is."""
        return self.id or self.problem


SMOOTH = (Target(1e-10, 120),)
PLANE = (Target(1e-11, 20),)  # of linear elliptic problems in two dimensions


def smooth(id: str, problem: str, record: Published | None = None, *changes: str) -> Case:
    """A case of tier A with the target that most of them have."""
    return Case(problem, id, "A", changes, SMOOTH, record)


CONVECTION = Published(1e-3, "order of magnitude, network")
FIVE = Published(4.7e-4, "PINNacle; 3.5e-8 for a sum of cosines in 3000 s")
TIER_A = (
    Case("elliptic_2d_poisson", "P1", "A", (), PLANE, Published(1.2e-7, "energy natural gradient, 468 s"),
         Published(4.2e-5, "jaxKAN, hard conditions, L-BFGS, 68 s, measured here")),
    Case("elliptic_2d_poisson_multiscale", "P3", "A", (), PLANE),
    smooth("P5", "elliptic_5d_poisson", FIVE),
    smooth("P5-soft", "elliptic_5d_poisson", FIVE, "enforce=soft"),
    smooth("P10", "elliptic_10d_laplace", Published(1.6e-5)),
    Case("elliptic_2d_helmholtz", "HZ1", "A", (), PLANE, Published(5.8e-6), Published(1.0e-3)),
    Case("elliptic_2d_helmholtz_fine", "HZ2", "A", (), PLANE),
    smooth("H1", "parabolic_1d_heat", Published(6e-8)),
    smooth("W1", "hyperbolic_1d_wave", Published(1.2e-5, "network")),
    smooth("C1", "hyperbolic_1d_convection", CONVECTION),
    smooth("C1-50", "hyperbolic_1d_convection", CONVECTION, "definitions.beta=50"),
    smooth("C1-80", "hyperbolic_1d_convection", CONVECTION, "definitions.beta=80"),
    smooth("R1", "reaction_1d_logistic", Published(1e-3, "order of magnitude")),
    smooth("K2", "dispersive_1d_kdv_two_soliton", Published(2.2e-6)),
    smooth("KV", "flow_2d_kovasznay", Published(1e-7, "order of magnitude")),
    Case("elliptic_2d_plate", "BI", "A", (), PLANE),
    Case("elliptic_2d_elasticity", "EL", "A", (), PLANE),
    smooth("EB", "elliptic_1d_beam"),
    smooth("EV-1", "eigen_1d_string"),
    smooth("EV-2", "eigen_2d_square"),
    smooth("EV-3", "eigen_1d_oscillator"),
)
TIER_B = (
    Case("parabolic_1d_burgers", "B1", "B", (), (Target(1e-6, 300), Target(1e-9)),
         Published(4.9e-9, "64,000 quasi-Newton steps, 47 min on a GPU"), Published(2.1e-2)),
    Case("parabolic_1d_burgers_mild", "B2", "B", (), (Target(1e-10),), Published(8e-14, "346 s on an H100")),
    Case("parabolic_1d_allen_cahn", "AC1", "B", (), (Target(1e-5, 600), Target(1e-6)),
         Published(9.4e-7, "of the problem with a band-limited start"), Published(2.5e-5)),
    Case("dispersive_1d_kdv", "K1", "B", (), (Target(1e-6),), Published(1.5e-4)),
    Case("parabolic_1d_kuramoto_sivashinsky", "KS1", "B", (), (Target(1e-6),), Published(1.4e-4)),
    Case("dispersive_1d_schroedinger", "N1", "B", (), (Target(1e-6),), Published(2e-3)),
    Case("flow_2d_cavity", "L1", "B", (), (Target(1e-5),), Published(3.6e-2, "PINNacle")),
    Case("elliptic_2d_four_discs", "PC", "B", (), (Target(1e-7),), Published(1.2e-2, "PINNacle")),
    Case("elliptic_2d_l_shape", "LS", "B", (), (Target(1e-4), Target(1e-6))),
    Case("inverse_2d_conductivity", "PI", "B", (), (), Published(2.5e-2, "PINNacle")),
)


def cases() -> list[Case]:
    """Tier A, tier B, and the rest of the gallery."""
    table = [*TIER_A, *TIER_B]
    known = {case.problem for case in table}
    return [*table, *(Case(path.stem) for path in sorted(PROBLEMS.glob("*.yaml")) if path.stem not in known)]


def chosen(names: list[str], tier: str | None) -> Iterator[Case]:
    """The cases that can be run and have one of the names, if there are any, and the tier, if there is one."""
    wanted = {name.lower() for name in names}
    for case in cases():
        own = {case.id.lower(), case.problem.lower(), case.name.lower()}
        if (not names or own & wanted) and tier in (None, case.tier):
            yield case
