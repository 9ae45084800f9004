"""A problem ready to be solved: residuals, and their Jacobian, over one flat vector of coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.domain import Domain, Inside, Where
from kanpde.evaluation import Ground, as_jet, evaluate
from kanpde.expression import Tree
from kanpde.jet import Indices, Jet
from kanpde.network import Tap
from kanpde.tree import free_names
from kanpde.trial import Trial


@dataclass(frozen=True)
class Row:
    """One residual: its name as the user knows it, and the formula that must vanish."""

    name: str
    formula: Tree


@dataclass(frozen=True)
class Block:
    """Residuals that share points: those of the interior, of a face (axis, side), or of a piece of a boundary."""

    name: str
    face: Where
    rows: tuple[Row, ...]
    needed: Mapping[str, Indices]

    @property
    def inside(self) -> bool:
        """Whether its rows are equations, which hold in the interior."""
        return self.face is None or isinstance(self.face, Inside)


@dataclass(frozen=True)
class Problem:
    """A trial solution and the blocks of residuals that it must make vanish."""

    trial: Trial
    blocks: tuple[Block, ...]
    linear: bool
    domain: Domain
    derivatives: str = "taylor"

    def residuals(self, block: Block, theta: Tensor, ground: Ground) -> list[Tensor]:
        """Each row's residual [N]."""
        fields, _ = FIELDS[self.derivatives](self.trial, theta, ground, block.needed, ())
        return [ground.gathered(row) for row in residual_rows(self.trial, block, ground, fields)]

    def rows_and_jacobian(
        self,
        block: Block,
        theta: Tensor,
        ground: Ground,
        trained: Sequence[Sequence[bool]],
        scales: Sequence[float] = (),
        room: Tensor | None = None,
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """Each row's residual [N] and its derivatives [P, N] by the coefficients of the trained layers.

        Both are multiplied by the row's scale. With `room` the derivatives lie in it, until the next row is asked for.
        """
        scales = scales or [1.0] * len(block.rows)
        if self.derivatives == "autograd":
            for scale, (row, jacobian) in zip(scales, self.jacobian_by_autograd(block, theta, ground, trained)):
                yield scale * row, scale * jacobian
            return
        fields, taps = self.trial.fields(theta, ground, block.needed, trained)
        rows = residual_rows(self.trial, block, ground, fields)
        sizes = trained_sizes(self.trial, trained)
        active = active_layers(self.trial, trained, block.needed)
        for number, (row, scale) in enumerate(zip(rows, scales)):
            shape = sum(sizes), row.shape[0]
            out = row.new_zeros(shape) if room is None else room[: shape[0] * shape[1]].view(shape).zero_()
            if row.requires_grad:
                # Gradients given to `grad` beside a sum would have it load SymPy, half a second of every run.
                adjoints = torch.autograd.grad(
                    (scale * row).sum(), [t.outputs for t in taps], retain_graph=number + 1 < len(rows),
                    allow_unused=True,
                )  # fmt: skip
                write_blocks(out, sizes, active, taps, adjoints)
            yield ground.gathered(scale * row.detach()), ground.gathered(out)

    def jacobian_by_autograd(
        self, block: Block, theta: Tensor, ground: Ground, trained: Sequence[Sequence[bool]]
    ) -> Iterator[tuple[Tensor, Tensor]]:
        """The same by nested automatic differentiation, one point after another: the oracle."""
        theta = theta.detach().requires_grad_()
        mask = trained_mask(self.trial, trained).to(theta.device)
        for row in self.residuals(block, theta, ground):
            eye = torch.eye(row.shape[0], dtype=row.dtype, device=row.device)
            found = torch.autograd.grad(row, theta, eye, is_grads_batched=True, retain_graph=True, allow_unused=True)[0]
            found = row.new_zeros(row.shape[0], theta.shape[0]) if found is None else found
            yield row.detach(), found[:, mask].T


def write_blocks(
    out: Tensor, sizes: Sequence[int], active: Sequence[int], taps: Sequence[Tap], adjoints: Sequence[Tensor | None]
) -> None:
    """Fill the rows of the Jacobian that belong to the tapped layers."""
    for layer, tap, adjoint in zip(active, taps, adjoints):
        start = sum(sizes[:layer])
        if adjoint is not None:
            tap.jacobian(adjoint, out[start : start + sizes[layer]])


def residual_rows(trial: Trial, block: Block, ground: Ground, fields: Mapping[str, Jet]) -> list[Tensor]:
    """The block's formulas evaluated with the given fields."""
    zero = frozenset({(0,) * len(trial.box)})
    return [
        as_jet(
            evaluate(row.formula, zero, trial.scope, ground, lambda name, wanted: fields[name].restricted(wanted)),
            zero,
            ground,
        ).value
        for row in block.rows
    ]


def needed_derivatives(trial: Trial, rows: Sequence[Row]) -> dict[str, Indices]:
    """The derivatives of each unknown that some formulas ask for, found by asking."""
    asked: dict[str, Indices] = {}
    count = len(trial.box)

    def record(name: str, wanted: Indices) -> Jet:
        asked[name] = asked.get(name, frozenset()) | wanted
        return Jet({a: torch.full((2,), 0.5, dtype=torch.float64) for a in wanted}, wanted)

    points = torch.tensor([[low + 0.3 * (high - low)] * 2 for low, high in trial.box], dtype=torch.float64)
    names = frozenset().union(*(free_names(row.formula) for row in rows))
    ground = Ground(points, attached={name: torch.full_like(points[0], 0.5) for name in names if "." in name})
    for row in rows:
        evaluate(row.formula, frozenset({(0,) * count}), trial.scope, ground, record)
    return asked


def trained_sizes(trial: Trial, trained: Sequence[Sequence[bool]]) -> list[int]:
    """The numbers of coefficients of the trained layers, network by network."""
    return [
        layer.shape[0] * layer.shape[1] * layer.shape[2]
        for branch, marks in zip(trial.branches, trained)
        for layer, mark in zip(branch.network.layers, marks)
        if mark
    ]


def active_layers(trial: Trial, trained: Sequence[Sequence[bool]], needed: Mapping[str, Indices]) -> list[int]:
    """Which of the trained layers the block's unknowns reach, in the order of the taps."""
    found, number = [], 0
    for branch, marks in zip(trial.branches, trained):
        reached = any(name in needed for name in branch.unknowns)
        for mark in marks:
            found += [number] if mark and reached else []
            number += bool(mark)
    return found


def trained_mask(trial: Trial, trained: Sequence[Sequence[bool]]) -> Tensor:
    """Which of all coefficients [P] belong to trained layers."""
    return torch.cat(
        [
            torch.full((layer.shape[0] * layer.shape[1] * layer.shape[2],), bool(mark))
            for branch, marks in zip(trial.branches, trained)
            for layer, mark in zip(branch.network.layers, marks)
        ]
    )


def everything(trial: Trial) -> tuple[tuple[bool, ...], ...]:
    """All layers trained."""
    return tuple((True,) * len(branch.network.layers) for branch in trial.branches)


def read_outs(trial: Trial) -> tuple[tuple[bool, ...], ...]:
    """Only the last layers trained."""
    return tuple((False,) * (len(branch.network.layers) - 1) + (True,) for branch in trial.branches)


def fields_by_autograd(
    trial: Trial, theta: Tensor, ground: Ground, needed: Mapping[str, Indices], tapped: Sequence[Sequence[bool]]
) -> tuple[dict[str, Jet], list[Tap]]:
    """The unknowns' derivatives by nested `torch.autograd` through the plain network: slow, and independent."""
    points = ground.points.detach().requires_grad_()
    values: dict[str, Tensor] = {}
    start, plain = 0, Ground(points)
    zero = frozenset({(0,) * len(trial.box)})
    for branch in trial.branches:
        part = theta[start : start + branch.network.size]
        start += branch.network.size
        output = branch.network.value(trial.inputs(plain, zero, branch).value, part)
        output = output if branch.span is None else output * trial.counts(branch, points)
        for row, name in enumerate(branch.unknowns):
            if name in needed:
                values[name] = values.get(name, 0.0) + output[row]
    jets = {name: trial.constrained(name, Jet({next(iter(zero)): v}, zero), plain) for name, v in values.items()}
    return {name: differentiated(jet.value, points, needed[name]) for name, jet in jets.items()}, []


def differentiated(value: Tensor, points: Tensor, wanted: Indices) -> Jet:
    """The derivatives `wanted` of values [N] by the points [d, N] they were computed from."""
    zero = (0,) * points.shape[0]
    terms = {zero: value}

    def term(alpha: tuple[int, ...]) -> Tensor:
        if alpha not in terms:
            axis = next(k for k, n in enumerate(alpha) if n)
            below = term(alpha[:axis] + (alpha[axis] - 1,) + alpha[axis + 1 :])
            slope = None
            if below.requires_grad:
                slope = torch.autograd.grad(below.sum(), points, create_graph=True, allow_unused=True)[0]
            terms[alpha] = torch.zeros_like(value) if slope is None else slope[axis]
        return terms[alpha]

    return Jet({a: term(a) for a in wanted}, wanted)


FIELDS = {"taylor": Trial.fields, "autograd": fields_by_autograd}
