"""Weighted residuals on chosen points, as an optimiser sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from kanpde.evaluation import Ground
from kanpde.optimisers.base import Normal
from kanpde.optimisers.least_squares import triangle
from kanpde.problem import Block, Problem, trained_mask

# Rows of JᵀJ formed at once, up to the diagonal: small beside P, large enough for a fast product.
BLOCK, DEVICE_BLOCK = 192, 2048


@dataclass(frozen=True)
class Sample:
    """Points for one block, in chunks, the weight of each of its rows, and the number of residuals of each row."""

    block: Block
    chunks: tuple[Ground, ...]
    weights: tuple[float, ...]
    count: int


def sample(block: Block, ground: Ground, weights: Sequence[float], chunk: int) -> Sample:
    """A sample of points cut into chunks."""
    return Sample(block, ground.split(chunk), tuple(weights), ground.count // ground.group)


@dataclass(frozen=True)
class Residuals:
    """Σ over rows of weight² · mean r² over the points, as a function of the trained coefficients."""

    problem: Problem
    samples: tuple[Sample, ...]
    theta: Tensor
    trained: tuple[tuple[bool, ...], ...]
    mask: Tensor

    def whole(self, part: Tensor) -> Tensor:
        """All coefficients, with the trained ones replaced."""
        if len(part) == len(self.theta):
            return part
        found = self.theta.clone()
        found[self.mask] = part
        return found

    def pieces(self) -> Iterator[tuple[Sample, Ground, list[float]]]:
        """Every chunk with the factors of its rows."""
        for part in self.samples:
            factors = [weight / part.count**0.5 for weight in part.weights]
            for ground in part.chunks:
                yield part, ground, factors

    def residuals(self, theta: Tensor) -> Tensor:
        """The weighted residuals [R]."""
        with torch.no_grad() if self.problem.derivatives == "taylor" else torch.enable_grad():
            found = [
                factor * row.detach()
                for part, ground, factors in self.pieces()
                for factor, row in zip(factors, self.problem.residuals(part.block, self.whole(theta), ground))
            ]
        return torch.cat(found)

    def loss(self, theta: Tensor) -> float:
        """‖r‖²."""
        return float(self.residuals(theta).square().sum())

    def normal(self, theta: Tensor) -> Normal:
        """JᵀJ and Jᵀr, assembled in chunks."""
        matrix = theta.new_zeros(len(theta), len(theta))
        gradient, found = torch.zeros_like(theta), []
        room = theta.new_empty(len(theta) * max(ground.points.shape[1] for _, ground, _ in self.pieces()))
        for residual, jacobian in self.scaled_rows(theta, room):
            add_lower_product(matrix, jacobian)
            gradient.addmv_(jacobian, residual)
            found.append(residual)
        residuals = torch.cat(found)
        return Normal(mirrored(matrix), gradient, residuals, float(residuals.square().sum()))

    def triangle(self, theta: Tensor) -> Tensor:
        """The triangle [P + 1, P + 1] of the Jacobian with the residuals beside it, folded in chunks."""
        return triangle(self.scaled_rows(theta))

    def jacobian(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """The whole transposed Jacobian [P, R] beside the residuals [R]."""
        rows = list(self.scaled_rows(theta))
        return torch.cat([j for _, j in rows], dim=1), torch.cat([r for r, _ in rows])

    def scaled_rows(self, theta: Tensor, room: Tensor | None = None) -> Iterator[tuple[Tensor, Tensor]]:
        """Weighted residuals and Jacobian rows, chunk by chunk; in `room`, if given, one takes the place of another."""
        whole = self.whole(theta)
        for part, ground, factors in self.pieces():
            yield from self.problem.rows_and_jacobian(part.block, whole, ground, self.trained, factors, room)

    def pullback(self, theta: Tensor, weights: Tensor) -> Tensor:
        """Jᵀw for weights [R]."""
        leaf = theta.detach().requires_grad_()
        gradient, start = torch.zeros_like(theta), 0
        for part, ground, factors in self.pieces():
            rows = self.problem.residuals(part.block, self.whole(leaf), ground)
            total = leaf.new_zeros(())
            for factor, row in zip(factors, rows):
                total = total + factor * (weights[start : start + len(row)] * row).sum()
                start += len(row)
            if total.requires_grad:
                gradient += torch.autograd.grad(total, leaf)[0]
        return gradient

    def loss_and_gradient(self, theta: Tensor) -> tuple[float, Tensor]:
        """‖r‖² and its gradient."""
        leaf = theta.detach().requires_grad_()
        gradient, loss = torch.zeros_like(theta), 0.0
        for part, ground, factors in self.pieces():
            rows = self.problem.residuals(part.block, self.whole(leaf), ground)
            total = sum(
                (factor**2 * row.square().sum() for factor, row in zip(factors, rows)), start=leaf.new_zeros(())
            )
            if total.requires_grad:
                gradient += torch.autograd.grad(total, leaf)[0]
            loss += float(total.detach())
        return loss, gradient

    def losses(self, theta: Tensor) -> Mapping[str, float]:
        """Each row's mean square, unweighted, by name."""
        found: dict[str, float] = {}
        with torch.no_grad() if self.problem.derivatives == "taylor" else torch.enable_grad():
            for part, ground, _ in self.pieces():
                for row, values in zip(part.block.rows, self.problem.residuals(part.block, self.whole(theta), ground)):
                    found[row.name] = found.get(row.name, 0.0) + float(values.detach().square().sum()) / part.count
        return found


def block_of(rows: Tensor) -> int:
    """The rows formed at once on a tensor's device."""
    return BLOCK if rows.device.type == "cpu" else DEVICE_BLOCK


def add_lower_product(matrix: Tensor, rows: Tensor) -> None:
    """Add the product of rows [P, N] with their transpose to a matrix's blocks on and below the diagonal."""
    size = block_of(rows)
    for start in range(0, len(rows), size):
        stop = start + size
        matrix[start:stop, :stop].addmm_(rows[start:stop], rows[:stop].T)


def mirrored(matrix: Tensor) -> Tensor:
    """The symmetric matrix of which the blocks on and below the diagonal are given, completed in place."""
    size = block_of(matrix)
    for start in range(size, len(matrix), size):
        stop = start + size
        matrix[:start, start:stop] = matrix[start:stop, :start].T
    return matrix


def residuals_of(
    problem: Problem, samples: Sequence[Sample], theta: Tensor, trained: tuple[tuple[bool, ...], ...]
) -> Residuals:
    """The objective over the trained layers' coefficients, the others held at `theta`."""
    return Residuals(problem, tuple(samples), theta, trained, trained_mask(problem.trial, trained))
