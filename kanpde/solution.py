"""A trained trial solution: evaluate it anywhere, measure it, put it on a grid."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from kanpde.build import assemble
from kanpde.errors import ResultError, SpecError
from kanpde.estimated import estimated, summed_up
from kanpde.estimates import Estimates
from kanpde.evaluation import Ground, as_jet, evaluate
from kanpde.expression import ExpressionError, parse
from kanpde.folder import unpacked
from kanpde.network import Network
from kanpde.operators import expand
from kanpde.outlines import outlines
from kanpde.output_grid import output_axes, reference_grid
from kanpde.problem import FIELDS, Block, Problem, Row, needed_derivatives
from kanpde.regional import fields_of, scene_of
from kanpde.resolution import NUMBER, Scope, Shape, resolve
from kanpde.result import Field, FieldError, Outcome, Result
from kanpde.singular import SingularLayer
from kanpde.spec import Spec, read_spec_text
from kanpde.stored import network_arrays, stored_networks, stored_spans
from kanpde.tree import Name, Tree, Vector
from kanpde.truth import exact_values, measuring_points, truth_of

CHUNK = 4000  # points evaluated at once, at most
VALUES = 800_000  # of a layer's inputs at them: what fits into a processor's cache is faster
Solved = tuple[Problem, Tensor]

SLACK = 1e-12  # of a coordinate's interval: points this far outside still count as inside


@dataclass(frozen=True)
class Solution:
    """A problem with trained coefficients, how the training went, and what came of it."""

    spec: Spec
    problem: Problem
    theta: Tensor
    history: Mapping[str, np.ndarray]
    outcome: Outcome
    summary: Mapping[str, Any]
    provenance: Mapping[str, Any]
    estimates: Estimates | None = None
    replicas: tuple[Solved, ...] = ()  # other solutions of the same problem
    points: Mapping[str, np.ndarray] = field(default_factory=dict)  # [d, N] of each block, some it was fitted at

    def at(self, points: np.ndarray, fields: Sequence[str] = ()) -> dict[str, np.ndarray]:
        """Fields, derivatives or expressions (`u`, `u_x`, `u^2 + v^2`) at points [M, d]; NaN outside the domain.

        Raises ExpressionError for an expression that cannot be read.
        """
        names = tuple(fields) or self.spec.unknowns
        trees = {name: asked_formula(self.spec, name) for name in names}
        points = np.asarray(points, dtype=np.float64)
        inside = self.inside(points)
        values = self.formulas(trees, torch.as_tensor(points[inside].T.copy()))
        found = {name: np.full(len(points), np.nan) for name in names}
        for name in names:
            found[name][inside] = values[name].numpy()
        return found

    def inside(self, points: np.ndarray) -> np.ndarray:
        """Which of the points [M, d] lie in the domain, to rounding."""
        low, high = np.array(tuple(self.spec.box.values())).T
        slack = SLACK * (high - low)
        within = np.all((points >= low - slack) & (points <= high + slack), axis=1)
        return within & self.problem.domain.contains(torch.as_tensor(points.T)).numpy()

    def formulas(self, trees: Mapping[str, Tree], points: Tensor) -> dict[str, Tensor]:
        """Formulas of the coordinates and unknowns at points [d, M]."""
        scene = scene_of(self.spec)
        rows = tuple(Row(name, expand(tree, scene)) for name, tree in trees.items())
        block = Block("asked", None, rows, needed_derivatives(self.problem.trial, rows))
        return formula_values(self.problem, block, self.theta, points)

    def deviation(self, name: str, points: Tensor) -> np.ndarray:
        """The pointwise standard deviation [M] of a fitted function at points [d, M].

        With coefficients of covariance L Lᵀ it is the norm of the functions that the columns of L are coefficients of.
        """
        assert self.estimates is not None
        branch = next(b for b in self.problem.trial.branches if b.unknowns == (name,))
        (layer,), spread = branch.network.layers, torch.as_tensor(self.estimates.spread[name])
        columns = replace(branch, network=Network((replace(layer, outputs=spread.shape[1]),)))
        zero = frozenset({(0,) * points.shape[0]})
        found = []
        for part in points.double().split(CHUNK, dim=1):
            inputs = self.problem.trial.inputs(Ground(part), zero, columns)
            found.append(columns.network.value(inputs.value, spread.flatten()).square().sum(0).sqrt())
        return torch.cat(found).numpy()

    def errors(self) -> dict[str, FieldError]:
        """The true error of each unknown whose solution is known."""
        truth = truth_of(self.spec)
        if truth is None:
            return {}
        return truth.errors(unknown_values(self.problem, self.theta, tuple(truth.values), truth.points))

    @cached_property
    def estimated_errors(self) -> dict[str, FieldError]:
        """The estimated error of each unknown and of all that is fitted; nothing without other solutions."""
        return estimated_errors(self.spec, self.problem, self.theta, self.replicas)

    def tabulate(self) -> Result:
        """The solution on the output grid with errors, residuals, history and the network's arrays."""
        grid = reference_grid(self.spec)
        axes = dict(grid.axes) if grid else output_axes(self.spec)
        points = torch.stack([m.flatten() for m in torch.meshgrid(*map(torch.as_tensor, axes.values()), indexing="ij")])
        shape = tuple(len(axis) for axis in axes.values())
        inside = self.problem.domain.contains(points).numpy().reshape(shape)
        known = {name: values.ravel() for name, values in grid.fields.items()} if grid else {}
        fields = {
            name: replace(f, values=np.where(inside, f.values.reshape(shape), np.nan))
            for name, f in self.tabulated(points, known)
        }
        return Result(
            title=self.spec.title,
            axes=axes,
            outline=outlines(self.spec.region, axes, tuple(self.spec.zones.parts.values()) if self.spec.zones else ()),
            fields=fields,
            errors=self.errors(),
            estimated=self.estimated_errors,
            history=self.history,
            network=network_arrays(self.problem, self.theta, self.spec.enforce),
            outcome=self.outcome,
            summary=self.summary,
            spec_text=self.spec.text,
            spec_name=self.spec.path.name,
            overrides=self.spec.overrides,
            provenance=self.provenance,
            quantities=self.spec.output.quantities,
            estimates=self.estimates,
            points=self.points,
        )

    def tabulated(self, points: Tensor, known: Mapping[str, np.ndarray]) -> Iterator[tuple[str, Field]]:
        """Every field of the output, flat; `known` are the reference's values at the same points."""
        functions = tuple(name for name, fitted in self.spec.fitted.items() if fitted.of)
        unknowns = unknown_values(self.problem, self.theta, (*self.spec.unknowns, *functions), points)
        exact = exact_values(self.spec, points) if self.spec.exact else {}
        estimates = estimated_at(points, unknowns, self.replicas, self.spec)
        for name, values in unknowns.items():
            yield name, Field(values.numpy(), "solution", name)
            if name in estimates:
                yield f"{name}_estimate", Field(estimates[name].numpy(), "estimate", name)
            if self.estimates is not None and name in self.estimates.spread:
                yield f"{name}_sigma", Field(self.deviation(name, points), "sigma", name)
            if name in exact:
                yield f"{name}_exact", Field(exact[name].numpy(), "exact", name)
                yield f"{name}_error", Field((values - exact[name]).numpy(), "error", name)
            elif name in known:
                yield f"{name}_reference", Field(known[name], "reference", name)
                yield f"{name}_error", Field(values.numpy() - known[name], "error", name)
        for block in (block for block in self.problem.blocks if block.inside):
            here = (self.problem.domain.contains(points, block.face) & ~at_corners(self.problem, points)).numpy()
            for name, values in formula_values(self.problem, block, self.theta, points).items():
                yield f"residual_{name}", Field(np.where(here, values.numpy(), np.nan), "residual", name)
        if self.spec.output.extra:
            for name, values in self.formulas(self.spec.output.extra, points).items():
                yield name, Field(values.numpy(), "extra", name)


def estimated_errors(spec: Spec, problem: Problem, theta: Tensor, others: Sequence[Solved]) -> dict[str, FieldError]:
    """How much other solutions differ from one, over the whole domain."""
    points = measuring_points(tuple(spec.box.values()))
    points = points[:, problem.domain.contains(points)]
    values = unknown_values(problem, theta, (*spec.unknowns, *spec.fitted), points)
    found = [unknown_values(*other, tuple(values), points) for other in others]
    return summed_up(values, found, estimated(values, found, tuple(spec.fitted))) if found else {}


def estimated_at(
    points: Tensor, values: Mapping[str, Tensor], others: Sequence[Solved], spec: Spec
) -> dict[str, Tensor]:
    """How much other solutions differ from values [M] of one at points [d, M]; nothing without others."""
    found = [unknown_values(*other, tuple(values), points) for other in others]
    return estimated(values, found, tuple(spec.fitted)) if found else {}


def unknown_values(problem: Problem, theta: Tensor, names: Sequence[str], points: Tensor) -> dict[str, Tensor]:
    """The unknowns at points [d, M]."""
    rows = tuple(Row(name, Name(name)) for name in names)
    return formula_values(problem, Block("values", None, rows, needed_derivatives(problem.trial, rows)), theta, points)


def formula_values(problem: Problem, block: Block, theta: Tensor, points: Tensor) -> dict[str, Tensor]:
    """The block's formulas at points [d, M], by name, chunk by chunk."""
    zero = frozenset({(0,) * points.shape[0]})
    found: dict[str, list[Tensor]] = {row.name: [points.new_zeros(0)] for row in block.rows}
    widest = max(layer.inputs for branch in problem.trial.branches for layer in branch.network.layers)
    for part in points.to(theta).split(max(1, min(CHUNK, VALUES // widest)), dim=1):
        ground = Ground(part)
        with torch.no_grad():
            fields, _ = FIELDS["taylor"](problem.trial, theta, ground, block.needed, ())
            for row in block.rows:
                value = evaluate(
                    row.formula, zero, problem.trial.scope, ground, lambda n, w, f=fields: f[n].restricted(w)
                )
                found[row.name].append(torch.as_tensor(as_jet(value, zero, ground).value).cpu().double())
    return {name: torch.cat(values) for name, values in found.items()}


def at_corners(problem: Problem, points: Tensor) -> Tensor:
    """Which of points [d, M] are corners with singular functions, whose derivatives are infinite there."""
    found = torch.zeros(points.shape[1], dtype=torch.bool)
    for branch in problem.trial.branches:
        first = branch.network.layers[0]
        if isinstance(first, SingularLayer):
            sizes = points.new_tensor([high - low for low, high in first.box])[:, None]
            for centre in dict.fromkeys(mode.centre for mode in first.modes):
                found |= ((points - points.new_tensor(centre)[:, None]).abs() <= SLACK * sizes).all(0)
    return found


def asked_formula(spec: Spec, text: str) -> Tree:
    """A formula of the unknowns and coordinates, or the name of one under `output.extra`, as asked for by a user."""
    if spec.output.extra and text in spec.output.extra:
        return spec.output.extra[text]
    scene = scene_of(spec)
    shapes = {name: shape_of(expand(tree, scene)) for name, tree in spec.definitions.items()}
    try:
        fitted = {name: quantity.of for name, quantity in spec.fitted.items()}
        scope = Scope(tuple(spec.box), spec.unknowns, shapes, parameters=spec.parameters, fitted=fitted)
        found = resolve(parse(text), scope)
    except ExpressionError as error:
        raise ExpressionError(f"'{text}': {error}") from error
    if found.faults:
        raise ExpressionError(f"'{text}': {found.faults[0][1]}")
    if found.shape != NUMBER:
        raise ExpressionError(f"'{text}': a number is expected, not {found.shape}")
    return found.tree


def shape_of(tree: Tree) -> Shape:
    """Whether an expanded formula is a number or a vector."""
    return Shape("vector", len(tree.components)) if isinstance(tree, Vector) else NUMBER


def restored(result: Result) -> Solution:
    """The solution that a result was made from; raises ResultError where its parts make none.

    Files that the problem names are in the result, or else must still be where they were.
    """
    try:
        with unpacked(result.provenance.get("files", {}), Path(str(result.provenance.get("folder", ".")))) as folder:
            spec = read_spec_text(result.spec_text, result.spec_name, folder, result.overrides)
    except SpecError as error:
        raise ResultError(f"the problem in the result cannot be read:\n{error}") from error
    spec = replace(spec, enforce=str(result.network.get("enforce", spec.enforce)))
    networks, theta = stored_networks(result.network)
    if not fitting(networks, spec):
        raise ResultError("the stored network does not fit the problem in the result")
    problem = assemble(spec, networks)
    problem = replace(problem, trial=problem.trial.spanned(stored_spans(result.network)))
    history, summary, provenance = result.history, result.summary, result.provenance
    return Solution(
        spec, problem, theta, history, result.outcome, summary, provenance, result.estimates, points=result.points
    )


def fitting(networks: Sequence[tuple[Network, tuple[str, ...]]], spec: Spec) -> bool:
    """Whether the networks give every unknown, take its coordinates, and consist of layers that join."""
    given = {name for _, unknowns in networks for name in unknowns}
    own = {name: (len(fitted.of),) for name, fitted in spec.fitted.items()}
    joined = all(
        network.layers[0].inputs in own.get(unknowns[0], (len(spec.box), len(spec.box) + len(spec.periodic)))
        and all(one.outputs == next.inputs for one, next in pairwise(network.layers))
        and network.layers[-1].outputs == len(unknowns)
        for network, unknowns in networks
    )
    return joined and given == {*fields_of(spec), *spec.fitted}
