"""The documentation holds together: its pages are listed, its links lead somewhere, and what it shows is what works."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import gallery
import pytest
import yaml
from links import FENCE, PAGES, anchors, links, local, place, prose, resolved
from program import ROOT, run, understood

from kanpde.batch.members import members
from kanpde.batch.sweep import read_sweep

READ = [*(ROOT / "docs").glob("*.md"), *ROOT.glob("*.md"), ROOT / "benchmarks" / "peers" / "README.md"]
TEXTS = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in sorted(READ)}
MADE = {f"docs/gallery/{name}.md": gallery.page(name) for name in gallery.problems()}
MADE |= {"docs/gallery/index.md": gallery.index(), "docs/gallery/references.md": gallery.references()}
EVERY = {**TEXTS, **MADE}
SITE = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
LARGEST_PICTURE, LARGEST_GALLERY = 60_000, 3_000_000  # bytes
PLAYED = "docs/index.md"  # its commands are run, one after another
FOREIGN = "docs/migrating.md"  # its Python is for other programs


@dataclass(frozen=True)
class Block:
    """A piece of code on a page."""

    page: str
    line: int
    language: str
    title: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(language: str) -> list[Block]:
    """The code on all pages in one language."""
    return [Block(page, text.count("\n", 0, found.start()) + 1, language, titled(found["language"]), found["text"])
            for page, text in TEXTS.items() for found in FENCE.finditer(text)
            if found["language"].split(" ")[0] == language]  # fmt: skip


def titled(words: str) -> str:
    """The title of a piece of code."""
    found = re.search(r'title="(.*)"', words)
    return found[1] if found else ""


def lines(text: str) -> list[str]:
    """The lines of a script, those that are continued made one."""
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def commands() -> list[tuple[str, list[str]]]:
    """Every call of the program in a script or in the middle of a sentence, and where it stands."""
    shown = [(str(block), line) for block in blocks("sh") for line in lines(block.text) if not line.startswith("#")]
    for page, text in TEXTS.items():
        outside = FENCE.sub(lambda found: "\n" * found.group().count("\n"), text)
        for found in re.finditer(r"(?<!`)`(kanpde [^`]+)`(?!`)", outside):
            shown.append((f"{page}:{text.count(chr(10), 0, found.start()) + 1}", found[1].replace("\n", " ")))
    calls = []
    for where, line in shown:
        found = re.search(r"(?:^|--no-python |srun [-\w ]*?|\.venv/bin/)kanpde(?= )|apptainer run \S+\.sif", line)
        words = shlex.split(line[found.end() :], comments=True) if found else []
        stop = next((at for at, word in enumerate(words) if word in {">", "|", "&&"}), len(words))
        if words and words[0] != "…" and not words[0].startswith("-"):
            calls.append((where, words[:stop]))
    return calls


def listed(nav: list) -> list[str]:
    """The pages in the navigation, in order."""
    found: list[str] = []
    for part in nav:
        for entry in part.values() if isinstance(part, dict) else [part]:
            found += listed(entry) if isinstance(entry, list) else [entry]
    return found


def test_every_page_is_in_the_navigation_once() -> None:
    known = [path.name for path in (ROOT / "docs").glob("*.md")]
    own = {there for name, there in PAGES.items() if (ROOT / name).is_file() and there != "index.md"}
    assert sorted(listed(SITE["nav"])) == sorted([*known, *own, "gallery"])


@pytest.mark.parametrize("page", EVERY)
def test_links_lead_somewhere(page: str) -> None:
    for link in links(EVERY[page]):
        if local(link["target"]):
            path, anchor = resolved(link["target"], page)
            assert path in EVERY or (ROOT / path).exists(), link.group()
            assert not anchor or path not in EVERY or anchor in anchors(EVERY[path]), link.group()


@pytest.mark.parametrize("page", [page for page in EVERY if page.startswith("docs/")])
def test_links_lead_to_pages_or_files_of_the_site(page: str) -> None:
    for link in links(EVERY[page]):
        path = resolved(link["target"], page)[0] if local(link["target"]) else page
        there = place(path)
        assert not there.startswith("files/") or (ROOT / path).is_file(), link.group()
        assert not there.startswith("gallery/") or f"docs/{there}" in MADE, link.group()


def test_anchors_are_those_of_headings() -> None:
    assert anchors("# A `b` & c\n\n```sh\n# no heading\n```\n\n## Über x_1\n") == {"a-b--c", "über-x_1"}
    assert "[a](b.md)" not in prose("`[a](b.md)` and\n\n```\n[a](b.md)\n```\n")


@pytest.mark.parametrize("name", gallery.problems())
def test_the_gallery_shows_the_file_the_command_and_the_mathematics(name: str) -> None:
    page, spec = MADE[f"docs/gallery/{name}.md"], gallery.problems()[name]
    assert f"# {spec.title}\n" in page and spec.text.rstrip() in page and f"kanpde solve problems/{name}.yaml" in page
    assert page.count("<math") == page.count("</math>") >= 2
    assert name.partition("_")[0] in gallery.KINDS and f'href="{name}.html"' in gallery.index()


def test_pictures_are_small() -> None:
    sizes = [path.stat().st_size for path in gallery.PICTURES.glob("*.png")]
    assert sum(sizes) <= LARGEST_GALLERY and max(sizes, default=0) <= LARGEST_PICTURE


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_files_on_pages_are_sound(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("problems").symlink_to(ROOT / "problems")
    Path("shown.yaml").write_text(block.text, encoding="utf-8")
    if block.page == "docs/extending.md":
        return  # its words are those of the script beside it: tests/test_extending.py solves it
    if "problem:" in block.text:
        assert members(read_sweep(Path("shown.yaml")))
        return
    found = run("check", "shown.yaml", "--fast")
    assert found.exit_code == 0, found.stderr


@pytest.mark.parametrize("block", blocks("python"), ids=str)
def test_python_on_pages_compiles(block: Block) -> None:
    compile(block.text, str(block), "exec")


CALLS = commands()


@pytest.mark.parametrize("where, words", CALLS, ids=[f"{where} {words[0]}" for where, words in CALLS])
def test_commands_on_pages_are_understood(where: str, words: list[str]) -> None:
    understood([word for word in words if word != "--help"])


def test_other_commands_on_pages_exist() -> None:
    made = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for page, text in TEXTS.items():
        for script in re.findall(r"python ((?:benchmarks|handbook|problems|tests)/[\w/]+\.py)", text):
            assert (ROOT / script).is_file(), f"{page}: {script}"
        for target in re.findall(r"(?:^|[`\s])make (setup|run|test|docs|clean)\b", text):
            assert target in made, page


def test_formulas_on_pages_can_be_set() -> None:
    mathematics = pytest.importorskip("mathematics", reason="needs latex2mathml", exc_type=ImportError)
    for page, text in TEXTS.items():
        outside = prose(text)
        for found in [*FENCE.finditer(text)]:
            if found["language"] == "math":
                assert mathematics.mathml(found["text"], "block").startswith("<math"), page
        for found in re.finditer(r"(?<![\\$])\$(?=\S)([^$\n]+)(?<=\S)\$", outside):
            assert mathematics.mathml(found[1], "inline").startswith("<math"), page


@pytest.mark.slow
def test_the_first_page_works_as_it_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command of it but the installation, and its Python, in the order in which they stand."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "kanpde"
    script.write_text(f"#!{sys.executable}\nfrom kanpde.cli import main\nmain(prog_name='kanpde')\n")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", str(script.parent), prepend=":")
    for block in blocks("yaml"):
        if block.page == PLAYED:
            (tmp_path / block.title).write_text(block.text, encoding="utf-8")
    told = ""
    for block in blocks("sh"):
        if block.page == PLAYED and "pip install" not in block.text:
            words = ["bash", "-euc", block.text]
            done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=600)
            assert done.returncode == 0, done.stderr
            told += done.stdout
    assert "finished: every stage ran to its end" in told and "u = exp(-pi^2*t/10)*sin(pi*x)" in told
    for block in blocks("python"):
        if block.page == PLAYED:
            subprocess.run([sys.executable, "-c", block.text], cwd=tmp_path, check=True, timeout=600)
