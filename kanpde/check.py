"""Does a well-formed problem make sense: its order, its linearity, the kinds of its conditions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Mapping

from kanpde.affine import Affine, affine, quotient, times, value_of
from kanpde.analysis import (
    TOTAL,
    Ground,
    Orders,
    degree_in_unknowns,
    derivative_orders,
    highest,
    survey,
)
from kanpde.places import axis_of, is_inner
from kanpde.point_values import PointConstraint
from kanpde.spec import Condition, Constraint, Equation, Spec
from kanpde.tree import Binary, Call, Derivative, Name, Number, Tree, free_names

if TYPE_CHECKING:
    from kanpde.geometries import Join, Leaf, Region

__all__ = ["EquationSummary", "Kind", "Summary", "degree_in_unknowns", "ground_of", "kind", "summary"]

MOST_LISTED = 8
MEASURES = {1: ("length", "points"), 2: ("area", "length"), 3: ("volume", "area")}


@dataclass(frozen=True)
class Kind:
    """The type of a condition: dirichlet, neumann, robin, interface or operator; for the first, `unknown` = `data`."""

    type: str
    unknown: str = ""
    data: Tree | None = None


@dataclass(frozen=True)
class EquationSummary:
    """One equation: its order along each coordinate and in total, whether it is linear, and where it holds."""

    name: str
    text: str
    orders: Mapping[str, int]
    order: int
    linear: bool
    zone: str = ""


@dataclass(frozen=True)
class RegionSummary:
    """A region: the kinds of its shapes, how they are joined, its volume, and the measures of its boundary's parts."""

    shapes: Mapping[str, str]
    region: str
    volume: float
    parts: Mapping[str, float]


@dataclass(frozen=True)
class Summary:
    """What a problem is, as a person would put it."""

    title: str
    unknowns: tuple[str, ...]
    equations: tuple[EquationSummary, ...]
    conditions: Mapping[str, str]  # name -> dirichlet, neumann, robin, interface, operator
    periodic: tuple[str, ...]
    free: tuple[str, ...]
    linear: bool
    warnings: tuple[str, ...]
    region: RegionSummary | None = None
    parameters: tuple[str, ...] = ()
    fitted: Mapping[str, str] = field(default_factory=dict)  # in words, as are the next two
    constraints: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, str] = field(default_factory=dict)


def ground_of(spec: Spec) -> Ground:
    """What is known of the names of a problem."""
    return survey(spec.definitions, spec.unknowns, spec.spatial, spec.fitted)


def summary(spec: Spec) -> Summary:
    """The orders, linearity and kinds of a problem, and what is odd about it."""
    ground = ground_of(spec)
    equations = tuple(_equation(equation, ground, tuple(spec.box)) for equation in spec.equations)
    kinds = {condition.name: kind(condition, spec) for condition in (*spec.initial, *spec.boundary)}
    linear = all(part.linear for part in equations) and all(_linear(c.equation, ground) for c in spec.boundary)
    linear = linear and all(_affine(constraint, ground) for constraint in spec.constraints)
    return Summary(
        title=spec.title,
        unknowns=spec.unknowns,
        equations=equations,
        conditions={name: found.type for name, found in kinds.items()},
        periodic=spec.periodic,
        free=tuple(str(face) for face in spec.free),
        linear=linear,
        warnings=tuple(_warnings(spec, equations, ground)),
        region=_region(spec.region) if spec.region else None,
        parameters=spec.parameters,
        fitted={name: str(fitted) for name, fitted in spec.fitted.items()},
        constraints={constraint.name: _of(constraint, ground) for constraint in spec.constraints},
        data={data.name: str(data) for data in spec.data},
    )


def _region(region: Region) -> RegionSummary:
    kinds = {name: type(shape).__name__.lower() for name, shape in region.shapes.items()}
    parts = {".".join(filter(None, key)): region.measure(*key) for key in region.pieces}
    return RegionSummary(kinds, _joined(region.tree), region.volume, parts)


def _sides(region: RegionSummary, word: str) -> list[str]:
    """The parts of the boundary with their measures, in one line for a shape with many."""
    found = []
    for shape in region.shapes:
        own = {name: size for name, size in region.parts.items() if name.partition(".")[0] == shape}
        if len(own) > MOST_LISTED:
            own = {f"{shape} ({len(own)} parts)": sum(own.values())}
        found += [f"{name}: {word} {size:.6g}" for name, size in own.items()]
    return found


def _joined(tree: Leaf | Join) -> str:
    """The expression of a region."""
    if not hasattr(tree, "sign"):
        return tree.name
    left, right = _joined(tree.left), _joined(tree.right)
    left = f"({left})" if " " in left and tree.sign == "&" else left
    return f"{left} {tree.sign} ({right})" if " " in right else f"{left} {tree.sign} {right}"


def kind(condition: Condition, spec: Spec) -> Kind:
    """What a condition prescribes, recognised from its equation."""
    equation = condition.equation
    if is_inner(condition.face):
        return Kind("interface")
    ground = ground_of(spec)
    form = affine(Binary("-", equation.left, equation.right), ground, spec.definitions)
    if form is None or not form.coefficients:
        return Kind("operator")
    atoms = tuple(form.coefficients)
    if any(free_names(atom) & set(spec.fitted) for atom in atoms):
        return Kind("operator")
    if len(atoms) == 1 and isinstance(atoms[0], Name):
        return _dirichlet(atoms[0], form, equation, ground)
    axis = axis_of(condition.face, spec.region)
    unknowns = {_prescribed(atom, axis) for atom in atoms}
    if len(unknowns) != 1 or "" in unknowns:
        return Kind("operator")
    robin = any(isinstance(atom, Name) for atom in atoms)
    return Kind("robin" if robin else "neumann", unknowns.pop())


def _dirichlet(atom: Name, form: Affine, equation: Equation, ground: Ground) -> Kind:
    """u = data, if the coefficient of u is a number other than zero."""
    for side, other in ((equation.left, equation.right), (equation.right, equation.left)):
        if side == atom and degree_in_unknowns(other, ground) == 0:
            return Kind("dirichlet", atom.name, other)
    coefficient = value_of(form.coefficients[atom])
    if not coefficient:
        return Kind("operator")
    if abs(coefficient) == 1:
        return Kind("dirichlet", atom.name, times(Number(-coefficient), form.rest))
    return Kind("dirichlet", atom.name, quotient(times(Number(-1.0), form.rest), Number(coefficient)))


def _prescribed(atom: Tree, axis: str) -> str:
    """The unknown whose value or normal derivative the atom is, '' for anything else."""
    match atom:
        case Name(name=name):
            return name
        case Derivative(argument=Name(name=name), axes=(along,)) if along == axis:
            return name
        case Call(function="dn", arguments=(Name(name=name),)):
            return name
    return ""


def _orders(equation: Equation, ground: Ground) -> Orders:
    return highest(derivative_orders(side, ground) for side in (equation.left, equation.right))


def _linear(equation: Equation, ground: Ground) -> bool:
    return max(degree_in_unknowns(side, ground) for side in (equation.left, equation.right)) < 2


def _affine(constraint: Constraint, ground: Ground) -> bool:
    return max(degree_in_unknowns(tree, ground) for tree in constraint.formulas) < 2


def _equation(equation: Equation, ground: Ground, coordinates: tuple[str, ...]) -> EquationSummary:
    found = _orders(equation, ground).values()
    along = {name: max((axes.get(name, 0) for axes in found), default=0) for name in coordinates}
    order = max((axes[TOTAL] for axes in found), default=0)
    return EquationSummary(equation.name, equation.text, along, order, _linear(equation, ground), equation.zone)


def _warnings(spec: Spec, equations: tuple[EquationSummary, ...], ground: Ground) -> list[str]:
    """What is allowed but odd."""
    found = []
    joint = highest(_orders(equation, ground) for equation in spec.equations)
    for name in spec.unknowns:
        touched = [c for c in (*spec.initial, *spec.boundary) if name in _orders(c.equation, ground)]
        fixed = [c for c in spec.constraints if name in highest(derivative_orders(f, ground) for f in c.formulas)]
        measured = [data for data in spec.data if name in data.fields]
        if not touched and not fixed and not measured and not spec.periodic and joint.get(name, {}).get(TOTAL, 0):
            found.append(f"no condition mentions '{name}'; it may be determined only up to a constant")
    for condition in spec.boundary:
        orders = _orders(condition.equation, ground)
        for name, axes in orders.items():
            if name in joint and axes[TOTAL] and axes[TOTAL] >= joint[name][TOTAL]:
                text = (
                    f"the condition '{condition.name}' is of order {axes[TOTAL]} in '{name}', as high as the equations"
                )
                found.append(text)
    return found


def _of(constraint: Constraint, ground: Ground) -> str:
    """A constraint in words."""
    nature = "linear" if _affine(constraint, ground) else "nonlinear"
    if isinstance(constraint, PointConstraint):
        where = [f"{name} = {value:g}" for name, value in constraint.point.items()]
        return f"{nature}, at {', '.join(where)}{', at every time' if constraint.timeless else ''}"
    return f"{nature}, over the domain"


def described(spec: Spec, found: Summary) -> str:
    """The summary as lines for a person."""
    intervals = {name: f"{name} in [{low:g}, {high:g}]" for name, (low, high) in spec.box.items()}
    box = ", ".join(text for name, text in intervals.items() if name not in spec.parameters)
    lines = [f"{spec.path}: {found.title}", f"  unknowns    {', '.join(found.unknowns)}", f"  domain      {box}"]
    if found.region is not None and spec.region is not None:
        lines += [f"  shape       {name}: {kind}" for name, kind in found.region.shapes.items()]
        size, side = MEASURES[len(spec.region.axes)]
        lines.append(f"  region      {found.region.region}: {size} {found.region.volume:.6g}")
        lines += [f"  boundary    {text}" for text in _sides(found.region, side)]
    lines += [f"  parameter   {intervals[name]}" for name in found.parameters]
    lines += [f"  fitted      {name}: {words}" for name, words in found.fitted.items()]
    for part in found.equations:
        along = ", ".join(f"{order} in {name}" for name, order in part.orders.items() if order)
        nature = "linear" if part.linear else "nonlinear"
        where = f", in {part.zone}" if part.zone else ""
        lines.append(f"  equation    {part.name}: {nature}, order {along or 0}{where}")
    lines += [f"  condition   {name}: {found.conditions[name]}" for name in found.conditions]
    lines += [f"  condition   {name}: periodic" for name in found.periodic]
    lines += [f"  condition   {name}: free" for name in found.free]
    lines += [f"  constraint  {name}: {words}" for name, words in found.constraints.items()]
    lines += [f"  data        {name}: {words}" for name, words in found.data.items()]
    known = [word for word, given in (("exact", spec.exact), ("reference", spec.reference)) if given]
    lines.append(f"  truth       {' and '.join(known) or 'not given: no error will be reported'}")
    lines += [f"  warning     {warning}" for warning in found.warnings]
    return "\n".join(lines)
