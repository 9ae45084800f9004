"""What is in a result file, part by part: `kanpde show --schema` prints it, and tests hold files against it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterator

from kanpde.writers.layout import FORMAT, VERSION

GROUP, ARRAY = "group", "array"


@dataclass(frozen=True)
class Part:
    """A group or array by its path, in which <…> stands for any name and /… for all that is below."""

    path: str
    kind: str
    meaning: str
    attributes: tuple[str, ...] = ()
    needed: bool = True
    since: str = "1.0"


SCHEMA = (
    Part("/", GROUP, "the file",
         ("Conventions", "NX_class", "kanpde_format", "kanpde_format_version", "source", "title")),
    Part("/<coordinate>", ARRAY, "points along a coordinate, ascending: a dimension scale",
         ("coordinate", "long_name", "units")),
    Part("/<field>", ARRAY, "a field [t, z, y, x], the first coordinate fastest, NaN outside of the region;"
         " `kind` solution, estimate (of the error), exact, reference, error, residual, sigma or extra; `of`: unknown,"
         " equation or expression", ("field", "kind", "of", "label", "position", "long_name", "units")),
    Part("/entry", GROUP, "NXentry: `coordinates` is a JSON list in the problem's order, `outcome` how the run ended",
         ("NX_class", "coordinates", "outcome", "outcome_message")),
    Part("/entry/solution", GROUP, "NXdata: hard links to coordinates and fields, which viewers plot by themselves",
         ("NX_class", "axes", "signal", "title"), needed=False),
    Part("/entry/solution/<name>", ARRAY, "a hard link", needed=False),
    Part("/entry/history", GROUP, "NXdata: `columns` is a JSON object of names here and names in the history",
         ("NX_class", "axes", "columns"), needed=False),
    Part("/entry/history/<column>", ARRAY,
         "step, seconds, loss, held_out, held_out_loss, loss_<block>, error_<unknown>:"
         " a number for each line of the log", needed=False),
    Part("/VTKHDF", GROUP, "ImageData for ParaView, where points are evenly spaced in one to three dimensions",
         ("Direction", "Origin", "Spacing", "Type", "Version", "WholeExtent"), needed=False),
    Part("/VTKHDF/PointData", GROUP, "hard links to the fields", ("Scalars",), needed=False),
    Part("/VTKHDF/PointData/<field>", ARRAY, "a hard link", needed=False),
    Part("/VTKHDF/Steps", GROUP, "where there is time", ("NSteps",), needed=False),
    Part("/VTKHDF/Steps/Values", ARRAY, "the times", needed=False),
    Part("/network", GROUP, "`enforce`, and all that is needed, beside the problem, to evaluate the solution again"),
    Part("/network/…", GROUP, "`branches/<n>`: `unknowns` and `layers/<n>` with `basis`, `inputs`, `outputs`, `before`,"
         " `options` and the array `coefficients`", needed=False),
    Part("/errors", GROUP, "true errors"),
    Part("/errors/<unknown>", GROUP,
         "over the whole domain, `against` exact or reference, whose own error is `certified`",
         ("relative_l2", "maximum", "against", "certified"), needed=False),
    Part("/estimated", GROUP, "errors as other solutions of the same problem suggest them"),
    Part("/estimated/<unknown>", GROUP, "over the whole domain", ("relative_l2", "maximum", "against", "certified"),
         needed=False),
    Part("/summary", GROUP, "what a person wants to know of a run, as attributes"),
    Part("/summary/…", GROUP, "what does not fit into an attribute", needed=False),
    Part("/fit", GROUP, "fitted constants: `names`, values, standard deviations, intervals, correlation", needed=False),
    Part("/fit/…", GROUP, "their arrays, and fitted functions", needed=False),
    Part("/outline", GROUP, "the curves that bound a region", needed=False),
    Part("/outline/<plane>", ARRAY, "points [2, N] of a plane, as `x y`, NaN between curves", needed=False),
    Part("/points", GROUP, "some of the points that the solution was fitted at", needed=False, since="1.2"),
    Part("/points/<block>", ARRAY, "points [d, N] of an equation's region, as `interior`, or of a condition's side",
         needed=False, since="1.2"),
    Part("/quantities", GROUP, "words, units and vectors that the problem gives", needed=False, since="1.1"),
    Part("/quantities/…", GROUP, "`labels` and `units` by name, `vectors` with their components",
         needed=False, since="1.1"),
    Part("/provenance", GROUP, "how it came about: seed, versions, platform, device, threads, command, files, dates",
         ("spec_name", "spec_sha256")),
    Part("/provenance/spec_yaml", ARRAY, "the text of the problem file"),
    Part("/provenance/…", GROUP, "what does not fit into an attribute; `files/<name>` are those beside the problem",
         needed=False),
    Part("/plots", GROUP, "pictures"),
    Part("/plots/<picture>", ARRAY,
         "an HDF5 Image 1.2 in true colour [height, width, 3], or as `<picture>_png` the bytes of"
         " the PNG", needed=False),
)  # fmt: skip

INTRODUCTION = f"""\
# Result files

<!-- Made by `kanpde show --schema > docs/results.md` from the table that the tests hold files against. -->

`solution.h5` is one HDF5 file, `kanpde_format` *{FORMAT}*, `kanpde_format_version` **{VERSION}**. A kanpde reads all
files of its own major version: what an older one lacks is empty, what a newer minor one adds is passed over. Files of
another major version are refused with their number. Numbers come back bit for bit.

| to open it in | do this |
|---|---|
| kanpde | `kanpde show RUN`, `plot`, `eval`, `compare`, `export`; `kanpde.read("solution.h5")` |
| xarray | `xarray.open_dataset("solution.h5", engine="h5netcdf")`, or `engine="netcdf4"` |
| netCDF tools | `ncdump -h solution.h5`, `nccopy`; netCDF4-python |
| HDF5 tools | `h5dump`, `h5ls -r`, h5py, HDFView, which shows the pictures under `/plots` |
| h5web, silx, nexpy | open it: the solution and the history are its default plots |
| ParaView, VTK | open it with the VTKHDF reader, from ParaView 5.12 (VTK 9.3) on |
| older ParaViews | `kanpde export RUN --to vtk`, or `--to xdmf` |
| spreadsheets, NumPy | `kanpde export RUN --to csv`, `--to npz` |
| other programs | `kanpde export RUN --to torch`, `--to onnx`: the solution as a function of the coordinates |

`kanpde export` writes into the run's folder, or to `--output FILE`. A function takes points [M, coordinates] and gives
values [M, unknowns] in double precision, in the order of the problem file; outside of the domain they mean nothing.
Before it is kept it is compared with the solution at 1000 points: `torch` to 1e-12, `onnx` to 1e-6 of the largest
value. Where different equations hold in several regions there is no such function, and ONNX has none for splines on
knots and for singular functions at corners.

Names that HDF5 does not allow have `_` for `/` and `.`; a field that would be called like a group has a `_` behind its
name, and `field` always gives the true one. Words and numbers are attributes, longer texts, lists and `null` are JSON
in an array with `kanpde_kind`. In `/network` and others, `%2F` stands for `/`. No part is a link into another file,
and none is code.

"""


def described() -> Iterator[str]:
    """The schema as Markdown, in parts."""
    yield INTRODUCTION + f"## Parts of version {VERSION}\n\n| path | what | attributes | meaning |\n|---|---|---|---|\n"
    for part in SCHEMA:
        names = ", ".join(f"`{name}`" for name in part.attributes)
        since = f", since {part.since}" if part.since != "1.0" else ""
        what = part.kind + ("" if part.needed else ", if any") + since
        yield f"| `{part.path}` | {what} | {names} | {part.meaning} |\n"
