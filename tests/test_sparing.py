"""Networks that are small from the start: what a price on edges does to the sum of squares, and to the network."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from kanpde.active import coefficients, reaching, total, whole
from kanpde.errors import KanpdeError
from kanpde.objective import Residuals
from kanpde.solution import Solution, restored
from kanpde.solve import solve
from kanpde.sparing import held, left, priced, prices, sizes, smaller
from kanpde.spec import Spec, read_spec
from kanpde.training import Setting, deep_setting
from kanpde.writers import read, write_run

PROBLEMS = Path(__file__).parent.parent / "problems"
NETWORKS = (
    ("network.basis=chebyshev", "network.width=3", "network.depth=2", "network.degree=3"),
    ("network.basis=bspline", "network.width=3", "network.depth=1", "network.grid=4"),
    ("network.basis=mlp", "network.width=4", "network.depth=2"),
)


def square(*changes: str) -> Spec:
    """Poisson's equation on a square, few points."""
    return read_spec(PROBLEMS / "elliptic_2d_poisson.yaml", ("sampling.interior=40", "sampling.boundary=8", *changes))


def started(*changes: str) -> tuple[Setting, torch.Tensor]:
    """Networks at their random start."""
    return deep_setting(square(*changes), torch.Generator().manual_seed(0))


def both(*changes: str) -> tuple[torch.Tensor, Residuals, Residuals, Residuals]:
    """Coefficients, and an objective as it is, with prices, and with every third coefficient held."""
    setting, theta = started(*changes)
    own = setting.unshared(theta, False)
    return theta, own, priced(1e-2, own, theta), held(torch.arange(len(theta)) % 3 > 0, own, theta)


@pytest.mark.parametrize("changes", NETWORKS)
def test_second_order_quantities_are_those_of_the_rows(changes: tuple[str, ...]) -> None:
    """JᵀJ, Jᵀr, Jᵀw and the triangle of a priced sum and of one that is held in part, from their Jacobians."""
    theta, _, *objectives = both(*changes)
    for objective in objectives:
        jacobian, residuals = objective.jacobian(theta)
        normal, moving = objective.normal(theta), jacobian.abs().sum(1) > 0
        assert torch.equal(residuals, objective.residuals(theta))
        inside = moving[:, None] & moving
        assert torch.allclose(normal.matrix[inside], (jacobian @ jacobian.T)[inside], rtol=1e-10, atol=1e-12)
        assert torch.allclose(normal.gradient, jacobian @ residuals, rtol=1e-9, atol=1e-10)
        weights = torch.linspace(-1, 1, len(residuals), dtype=torch.float64)
        assert torch.allclose(objective.pullback(theta, weights), jacobian @ weights, rtol=1e-9, atol=1e-10)
        loss, gradient = objective.loss_and_gradient(theta)
        assert loss == pytest.approx(normal.loss) and torch.allclose(gradient, 2 * normal.gradient, rtol=1e-9)


@pytest.mark.parametrize("changes", NETWORKS)
def test_every_edge_that_is_not_faint_costs_as_much(changes: tuple[str, ...]) -> None:
    setting, theta = started(*changes)
    branch, level = setting.problem.trial.branches[0], 0.5
    costs = prices(setting.problem, theta, level) * theta.square()
    edges = whole(setting.problem)
    for (layer, own), cost in zip(branch.network.split(theta), branch.network.split(costs), strict=True):
        size = sizes(layer, own)
        plain = (size > 0.2 * size.max()).nonzero().tolist()
        for i, o in plain:
            one = cost[1][0, i, o] if layer.shape[0] == 1 != layer.inputs else cost[1][i, :, o].sum()
            assert float(one) == pytest.approx(level / total(edges), rel=0.01)


def test_what_is_held_has_no_part_in_a_step() -> None:
    theta, _, _, objective = both(*NETWORKS[0])
    normal = objective.normal(theta)
    step = torch.linalg.solve(normal.matrix + 1e-9 * torch.eye(len(theta)), -normal.gradient)
    assert not step[torch.arange(len(theta)) % 3 == 0].any() and step.any()


def test_faint_edges_go_and_no_unknown_is_cut_off() -> None:
    setting, theta = started(*NETWORKS[0])
    edges = whole(setting.problem)[0]
    kept = [torch.zeros_like(layer) for layer in edges]
    kept[0][1, 2], kept[1][2, 0], kept[2][0, 0] = True, True, True
    for faint, expected in ((1e-4, 3), (0.5, total((edges,)))):
        mask = coefficients(setting.problem, (tuple(kept),))
        found = left(setting.problem, torch.where(mask, theta, faint * theta))
        assert total(found) == expected and reaching(found[0]) is not None
    towards = torch.ones_like(theta).view(-1, 1)
    apart = setting.problem.trial.branches[0].network
    for k, (_, own) in enumerate(apart.split(towards)):
        own[:] = 1e-6
        own[(slice(None), slice(None), 0) if k == 0 else (2,) if k == 1 else ()] = 1.0  # large ones do not meet
    assert reaching(left(setting.problem, towards[:, 0])[0]) is not None


def test_a_smaller_setting_has_the_values_of_what_is_left() -> None:
    spec = square(*NETWORKS[0])
    setting, theta = started(*NETWORKS[0])
    mask = torch.ones_like(theta)
    mask[: setting.problem.trial.branches[0].network.layers[0].shape[1] * 3 : 3] = 1e-6  # edges from x to the first
    found, kept = smaller(setting, spec, mask * theta)
    objective = found.objective(kept, False)
    assert "of 18 edges" in found.note and torch.isfinite(objective.residuals(kept)).all()
    assert not objective.normal(kept).gradient[kept == 0].any()


SOLVING = ("network.basis=chebyshev", "network.width=5", "network.depth=2", "network.degree=5", "training.threads=1")


def rod(*changes: str) -> Solution:
    """A network of 35 edges for -u'' = f on a rod."""
    return solve(read_spec(PROBLEMS / "elliptic_1d_poisson.yaml", (*SOLVING, "training.stop.steps=90", *changes)))


@pytest.mark.slow
def test_a_small_network_is_found_that_is_nearly_as_good(tmp_path: Path) -> None:
    """A third of the edges at most with an error of the same kind, and fewer still at a higher price."""
    dense, cheap, dear = rod(), rod("training.sparsify=1e-4"), rod("training.sparsify=1e-2")
    sparse = [solution.errors()["u"].relative_l2 for solution in (dense, cheap, dear)]
    counts = [int((solution.theta != 0).sum()) for solution in (dense, cheap, dear)]
    assert counts[1] < counts[0] / 3 and sparse[1] < 30 * sparse[0]
    assert counts[2] <= counts[1] and sparse[2] < 1e-3
    write_run(cheap.tabulate(), tmp_path, ["h5"])
    again = restored(read(tmp_path))
    assert torch.equal(again.theta, cheap.theta)


@pytest.mark.parametrize(
    ("problem", "change", "said"),
    [
        ("elliptic_1d_poisson", "network.basis=separable", "without training.stages or sparsify"),
        ("eigen_1d_string", "network.width=5", "leave out training.stages, sparsify"),
    ],
)
def test_what_has_no_edges_of_its_own_is_not_made_sparse(problem: str, change: str, said: str) -> None:
    spec = read_spec(PROBLEMS / f"{problem}.yaml", (change, "training.sparsify=1e-3", "training.threads=1"))
    with pytest.raises(KanpdeError, match=said):
        solve(spec)
