"""HDF5 files, NumPy archives and surfaces, sound and hostile."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any, Callable

import h5py
import numpy as np

from kanpde.result import Field, Outcome, Result
from kanpde.writers import checkpoints, hdf5

from . import corpus

PROBLEM = "unknowns: [u]\ndomain: {x: [0, 1]}\nequations: {line: u_xx = 0}\nboundary: {left: u = 0, right: u = 1}\n"
VALUES: tuple[Any, ...] = (
    *(0, -1, 2**62, 1e308, float("nan"), True, "", "u", "nan", "[" * 3000, "\0", "é" * 9, b"\xff\xfe"),
    *('{"u": "u"}', '["x"]', "[1e999]", "null", "9" * 5000, np.zeros(3), np.zeros((0, 2)), np.array([b"a", b"b"])),
    *(h5py.Empty("f8"), np.array(1 + 2j), np.array(["a", "b"], object), np.int8(3), "text99999999", "json", "list"),
)
KINDS = ("f8", "f4", "i1", "u8", "S3", "c16", "f2", h5py.string_dtype(), h5py.ref_dtype, [("a", "f8"), ("b", "S2")])


@lru_cache
def results() -> tuple[bytes, ...]:
    """Small results: a line, and a line in time."""
    x, t = np.linspace(0, 1, 4), np.linspace(0, 1, 3)
    layer = {"basis": "sine", "before": "", "inputs": 1, "outputs": 1, "options": {"degree": 2},
             "coefficients": np.ones((1, 1, 3))}
    network = {"enforce": "auto", "branches": {"0": {"unknowns": ["u"], "layers": {"0": layer}}}}
    history = {"step": np.arange(3), "seconds": np.arange(3.0), "loss": np.ones(3), "held_out": np.ones(3)}
    line = Result("Line", {"x": x}, {"u": Field(x, "solution", "u")}, {}, history, network, Outcome.FINISHED,
                  {"network": "[1, 1]", "steps": 3}, PROBLEM, "line.yaml", provenance={"seed": 0})
    both = {"u": Field(np.outer(x, t), "solution", "u"), "u_error": Field(np.outer(x, t), "error", "u")}
    return tuple(hdf5.content(one, {}) for one in (line, replace(line, axes={"x": x, "t": t}, fields=both)))


@lru_cache
def grids() -> tuple[bytes, ...]:
    """References as HDF5 files and NumPy archives."""
    with h5py.File("memory", "w", driver="core", backing_store=False) as file:
        file["x"], file["t"], file["u"] = np.linspace(0, 1, 5), np.linspace(0, 1, 4), np.ones((4, 5))
        file["u"].dims[0].label, file["u"].dims[1].label, file.attrs["certified_error"] = "t", "x", 1e-9
        file.flush()
        plain = file.id.get_file_image()
    archive = io.BytesIO()
    np.savez(archive, x=np.linspace(0, 1, 5), t=np.linspace(0, 1, 4), u=np.ones((5, 4)), u_axes=np.array(["x", "t"]))
    return (plain, *results(), archive.getvalue())


def changed_results(random: Random) -> bytes:
    """A result with hostile changes of its structure."""
    return changed(random, random.choice(results()))


def changed_grids(random: Random) -> bytes:
    """A reference with hostile changes of its structure."""
    data = random.choice(grids())
    return zipped(random) if data[:2] == b"PK" else changed(random, data)


def changed(random: Random, content: bytes) -> bytes:
    """An HDF5 file after some changes of its structure."""
    image = io.BytesIO(content)
    with h5py.File(image, "r+") as file:
        for _ in range(random.randrange(1, 5)):
            try:
                random.choice(CHANGES)(random, file, random.choice(members(file)))
            except (ValueError, TypeError, OSError, RuntimeError, KeyError):
                continue  # HDF5 itself refuses it
    return image.getvalue()


def members(file: h5py.File) -> list[Any]:
    """The file and all in it."""
    found: list[Any] = [file]
    file.visititems(lambda name, member: found.append(member))
    return found


def change_attribute(random: Random, file: h5py.File, place: Any) -> None:
    """Another value of an attribute."""
    name = random.choice((*place.attrs, "kanpde_kind", "certified_error", "new"))
    place.attrs[name] = random.choice(VALUES)


def drop_attribute(random: Random, file: h5py.File, place: Any) -> None:
    """An attribute less."""
    if place.attrs:
        del place.attrs[random.choice(tuple(place.attrs))]


def drop(random: Random, file: h5py.File, place: Any) -> None:
    """A member less."""
    del file[place.name]


def other_array(random: Random, file: h5py.File, place: Any) -> None:
    """An array of another kind and shape in the place of a member."""
    name, kind = place.name, random.choice(KINDS)
    shape = random.choice(((), (0,), (3,), (4,), (2, 2), (1, 1, 1, 1), (2**40,), (2**20, 2**20), (3, 0)))
    del file[name]
    chunks = tuple(min(n, 64) or 1 for n in shape) if shape and 0 not in shape else None
    file.create_dataset(name, shape=shape, dtype=kind, chunks=chunks, compression="gzip" if chunks else None)


def other_value(random: Random, file: h5py.File, place: Any) -> None:
    """A value in the place of a member."""
    name = place.name
    del file[name]
    value = random.choice(VALUES)
    file[name] = json.dumps(value) if isinstance(value, bool) else value


def link(random: Random, file: h5py.File, place: Any) -> None:
    """A link in the place of a member: soft, hard, to itself, or into another file."""
    name = place.name
    targets = (h5py.SoftLink("/"), h5py.SoftLink(name), h5py.ExternalLink("/etc/passwd", "/"), file, file["entry"])
    del file[name]
    file[name] = random.choice(targets)


def nest(random: Random, file: h5py.File, place: Any) -> None:
    """A group many groups down."""
    file.create_group(place.name.rstrip("/") + "/g" * random.choice((1, 20, 100)))


def outside(random: Random, file: h5py.File, place: Any) -> None:
    """An array whose values are in other files."""
    name = place.name
    del file[name]
    if random.random() < 0.5:
        file.create_dataset(name, shape=(4,), dtype="f8", external=[("/etc/hostname", 0, 32)])
    else:
        layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
        layout[:] = h5py.VirtualSource("/etc/passwd", "u", shape=(4,))
        file.create_virtual_dataset(name, layout)


CHANGES: tuple[Callable[[Random, h5py.File, Any], None], ...] = (
    *(change_attribute, change_attribute, change_attribute, drop_attribute, drop, other_array, other_array),
    *(other_value, link, nest, outside),
)


def zipped(random: Random) -> bytes:
    """A NumPy archive with some odd members."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        names = ("x.npy", "t.npy", "u.npy", "u_axes.npy", "../x.npy", "x", "%")
        for name in random.sample(names, random.randrange(1, 5)):
            shape = random.choice(("(4,)", "(5,)", "(4, 5)", "()", "(9999999999,)", "(-1,)", "(2, 10)"))
            kind = random.choice(("<f8", "<i4", "|O", "<U3", "<c16", "|V8", "[('a', '<f8')]", "<M8[s]"))
            head = f"{{'descr': {kind!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
            body = bytes(random.choice((0, 32, 40, 160, 100_000)))
            file.writestr(name, b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + body)
    return archive.getvalue()


@lru_cache
def surfaces() -> tuple[bytes, ...]:
    """A tetrahedron in each kind of file, behind a first byte that says which; and the corners of a polygon."""
    import meshio

    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    faces = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    found = [b"\3" + b"0,0\n1,0\n1,1\n0,1\n"]
    for number, (kind, cells) in enumerate((("stl", "triangle"), ("vtu", "triangle"), ("gmsh", "tetra"))):
        path = Path(f"/tmp/fuzz_seed_{number}_{id(points)}.{kind}")
        rows = faces if cells == "triangle" else np.array([[0, 1, 2, 3]])
        plain = {"binary": False} if kind != "stl" else {}
        meshio.Mesh(points, [(cells, rows)]).write(path, file_format=kind, **plain)
        found.append(bytes([number]) + path.read_bytes())
        path.unlink()
    return tuple(found)


STRANGE = (
    *(None, True, 0, -1, 2**70, 1e308, float("nan"), float("inf"), "", "u", "LIMIT", "/etc/passwd", "../..", [], {}),
    *([[]], [1, 2], [["time", [0.5, False]]], ["state", [9, 0]], {"#": ["float64", [3], 0]}, {"#": 1}, "x" * 5000),
    *({"#": ["float64", [2**40], 0]}, {"#": ["uint8", [0, 2**70], 0]}, {"#": ["bool", [1] * 99, 0]}, {"a": {"b": 1}}),
)


def sealed(body: bytes) -> bytes:
    """A checkpoint of this body, with the checksum that belongs to it."""
    return checkpoints.HEAD + hashlib.sha256(body).hexdigest().encode() + b"\n" + body


def body_of(file: bytes) -> bytes:
    """A checkpoint without its first line."""
    return file.partition(b"\n")[2]


def changed_checkpoint(random: Random, file: bytes, kept: tuple[str, ...] = ()) -> bytes:
    """The body of a checkpoint after some changes of what it says; entries `kept` at the top stay as they are."""
    body = body_of(file)
    size = int.from_bytes(body[:8], "little")
    content = json.loads(body[8 : 8 + size])
    for _ in range(random.randrange(1, 4)):
        changed_value(random, content, [name for name in content if name not in kept])
    if "text" in content and "text" not in kept and random.random() < 0.2:
        content["text"] = corpus.problem(random).decode("utf-8", "replace")
    text = json.dumps(content).encode()
    room = body[8 + size :]
    if random.random() < 0.2:
        room = random.choice((b"", room[: len(room) // 2], room + bytes(64), bytes(len(room)), b"\xff" * len(room)))
    return len(text).to_bytes(8, "little") + text + room


def changed_value(random: Random, content: Any, names: list[Any]) -> None:
    """Another value somewhere below one of the entries of a list or dictionary."""
    while names:
        name = random.choice(names)
        below = content[name]
        inner = list(below) if isinstance(below, dict) else list(range(len(below))) if isinstance(below, list) else []
        if not inner or random.random() < 0.15:
            break
        content, names = below, inner
    else:
        return
    act = random.randrange(4)
    if act == 0 and isinstance(content, list):
        content.insert(name, deepcopy(content[name]))
    elif act == 1:
        del content[name]
    elif act == 2 and len(names) > 1:
        other = random.choice(names)
        content[name], content[other] = content[other], content[name]
    else:
        content[name] = deepcopy(random.choice(STRANGE))
