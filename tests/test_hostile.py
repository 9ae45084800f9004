"""Files from strangers: what would fill the memory, never end, lead elsewhere or run code is refused, and where."""

from __future__ import annotations

import re
import zlib
from dataclasses import replace
from pathlib import Path
from typing import Callable

import h5py
import numpy as np
import pytest
from program import run
from synthetic import synthetic

from kanpde.bounded import spare_memory
from kanpde.capacity import Capacity, capacity
from kanpde.columns import column_names
from kanpde.errors import KanpdeError, ResultError, SpecError
from kanpde.hdf5_open import opened
from kanpde.hdf5_values import attribute, dimensions, values
from kanpde.plan import fits, output_memory, plan
from kanpde.references import read_reference
from kanpde.spec import read_spec, read_spec_text
from kanpde.writers import hdf5, read

PLAIN = "unknowns: [u]\ndomain: {x: [0, 1]}\nequations: {e: u_xx = %s}\nboundary: {all: u = 0}\n"
DOUBLING = "".join(f"  a{n}: a{n - 1} + a{n - 1}\n" for n in range(1, 60))
TEXTS = {
    "brackets": (PLAIN % ("(" * 4000 + "1" + ")" * 4000), "nested more than 100 deep"),
    "minus signs": (PLAIN % ("1" + "-" * 9000 + "1"), "nested more than 100 deep"),
    "a tower of powers": (PLAIN.replace("[0, 1]", "[0, 9^9^9^9]") % "1", "not a finite number|too large|finite"),
    "lists in lists": ("a: " + "[" * 10_000, "nested more than 20 deep"),
    "tables in tables": ("".join(" " * n + f"a{n}:\n" for n in range(200)), "nested more than 20 deep"),
    "many definitions": ("definitions:\n" + "".join(f"  a{n}: 1\n" for n in range(6_000)), "more than 10000 entries"),
    "a large file": ("definitions:\n" + "".join(f"  a{n}: {n}\n" for n in range(100_000)), "larger than 1 MB"),
    "doubling": (PLAIN % "a59" + "definitions:\n  a0: x\n" + DOUBLING, "more than 10000 operations"),
    "aliases": ("a: &a [1, 1]\nb: &b [*a, *a]\nc: [*b, *b]\n", "anchor"),
    "an object": ("a: !!python/object/apply:os.system ['touch owned']\n", "tag"),
    "code": (PLAIN % "__import__('os')", "no meaning"),
    "an attribute": (PLAIN % "x.__class__", "no meaning"),
}


@pytest.mark.parametrize(("text", "message"), TEXTS.values(), ids=TEXTS)
def test_hostile_problems_are_refused_with_their_place(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.yaml"
    path.write_text(text)
    found = run("check", "--fast", path)
    assert found.exit_code == 2 and f"{path}:" in found.stderr and re.search(message, found.stderr), found.stderr[:300]


def test_an_override_is_not_nested_without_end() -> None:
    with pytest.raises(SpecError, match="nested more than 20 deep"):
        read_spec_text(PLAIN % "1", "p.yaml", Path(), (".".join(["output"] * 5000) + "=1",))


# files beside a problem

@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A problem's folder beside a secret, with links that lead to it and around in a circle."""
    folder = tmp_path / "problem"
    folder.mkdir()
    (tmp_path / "secret.csv").write_text("x,u\n0,0\n1,1\n")
    (folder / "own.csv").write_text("x,u\n0,0\n1,1\n")
    (folder / "link.csv").symlink_to(tmp_path / "secret.csv")
    (folder / "away").symlink_to(tmp_path)
    (folder / "circle.csv").symlink_to(folder / "circle.csv")
    return folder


WAYS = {"reference": "reference: {{file: {0}}}\n", "data": "fit: {{k: {{start: 1}}}}\ndata: {{d: {{file: {0}}}}}\n"}
STRANGE = {
    "../secret.csv": "outside", "/etc/passwd": "outside", "link.csv": "outside", "away/secret.csv": "outside",
    "../../../../../../etc/passwd": "outside", "circle.csv": "cannot be found|there is no file", ".": "no file",
    "'\"\\0\"'": "there is no file|cannot be found",
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("file", STRANGE)
def test_files_lie_in_the_folder_of_the_problem(file: str, way: str, place: Path) -> None:
    (place / "p.yaml").write_text(PLAIN % "1" + WAYS[way].format(file))
    with pytest.raises(SpecError, match=STRANGE[file]) as caught:
        read_spec(place / "p.yaml")
    assert any(way in mistake.path and mistake.place.line >= 5 for mistake in caught.value.mistakes)


@pytest.mark.parametrize("file", ["../secret.csv", "link.csv", "away/secret.csv"])
def test_the_user_may_allow_another_folder(file: str, place: Path) -> None:
    (place / "p.yaml").write_text(PLAIN % "1" + WAYS["reference"].format(file))
    refused = run("check", "--fast", place / "p.yaml")
    assert refused.exit_code == 2 and "--files DIR" in refused.stderr
    assert run("check", "--fast", place / "p.yaml", "--files", place.parent).exit_code == 0
    assert read_spec(place / "p.yaml", within=place.parent).files == {file: place.parent / "secret.csv"}


def test_shapes_from_files_lie_there_too(place: Path) -> None:
    text = "unknowns: [u]\ndomain: {shapes: {s: 'polygon(file=link.csv)'}, region: s}\nequations: {e: lap(u) = 1}\n"
    with pytest.raises(SpecError, match="outside the problem's folder"):
        read_spec_text(text + "boundary: {s: u = 0}\n", "p.yaml", place)


def test_a_large_table_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "large.csv").open("wb") as stream:
        stream.truncate(10**12)
    for reader in (column_names, read_reference):
        with pytest.raises(ResultError, match="larger than 100 MB"):
            reader(tmp_path / "large.csv")


# HDF5

def bomb(file: h5py.File) -> None:
    pieces, packed = 65, zlib.compress(bytes(2**23))
    data = file.create_dataset("bomb", shape=(pieces * 2**20,), dtype="f8", chunks=(2**20,), compression="gzip")
    for number in range(pieces):
        data.id.write_direct_chunk((number * 2**20,), packed)


def promise(file: h5py.File) -> None:
    file.create_dataset("huge", shape=(2**40,), dtype="f8", chunks=(2**20,))


def large_pieces(file: h5py.File) -> None:
    file.create_dataset("network/pieces", shape=(4,), maxshape=(None,), chunks=(2**28,), dtype="f8")


def packed_twice(file: h5py.File) -> None:
    pack = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    pack.set_chunk((4,))
    pack.set_deflate(9)
    pack.set_deflate(9)
    space = h5py.h5s.create_simple((4,))
    h5py.h5d.create(file["network"].id, b"twice", h5py.h5t.NATIVE_DOUBLE, space, pack)


def virtual(file: h5py.File) -> None:
    layout = h5py.VirtualLayout(shape=(4,), dtype="f8")
    layout[:] = h5py.VirtualSource("/etc/passwd", "u", shape=(4,))
    file.create_virtual_dataset("network/virtual", layout)


def many_words(file: h5py.File) -> None:
    words = np.array(["a" * 1000] * 500, object)
    file["network"].create_dataset("words", data=np.array(words), dtype=h5py.string_dtype())


def references(file: h5py.File) -> None:
    file["network"].attrs["pointer"] = file["u"].ref


def wide_words(file: h5py.File) -> None:
    data = file["network"].create_dataset("wide", data='["a"]', dtype=h5py.string_dtype())
    data.attrs["kanpde_kind"] = "text9999999999"


def deep_json(file: h5py.File) -> None:
    file["network"].create_dataset("deep", data="[" * 10**6, dtype=h5py.string_dtype()).attrs["kanpde_kind"] = "json"


HOSTILE: dict[Callable[[h5py.File], None], str] = {
    bomb: "MiB; at most 512 are read", promise: "'/huge' claims", large_pieces: "'/network/pieces' is stored in pieces",
    packed_twice: "'/network/twice' is packed in a way", virtual: "'/network/virtual' keeps its values in another file",
    many_words: "'/network/words' holds neither", references: "'pointer' of '/network'",
    wide_words: "'/network/wide' is no array", deep_json: "broken",
}


@pytest.mark.parametrize(("change", "message"), HOSTILE.items())
def test_hostile_results_are_refused_with_file_and_place(change, message: str, tmp_path: Path) -> None:
    path = tmp_path / "solution.h5"
    hdf5.write(synthetic("line"), {}, path)
    with h5py.File(path, "r+") as file:
        change(file)
    with pytest.raises(ResultError, match=re.escape(message)) as caught:
        read(path)
    assert str(path) in str(caught.value)


def test_links_of_every_kind_neither_lead_elsewhere_nor_around(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "links.h5", "w") as file:
        file["x"], file["u"] = np.linspace(0, 1, 3), np.zeros(3)
        for name, to in {"circle": "/circle", "pair": "/other", "other": "/pair"}.items():
            file[name] = h5py.SoftLink(to)
        file["outside"], file["y"] = h5py.ExternalLink("/etc/passwd", "/"), h5py.ExternalLink("secret.h5", "/y")
    assert set(read_reference(tmp_path / "links.h5", ("x",)).fields) == {"u"}


def test_texts_without_end_are_refused_before_hdf5_looks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "solution.h5"
    hdf5.write(synthetic("line"), {}, path)
    data = bytearray(path.read_bytes())
    heap = data.index(b"GCOL")
    data[heap + 16 + 8 : heap + 16 + 16], data[heap + 16 : heap + 18] = bytes(8), bytes(2)  # object 0, of no size
    path.write_bytes(data)
    with pytest.raises(ResultError, match=f"at byte {heap} "):
        read(path)


def test_labels_of_a_strange_kind_are_refused_without_a_crash(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "labels.h5", "w") as file:
        file["u"] = np.zeros((2, 2))
        for name, value in {"DIMENSION_LABELS": np.array([1.0, 2.0]), "DIMENSION_LIST": np.array([7, 9])}.items():
            file["u"].attrs[name] = value
    with opened(tmp_path / "labels.h5") as file:
        assert dimensions(file["u"]) == ("1.0", "2.0") and values(file["u"]).shape == (2, 2)
        with pytest.raises(ResultError, match="no attribute 'absent'"):
            attribute(file["u"], "absent")


def test_memory_within_is_bounded_and_free_again() -> None:
    with pytest.raises(MemoryError), spare_memory(2**26):
        bytearray(2**28)
    assert len(bytearray(2**28)) == 2**28


# memory of runs

def test_a_run_that_cannot_fit_is_refused_with_the_numbers_and_the_setting() -> None:
    small = read_spec_text(PLAIN % "1", "p.yaml", Path(), ("network.width=50",))
    planned = plan(small)
    assert fits(planned, small, Capacity(1e12, "this machine")) == ""
    numbers = r"needs about 0\.3\d GB .* this machine has 0\.1 GB left; make network.width"
    with pytest.raises(KanpdeError, match=numbers):
        fits(planned, small, Capacity(1e8, "this machine"))
    growing = replace(planned, memory=1e11)
    assert "network.width bounds it" in fits(growing, small, Capacity(1e9, "the control group /a"))


def test_the_output_counts_too() -> None:
    wide = read_spec_text(PLAIN % "1", "p.yaml", Path(), ("network.width=50", "output.grid=1000000"))
    assert output_memory(wide) > 8e7
    with pytest.raises(KanpdeError, match="make output.grid"):
        fits(replace(plan(wide), least=0.0), wide, Capacity(3e8, "this machine"))


def test_there_is_some_memory() -> None:
    assert 0 < capacity().free <= 1e15
