"""The option sections read into typed values, with every fault at its field."""

from __future__ import annotations

import re
from typing import Any, Callable, Mapping, TypeVar, Union

from pydantic import BaseModel, ValidationError

from kanpde.errors import Mistake
from kanpde.names import suggestion
from kanpde.reading import Node, Scalar, Sequence, Table

M = TypeVar("M", bound=BaseModel)
Raw = Union[str, list["Raw"], dict[str, "Raw"]]


def read_options(model: type[M], node: Node | None, path: str, mistakes: list[Mistake]) -> M | None:
    """The section as the model types it, without its faulty fields; None if nothing can be made of it."""
    if node is None or (isinstance(node, Scalar) and not node.text):
        node = Table((), path, node.place) if node else None
    raw = raw_value(node) if node else {}
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        if node is None:
            raise
        faults = error.errors(include_url=False)
        deepest = [fault for fault in faults if not _shadowed(fault["loc"], faults)]
        mistakes.extend(_mistake(node, model, dict(fault)) for fault in deepest)
        return _sound_part(model, raw, {str(fault["loc"][0]) for fault in faults if fault["loc"]})


def _sound_part(model: type[M], raw: Raw, faulty: set[str]) -> M | None:
    """What remains of a section without its faulty fields, so that the rest can be checked further."""
    sound = {key: value for key, value in raw.items() if key not in faulty} if isinstance(raw, dict) else {}
    try:
        return model.model_validate(sound)
    except ValidationError:
        return None


def raw_value(node: Node) -> Raw:
    """The node as plain texts, lists and dictionaries."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [raw_value(item) for item in node.items]
    return {entry.key.text: raw_value(entry.value) for entry in node.entries}


def _shadowed(loc: tuple[int | str, ...], faults: list[Any]) -> bool:
    """Whether a fault deeper inside is the cause of this one."""
    return any(len(other["loc"]) > len(loc) and other["loc"][: len(loc)] == loc for other in faults)


def _mistake(root: Node, model: type[BaseModel], fault: dict[str, Any]) -> Mistake:
    """The mistake of one of pydantic's errors, at the node it speaks of."""
    node, path, key = root, root.path, ""
    for step in fault["loc"]:
        if isinstance(node, Table) and (entry := node.entry(str(step))):
            node, path, key = entry.value, entry.key.path, entry.key.text
            if fault["type"] == "extra_forbidden" and step == fault["loc"][-1]:
                node = entry.key
        elif isinstance(node, Sequence) and isinstance(step, int):
            node, path = node.items[step], node.items[step].path
    if fault["type"] == "extra_forbidden":
        known = _fields(model, fault["loc"][:-1])
        hint = suggestion(key, known) or f"; known are {', '.join(known)}"
        return Mistake(node.place, path, f"unknown field '{key}'{hint}")
    if fault["type"] == "missing":
        return Mistake(node.place, path, f"'{fault['loc'][-1]}' is missing")
    place = node.at(0) if isinstance(node, Scalar) else node.place
    if fault["input"] == "":
        return Mistake(place, path, "a value is missing here")
    return Mistake(place, path, _message(node, fault))


def _message(node: Node, fault: dict[str, Any]) -> str:
    context = fault.get("ctx", {})
    found = f"'{node.text}'" if isinstance(node, Scalar) else "a list" if isinstance(node, Sequence) else "a table"
    say = _MESSAGES.get(fault["type"])
    return say(context, found) if say else f"{fault['msg'].lower()}, not {found}"


def _choice(context: Mapping[str, Any], found: str) -> str:
    known = re.findall(r"'([^']*)'", context["expected"])
    return f"one of {', '.join(known)} is expected, not {found}{suggestion(found.strip(chr(39)), known)}"


def _expected(what: str) -> Callable[[Mapping[str, Any], str], str]:
    return lambda context, found: f"{what} is expected, not {found}"


_MESSAGES: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    **dict.fromkeys(("int_parsing", "int_type", "int_from_float", "int_parsing_size"), _expected("a whole number")),
    **dict.fromkeys(("float_parsing", "float_type", "finite_number"), _expected("a finite number")),
    **dict.fromkeys(("bool_parsing", "bool_type"), _expected("true or false")),
    **dict.fromkeys(("list_type", "tuple_type"), _expected("a list")),
    **dict.fromkeys(
        ("dict_type", "model_type", "model_attributes_type"), _expected("a table of 'name: value' entries")
    ),
    "string_type": _expected("a text"),
    "string_pattern_mismatch": _expected("cpu, cuda, cuda:1 or auto"),
    "string_too_short": lambda context, found: "a value is missing here",
    "literal_error": _choice,
    "greater_than": lambda context, found: f"must be greater than {context['gt']:g}, not {found}",
    "greater_than_equal": lambda context, found: f"must be at least {context['ge']}, not {found}",
    "less_than": lambda context, found: f"must be less than {context['lt']}, not {found}",
    "less_than_equal": lambda context, found: f"must be at most {context['le']}, not {found}",
    "too_short": lambda context, found: f"at least {context['min_length']} must be given",
    "too_long": lambda context, found: f"at most {context['max_length']} can be given",
}


def _fields(model: type[BaseModel], steps: tuple[int | str, ...]) -> tuple[str, ...]:
    """The fields of the model that the steps lead to."""
    schema = model.model_json_schema()
    here: Any = schema
    for step in steps:
        here = _followed(here, schema)
        here = here.get("properties", {}).get(step) or here.get("items") or here.get("additionalProperties") or here
    return tuple(_followed(here, schema).get("properties", {}))


def _followed(here: Any, schema: Any) -> Any:
    """The schema behind a reference or an optional value."""
    for option in here.get("anyOf", ()):
        if option.get("type") != "null":
            here = option
    while "$ref" in here:
        here = schema["$defs"][here["$ref"].rpartition("/")[2]]
    return here
