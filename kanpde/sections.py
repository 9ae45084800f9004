"""The fields of a problem file and their types, from which the JSON Schema is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Mapping, Optional, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema

from kanpde.vocabulary import BASES, FORMATS, OPTIMISERS

_AUTO = BeforeValidator(lambda value: None if value == "auto" else value)
_T = TypeVar("_T")


def _or_auto(schema: dict[str, Any]) -> None:
    schema["anyOf"].append({"const": "auto"})


Auto = Annotated[Optional[_T], _AUTO, Field(json_schema_extra=_or_auto)]

_FORMULA = {"type": ["string", "number"]}
Formula = Annotated[str, WithJsonSchema(_FORMULA)]
_EQUATION = {"type": "string", "pattern": "="}
Equation = Annotated[str, WithJsonSchema(_EQUATION)]
_LOCAL = {
    "type": "object",
    "properties": {
        "in": {"type": "string", "description": "region in which it holds, shapes joined by +, - and &"},
        "is": {**_EQUATION, "description": "lhs = rhs"},
    },
    "required": ["in", "is"],
    "additionalProperties": False,
}
LocalEquation = Annotated[Any, WithJsonSchema({"anyOf": [_EQUATION, _LOCAL]})]
_BY_REGION = {"type": "object", "description": "region: formula", "additionalProperties": _FORMULA, "minProperties": 1}
LocalFormula = Annotated[Any, WithJsonSchema({"anyOf": [_FORMULA, _BY_REGION]})]
_INTERVAL = {"type": "array", "items": _FORMULA, "minItems": 2, "maxItems": 2}
Interval = Annotated[list[str], WithJsonSchema(_INTERVAL)]
_PART = {
    "type": "object",
    "properties": {
        "of": {"type": "string", "description": "part of a shape's boundary, as plate.left"},
        "where": {"type": "string", "description": "comparison that holds on this part, as y < 0"},
    },
    "required": ["of", "where"],
    "additionalProperties": False,
}
_SHAPES = "name: shape, as disc(center=[0, 0], radius=1)"
_DOMAIN = {
    "type": "object",
    "properties": {
        "shapes": {"type": "object", "description": _SHAPES, "additionalProperties": {"type": "string"}},
        "region": {"type": "string", "description": "shapes joined by + union, - difference, & intersection"},
        "parts": {"type": "object", "description": "named parts of the boundary", "additionalProperties": _PART},
    },
    "additionalProperties": _INTERVAL,
    "minProperties": 1,
}
Domain = Annotated[dict[str, Any], WithJsonSchema(_DOMAIN)]
Conditions = Annotated[
    str, WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": _EQUATION, "minItems": 1}]})
]
BasisName = Literal[tuple(BASES)]  # type: ignore[valid-type]
OptimiserName = Literal[tuple(OPTIMISERS)]  # type: ignore[valid-type]
FormatName = Literal[tuple(FORMATS)]  # type: ignore[valid-type]


Words = Optional[dict[str, Annotated[str, Field(min_length=1, max_length=60)]]]
Parts = Annotated[tuple[str, ...], Field(min_length=2, max_length=3)]
Exponent = Annotated[float, Field(gt=-1, le=64)]


def _one_or_many(value: Any) -> str:
    return "many" if isinstance(value, (list, tuple)) else "one"


class Section(BaseModel):
    """A part of the file whose fields are all known."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class UnknownNetwork(Section):
    """The network of one unknown."""

    basis: BasisName = Field(default="auto", description="univariate functions on the edges")
    degree: Auto[Annotated[int, Field(ge=1, le=64)]] = Field(
        default=None, description="degree of polynomials, splines or bumps, or highest frequency"
    )
    grid: Auto[Annotated[int, Field(ge=1, le=1024)]] = Field(
        default=None, description="intervals of the grid of splines, bumps or wavelets"
    )
    exponents: Auto[Annotated[tuple[Exponent, ...], Field(min_length=2, max_length=2)]] = Field(
        default=None, description="a, b in the weight (1 - x)^a (1 + x)^b of Jacobi polynomials"
    )
    width: Auto[Annotated[int, Field(ge=1, le=4096)]] = Field(default=None, description="nodes in each hidden layer")
    depth: Auto[Annotated[int, Field(ge=1, le=64)]] = Field(default=None, description="number of hidden layers")
    scale: Auto[Annotated[float, Field(gt=0)]] = Field(
        default=None, description="of the random start: size of the slopes of ramps, factor of deep networks"
    )


class Network(UnknownNetwork):
    """The trial functions; what is left out is chosen for the problem."""

    unknowns: Optional[dict[str, UnknownNetwork]] = Field(default=None, description="other choices for single unknowns")


Positive = Annotated[float, Field(gt=0)]
Points = Auto[Annotated[int, Field(ge=1, le=10_000_000)]]


class Sampling(Section):
    """How many points the equations are asked to hold at."""

    interior: Points = Field(default=None, description="points in the interior")
    boundary: Points = Field(default=None, description="points on each face")
    initial: Points = Field(default=None, description="points at the first time")
    adapt: Auto[bool] = Field(default=None, description="move points to where the residual is large")


class StageSection(Section):
    """One stage of the training."""

    optimiser: OptimiserName = Field(description="method of this stage")
    steps: Optional[Annotated[int, Field(ge=1)]] = Field(default=None, description="most steps")
    time: Optional[Annotated[float, Field(gt=0)]] = Field(default=None, description="most seconds")
    rate: Optional[Annotated[float, Field(gt=0)]] = Field(default=None, description="learning rate")
    adapt: Optional[bool] = Field(default=None, description="move points to where the residual is large")


class Stop(Section):
    """When to stop; the first limit reached counts."""

    error: Optional[Positive] = Field(default=None, description="relative L2 error against `exact` or `reference`")
    residual: Optional[Positive] = Field(default=None, description="root-mean-square residual on fresh points")
    time: Optional[Annotated[float, Field(gt=0)]] = Field(default=None, description="seconds")
    steps: Optional[Annotated[int, Field(ge=1)]] = Field(default=None, description="steps")


class Training(Section):
    """How to train."""

    stages: Annotated[tuple[StageSection, ...], Field(max_length=100)] = Field(
        default=(), description="one after the other; empty: chosen"
    )
    precision: Literal["float64", "float32"] = Field(default="float64", description="floating-point numbers")
    seed: Annotated[int, Field(ge=0, lt=2**63)] = Field(default=0, description="seed of everything random")
    device: Annotated[str, Field(pattern=r"^(auto|cpu|cuda(:[0-9]{1,3})?)$")] = Field(
        default="cpu", description="cpu, cuda, cuda:1 or auto"
    )
    threads: Auto[Annotated[int, Field(ge=1, le=1024)]] = Field(default=None, description="processor threads")
    derivatives: Literal["taylor", "autograd"] = Field(
        default="taylor", description="how derivatives in space and time are found"
    )
    intervals: Literal["linear", "profile", "bootstrap"] = Field(
        default="linear",
        description="of fitted constants: by the slopes at the estimate, by profile likelihood, by readings drawn anew",
    )
    sparsify: Optional[Annotated[float, Field(gt=0, le=1)]] = Field(
        default=None, description="the price of all edges of a network, relative: those not worth theirs are removed"
    )
    checkpoint: Annotated[float, Field(ge=0)] = Field(
        default=60.0, description="seconds between checkpoints, from which `kanpde solve --resume` goes on; 0: none"
    )
    stop: Stop = Field(default=Stop(), description="when to stop")


GridSize = Annotated[int, Field(ge=2, le=1_000_000)]


class Output(Section):
    """What to write."""

    grid: Optional[
        Annotated[
            Annotated[GridSize, Tag("one")] | Annotated[tuple[GridSize, ...], Tag("many")],
            Discriminator(_one_or_many),
        ]
    ] = Field(default=None, description="points along each coordinate other than t")
    times: Optional[
        Annotated[
            Annotated[Annotated[int, Field(ge=1, le=1_000_000)], Tag("one")]
            | Annotated[Annotated[tuple[float, ...], Field(min_length=1)], Tag("many")],
            Discriminator(_one_or_many),
        ]
    ] = Field(default=None, description="times to write, or how many")
    extra: Optional[dict[str, Formula]] = Field(default=None, description="further fields, as formulas of the unknowns")
    units: Words = Field(default=None, description="units of coordinates, unknowns and further fields, as m/s")
    labels: Words = Field(default=None, description="words for coordinates, unknowns and further fields")
    vectors: Optional[dict[str, Parts]] = Field(default=None, description="components of a vector, for streamlines")
    save: Annotated[tuple[FormatName, ...], Field(min_length=1)] = Field(("h5", "png"), description="file formats")


class ReferenceSection(Section):
    """A file with the solution, on any grid."""

    file: Annotated[str, Field(min_length=1)] = Field(description="path relative to the problem file")
    tolerance: Optional[Annotated[float, Field(gt=0)]] = Field(
        default=None, description="a larger relative L2 error fails the run"
    )


class FitSection(Section):
    """An unknown constant or function that data or constraints determine."""

    start: Optional[Formula] = Field(default=None, description="first guess; in the middle of the range if left out")
    range: Optional[Interval] = Field(default=None, description="bounds between which it lies")
    of: Optional[Annotated[list[str], Field(min_length=1)]] = Field(
        default=None, description="coordinates of which it is a function; left out: a constant"
    )


class DataSection(Section):
    """Measurements in a file whose columns are matched by name."""

    file: Annotated[str, Field(min_length=1)] = Field(
        description="CSV or HDF5 file, path relative to the problem file: all coordinates, and unknowns or fitted names"
    )
    sigma: Optional[Formula] = Field(
        default=None, description="standard deviation of the readings, or the column that holds it; else estimated"
    )
    columns: Optional[dict[str, Annotated[str, Field(min_length=1)]]] = Field(
        default=None, description="name: column, where they differ"
    )


class ProblemFile(Section):
    """A partial differential equation with its conditions, and how to solve it."""

    kanpde: Literal["1"] = Field(
        default="1", description="version of this format", json_schema_extra={"enum": ["1", 1]}
    )
    title: str = Field(default="", description="free text")
    unknowns: list[str] = Field(description="names of the fields to find", min_length=1)
    domain: Domain = Field(
        description="an interval for each coordinate, or `shapes` joined by `region`; `t` is time", min_length=1
    )
    equations: dict[str, LocalEquation] = Field(
        description="name: lhs = rhs, as many as unknowns, or in each region: {in: region, is: lhs = rhs}", min_length=1
    )
    definitions: dict[str, LocalFormula] = Field(
        default={}, description="name: number or expression, in any order, or one for each region"
    )
    parameters: dict[str, Interval] = Field(
        default={}, description="an interval for each further input, for all of whose values the problem is solved"
    )
    fit: dict[str, FitSection] = Field(default={}, description="unknown constants and functions")
    initial: dict[str, Formula] = Field(default={}, description="values at the first time: u, u_t")
    boundary: dict[str, Conditions] = Field(
        default={}, description="place: equation, list of equations, `free`, or `x: periodic`"
    )
    constraints: dict[str, Equation] = Field(
        default={}, description="name: equation of values at a point, p(x=0, y=0) = 0, or of integrals, integral(u) = 1"
    )
    data: dict[str, DataSection] = Field(default={}, description="measurements to which the solution is fitted")
    exact: dict[str, LocalFormula] = Field(
        default={}, description="the solution, and what is fitted, where they are known"
    )
    reference: Optional[ReferenceSection] = Field(default=None, description="a file with the solution")
    network: Network = Field(default=Network(), description="the trial functions")
    enforce: Literal["auto", "hard", "soft"] = Field(
        default="auto", description="conditions built in, penalised, or as fits"
    )
    sampling: Sampling = Field(default=Sampling(), description="where the equations are asked to hold")
    training: Training = Field(default=Training(), description="how to train")
    output: Output = Field(default=Output(), description="what to write")


SECTIONS: tuple[str, ...] = tuple(ProblemFile.model_fields)
OPTIONS: Mapping[str, type[Section]] = {
    "network": Network,
    "sampling": Sampling,
    "training": Training,
    "output": Output,
    "reference": ReferenceSection,
}


def json_schema() -> dict[str, Any]:
    """The JSON Schema of the whole file format, for editors."""
    schema = ProblemFile.model_json_schema()
    schema["properties"]["kanpde"] = {"description": "version of this format", "enum": [1, "1"]}
    whole = _without_null({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    assert isinstance(whole, dict)
    return whole


def _without_null(schema: Any) -> Any:
    """The schema without `null`, which is never written; what is left out may be called `auto`."""
    if isinstance(schema, list):
        return [_without_null(part) for part in schema if part != {"type": "null"}]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _without_null(value)
        for key, value in schema.items()
        if key != "default" or not (value is None or isinstance(value, dict))
    }
