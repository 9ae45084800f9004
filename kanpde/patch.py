"""A separable trial solution on a rectangle, fitted by Gauss–Newton steps along the band of its splines."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf
from typing import Iterator, Sequence

import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.intervals import gauss_points, mapped, per_interval, with_middles
from kanpde.jet import Jet, closure
from kanpde.journal import Content, Journal
from kanpde.network import Network
from kanpde.optimisers.banded import Band
from kanpde.points import CHUNK
from kanpde.problem import Block, Problem, residual_rows
from kanpde.separable import ProductLayer
from kanpde.splines import Spline, dense
from kanpde.trial import Branch

EMPHASIS = 100.0  # of conditions on sides that are not built in
NEAR = 0.25  # of the sides: up to this distance to a corner residuals count less
ITERATIONS = 12
ROUNDING = 1e-14
CLOSE = 1e-4  # relative step with which the last iteration will do, if the norm stands still
NOISE = 1e-6  # relative steps below this that do not shrink are rounding

Box = tuple[tuple[float, float], ...]
Lines = tuple[Tensor, Tensor]  # [n, X] along the band, [Y] across it
Rows = tuple[Tensor, Tensor, Tensor]  # residuals [n, M], Jacobian [n, M, degree + 1, A], intervals [n]


@dataclass(frozen=True)
class Placement:
    """Points of a block in a few intervals: a grid [n, X, Y], roots of weights [n, X·Y], and the splines' derivatives.

    Those `along` [A, degree + 1, n, X] are of the functions that differ from zero, those `across` [B, K', Y] of all.
    """

    block: Block
    ground: Ground
    roots: Tensor
    intervals: Tensor
    along: Tensor
    across: Tensor


@dataclass(frozen=True, eq=False)
class Beside:
    """A network that stays as it is beside a patch's splines, on products of the same kind: coefficients [K, K', A]."""

    branch: Branch
    cube: Tensor


@dataclass(frozen=True)
class Patch:
    """Coefficients `cube` [K, K', O] on two axes: the splines `along` which the band runs, and those `across` it."""

    problem: Problem
    box: Box
    axis: int  # of the band, among the two coordinates
    along: Spline
    across: Spline
    cube: Tensor
    beside: Beside | None = None

    @property
    def placed(self) -> Problem:
        """The problem on the patch's box, with the patch's network and what is beside it."""
        trial = self.problem.trial
        layer = ProductLayer(self.ordered(self.along, self.across), self.cube.shape[2])
        return replace(
            self.problem,
            trial=replace(
                trial,
                box=self.box,
                branches=(
                    Branch(Network((layer,)), trial.scope.unknowns),
                    *([self.beside.branch] if self.beside else []),
                ),
            ),
        )

    @property
    def theta(self) -> Tensor:
        """The coefficients as one flat vector."""
        cubes = [self.cube, *([self.beside.cube] if self.beside else [])]
        return torch.cat([(cube if self.axis == 0 else cube.transpose(0, 1)).reshape(-1) for cube in cubes])

    def company(self, block: Block, ground: Ground) -> dict[str, Jet]:
        """What stands beside the splines, at the ground's points, computed once."""
        if self.beside is None:
            return {}
        indices, names = closure(frozenset().union(*block.needed.values())), self.problem.trial.scope.unknowns
        key = (hash(self.beside), indices)
        if key not in ground.found:
            branch, trial = self.beside.branch, self.placed.trial
            part = self.theta[-self.beside.cube.numel() :]
            ground.found[key] = branch.network.forward(trial.inputs(ground, indices, branch), part)[0]
        found: Jet = ground.found[key]  # type: ignore[assignment]
        return {name: found.mapped(lambda v, o=o: v[o]) for o, name in enumerate(names)}  # type: ignore[misc]

    def ordered(self, along: object, across: object) -> tuple:
        """What belongs to the two axes in the order of the coordinates."""
        return (along, across) if self.axis == 0 else (across, along)

    def moved(self, along: Spline, across: Spline) -> Patch:
        """The same function on finer splines."""
        cube = self.cube
        if along is not self.along:
            cube = torch.einsum("lk,kto->lto", self.along.transfer(along), cube)
        if across is not self.across:
            cube = torch.einsum("st,kto->kso", self.across.transfer(across), cube)
        return replace(self, along=along, across=across, cube=cube)

    def free(self) -> Tensor:
        """Which coefficients [K', K'', O] may differ from zero: not those that data on the sides settle.

        Along a closed axis K' counts beyond the end, as many as the splines overlap.
        """
        trial = self.problem.trial
        found = torch.ones(self.along.intervals + self.along.degree, *self.cube.shape[1:], dtype=torch.bool)
        for o, name in enumerate(trial.scope.unknowns):
            for datum in trial.built_in.get(name, ()):
                at = -1 - datum.order if datum.side else datum.order
                if datum.axis == self.axis:
                    found[at, :, o] = False
                else:
                    found[:, at, o] = False
        return found

    def points(self, block: Block) -> tuple[Lines, Tensor, Tensor]:
        """Gauss points of a block on either axis, roots of their weights [n, X·Y] and the intervals [n]."""
        (low, high), panels = self.box[self.axis], with_middles(self.along)
        breaks = low + (panels + 1) * (high - low) / 2
        x, wx = gauss_points(breaks, per_interval(self.along))
        y, wy = (part.flatten() for part in gauss_points(self.across_breaks(), per_interval(self.across)))
        intervals = self.along.interval_of(panels[:-1])
        if block.face is not None and block.face[0] == self.axis:
            at = -block.face[1]
            x, wx, intervals = breaks[at].view(1, 1), wx.new_ones(1, 1), intervals[[at]]
        elif block.face is not None:
            y, wy = y.new_tensor([self.box[1 - self.axis][block.face[1]]]), wy.new_ones(1)
        return (x, y), (wx[:, :, None] * wy).flatten(1).sqrt(), intervals

    def ground(self, x: Tensor, y: Tensor) -> Ground:
        """The points [2, n·X·Y] of a grid."""
        shape = (*x.shape, len(y))
        return Ground(torch.stack([g.flatten() for g in self.ordered(x[:, :, None].expand(shape), y.expand(shape))]))

    def across_breaks(self) -> Tensor:
        """The breaks across the band, with middles, as coordinates."""
        low, high = self.box[1 - self.axis]
        return low + (with_middles(self.across) + 1) * (high - low) / 2

    def placements(self, block: Block) -> Iterator[Placement]:
        """The points of a block, a few intervals at a time, with the splines there."""
        (x, y), roots, intervals = self.points(block)
        orders = [max(a[k] for needed in block.needed.values() for a in needed) for k in (self.axis, 1 - self.axis)]
        where, slope = mapped(y, self.box[1 - self.axis])
        across = torch.stack([dense(self.across, where, m).T * slope**m for m in range(orders[1] + 1)])
        roots = roots * (self.by_corners(block, x, y) if block.face is None else EMPHASIS)
        few = max(1, CHUNK // roots.shape[1])
        for part, weights, numbers in zip(x.split(few), roots.split(few), intervals.split(few)):
            where, slope = mapped(part, self.box[self.axis])
            found = self.along.local(where.flatten(), orders[0])[1]
            along = torch.stack([table.view(-1, *part.shape) * slope**m for m, table in enumerate(found)])
            yield Placement(block, self.ground(part, y), weights, numbers, along, across)

    @property
    def steady(self) -> bool:
        """Whether the patch is all of a rectangle in space, and no window of time."""
        return "t" not in self.problem.trial.scope.coordinates

    def by_corners(self, block: Block, x: Tensor, y: Tensor) -> Tensor | float:
        """How much residuals [n, X·Y] count: the distance to the nearest corner to half the order of the equations.

        Their squares can so be integrated where data clash (Cox & Fix 1984; Lee, Manteuffel & Westphal 2006).
        """
        if not self.steady or self.problem.trial.periodic:
            return 1.0
        order = max(sum(alpha) for needed in block.needed.values() for alpha in needed)
        p, q = ((1 - mapped(z, self.box[k])[0].abs()) / 2 for z, k in ((x, self.axis), (y, 1 - self.axis)))
        distance = (p[:, :, None] ** 2 + q**2).sqrt()
        return (distance / NEAR).clamp_max(1.0).flatten(1) ** (order / 2)

    def linearised(self, at: Placement, active: Tensor) -> Rows:
        """Weighted residuals by interval, and their derivatives by the active coefficients [K', O] that are free.

        Values of the splines are summed over one axis after the other, and those of the adjoint spread likewise.
        """
        block, along, across, trial = at.block, at.along, at.across, self.placed.trial
        touched = at.intervals[:, None] + torch.arange(self.along.degree + 1)
        free = self.free()[touched]
        lines = torch.einsum("npto,bty->npboy", self.cube[touched % self.along.size], across)
        outputs = torch.einsum("apnx,npboy->abonxy", along, lines).requires_grad_()
        fields, company = {}, self.company(block, at.ground)
        for o, name in enumerate(trial.scope.unknowns):
            if name in block.needed:
                own = closure(block.needed[name])
                jet = Jet({a: outputs[a[self.axis], a[1 - self.axis], o].flatten() for a in own}, own)
                jet = jet + company[name] if company else jet
                fields[name] = trial.constrained(name, jet, at.ground)
        residuals, jacobians = [], []
        for row in residual_rows(trial, block, at.ground, fields):
            adjoint = torch.autograd.grad((row * at.roots.flatten()).sum(), outputs, retain_graph=True)[0]
            lines = torch.einsum("abonxy,bty->anxyto", adjoint, across)
            whole = torch.einsum("apnx,anxyto->nxypto", along, lines).flatten(1, 2).mul_(free[:, None])
            jacobians.append(whole[:, :, :, active])
            residuals.append(row.detach().view_as(at.roots) * at.roots)
        return torch.cat(residuals, dim=1), torch.cat(jacobians, dim=1), at.intervals

    def step(self, parts: Sequence[Rows], active: Tensor) -> Tensor:
        """The Gauss–Newton step [K, A] of weighted rows; settled coefficients stay as they are."""
        rows: list[list[Tensor]] = [[] for _ in range(self.along.intervals)]
        rights: list[list[Tensor]] = [[] for _ in range(self.along.intervals)]
        free = self.free()[:, active]
        for residuals, jacobians, intervals in parts:
            for r, j, k in zip(residuals, jacobians, intervals.tolist()):
                rows[k].append(j)
                rights[k].append(r)
        for block, column in (~free).nonzero().tolist():
            k = min(block, self.along.intervals - 1)
            pinned = self.cube.new_zeros(1, self.along.degree + 1, free.shape[1])
            pinned[0, block - k, column] = 1.0
            rows[k].append(pinned)
            rights[k].append(pinned.new_zeros(1))
        return -Band([torch.cat(r) for r in rows], [torch.cat(r) for r in rights], self.along.periodic).solution()

    def size(self) -> Tensor:
        """The sizes [O] of the unknowns: of their coefficients and of what is built in."""
        trial, zero = self.placed.trial, (0,) * len(self.box)
        ground = self.ground(*self.points(self.problem.blocks[0])[0])
        found = self.cube.abs().amax(dim=(0, 1)) + 1e-300
        for o, name in enumerate(trial.scope.unknowns):
            if data := trial.built_in.get(name, ()):
                lift = trial.known(name, data, ground, frozenset({zero}))[0]
                found[o] += torch.as_tensor(lift.value).abs().max()
        return found

    def added(self, step: Tensor, active: Tensor, share: float = 1.0) -> Patch:
        """The patch with a step on its active coefficients."""
        cube = self.cube.clone()
        cube[:, active] += share * step
        return replace(self, cube=cube)

    def stepped(self, blocks: Sequence[Block], active: Tensor) -> Patch:
        """The patch after one Gauss–Newton step."""
        parts = [self.linearised(place, active) for block in blocks for place in self.placements(block)]
        return self.added(self.step(parts, active), active)

    def fitted(self, blocks: Sequence[Block], active: Tensor, tolerance: float) -> tuple[Patch, float] | None:
        """The patch of least residuals and their norm, or None where the iteration does not settle.

        Gauss–Newton steps, shortened while they raise the norm; at the end they shrink below the tolerance, or no
        further than rounding lets them.
        """
        start, norm, share, sizes, level = self, inf, 1.0, [inf], False
        trial, step, built_in = self, None, float((self.size() - self.cube.abs().amax(dim=(0, 1))).max())
        places = [place for block in blocks for place in self.placements(block)]
        for _ in range(ITERATIONS):
            parts = [trial.linearised(place, active) for place in places]
            reached = sum(float(r.square().sum()) for r, _, _ in parts) ** 0.5
            if reached <= norm * 1.0001:
                level = reached > 0.9 * norm
                start, norm, share = trial, reached, 1.0
                step = trial.step(parts, active)
                sizes.append(float(step.abs().max()) / (float(start.cube.abs().max()) + built_in))
                rounding = level and sizes[-1] > 0.5 * sizes[-2]
            else:
                share, rounding = share / 4, True
            del parts  # before others take as much memory again
            if step is None or share < 0.01:
                return None
            trial = start.added(step, active, share)
            if sizes[-1] <= max(0.01 * tolerance, ROUNDING) or (rounding and sizes[-1] <= NOISE):
                return (trial if share == 1.0 else start), norm
        return (start, norm) if level and sizes[-1] <= CLOSE else None

    def remembered(
        self, blocks: Sequence[Block], active: Tensor, tolerance: float, journal: Journal
    ) -> tuple[Patch, float] | None:
        """The fit, or what a journal kept of it: in either case from what it keeps, so that sums have one order."""

        def found() -> Content:
            fit = self.fitted(blocks, active, tolerance)
            return fit and {"cube": fit[0].cube.contiguous(), "norm": fit[1]}

        kept = journal.once(found)
        return kept and (replace(self, cube=kept["cube"].view_as(self.cube)), float(kept["norm"]))
