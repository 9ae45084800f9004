"""Pages that stand alone: formulas as mathematics, and what they may not hold."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from xml.etree import ElementTree

import pytest
from figures_of_tests import png
from small import GALLERY

from kanpde.errors import ResultError
from kanpde.expression import Name, parse
from kanpde.pages.mathml import formula
from kanpde.pages.problem import problem_table
from kanpde.pages.run import formulas_found
from kanpde.pages.thumbnails import HEIGHT, WIDTH, thumbnail
from kanpde.spec import Spec, read_spec
from kanpde.writers.png import pixels

SHOWN = {
    "u_t + u*u_x": "ut+uux", "-lap(u)": "−Δu", "a - (b - c)": "a−(b−c)", "a - b - c": "a−b−c", "-(a + b)*c": "−(a+b)c",
    "a - -b*c": "a−(−bc)", "2*3": "2·3", "2*x": "2x", "(a + b)^2": "(a+b)2", "(-x)^2": "(−x)2", "-x^2": "−x2",
    "a/b*c": "abc", "exp(-x)": "e−x", "sqrt(x + 1)": "x+1", "abs(u)": "|u|", "sin(nu*t)": "sin(νt)",
    "div(k*grad(u))": "∇·(k∇u)", "p(x=0, y=0)": "p(x=0,y=0)", "jump(u)": "⟦u⟧", "d(k*u_x, x)": "∂x(kux)",
    "where(x < 1/2, 1, u_x)": "{1if\xa0x<12uxelse", "1e-30": "1·10-30", "u_0": "u0", "lap(u*v)": "Δ(uv)",
    "a*(b*c)": "a(bc)", "(a^b)^c": "(ab)c", "dn(u) + u": "∂nu+u",
}  # fmt: skip


@pytest.mark.parametrize(("text", "shown"), SHOWN.items())
def test_formulas_are_set_with_no_brackets_but_those_needed(text: str, shown: str) -> None:
    page = formula(parse(text))
    ElementTree.fromstring(re.sub(r"&#\d+;", "", page))
    plain = unescape(re.sub(r"<[^>]*>", "", page)).replace("\u2062", "").replace("\u2061", "")
    assert plain == shown


def table_of(spec: Spec) -> ElementTree.Element:
    return ElementTree.fromstring(re.sub(r"&#\d+;", "", problem_table(spec)))


SOME = [path for path in GALLERY if path.stem.startswith(("inverse", "eigen", "flow_2d_c", "parabolic"))]


@pytest.mark.parametrize("path", SOME, ids=lambda path: path.stem)
def test_every_equation_and_condition_of_a_problem_is_shown(path: Path) -> None:
    spec = read_spec(path)
    told = " ".join(table_of(spec).itertext())
    assert all(one.name in told for one in (*spec.equations, *spec.constraints))
    assert all(str(one.face) in told for one in (*spec.boundary, *spec.initial))


def test_names_stay_text_in_mathematics() -> None:
    for name in ("<script>", "a_<script>", "a@<script>", "normal.<script>"):
        assert "<script>" not in formula(Name(name)) and "&lt;script&gt;" in formula(Name(name))


def test_formulas_that_were_found_are_set_and_what_is_none_is_text() -> None:
    facts = {"formulas": {"u": "sin(pi*x)/2", "v": "<script>"}, "outcome": "verified exact", "reason": None}
    page = formulas_found(facts)
    assert "<mfrac>" in page and "verified exact" in page and "<script>" not in page
    assert "kanpde formula" in formulas_found({})


def test_thumbnails_are_small_and_refuse_what_is_no_picture() -> None:
    small = pixels(thumbnail(png(1000, 300)))
    assert small.shape[0] <= HEIGHT and small.shape[1] == WIDTH
    for wrong in (b"", b"GIF89a", png()[:30]):
        with pytest.raises(ResultError):
            thumbnail(wrong)
