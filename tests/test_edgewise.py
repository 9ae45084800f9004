"""Networks read edge by edge: one made of known functions gives back its formula, and what is wrong costs residual."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from time import process_time

import numpy as np
import pytest
import sympy
import torch
from small import gallery
from torch import Tensor

from kanpde.bases import Chebyshev
from kanpde.build import assemble
from kanpde.edges import graphs
from kanpde.insight.composed import composed
from kanpde.insight.edgewise import facts, read_networks
from kanpde.insight.fields import Samples
from kanpde.insight.findings import Outcome
from kanpde.insight.formula import PREFIX
from kanpde.insight.recognition import recognised
from kanpde.insight.search import _Search
from kanpde.insight.statement import statement, stripped
from kanpde.insight.symbolic import expression, symbol
from kanpde.network import KanLayer, Network
from kanpde.result import FieldError
from kanpde.result import Outcome as Ending
from kanpde.solution import Solution
from kanpde.spec import Spec, read_spec_text

DEGREE = 24
x, y = map(symbol, "xy")
MADE = """\
kanpde: 1
unknowns: [u]
domain: {{x: [0, 2], y: [-1, 1]}}
equations: {{law: u_x = {slope}}}
boundary: {{x_min: "u = {left}", x_max: free, y_min: free, y_max: free}}
"""


def chebyshev(function, low: float = -1.0, high: float = 1.0) -> Tensor:
    """The coefficients of a smooth function on an interval that is mapped to [−1, 1]."""
    inner = lambda t: function(low + (t + 1) * (high - low) / 2)  # noqa: E731
    return torch.as_tensor(np.polynomial.chebyshev.chebinterpolate(inner, DEGREE))


def solution(spec: Spec, layers: list[list[list[Tensor]]]) -> Solution:
    """A network with given coefficients on each edge [layer][source][target]."""
    shapes = [(len(layer), len(layer[0])) for layer in layers]
    network = Network(tuple(KanLayer(Chebyshev(DEGREE), *shape) for shape in shapes))
    theta = torch.cat([torch.stack([torch.stack(row, 1) for row in layer]).reshape(-1) for layer in layers])
    problem = assemble(spec, [(network, ("u",))])
    return Solution(spec, problem, theta, {}, Ending.FINISHED, {}, {})


def problem(made: sympy.Expr) -> Spec:
    """A problem that a function solves, with its slope and its values on a side as data."""
    slope, left = (str(e).replace("**", "^") for e in (made.diff(x), made.subs(x, 0)))
    return replace(read_spec_text(MADE.format(slope=slope, left=left), "made.yaml", Path(".")), enforce="soft")


def two_layers() -> tuple[sympy.Expr, Solution]:
    """exp(−(sin 3x + y²)/2), whose hidden values lie in [−1, 2]: bounded to [−1, 1] by a factor."""
    made = sympy.exp(-(sympy.sin(3 * x) + y**2) / 2)
    first = [[chebyshev(lambda s: np.sin(3 * s) / 2, 0, 2)], [chebyshev(lambda s: s**2 / 2)]]
    return made, solution(problem(made), [first, [[chebyshev(lambda z: np.exp(-z))]]])


def exact(made) -> sympy.Expr:
    """A formula with its constants as simple numbers."""
    given = {f"{PREFIX}{k}": recognised(v, 1e-5, {}) for k, v in enumerate(made.values)}
    return expression(made.tree, {**given, "x": x, "y": y}, {})


def test_a_network_of_known_functions_gives_back_their_formula() -> None:
    made, known = two_layers()
    (network,) = read_networks(known)
    assert {row.fit.name for row in network.edges} == {"sin", "quadratic", "exp"}
    assert min(row.fit.r2 for row in network.edges) > 1 - 1e-9
    assert sympy.simplify(exact(composed(network, known.problem.trial)["u"]) - made) == 0


def test_a_formula_from_edges_is_proved() -> None:
    """Of a function that is no sum of products and has no structure of other kinds."""
    made = sympy.tanh(x * (2 - x) + sympy.sin(3 * y)) + y
    slopes = [chebyshev(lambda s: s * (2 - s) / 2, 0, 2), torch.zeros(DEGREE + 1).double()]
    others = [chebyshev(lambda s: np.sin(3 * s) / 2), chebyshev(lambda s: s / 2)]
    last = [[chebyshev(lambda z: np.tanh(2 * z))], [chebyshev(lambda z: 2 * z)]]
    known = solution(problem(made), [[slopes, others], last])
    spec = stripped(known.spec)
    estimated = {"u": FieldError(1e-6, 1e-6, "estimate")}
    found = _Search(Samples(known), spec, statement(spec), estimated, process_time() + 60).by_edges()
    assert found is not None and found.outcome is Outcome.VERIFIED
    assert sympy.simplify(found.expressions["u"] - made) == 0


def test_the_residual_tells_which_edges_are_not_what_they_resemble() -> None:
    """A bent line in the last layer: as a sine or whatever is nearest it has a high R² and a residual far above."""
    made, known = two_layers()
    rows = {(row["layer"], row["from"]): row for row in facts(read_networks(known))}
    assert max(row["residual"] for row in rows.values()) < 1e-4
    bent = chebyshev(lambda z: np.exp(-z) + 0.02 * np.sin(9 * z))
    theta = known.theta.clone()
    theta[-len(bent) :] = bent
    changed = facts(read_networks(replace(known, theta=theta)))[-1]
    assert changed["r2"] > 0.99 and changed["residual"] > 1e-2


@pytest.mark.parametrize("enforce", ["soft", "hard"])
def test_what_is_built_in_is_part_of_the_formula(enforce: str) -> None:
    """A formula put together has the values of its solution, as nearly as its edges are what they are taken for."""
    spec = replace(gallery("elliptic_2d_poisson"), enforce=enforce)
    functions = [[chebyshev(np.sin)], [chebyshev(lambda s: s**2)]]
    known = solution(spec, [functions])
    samples = Samples(known)
    (formula,) = samples.by_edges("u")
    assert bool(known.problem.trial.built_in) is (enforce == "hard")
    assert samples.error("u", formula) < 1e-6


def test_edges_that_matter_little_are_constants() -> None:
    known = two_layers()[1]
    theta = known.theta.clone()
    theta[DEGREE + 1 : 2 * (DEGREE + 1)] *= 1e-6
    assert [row["match"] for row in facts(read_networks(replace(known, theta=theta)))] == ["sin", "constant", "exp"]


def test_wide_networks_are_not_read() -> None:
    spec = problem(x + y)
    zero = torch.zeros(DEGREE + 1).double()
    assert not read_networks(solution(spec, [[[zero] * 40] * 2, [[zero]] * 40]))
    assert graphs(solution(spec, [[[zero]] * 2]).problem, torch.zeros(2 * (DEGREE + 1)))
