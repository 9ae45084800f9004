"""Pages in a real browser: they sort, filter and draw, say nothing on the console and ask nothing of a network."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Iterator

import pytest
from figures_of_tests import png
from small_batch import PROBLEM

from kanpde.pages.document import document
from kanpde.pages.problem import problem_table
from kanpde.pages.table import Column, Line, table_page
from kanpde.spec import read_spec_text

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed: pip install playwright")
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOUND = os.environ.get("KANPDE_BROWSER") or next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(FOUND is None, reason=f"no browser here ({', '.join(NAMES)}): apt-get install chromium")

COLUMNS = (
    Column("name", "run"),
    Column("width", "network.width", "choice", varied=True, plotted=True),
    Column("basis", "network.basis", "choice", varied=True),
    Column("seed", "seed", "number"),
    Column("state", "state", "choice"),
    Column("error", "error", "number", plotted=True),
    Column("coefficients", "coefficients", "number", plotted=True),
    Column("reason", "reason"),
)


def lines() -> list[Line]:
    """Twelve runs, one of which failed."""
    found = []
    for width in (8, 16, 100):
        for basis in ("sine", "<b>rbf</b>"):
            for seed in (0, 1):
                failed = (width, basis, seed) == (16, "sine", 1)
                error = None if failed else width**-3.0 * (1 + seed)
                values = {
                    "name": f"run-{width}-{basis[:4].strip('<>')}-{seed}", "width": width, "basis": basis, "seed": seed,
                    "state": "failed" if failed else "done", "error": error, "coefficients": 3 * width,
                    "reason": "no such device" if failed else "",
                }  # fmt: skip
                shown = {"error": "" if failed else f"{error:.2g}"}
                found.append(Line(values, shown, str(values["name"]), {} if failed else {"fields": png()}))
    return found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        found = driver.chromium.launch(executable_path=FOUND, args=["--no-sandbox", "--disable-gpu"])
        yield found
        found.close()


@pytest.fixture()
def page(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page, opened from a file; at the end, nothing was said on the console and nothing asked for."""
    (tmp_path / "report.html").write_text(table_page("Runs & <i>more</i>", "12 runs", COLUMNS, lines()))
    yield from watched(browser, tmp_path / "report.html")


def watched(browser: Any, path: Path) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1400, "height": 1100})
    opened, said, asked = context.new_page(), [], []
    opened.on("console", lambda message: said.append(message.text))
    opened.on("pageerror", lambda error: said.append(str(error)))
    opened.on("request", lambda request: asked.append(request.url))
    opened.goto(path.as_uri())
    yield opened
    if folder := os.environ.get("KANPDE_SHOTS"):
        opened.screenshot(path=f"{folder}/{path.stem}.png", full_page=True)
    context.close()
    assert not said
    assert [url for url in asked if not url.startswith("data:")] == [path.as_uri()]


def column(page: Any, key: str, shown: bool = True) -> list[str]:
    """The cells of a column from the top, as they are sorted by."""
    place = [c.key for c in COLUMNS].index(key)
    place += place > 0  # the pictures follow the first column
    rows = page.locator("#runs tbody tr:visible" if shown else "#runs tbody tr").all()
    return [row.locator("td").nth(place).get_attribute("data-value") for row in rows]


def test_headings_sort_up_and_down_and_what_is_not_known_comes_last(page: Any) -> None:
    page.get_by_role("button", name="error").click()
    found = column(page, "error")
    assert found[:-1] == sorted(found[:-1], key=float) and found[-1] == ""
    page.get_by_role("button", name="error").click()
    found = column(page, "error")
    assert found[:-1] == sorted(found[:-1], key=float, reverse=True) and found[-1] == ""
    page.get_by_role("button", name="network.width").click()
    assert column(page, "width") == ["8"] * 4 + ["16"] * 4 + ["100"] * 4
    assert page.locator('th[aria-sort="ascending"]').inner_text().startswith("network.width")


def test_words_and_choices_filter_the_table_and_the_plot(page: Any) -> None:
    assert page.locator("#count").inner_text() == "12 of 12 runs" and page.locator("svg circle title").count() == 11
    page.locator("select[data-key=width]").select_option("=16")
    assert column(page, "width") == ["16"] * 4 and page.locator("svg circle title").count() == 3
    page.locator("#words").fill("DEVICE no")
    assert column(page, "state") == ["failed"] and "no run" in page.locator("figcaption").inner_text()
    page.locator("#words").fill("nothing like it")
    assert column(page, "name") == [] and page.locator("#count").inner_text() == "0 of 12 runs"
    page.locator("#words").fill("")
    page.locator("select[data-key=width]").select_option("")
    assert len(column(page, "name")) == 12


def test_plots_show_means_and_spreads_over_seeds_along_what_is_chosen(page: Any) -> None:
    page.locator("#plot-colour").select_option("basis")
    page.locator("#plot-along").select_option("width")
    assert page.locator("svg path.mean").count() == 2 and page.locator("svg path.spread").count() == 5
    assert "network.width" in page.locator("svg").text_content() and "<b>rbf</b>" in page.locator("svg").text_content()
    ticks = page.locator("svg text").all_text_contents()
    assert any(text.startswith("1e-") for text in ticks)


def test_mathematics_is_drawn(browser: Any, tmp_path: Path) -> None:
    (tmp_path / "chain.html").write_text(document("chain", problem_table(read_spec_text(PROBLEM, "p.yaml", tmp_path))))
    for opened in watched(browser, tmp_path / "chain.html"):
        assert opened.locator("math").count() >= 7
        widths = "[...document.querySelectorAll('math')].map((one) => one.getBoundingClientRect().width)"
        sizes = opened.evaluate(widths)
        assert min(sizes) > 4


def test_runs_are_linked_and_what_a_stranger_wrote_is_text(page: Any) -> None:
    assert page.locator("#runs tbody tr").first.locator("a").first.get_attribute("href") == "run-8-sine-0/"
    assert page.locator("#runs img").count() == 11 and page.locator("#runs b").count() == 0
    assert page.locator("h1").inner_text() == "Runs & <i>more</i>"
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
