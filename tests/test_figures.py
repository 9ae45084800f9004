"""Every kind of result can be drawn, without a warning, at a size that can be read."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from PIL import Image
from synthetic import GRIDS, synthetic

from kanpde.errors import KanpdeError
from kanpde.quantities import Quantities
from kanpde.result import Field
from kanpde.writers.figures import FIGURES, draw, figures
from kanpde.writers.movie import movie
from kanpde.writers.panels import decades, rounded
from kanpde.writers.png import pixels, rendered
from kanpde.writers.ticks import decade_ticks, power_of_ten
from kanpde.writers.views import views

PICTURES = Path(__file__).parent / "pictures"
SMALL = 96  # dots of a picture's width, when pictures are compared
ALIKE = 40.0  # of 255: what three years of Matplotlib versions move is below 35, and panels in wrong places above
LARGER = 0.05  # as a part of a picture's sides


@lru_cache
def drawn(kind: str) -> dict[str, bytes]:
    """All pictures of a result with a hole."""
    return draw(synthetic(kind, hole=True))


@pytest.mark.parametrize("kind", GRIDS)
def test_every_figure_is_drawn_at_a_readable_size(kind: str) -> None:
    pictures = drawn(kind)
    plane = kind.startswith("square")  # its vector has two components
    assert list(pictures) == [name for name in FIGURES if name != "vectors" or plane]
    for name, png in pictures.items():
        height, width, colours = pixels(png).shape
        assert 600 <= width <= 1700 and 250 <= height <= 2000 and colours == 3, name


def sheet(pictures: dict[str, bytes]) -> Image.Image:
    """Pictures one below the other, each drawn out to a square so small that letters are spots."""
    whole = Image.new("RGB", (SMALL, SMALL * len(pictures)), "white")
    for number, png in enumerate(pictures.values()):
        one = Image.open(BytesIO(png)).convert("RGB")
        whole.paste(one.resize((SMALL, SMALL), Image.Resampling.BOX), (0, SMALL * number))
    return whole


def apart(one: Image.Image, other: Image.Image) -> float:
    """How far two sheets are from each other: the greatest mean difference of a colour in a patch of 8 by 8 dots."""
    first, second = (np.asarray(sheet, float) for sheet in (one, other))
    gaps = np.abs(first - second).mean(axis=2)
    return float(gaps.reshape(-1, 8, SMALL // 8, 8).mean(axis=(1, 3)).max())


@pytest.mark.parametrize("kind", GRIDS)
def test_pictures_look_as_they_did(kind: str) -> None:
    """KANPDE_UPDATE_GOLDEN=1 keeps them anew: look at them before."""
    name, found = kind.replace(" ", "_"), drawn(kind)
    sizes = {one: list(Image.open(BytesIO(png)).size) for one, png in found.items()}
    if os.environ.get("KANPDE_UPDATE_GOLDEN"):
        sheet(found).save(PICTURES / f"{name}.png", optimize=True)
        (PICTURES / f"{name}.json").write_text(json.dumps(sizes) + "\n")
    known = json.loads((PICTURES / f"{name}.json").read_text())
    assert sizes.keys() == known.keys()
    assert all(np.allclose(sizes[one], known[one], rtol=LARGER) for one in sizes)
    with Image.open(PICTURES / f"{name}.png") as golden:
        assert apart(golden.convert("RGB"), sheet(found)) < ALIKE


def test_pictures_that_look_otherwise_are_noticed() -> None:
    whole = drawn("square in time")
    known = sheet(whole)
    blue = {name: recoloured(png) if name == "error" else png for name, png in whole.items()}
    turned = {name: whole[{"solution": "residual", "residual": "solution"}.get(name, name)] for name in whole}
    assert apart(known, known) == 0.0
    assert all(apart(known, sheet(other)) > 2 * ALIKE for other in (blue, turned))


def recoloured(png: bytes) -> bytes:
    """A picture with its colours exchanged."""
    red, green, blue = Image.open(BytesIO(png)).convert("RGB").split()
    stream = BytesIO()
    Image.merge("RGB", (blue, red, green)).save(stream, "PNG")
    return stream.getvalue()


def test_figures_without_contents_are_left_out() -> None:
    whole = synthetic("line")
    assert list(figures(replace(whole, history={}, points={}, fields={"u": whole.fields["u"]}))) == ["solution"]


def test_the_same_result_gives_the_same_picture() -> None:
    whole = synthetic("line in time")
    small = replace(whole, fields={"u": whole.fields["u"]})
    assert draw(small) == draw(small)


@pytest.mark.parametrize("values", [0.0, 1.0, -1e-320, 1e300, np.nan], ids=str)
@pytest.mark.parametrize("kind", ["square"])
def test_constant_and_blank_fields_are_drawn(values: float, kind: str) -> None:
    whole = synthetic(kind)
    shape = whole.fields["u"].values.shape
    fields = {name: Field(np.full(shape, values), field.kind, field.of) for name, field in whole.fields.items()}
    assert list(draw(replace(whole, fields=fields, history={}))) == [name for name in FIGURES if name != "history"]


@pytest.mark.parametrize("title", ["$x_1^", "50 % & more\nlines", "熱方程式", "very long " * 40, ""])
def test_any_title_can_be_drawn(title: str) -> None:
    whole = synthetic("line")
    draw(replace(whole, title=title, fields={"u": whole.fields["u"]}, history={}))


@pytest.mark.parametrize("times", [1, 5, 6])
def test_few_times_are_drawn_as_profiles(times: int) -> None:
    axes = {"x": np.linspace(0, 1, 7), "t": np.linspace(0, 1, 9)[:times]}
    shown = views(axes)
    assert len(shown) == (times if times <= 5 else 1) and (shown[0].up is None) == (times <= 5)
    fields = {name: Field(np.ones((7, times)), kind, "u") for name, kind in [("u", "solution"), ("v", "error")]}
    pictures = draw(replace(synthetic("line"), axes=axes, fields=fields, history={}))
    assert list(pictures) == ["solution", "error"]


def test_holes_stay_blank() -> None:
    whole = synthetic("square", hole=True)
    figure = figures(whole)["solution"]
    mesh = figure.axes[0].collections[0]
    np.testing.assert_array_equal(mesh.get_array().mask, np.isnan(whole.fields["u"].values.T))


@pytest.mark.parametrize("kind", GRIDS)
def test_a_view_is_indexed_up_then_across(kind: str) -> None:
    axes = synthetic(kind).axes
    mesh = dict(zip(axes, np.meshgrid(*axes.values(), indexing="ij"), strict=True))
    for view in views(axes):
        across = view.values(axes, mesh[view.across])
        np.testing.assert_array_equal(across[0] if view.up else across, axes[view.across])
        if view.up:
            np.testing.assert_array_equal(view.values(axes, mesh[view.up])[:, 0], axes[view.up])


def test_a_scale_holds_what_it_is_for() -> None:
    for low, high in [(-1, 1), (0.9999, 2.00001), (-1e-9, 3e5), (5.0, 5.0), (0.0, 0.0)]:
        bottom, top = rounded(low, high)
        assert bottom <= low and high <= top and bottom < top
    assert decades(np.array([2e-5, 3e-3]), 5) == pytest.approx((1e-5, 1e-2))
    assert decades(np.array([]), 5)[0] > 0


def test_axes_and_titles_have_the_words_and_units_of_the_problem() -> None:
    known = Quantities({"x": "length", "u": "temperature"}, {"x": "m", "u": "K"})
    place = figures(replace(synthetic("line"), quantities=known, history={}))["solution"].axes[0]
    assert place.get_xlabel() == "length (m)" and place.get_title() == "temperature: u (K)"


def test_streamlines_follow_the_vector() -> None:
    whole = synthetic("square")
    x, y = np.meshgrid(*whole.axes.values(), indexing="ij")
    fields = {"u": Field(np.ones_like(x), "solution", "u"), "v": Field(np.zeros_like(x), "solution", "v")}
    known = Quantities(vectors={"velocity": ("u", "v")})
    (place,) = figures(replace(whole, fields=fields, quantities=known, history={}, estimated={}))["vectors"].axes[:1]
    (lines,) = [artist for artist in place.collections if isinstance(artist, LineCollection)]
    steps = np.concatenate([np.diff(path.vertices, axis=0) for path in lines.get_paths()])
    assert len(steps) > 20 and np.abs(steps[:, 1]).max() < 1e-9 and place.get_title() == "|velocity|"


def test_a_picture_is_cut_to_its_ink() -> None:
    figure = Figure(figsize=(3, 2), dpi=100)
    figure.add_axes((0.25, 0.25, 0.5, 0.5)).set_axis_off()
    figure.axes[0].plot([0, 1], [0, 1], color="black")
    height, width, _ = pixels(rendered(figure)).shape
    assert 80 < height < 140 and 120 < width < 190


@pytest.mark.parametrize(("low", "high", "count"), [(1e-5, 1e-2, 4), (1e-30, 1.0, 8), (1e-280, 1e-279, 2)])
def test_powers_of_ten_are_plain_text(low: float, high: float, count: int) -> None:
    axis = Figure().add_subplot().yaxis
    decade_ticks(axis, low, high)
    assert len(axis.get_major_locator()()) == count and power_of_ten(1e-12) == "10⁻¹²"


@pytest.mark.parametrize("kind", ["line in time", "square in time"])
def test_a_movie_has_a_frame_for_each_time_and_one_scale(kind: str) -> None:
    whole = synthetic(kind)
    short = {name: axis[:3] if name == "t" else axis for name, axis in whole.axes.items()}
    fields = {"u": Field(whole.fields["u"].values[..., :3], "solution", "u")}
    found = Image.open(BytesIO(movie(replace(whole, axes=short, fields=fields))))
    assert found.format == "GIF" and found.n_frames == 3
    with pytest.raises(KanpdeError, match="no time"):
        movie(synthetic("square"))
