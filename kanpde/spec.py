"""What a problem file may say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Iterable, Mapping

from kanpde.advice import EXPECTED
from kanpde.analysis import Ground, survey
from kanpde.conditions import Boundary, read_boundary, read_initial, report_initial
from kanpde.declarations import (
    constants_among,
    declare_parameters,
    read_box,
    read_definitions,
    read_unknowns,
    report_idle,
    report_unused,
)
from kanpde.equations import joint_orders, need_unknowns, read_equations
from kanpde.errors import Mistake, Place, SpecError
from kanpde.fits import Fitted, declare_fitted
from kanpde.folder import Folder
from kanpde.formulas import Log, scalar, table
from kanpde.further import Constraint, DataSet, Further, read_further
from kanpde.interfaces import report_jumps
from kanpde.known import Facts, barred, read_exact
from kanpde.names import suggestion
from kanpde.overrides import overridden
from kanpde.reading import Scalar, Table, is_empty, read_text, read_tree
from kanpde.resolution import Scope
from kanpde.sections import SECTIONS, json_schema
from kanpde.settings import (
    NetworkSpec,
    OutputSpec,
    Reference,
    SamplingSpec,
    Stage,
    StopSpec,
    TrainingSpec,
    read_network,
    read_output,
    read_reference,
    read_sampling,
    read_training,
)
from kanpde.statement import Condition, Equation, Face, Piece
from kanpde.terrain import Terrain, read_places, read_terrain, zone_names
from kanpde.tree import Tree

if TYPE_CHECKING:
    from kanpde.geometries import Region, Zones

__all__ = [
    "Condition",
    "Constraint",
    "DataSet",
    "Equation",
    "Face",
    "Fitted",
    "NetworkSpec",
    "OutputSpec",
    "Piece",
    "Reference",
    "SamplingSpec",
    "Spec",
    "Stage",
    "StopSpec",
    "TrainingSpec",
    "json_schema",
    "read_spec",
    "read_spec_text",
]

FORMAT = "1"
STATED = ("equations", "initial", "boundary", "constraints")  # where what is declared is used


@dataclass(frozen=True)
class Spec:
    """A problem as the file states it: names resolved, numbers typed, nothing evaluated on points."""

    path: Path
    text: str
    overrides: tuple[str, ...]
    title: str
    unknowns: tuple[str, ...]
    box: Mapping[str, tuple[float, float]]  # coordinate -> interval, in the file's order
    region: Region | None  # in the coordinates other than time, where it does not fill the box
    zones: Zones | None  # the regions that it consists of, where different equations hold in them
    definitions: Mapping[str, Tree]  # resolved; in an order where each uses only earlier ones
    equations: tuple[Equation, ...]
    initial: tuple[Condition, ...]
    boundary: tuple[Condition, ...]
    periodic: tuple[str, ...]
    free: tuple[Face | Piece, ...]
    exact: Mapping[str, Tree]
    reference: Reference | None
    enforce: str
    network: NetworkSpec
    sampling: SamplingSpec
    training: TrainingSpec
    output: OutputSpec
    parameters: tuple[str, ...]  # the last coordinates of the box
    fitted: Mapping[str, Fitted]
    constraints: tuple[Constraint, ...]
    data: tuple[DataSet, ...]
    files: Mapping[str, Path]  # beside the problem, as they are named in it

    @property
    def spatial(self) -> tuple[str, ...]:
        """The coordinates other than time and parameters."""
        return tuple(name for name in self.box if name != "t" and name not in self.parameters)


def read_spec(path: str | Path, overrides: Iterable[str] = (), within: Path | None = None) -> Spec:
    """The problem that a file states; raises SpecError with all its mistakes at once.

    Files that it names must lie in its own folder, or `within` another one.
    """
    folder = Folder(Path(path).parent, within=within)
    return read_spec_text(read_text(Path(path), str(path)), str(path), folder, overrides)


def read_spec_text(text: str, name: str, folder: Folder | Path, overrides: Iterable[str] = ()) -> Spec:
    """The problem that a text states; `name` is shown in messages, `folder` holds the files that it names."""
    folder = folder if isinstance(folder, Folder) else Folder(folder)
    overrides = tuple(overrides)
    root, faults = read_tree(text, name)
    log = Log(list(faults))
    root = overridden(root, overrides, log.mistakes)
    file = _File(root, Place(name, 1, 1), log)
    _check_sections(file)
    spec = _spec(file, text, folder, overrides)
    if log.mistakes:
        raise SpecError(dict.fromkeys(log.mistakes))
    return spec


def _spec(file: _File, text: str, folder: Folder, overrides: tuple[str, ...]) -> Spec:
    """The problem, with defaults in place of what was mistaken."""
    root, log, path = file.root, file.log, Path(file.start.file)
    statement = _statement(file, folder)
    unknowns = statement.scope.unknowns
    return Spec(
        path=path,
        text=text,
        overrides=overrides,
        title=_title(file) or path.stem,
        unknowns=unknowns,
        box=statement.box,
        region=statement.terrain.region,
        zones=statement.terrain.zones,
        definitions=statement.definitions,
        equations=statement.equations,
        initial=statement.initial,
        boundary=statement.boundary.conditions,
        periodic=statement.boundary.periodic,
        free=statement.boundary.free,
        exact=statement.exact,
        reference=read_reference(root.get("reference"), folder, log),
        enforce=_word(file, "enforce", ("auto", "hard", "soft")),
        network=read_network(root.get("network"), unknowns, log),
        sampling=read_sampling(root.get("sampling"), log),
        training=read_training(root.get("training"), log),
        output=read_output(root.get("output"), statement.scope, statement.box, log),
        parameters=statement.scope.parameters,
        fitted=statement.further.fitted,
        constraints=statement.further.constraints,
        data=statement.further.data,
        files=folder.named,
    )


@dataclass(frozen=True)
class _File:
    """The tree of a problem file, its first place, and the mistakes found."""

    root: Table
    start: Place
    log: Log

    def section(self, name: str) -> Table | None:
        """A section of entries, None when it is absent or something else."""
        node = self.root.get(name)
        if node is None or is_empty(node):
            return None
        return table(node, EXPECTED[name], self.log)


@dataclass(frozen=True)
class _Statement:
    """The mathematics of a problem file."""

    scope: Scope
    terrain: Terrain
    box: Mapping[str, tuple[float, float]]
    definitions: Mapping[str, Tree]
    equations: tuple[Equation, ...]
    initial: tuple[Condition, ...]
    boundary: Boundary
    exact: Mapping[str, Tree]
    further: Further


def _check_sections(file: _File) -> None:
    for entry in file.root.entries:
        if entry.key.text not in SECTIONS:
            hint = suggestion(entry.key.text, SECTIONS)
            file.log.say(entry.key, f"unknown section '{entry.key.text}'{hint}")
    for name in ("unknowns", "domain", "equations"):
        node = file.root.get(name)
        if node is None:
            file.log.mistakes.append(Mistake(file.start, name, "this section is missing"))
        elif is_empty(node):
            file.log.say(node, "nothing is given here")
    _word(file, "kanpde", (FORMAT,))


def _word(file: _File, name: str, known: tuple[str, ...]) -> str:
    """One of the known words under a name, the first when it is absent."""
    node = file.root.get(name)
    if node is None:
        return known[0]
    if not isinstance(node, Scalar) or node.text not in known:
        found = f"not '{node.text}'" if isinstance(node, Scalar) else "not this"
        hint = suggestion(node.text, known) if isinstance(node, Scalar) else ""
        file.log.say(node, f"{'one of ' * (len(known) > 1)}{', '.join(known)} is expected, {found}{hint}")
        return known[0]
    return node.text


def _title(file: _File) -> str:
    node = file.root.get("title")
    found = scalar(node, "a text", file.log) if node is not None else None
    return " ".join(found.text.split()) if found else ""


def _statement(file: _File, folder: Folder) -> _Statement:
    """The sections of mathematics, in the order in which names become known."""
    log, taken = file.log, dict[str, str]()
    domain, defined = file.section("domain"), file.section("definitions")
    unknowns = read_unknowns(file.root.get("unknowns"), taken, log)
    terrain = read_terrain(file.section, folder, taken, log)
    zones = zone_names(file.section("equations"), log)
    parameters = declare_parameters(file.section("parameters"), taken, log)
    coordinates = (*terrain.coordinates, *parameters)
    fitted = declare_fitted(file.section("fit"), coordinates, taken, log)
    scope = Scope(coordinates, unknowns, {}, parameters=parameters, fitted=fitted, zones=zones)
    definitions, shapes, nested = read_definitions(defined, scope, taken, log)
    scope = replace(scope, definitions=shapes, orders=nested)
    constants = constants_among(definitions, defined, log)
    box = {**terrain.bounds, **read_box(domain, terrain.coordinates, constants, log)}
    box |= read_box(file.section("parameters"), parameters, constants, log)
    _report_idle(file, scope)
    ground = survey(definitions, unknowns, scope.spatial, fitted)
    equations = read_equations(file.section("equations"), scope, ground, log)
    known = replace(scope, barred=barred(scope, ground))
    initial = _initial(file, known, equations, ground)
    places = read_places(terrain, scope, definitions, taken, log)
    boundary = read_boundary(file.section("boundary"), scope, places, file.start, log)
    need_unknowns([c.equation for c in boundary.conditions], "condition", ground, log)
    exact = read_exact(file.section("exact"), known, definitions, log)
    facts = Facts(scope, ground, definitions, constants, box)
    report_jumps(boundary.conditions, equations, facts, log)
    further = read_further(file.section, facts, (equations, boundary), folder, log)
    return _Statement(scope, terrain, box, definitions, equations, initial, boundary, exact, further)


def _report_idle(file: _File, scope: Scope) -> None:
    """A mistake for everything that is declared and never used."""
    root, log, defined = file.root, file.log, file.section("definitions")
    output = root.get("output")
    extra = output.get("extra") if isinstance(output, Table) else None
    parts = [root.get(name) for name in (*STATED, "domain", "exact", "parameters", "fit")]
    report_unused(defined, [part for part in (*parts, extra) if part is not None], scope, log)
    formulas = [part for part in (*map(root.get, STATED), defined) if part is not None]
    for name in ("parameters", "fit"):
        message = "this is never used in an equation, condition or constraint"
        report_idle(file.section(name), formulas, scope, message, log)


def _initial(file: _File, scope: Scope, equations: tuple[Equation, ...], ground: Ground) -> tuple[Condition, ...]:
    section = file.section("initial")
    if "t" not in scope.coordinates:
        if section is not None:
            file.log.say(section, "the domain has no coordinate 't', so nothing is initial")
        return ()
    found = read_initial(section, scope, file.log)
    orders = {name: axes.get("t", 0) for name, axes in joint_orders(equations, ground).items()}
    if len(orders) == len(scope.unknowns) and len(orders) * max(len(scope.zones), 1) == len(equations):
        report_initial(section, orders, file.start, file.log)
    return found
