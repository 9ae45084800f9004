"""What a problem file may say."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Iterable, Mapping

from kanpde.analysis import Ground, survey
from kanpde.conditions import Boundary, read_boundary, read_initial, report_initial
from kanpde.declarations import (
    constants_among,
    read_box,
    read_coordinates,
    read_definitions,
    read_unknowns,
    report_unused,
)
from kanpde.equations import joint_orders, need_unknowns, read_equations
from kanpde.errors import Mistake, Place, SpecError
from kanpde.formulas import Log, read_formula, scalar, table
from kanpde.names import suggestion
from kanpde.overrides import overridden
from kanpde.reading import Node, Scalar, Table, is_empty, read_text, read_tree
from kanpde.resolution import UNSURE, Scope
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
from kanpde.statement import Condition, Equation, Face
from kanpde.tree import Tree

__all__ = [
    "Condition",
    "Equation",
    "Face",
    "NetworkSpec",
    "OutputSpec",
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
NOT_YET = ("parameters", "fit", "constraints", "data")
_EXPECTED = {
    "domain": "x: [0, 1]",
    "equations": "name: left = right",
    "definitions": "name: expression",
    "initial": "u: expression",
    "boundary": "left: u = 0",
    "exact": "u: expression",
}


@dataclass(frozen=True)
class Spec:
    """A problem as the file states it: names resolved, numbers typed, nothing evaluated on points."""

    path: Path
    text: str
    overrides: tuple[str, ...]
    title: str
    unknowns: tuple[str, ...]
    box: Mapping[str, tuple[float, float]]  # coordinate -> interval, in the file's order
    definitions: Mapping[str, Tree]  # resolved; in an order where each uses only earlier ones
    equations: tuple[Equation, ...]
    initial: tuple[Condition, ...]
    boundary: tuple[Condition, ...]
    periodic: tuple[str, ...]
    free: tuple[Face, ...]
    exact: Mapping[str, Tree]
    reference: Reference | None
    enforce: str
    network: NetworkSpec
    sampling: SamplingSpec
    training: TrainingSpec
    output: OutputSpec


def read_spec(path: str | Path, overrides: Iterable[str] = ()) -> Spec:
    """The problem that a file states; raises SpecError with all its mistakes at once."""
    text = read_text(Path(path), str(path))
    return read_spec_text(text, str(path), Path(path).parent, overrides)


def read_spec_text(
    text: str, name: str, folder: Path, overrides: Iterable[str] = (), files: bool = True
) -> Spec:
    """The problem that a text states; `name` is shown in messages, `folder` holds its reference file.

    Without `files`, that file need not exist.
    """
    overrides = tuple(overrides)
    root, faults = read_tree(text, name)
    log = Log(list(faults))
    root = overridden(root, overrides, log.mistakes)
    file = _File(root, Place(name, 1, 1), log)
    _check_sections(file)
    spec = _spec(file, text, folder, overrides, files)
    if log.mistakes:
        raise SpecError(dict.fromkeys(log.mistakes))
    return spec


def _spec(file: _File, text: str, folder: Path, overrides: tuple[str, ...], files: bool) -> Spec:
    """The problem, with defaults in place of what was mistaken."""
    root, log, path = file.root, file.log, Path(file.start.file)
    statement = _statement(file)
    unknowns = statement.scope.unknowns
    return Spec(
        path=path,
        text=text,
        overrides=overrides,
        title=_title(file) or path.stem,
        unknowns=unknowns,
        box=statement.box,
        definitions=statement.definitions,
        equations=statement.equations,
        initial=statement.initial,
        boundary=statement.boundary.conditions,
        periodic=statement.boundary.periodic,
        free=statement.boundary.free,
        exact=statement.exact,
        reference=read_reference(root.get("reference"), folder, log, files),
        enforce=_word(file, "enforce", ("auto", "hard", "soft")),
        network=read_network(root.get("network"), unknowns, log),
        sampling=read_sampling(root.get("sampling"), log),
        training=read_training(root.get("training"), log),
        output=read_output(root.get("output"), statement.scope, statement.box, log),
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
        return table(node, _EXPECTED[name], self.log)


@dataclass(frozen=True)
class _Statement:
    """The mathematics of a problem file."""

    scope: Scope
    box: Mapping[str, tuple[float, float]]
    definitions: Mapping[str, Tree]
    equations: tuple[Equation, ...]
    initial: tuple[Condition, ...]
    boundary: Boundary
    exact: Mapping[str, Tree]


def _check_sections(file: _File) -> None:
    for entry in file.root.entries:
        if entry.key.text in NOT_YET:
            file.log.say(entry.key, "this section is not supported yet")
        elif entry.key.text not in SECTIONS:
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


def _statement(file: _File) -> _Statement:
    """The sections of mathematics, in the order in which names become known."""
    log, taken = file.log, dict[str, str]()
    domain, defined = file.section("domain"), file.section("definitions")
    unknowns = read_unknowns(file.root.get("unknowns"), taken, log)
    coordinates = read_coordinates(domain, taken, log)
    scope = Scope(coordinates, unknowns, dict.fromkeys(_names_not_yet(file), UNSURE))
    definitions, shapes, nested = read_definitions(defined, scope, taken, log)
    scope = replace(scope, definitions=shapes, orders=nested)
    box = read_box(domain, coordinates, constants_among(definitions, defined, log), log)
    report_unused(defined, _formulas(file), scope, log)
    ground = survey(definitions, unknowns, scope.spatial)
    equations = read_equations(file.section("equations"), scope, ground, log)
    known = replace(scope, barred=_barred(scope, ground))
    initial = _initial(file, known, equations, ground)
    boundary = read_boundary(file.section("boundary"), scope, file.start, log)
    need_unknowns([c.equation for c in boundary.conditions], "condition", ground, log)
    return _Statement(scope, box, definitions, equations, initial, boundary, _exact(file, known))


def _names_not_yet(file: _File) -> tuple[str, ...]:
    """Names introduced in sections that are not supported yet, so that they are not reported again."""
    sections = (file.root.get(name) for name in ("parameters", "fit"))
    return tuple(key for section in sections if isinstance(section, Table) for key in section.keys())


def _formulas(file: _File) -> list[Node]:
    """The parts of the file in which definitions can be used."""
    output = file.root.get("output")
    extra = output.get("extra") if isinstance(output, Table) else None
    parts = (file.root.get(name) for name in ("domain", "equations", "initial", "boundary", "exact", *NOT_YET))
    return [part for part in (*parts, extra) if part is not None]


def _barred(scope: Scope, ground: Ground) -> dict[str, str]:
    """Why names that depend on the unknowns cannot stand in data."""
    here = "known data are expected here"
    own = {name: f"'{name}' is an unknown; {here}" for name in scope.unknowns}
    return own | {name: f"'{name}' depends on the unknowns; {here}" for name in ground.degrees if ground.orders[name]}


def _initial(file: _File, scope: Scope, equations: tuple[Equation, ...], ground: Ground) -> tuple[Condition, ...]:
    section = file.section("initial")
    if "t" not in scope.coordinates:
        if section is not None:
            file.log.say(section, "the domain has no coordinate 't', so nothing is initial")
        return ()
    found = read_initial(section, scope, file.log)
    orders = {name: axes.get("t", 0) for name, axes in joint_orders(equations, ground).items()}
    if len(orders) == len(scope.unknowns) == len(equations):
        report_initial(section, orders, file.start, file.log)
    return found


def _exact(file: _File, scope: Scope) -> dict[str, Tree]:
    section = file.section("exact")
    found: dict[str, Tree] = {}
    for entry in section.entries if section else ():
        tree = read_formula(entry.value, scope, file.log)
        if entry.key.text not in scope.unknowns:
            file.log.say(entry.key, f"'{entry.key.text}' is not an unknown{suggestion(entry.key.text, scope.unknowns)}")
        elif tree is not None:
            found[entry.key.text] = tree
    return found
