"""From a trained solution to a formula with an outcome: verified exact, approximate, or none found."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import isfinite
from time import process_time
from typing import Iterator, Mapping, Sequence

import numpy as np
import sympy
from torch import Tensor

from kanpde.build import scope_of
from kanpde.insight.arrays import numbers
from kanpde.insight.circles import round_shape
from kanpde.insight.conditions import determined
from kanpde.insight.edgewise import facts
from kanpde.insight.fields import ALL, EDGES, FIRST, FURTHER, SIDES, Candidate, Detector, Samples, distance
from kanpde.insight.findings import Found, Outcome
from kanpde.insight.formula import PREFIX, field_values
from kanpde.insight.joint import Joint, best, joined, shown
from kanpde.insight.least_squares import minimised
from kanpde.insight.proof import Check, proved
from kanpde.insight.recognition import recognised
from kanpde.insight.simplification import simplest
from kanpde.insight.statement import Statement, statement
from kanpde.insight.symbolic import Unprovable, expression, symbol
from kanpde.result import FieldError
from kanpde.result import Outcome as Ending
from kanpde.solution import Solution
from kanpde.spec import Spec
from kanpde.tree import Name

SNAPPING = (1e-11, 1e-9, 1e-7, 1e-6)  # relative, tried one after another: the proof decides
SAID = 100.0  # times the first tolerance: structure that holds less nearly is not said to be there
COARSE = (1e-3, 1e-2)
FINEST, ROUGHEST = 1e-10, 1e-3
LOOSER = (1.0, 30.0, 1000.0, 1 / 30)  # than first: at last, should the run's estimate of its error be too large, nearer
CLOSE = 1e-3  # of the trained solution: a proved formula that is farther from it solves the problem otherwise
ATTEMPTS = 3
MOST_CONSTANTS = 16  # in formulas that may be exact
SECONDS = 150.0  # of processor time
STEPS = 10  # of refinement, from constants that are nearly right
CAUTION = 10.0  # times the run's own estimate of its error: of all measured, those of true solutions are larger
GRIDS = 1.1  # by which distances may differ between one grid and another
ROUNDING = 1e-12  # below which no error is known
TRUSTED = (Ending.CONVERGED, Ending.FINISHED, Ending.LIMIT, Ending.STAGNATED, Ending.INACCURATE)


def formula_of(
    solution: Solution, spec: Spec, estimated: Mapping[str, FieldError], seconds: float = SECONDS, edges: bool = False
) -> Found:
    """A formula for a trained solution of a problem, stated without what is known of its solution.

    After so many seconds of processor time nothing new is tried. The network is read edge by edge if nothing else is
    proved, or if that is asked for.
    """
    if (spec.region is not None or spec.zones is not None) and round_shape(spec) is None:
        return Found(Outcome.NONE, reason="formulas are looked for on boxes, discs and rings only")
    if len(spec.box) not in SIDES:
        return Found(Outcome.NONE, reason=f"formulas are looked for in at most {max(SIDES)} coordinates")
    if set(spec.unknowns) - set(solution.spec.unknowns):
        return Found(Outcome.NONE, reason="the solution has other unknowns")
    search = _Search(Samples(solution), spec, statement(spec), estimated, process_time() + seconds)
    found = search.exact(FIRST) or search.exact(FURTHER) or search.by_edges() or search.own() or search.approximate()
    read = edges or "networks" in vars(search.samples)
    return replace(found, structure=search.structure(), edges=facts(search.samples.networks) if read else ())


@dataclass(frozen=True)
class _Search:
    """All that the steps of a search share."""

    samples: Samples
    spec: Spec
    stated: Statement
    estimated: Mapping[str, FieldError]
    until: float  # of the processor's clock
    seen: dict[str, dict[int, Candidate]] = field(default_factory=dict)
    tried: set[tuple[Candidate, ...]] = field(default_factory=set)
    missed: list[tuple[Mapping[str, sympy.Expr], list[Check]]] = field(default_factory=list)

    def tolerances(self) -> Iterator[dict[str, float]]:
        """How near the formula of each field must come, from what is known of the run's error in that field."""
        known = {n: self.estimated[n].relative_l2 if n in self.estimated else 1e-7 for n in self.samples.names}
        first = {name: min(max(10 * error, FINEST), ROUGHEST) for name, error in known.items()}
        for factor in LOOSER:
            wanted = {name: min(factor * tolerance, ROUGHEST) for name, tolerance in first.items()}
            if factor * min(first.values()) <= ROUGHEST:
                yield wanted

    def structure(self) -> dict[str, list[tuple[str, float]]]:
        """What each unknown is like, and to which part of its size."""
        found = {}
        for name, tolerance in next(self.tolerances()).items():
            alike = self.samples.structures(name, min(SAID * tolerance, ROUGHEST), ALL)
            found[name] = [(one.said, max(one.gap, ROUNDING)) for one in alike]
        return {name: own for name, own in found.items() if own}

    def fitting(self, tolerances: Mapping[str, float], kinds: Sequence[Detector] = FIRST) -> list[list[Candidate]]:
        """Candidates for each field, all of which are remembered."""
        found = []
        for name, tolerance in tolerances.items():
            made = [c for c in self.samples.candidates(name, tolerance, kinds) if isfinite(c.error)]
            own = self.seen.setdefault(name, {})
            for one in made:
                size = one.formula.complexity
                if size not in own or one.error < own[size].error:
                    own[size] = one
            found.append(made)
        return found

    def exact(self, kinds: Sequence[Detector]) -> Found | None:
        """A formula that is proved, from the trained solution alone."""
        for tolerances in self.tolerances():
            if process_time() > self.until:
                return None
            choices = self.fitting(tolerances, kinds)
            if not all(choices):
                continue
            for number in range(min(ATTEMPTS, max(map(len, choices)))):
                if process_time() > self.until:
                    return None
                chosen = tuple(own[min(number, len(own) - 1)] for own in choices)
                if chosen in self.tried:
                    continue
                self.tried.add(chosen)
                joint = joined(self.samples.names, chosen)
                if len(joint.values) <= MOST_CONSTANTS and (found := self.recognised(self.refined(joint))):
                    return found
        return None

    def by_edges(self) -> Found | None:
        """A formula that is proved, from the functions on the network's edges."""
        return self.exact(EDGES) if process_time() < self.until and self.samples.networks else None

    def refined(self, joint: Joint) -> Joint:
        """The constants at which equations and conditions are fulfilled best."""
        scales = self.stated.scales(joint.trees, joint.values)
        with np.errstate(all="ignore"):
            best = minimised(lambda v: self.stated.residuals(joint.trees, v, scales), joint.values, STEPS)
        return Joint(joint.trees, best)

    def recognised(self, joint: Joint) -> Found | None:
        """The formulas with exact constants, if they are proved."""
        tried = set()
        for tolerance in SNAPPING:
            exact = [recognised(float(v), tolerance, self.constants) for v in joint.values]
            if tuple(exact) in tried:
                continue
            tried.add(tuple(exact))
            whole = self.whole(joint, exact)
            if whole and (found := self.decided({n: simplest(made) for n, made in whole.items()}, "")):
                return found
        return None

    def whole(self, joint: Joint, exact: Sequence[sympy.Expr | None]) -> dict[str, sympy.Expr] | None:
        """The formulas with exact constants; those that were not recognised are found from the conditions."""
        symbols = {k: sympy.Symbol(f"{PREFIX}{k}", real=True) for k, one in enumerate(exact) if one is None}
        given = {f"{PREFIX}{k}": symbols.get(k, one) for k, one in enumerate(exact)}
        names = {**{name: symbol(name) for name in self.spec.box}, **given}
        made = {name: expression(tree, names, {}) for name, tree in joint.trees.items()}
        if not symbols:
            return made
        try:
            found = determined(self.spec, made, {own: float(joint.values[k]) for k, own in symbols.items()})
        except Unprovable:
            return None
        return {name: one.subs(found) for name, one in made.items()} if found else None

    @property
    def constants(self) -> dict[str, sympy.Expr]:
        """The problem's own constants."""
        found, definitions = {}, scope_of(self.spec).definitions
        for name, tree in definitions.items():
            try:
                exact = expression(tree, {}, definitions)
            except Unprovable:
                continue
            if exact.is_number:
                found[name] = exact
        return found

    def decided(self, whole: Mapping[str, sympy.Expr], reason: str) -> Found | None:
        """A finding, if the expressions are near the trained solution and proved; otherwise they are remembered."""
        distances = {name: self.apart(name, made) for name, made in whole.items()}
        if max(distances.values()) > CLOSE:
            return None
        try:
            checks = proved(self.spec, whole)
        except Unprovable:
            return None
        if not all(check.holds for check in checks):
            self.missed.append((whole, checks))
            return None
        return Found(Outcome.VERIFIED, whole, checks, reason, distances, candidates=self.curve())

    def apart(self, name: str, made: sympy.Expr, most: int = 400) -> float:
        """How far an expression is from a trained field, beside the larger of its size and a thousandth of all."""
        points, fields = self.samples.measured
        every = slice(None, None, max(1, points.shape[1] // most))
        known = fields[name][every]
        gap = np.linalg.norm(numbers(made, self.samples.coordinates, points.numpy()[:, every]) - known)
        size = max(np.sqrt(np.mean(known**2)), CLOSE * self.samples.level)
        return float(gap / np.sqrt(len(known)) / size)

    def distance(self, name: str, made: sympy.Expr) -> float:
        """The relative L2 distance of an expression from a trained field."""
        points, fields = self.samples.measured
        return distance(numbers(made, self.samples.coordinates, points.numpy()), fields[name])

    def own(self) -> Found | None:
        """The problem's own definitions, where the fields are among them and that is proved."""
        scope, points = scope_of(self.spec), self.samples.measured[0]
        fields = self.samples.measured[1]
        usable = [n for n, tree in scope.definitions.items() if scope.free_of_unknowns(tree)]
        chosen = {}
        for name in self.samples.names:
            for own in usable:
                if self.near(own, fields[name], points):
                    chosen[name] = own
        if not chosen or set(chosen) != set(self.samples.names):
            return None
        names = {name: symbol(name) for name in self.spec.box}
        try:
            whole = {name: simplest(expression(Name(own), names, scope.definitions)) for name, own in chosen.items()}
        except Unprovable:
            return None
        listed = ", ".join(f"{name} = {own}" for name, own in chosen.items())
        return self.decided(whole, f"recognised among the definitions in the problem: {listed}")

    def near(self, own: str, known: np.ndarray, points: Tensor) -> bool:
        """Whether a definition has the values of a field."""
        with np.errstate(all="ignore"):
            return distance(field_values(Name(own), np.zeros(0), scope_of(self.spec), points), known) < CLOSE

    def approximate(self) -> Found:
        """The formulas that are nearest for their length, with what is known of their error."""
        laws = {law.name for law in self.spec.equations}
        for whole, checks in self.missed:
            if all(check.holds for check in checks if check.name in laws):
                return self.almost(whole, checks)
        for tolerance in COARSE:
            if process_time() < self.until:
                self.fitting(dict.fromkeys(self.samples.names, tolerance))
        chosen = [best(tuple(own.values())) for own in self.seen.values()]
        if not all(chosen) or len(chosen) < len(self.samples.names):
            return Found(Outcome.NONE, reason="no short formula comes near", candidates=self.curve())
        joint = joined(self.samples.names, [one for one in chosen if one])
        names = {name: symbol(name) for name in self.spec.box}
        names |= {f"{PREFIX}{k}": sympy.Float(float(v), 15) for k, v in enumerate(joint.values)}
        whole = {name: expression(tree, names, {}) for name, tree in joint.trees.items()}
        distances = {name: one.error for name, one in zip(joint.trees, chosen) if one}
        residual = self.residual(joint)
        reason = "its constants are measured, not exact"
        return Found(Outcome.APPROXIMATE, whole, (), reason, distances, self.bounds(distances), residual, self.curve())

    def almost(self, whole: Mapping[str, sympy.Expr], checks: list[Check]) -> Found:
        """Exact expressions that fulfil a part of the problem's statements."""
        distances = {name: self.distance(name, made) for name, made in whole.items()}
        reason = "not every statement of the problem is fulfilled exactly"
        return Found(
            Outcome.APPROXIMATE, whole, checks, reason, distances, self.bounds(distances), candidates=self.curve()
        )

    def residual(self, joint: Joint) -> float:
        """The relative residual of formulas in all statements of the problem."""
        scales = self.stated.scales(joint.trees, joint.values)
        return float(np.linalg.norm(self.stated.residuals(joint.trees, joint.values, scales)))

    def bounds(self, distances: Mapping[str, float]) -> dict[str, float]:
        """What the errors are at most, if the run is right about its own; nothing for a run that is in doubt."""
        if self.samples.solution.outcome not in TRUSTED:
            return {}
        return {
            name: GRIDS * gap + CAUTION * self.estimated[name].relative_l2 + ROUNDING
            for name, gap in distances.items()
            if name in self.estimated
        }

    def curve(self) -> dict[str, list[tuple[int, float, str]]]:
        """For each field, the candidates that nothing shorter beats."""
        found = {}
        for name, own in self.seen.items():
            kept: list[tuple[int, float, str]] = []
            for size in sorted(own):
                if not kept or own[size].error < kept[-1][1]:
                    kept.append((size, own[size].error, shown(own[size])))
            found[name] = kept
        return found
