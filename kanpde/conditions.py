"""What holds on the boundary and at the first time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Iterator, Mapping

from kanpde.declarations import words
from kanpde.errors import Mistake, Place
from kanpde.formulas import Log, read_equation, read_formula
from kanpde.names import subscripted, suggestion
from kanpde.places import KEYWORDS, SIDES, Places, Spot, faces_of, is_inner
from kanpde.reading import Entry, Node, Scalar, Sequence, Table, is_empty
from kanpde.resolution import Scope
from kanpde.statement import Condition, Equation, Face, Piece
from kanpde.tree import Call, Derivative, Name, Tree

_OUTSIDE = {
    True: "'{}' is not between two regions, so nothing jumps there",
    False: "'{}' lies between two regions; its conditions say what jumps, as in jump(u) = 0",
}
_NOT_OPPOSITE = (
    "along '{}' no two sides can be one: the ends of one region must be whole sides of one box, without parts"
)


@dataclass(frozen=True)
class Boundary:
    """The conditions on all parts of the boundary, the periodic coordinates, and the parts without any condition."""

    conditions: tuple[Condition, ...] = ()
    periodic: tuple[str, ...] = ()
    free: tuple[Spot, ...] = ()


@dataclass(frozen=True)
class Part:
    """One entry of `boundary` with the faces it speaks of: of the boundary, or where it speaks of jumps, inside."""

    entry: Entry
    faces: tuple[Spot, ...]


def read_boundary(node: Table | None, scope: Scope, places: Places[Spot], start: Place, log: Log) -> Boundary:
    """The conditions on every part of the boundary, each covered once."""
    covered: dict[Spot, str] = {}
    entries = node.entries if node else ()
    turning = [entry for entry in entries if _is_periodic(entry)]
    periodic = tuple(axis for entry in turning for axis in _periodic(entry, scope, places, covered, log))
    parts = list(_parts([entry for entry in entries if not _is_periodic(entry)], scope, places, covered, log))
    place = node.place if node else start
    for face in places.everything if periodic or not turning else ():
        if face not in covered:
            message = _uncovered(face)
            log.mistakes.append(Mistake(place, "boundary", message))
    free = tuple(face for part in parts if _is_free(part.entry.value) for face in part.faces)
    conditions = [c for part in parts if not _is_free(part.entry.value) for c in _conditions(part, scope, log)]
    return Boundary(tuple(_distinct(conditions, log)), periodic, free)


def _uncovered(face: Spot) -> str:
    """What to say of a face without conditions."""
    if isinstance(face, Piece) and face.between:
        where = f"'{face}', between '{face.between[0]}' and '{face.between[1]}'"
        return f"no condition on {where}; say what jumps there, as in [jump(u) = 0, jump(dn(u)) = 0]"
    return f"no condition on '{face}'; write '{face}: free' if the problem needs none there"


def _jumps(node: Node) -> bool:
    """Whether some conditions are about jumps."""
    return "jump" in words(node)


def _is_periodic(entry: Entry) -> bool:
    return isinstance(entry.value, Scalar) and entry.value.text == "periodic"


def _is_free(node: Node) -> bool:
    return isinstance(node, Scalar) and node.text == "free"


def _words(key: Scalar) -> Iterator[Scalar]:
    """The comma-separated words of a key, each at its place."""
    column = 0
    for piece in key.text.split(","):
        if piece.strip():
            yield Scalar(piece.strip(), key.path, key.at(column + len(piece) - len(piece.lstrip())))
        column += len(piece) + 1


def _cover(faces: tuple[Spot, ...], word: Scalar, covered: dict[Spot, str], log: Log) -> tuple[Spot, ...]:
    """The faces not covered before; a mistake for the others."""
    twice = [face for face in faces if face in covered]
    if twice:
        by = covered[twice[0]]
        what = "faces" if isinstance(twice[0], Face) else "parts"
        hint = f"; write 'rest' in place of 'all' for the {what} that remain" if "all" in (by, word.text) else ""
        log.say(word, f"'{twice[0]}' already has its conditions under '{by}'{hint}")
    new = tuple(face for face in faces if face not in covered)
    covered.update(dict.fromkeys(new, word.text))
    return new


def _periodic(entry: Entry, scope: Scope, places: Places[Spot], covered: dict[Spot, str], log: Log) -> Iterator[str]:
    for word in _words(entry.key):
        if word.text in scope.spatial or word.text == "all":
            axes = scope.spatial if word.text == "all" else (word.text,)
            pairs = {axis: pair for axis, pair in places.opposite.items() if {*pair} <= {*places.everything}}
            turning = [axis for axis in axes if axis in pairs]
            if turning != list(axes) and places.complete:
                log.say(word, _NOT_OPPOSITE.format(next(axis for axis in axes if axis not in turning)))
            for axis in turning:
                _cover(pairs[axis], word, covered, log)
            yield from turning
        else:
            axes = {face.axis for face in places.named.get(word.text, ()) if isinstance(face, Face)}
            hint = f"; write '{min(axes)}: periodic'" if len(axes) == 1 else suggestion(word.text, scope.spatial)
            for axis in axes:
                covered.update(dict.fromkeys(faces_of(axis), word.text))
            log.say(word, f"'periodic' is said of a coordinate, not of '{word.text}'{hint}")


def _parts(
    entries: list[Entry], scope: Scope, places: Places[Spot], covered: dict[Spot, str], log: Log
) -> Iterator[Part]:
    """The faces of each entry; `rest` is what no other entry covers."""
    found: dict[int, list[Spot]] = {index: [] for index in range(len(entries))}
    inner = [_jumps(entry.value) for entry in entries]
    words = [(index, word) for index, entry in enumerate(entries) for word in _words(entry.key)]
    for index, word in sorted(words, key=lambda pair: pair[1].text == "rest"):
        if word.text in KEYWORDS:
            everything = tuple(face for face in places.everything if is_inner(face) == inner[index])
            faces = everything if word.text == "all" else tuple(f for f in everything if f not in covered)
            if word.text == "rest" and not faces and places.complete:
                log.say(word, f"'rest' has no {places.word} left: all have their conditions")
            found[index] += _cover(faces, word, covered, log)
        elif word.text in places.named:
            faces = tuple(face for face in places.named[word.text] if is_inner(face) == inner[index])
            if not faces:
                log.say(word, _OUTSIDE[inner[index]].format(word.text))
                covered |= dict.fromkeys(places.named[word.text], word.text)
            found[index] += _cover(faces, word, covered, log)
        elif places.complete:
            log.say(word, _stranger(word.text, scope, places))
    for index, entry in enumerate(entries):
        if index not in {number for number, _ in words}:
            example = "left" if "left" in places.named else next(iter(places.named), "all")
            log.say(entry.key, f"a {places.word} is named here, as in '{example}: u = 0'")
        yield Part(entry, tuple(found[index]))


def _stranger(word: str, scope: Scope, places: Places[Spot]) -> str:
    """What to say of a word that names no part of the boundary."""
    if word in places.barred:
        return places.barred[word]
    if word in ("t", "t_min", "t_max"):
        return "conditions in time stand under 'initial'"
    if word in scope.spatial and places.word == "face":
        return f"'{word}' is a coordinate; write '{word}_min, {word}_max', or '{word}: periodic'"
    if word in SIDES and places.word == "face":
        return f"no face is named '{word}' here; write x_min, x_max and so on"
    known = (*places.named, *KEYWORDS)
    hint = suggestion(word, known) or f"; the {places.word}s are {', '.join(known)}"
    return f"no {places.word} is named '{word}'{hint}"


def _conditions(part: Part, scope: Scope, log: Log) -> Iterator[Condition]:
    """One condition per equation and face."""
    value = part.entry.value
    if is_empty(value):
        log.say(value, "a condition is missing here; inside { }, a name like 'left, right' needs quotes")
        return
    nodes = value.items if isinstance(value, Sequence) else (value,)
    if not nodes:
        log.say(value, "the list of conditions is empty; write 'free' if the problem needs none here")
    where = replace(scope, on_face=True, between=bool(scope.zones) and _jumps(value))
    for number, node in enumerate(nodes, start=1):
        if isinstance(node, Scalar) and node.text in ("free", "periodic"):
            log.say(node, f"'{node.text}' stands alone, not in a list")
            continue
        equation = read_equation(node, "", where, log)
        if equation is not None:
            label = _label(equation, scope) or str(number)
            for face in part.faces:
                name = f"{face}.{label}"
                yield Condition(name, face, replace(equation, name=name))


def _label(equation: Equation, scope: Scope) -> str:
    """The name of what the left side prescribes: u, u_x, dn_u, jump_u; '' for anything else."""
    return _quantity(equation.left, scope)


def _quantity(tree: Tree, scope: Scope) -> str:
    match tree:
        case Name(name=name) if name in scope.unknowns:
            return name
        case Derivative(argument=Name(name=name), axes=axes) if name in scope.unknowns:
            return f"{name}_{''.join(axes)}"
        case Call(function="dn", arguments=(Name(name=name),)) if name in scope.unknowns:
            return f"dn_{name}"
        case Call(function="jump", arguments=(argument,)) if inside := _quantity(argument, scope):
            return f"jump_{inside}"
    return ""


def _distinct(conditions: list[Condition], log: Log) -> Iterator[Condition]:
    """The conditions with names made unique; the same quantity prescribed twice is a mistake."""
    seen: dict[str, Condition] = {}
    told: set[Place] = set()
    for condition in conditions:
        label = condition.name.removeprefix(f"{condition.face}.")
        if condition.name in seen and not label.isdigit() and condition.equation.place not in told:
            told.add(condition.equation.place)
            message = f"'{label}' is already prescribed on '{condition.face}'"
            log.mistakes.append(Mistake(condition.equation.place, "boundary", message))
        seen[condition.name] = condition
        yield condition


def read_initial(node: Table | None, scope: Scope, log: Log) -> tuple[Condition, ...]:
    """The values at the first time, `u: …` or `u_t: …`."""
    found = []
    for entry in node.entries if node else ():
        left = _initial_name(entry.key, scope, log)
        right = read_formula(entry.value, scope, log)
        if left is not None and right is not None and isinstance(entry.value, Scalar):
            text = f"{entry.key.text} = {entry.value.text}"
            name = f"t_min.{entry.key.text}"
            found.append(Condition(name, Face("t", "min"), Equation(name, left, right, text, entry.value.place)))
    return tuple(found)


def _initial_name(key: Scalar, scope: Scope, log: Log) -> Tree | None:
    if key.text in scope.unknowns:
        return Name(key.text)
    cut = subscripted(key.text, scope.unknowns)
    if cut and set(cut[1]) == {"t"}:
        return Derivative(Name(cut[0]), tuple(cut[1]))
    known = (*scope.unknowns, *(f"{name}_t" for name in scope.unknowns))
    log.say(key, f"'{key.text}' is no unknown and no time derivative of one{suggestion(key.text, known)}")
    return None


def report_initial(node: Table | None, orders: Mapping[str, int], start: Place, log: Log) -> None:
    """A mistake for each initial value that is missing or one too many for the order in time."""
    given = set(node.keys()) if node else set()
    needed = {_time_derivative(name, i): order for name, order in orders.items() for i in range(order)}
    for name, order in needed.items():
        if name not in given:
            place = node.place if node else start
            message = f"no initial value of '{name}'; the equations are of order {order} in time"
            log.mistakes.append(Mistake(place, "initial", message))
    for entry in node.entries if node else ():
        base, subscript = subscripted(entry.key.text, orders) or (entry.key.text, "")
        if entry.key.text not in needed and base in orders and set(subscript) <= {"t"}:
            message = f"the equations are of order {orders[base]} in time for '{base}', so this value is one too many"
            log.say(entry.key, message)


def _time_derivative(name: str, order: int) -> str:
    return f"{name}_{'t' * order}" if order else name
