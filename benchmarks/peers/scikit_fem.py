"""Quadratic finite elements with scikit-fem, refined until the time is up.

The settings are those of scikit-fem's documented examples: ElementTriP2 and `solve(*condense(...))` as in its Poisson
examples, on the symmetrically divided square; sparse LU with an ordering for symmetric patterns. B1 and AC1:
ElementLineP2 on a uniform mesh and steps of the implicit midpoint rule, which is Crank-Nicolson's scheme of its heat
equation for linear problems, with a Newton method that keeps its LU factors as long as they serve.
Errors of second order in the step and third in the mesh width are kept in balance from level to level.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from itertools import count

import numpy as np
import scipy.sparse as sparse
from scipy.sparse.linalg import SuperLU, splu, spsolve
from skfem import Basis, BilinearForm, ElementLineP2, ElementTriP2, LinearForm, MeshLine, MeshTri, condense, solve
from skfem.helpers import dot, grad

from peers.clock import Clock, main
from peers.problems import DIFFUSION, REACTION, VISCOSITY, Array, Evolution, Sines, Truth

GROWTH = 8  # of the time of a level of the boundary value problems over the time of the one before, at most
ELEMENTS = 64
ORDER = 8  # of the quadrature: that of u^3 v
TOLERANCE = 1e-11
FEW = 100
NEWTON = 30
REFRESH = 3


def boundary_value(problem: Sines, clock: Clock) -> None:
    """(grad u, grad v) - shift (u, v) = -(f, v)."""

    @BilinearForm
    def form(u, v, _):
        return dot(grad(u), grad(v)) - problem.shift * u * v

    @LinearForm
    def load(v, w):
        x, y = w.x
        return -problem.amplitude * np.sin(problem.a * np.pi * x) * np.sin(problem.b * np.pi * y) * v

    def solver(matrix, right):
        symmetric = dict(permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0, options={"SymmetricMode": True})
        return splu(matrix.tocsc(), **symmetric).solve(right)

    sides = np.linspace(-1, 1, 3)
    mesh = MeshTri.init_tensor(sides, sides)
    clock.ready()
    took = 0.0
    while clock.seconds() + GROWTH * took < clock.limit:
        begin = clock.seconds()
        mesh = mesh.refined()
        basis = Basis(mesh, ElementTriP2())
        u = solve(*condense(form.assemble(basis), load.assemble(basis), D=basis.get_dofs()), solver=solver)
        took = clock.seconds() - begin
        if not clock.over():
            clock.report(partial(values, basis, u), unknowns=int(basis.N), level_seconds=took)


def values(basis: Basis, u: Array, points: Array) -> Array:
    """The function at points, a few at a time: the search for their elements pairs all points with all elements."""
    return np.concatenate([basis.probes(some.T) @ u for some in np.array_split(points, len(points) // FEW)])


def evolve(problem: Evolution, clock: Clock, rates: Callable, slopes: Callable, joined: bool) -> None:
    """(u_t, v) = rates(u, v), one mesh finer than the other, with ends that are joined or fixed at 0."""
    forms = LinearForm(lambda v, w: rates(w["u"], v)), BilinearForm(lambda u, v, w: slopes(w["u"], u, v))
    clock.ready()
    for level in count():
        begin = clock.seconds()
        basis = Basis(MeshLine(np.linspace(-1, 1, ELEMENTS * 2**level + 1)), ElementLineP2(), intorder=ORDER)
        steps = int(np.ceil(8 ** (level / 2)))
        rows = march(problem, basis, steps, forms, restriction(basis, joined), clock)
        if clock.over():
            return
        took = clock.seconds() - begin
        clock.report(partial(at_times, basis, rows, clock.truth), unknowns=int(basis.N),
                     steps=steps * (len(rows) - 1), level_seconds=took)


def at_times(basis: Basis, rows: Array, truth: Truth, _: Array) -> Array:
    """The functions of all times at the truth's places."""
    return rows @ basis.probes(truth.first[None]).T


def restriction(basis: Basis, joined: bool) -> sparse.csr_matrix:
    """The matrix from free coefficients to all: the ends are one unknown, or none."""
    ends = basis.get_dofs().flatten()
    columns = np.cumsum(~np.isin(np.arange(basis.N), ends)) - 1
    matrix = sparse.lil_matrix((basis.N, basis.N - 2 + joined))
    for row, column in enumerate(columns):
        if row not in ends:
            matrix[row, column] = 1
        elif joined:
            matrix[row, basis.N - 2] = 1
    return matrix.tocsr()


def march(problem: Evolution, basis: Basis, steps: int, forms: tuple, free: sparse.csr_matrix, clock: Clock) -> Array:
    """The coefficients at each time of the truth, `steps` midpoint steps in between; fewer rows when the time is up."""
    rates, slopes = forms
    times = clock.truth.second
    h = (times[1] - times[0]) / steps
    mass = free.T @ BilinearForm(lambda u, v, _: u * v).assemble(basis) @ free

    def residual(u: Array, new: Array) -> Array:
        middle = basis.interpolate(free @ ((u + new) / 2))
        return mass @ (new - u) - h * (free.T @ rates.assemble(basis, u=middle))

    def factors(u: Array) -> SuperLU:
        return splu((mass - h / 2 * (free.T @ slopes.assemble(basis, u=basis.interpolate(free @ u)) @ free)).tocsc())

    old = u = spsolve((free.T @ free).tocsc(), free.T @ problem.initial(basis.doflocs[0]))
    inverse = factors(u)
    rows = [free @ u]
    for _ in times[1:]:
        for _ in range(steps):
            new = 2 * u - old
            for attempt in range(NEWTON):
                change = inverse.solve(residual(u, new))
                new = new - change
                if np.abs(change).max() < TOLERANCE:
                    break
                if attempt % REFRESH == REFRESH - 1:  # the slopes of some steps ago no longer do
                    inverse = factors(new)
            old, u = u, new
            if clock.over():
                return np.array(rows)
        rows.append(free @ u)
    return np.array(rows)


def burgers(problem: Evolution, clock: Clock) -> None:
    """(u_t, v) = (u^2 / 2 - nu u_x, v_x)."""

    def rates(u, v):
        return (u * u / 2 - VISCOSITY * grad(u)[0]) * grad(v)[0]

    def slopes(u, change, v):
        return (u * change - VISCOSITY * grad(change)[0]) * grad(v)[0]

    evolve(problem, clock, rates, slopes, joined=False)


def allen_cahn(problem: Evolution, clock: Clock) -> None:
    """(u_t, v) = -D (u_x, v_x) + 5 (u - u^3, v)."""

    def rates(u, v):
        return -DIFFUSION * dot(grad(u), grad(v)) + REACTION * (u - u**3) * v

    def slopes(u, change, v):
        return -DIFFUSION * dot(grad(change), grad(v)) + REACTION * (1 - 3 * u**2) * change * v

    evolve(problem, clock, rates, slopes, joined=True)


if __name__ == "__main__":
    main({"P1": boundary_value, "HZ1": boundary_value, "B1": burgers, "AC1": allen_cahn})
