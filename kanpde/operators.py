"""Vector calculus as rewriting: every operator becomes derivatives, sums and products of its arguments.

After `expand` a formula holds only numbers, names, arithmetic, functions and partial derivatives, so that jets,
linearity and the derivatives needed all follow from one small set of rules.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import reduce
from typing import Callable, Mapping, Sequence

from kanpde.errors import KanpdeError
from kanpde.expression import Binary, Call, Derivative, Name, Negative, Number, Tree, Vector
from kanpde.names import normal_name


@dataclass(frozen=True)
class Scene:
    """Where a formula stands: the spatial coordinates, the definitions, and on a boundary its outward normal."""

    axes: tuple[str, ...]
    definitions: Mapping[str, Tree]
    normal: Mapping[str, Tree] | None = None  # its components that are not zero, by coordinate


def total(terms: Sequence[Tree]) -> Tree:
    """The sum of the terms."""
    return reduce(lambda a, b: Binary("+", a, b), terms)


def components(tree: Tree, count: int) -> tuple[Tree, ...]:
    """The components of a vector of the given length."""
    if not isinstance(tree, Vector) or len(tree.components) != count:
        raise KanpdeError(f"a vector with {count} components is needed here")
    return tree.components


def grad(scene: Scene, u: Tree) -> Tree:
    """(∂u/∂x_1, …, ∂u/∂x_d)."""
    return Vector(tuple(Derivative(u, (axis,)) for axis in scene.axes))


def div(scene: Scene, *parts: Tree) -> Tree:
    """Σ ∂v_i/∂x_i of a vector, or of its components given one by one."""
    found = parts if len(parts) > 1 or not isinstance(parts[0], Vector) else parts[0].components
    return total(
        [Derivative(v, (axis,)) for v, axis in zip(components(Vector(tuple(found)), len(scene.axes)), scene.axes)]
    )


def lap(scene: Scene, u: Tree) -> Tree:
    """Σ ∂²u/∂x_i², of each component of a vector."""
    if isinstance(u, Vector):
        return Vector(tuple(lap(scene, c) for c in u.components))
    return total([Derivative(u, (axis, axis)) for axis in scene.axes])


def biharm(scene: Scene, u: Tree) -> Tree:
    """Σ_ij ∂⁴u/∂x_i²∂x_j²."""
    pure = [Derivative(u, (a,) * 4) for a in scene.axes]
    mixed = [Derivative(u, (a, a, b, b)) for i, a in enumerate(scene.axes) for b in scene.axes[i + 1 :]]
    return total(pure + [Binary("*", Number(2.0), m) for m in mixed])


def dot(scene: Scene, a: Tree, b: Tree) -> Tree:
    """Σ a_i b_i."""
    left = a.components if isinstance(a, Vector) else components(a, len(scene.axes))
    return total([Binary("*", x, y) for x, y in zip(left, components(b, len(left)))])


def curl(scene: Scene, v: Tree) -> Tree:
    """The vorticity ∂v/∂x − ∂u/∂y in the plane, the curl in space."""
    if len(scene.axes) == 2:
        x, y = scene.axes
        a, b = components(v, 2)
        return Binary("-", Derivative(b, (x,)), Derivative(a, (y,)))
    if len(scene.axes) != 3:
        raise KanpdeError("curl needs two or three coordinates")
    c, axes = components(v, 3), scene.axes
    pairs = ((1, 2), (2, 0), (0, 1))
    return Vector(tuple(Binary("-", Derivative(c[j], (axes[i],)), Derivative(c[i], (axes[j],))) for i, j in pairs))


def dn(scene: Scene, u: Tree) -> Tree:
    """The derivative along the outward normal, Σ n_i ∂u/∂x_i; where it varies, n is held fixed in each point."""
    if scene.normal is None:
        raise KanpdeError("dn(…) has a meaning on a boundary only")
    return total([along(component, Derivative(u, (axis,))) for axis, component in scene.normal.items()])


def along(component: Tree, slope: Tree) -> Tree:
    """A component of the normal times a slope."""
    if isinstance(component, Number) and abs(component.value) == 1:
        return slope if component.value > 0 else Negative(slope)
    return Binary("*", component, slope)


def facing(axis: str, sign: int) -> dict[str, Tree]:
    """The normal of a face across a coordinate."""
    return {axis: Number(float(sign))}


def varying(axes: Sequence[str]) -> dict[str, Tree]:
    """A normal that is known at points only."""
    return {axis: Name(normal_name(axis)) for axis in axes}


OPERATORS: Mapping[str, Callable[..., Tree]] = {
    "grad": grad,
    "div": div,
    "lap": lap,
    "biharm": biharm,
    "dot": dot,
    "curl": curl,
    "dn": dn,
}


def expand(tree: Tree, scene: Scene) -> Tree:
    """The same formula in partial derivatives only; names of vector-valued definitions become their components, and
    those of the normal its components where these are numbers.
    """
    if isinstance(tree, Name) and scene.normal is not None and tree.name in map(normal_name, scene.axes):
        return scene.normal.get(tree.name.partition(".")[2], Number(0.0))
    if isinstance(tree, Name) and tree.name in scene.definitions:
        inside = expand(scene.definitions[tree.name], scene)
        return inside if isinstance(inside, Vector) else tree
    if isinstance(tree, (Number, Name)):
        return tree
    if isinstance(tree, Call) and tree.function in OPERATORS:
        return expand(OPERATORS[tree.function](scene, *(expand(a, scene) for a in tree.arguments)), scene)
    return RULES[type(tree)](tree, scene)


def expand_binary(tree: Binary, scene: Scene) -> Tree:
    """Arithmetic, component by component where a side is a vector."""
    left, right = expand(tree.left, scene), expand(tree.right, scene)
    if not isinstance(left, Vector) and not isinstance(right, Vector):
        return replace(tree, left=left, right=right)
    count = len((left if isinstance(left, Vector) else right).components)  # type: ignore[union-attr]
    first = left.components if isinstance(left, Vector) else (left,) * count
    second = right.components if isinstance(right, Vector) else (right,) * count
    return Vector(tuple(Binary(tree.operator, a, b) for a, b in zip(first, second)))


def expand_inside(tree: Tree, scene: Scene) -> Tree:
    """Minus or a derivative, component by component where the argument is a vector."""
    inside = expand(tree.argument, scene)  # type: ignore[union-attr]
    if isinstance(inside, Vector):
        return Vector(tuple(replace(tree, argument=c) for c in inside.components))  # type: ignore[type-var]
    return replace(tree, argument=inside)  # type: ignore[type-var]


RULES: Mapping[type, Callable[..., Tree]] = {
    Binary: expand_binary,
    Negative: expand_inside,
    Derivative: expand_inside,
    Call: lambda tree, scene: replace(tree, arguments=tuple(expand(a, scene) for a in tree.arguments)),
    Vector: lambda tree, scene: Vector(tuple(expand(c, scene) for c in tree.components)),
}
