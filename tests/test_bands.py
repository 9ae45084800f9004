"""What is fitted with an uncertainty is drawn with it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from synthetic import synthetic

from kanpde.writers.figures import NORMAL, figure


def test_a_curve_with_a_standard_error_has_a_band_that_holds_95_percent() -> None:
    result = synthetic("line")
    (place,) = figure(result, "solution").axes
    (band,) = place.collections
    ends = band.get_paths()[0].vertices[:, 1]
    middle, half = result.fields["u"].values, NORMAL * 0.05
    assert np.isclose(ends.max(), middle.max() + half) and np.isclose(ends.min(), middle.min() - half)
    assert place.get_ylim()[0] <= ends.min() and ends.max() <= place.get_ylim()[1]
    assert "95 %" in [text.get_text() for text in place.get_legend().get_texts()]


def test_without_a_standard_error_there_is_no_band() -> None:
    result = synthetic("line")
    plain = {name: field for name, field in result.fields.items() if field.kind != "sigma"}
    (place,) = figure(replace(result, fields=plain), "solution").axes
    assert not place.collections


def test_standard_errors_in_the_plane_have_a_picture_of_their_own() -> None:
    made = figure(synthetic("square"), "sigma")
    assert [place.get_title() for place in made.axes if place.get_title()] == ["standard error of u"]
