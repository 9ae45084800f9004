"""Links of the documentation: which there are, where they lead in the repository, and where on the site.

The Markdown files are read in two places. In the repository their links are paths; on the site a problem file is a page
of the gallery, and what has no page is handed out as a file.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS, FILES = "docs/", "files/"
PAGES = {
    "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md", "SECURITY.md": "security.md",
    "README.md": "index.md", "problems": "gallery/index.md", "problems/references": "gallery/references.md",
}  # fmt: skip
LINK = re.compile(r"\[(?:[^\[\]]|\[[^\[\]]*\])*\]\((?P<target>[^()\s]+)\)")
FENCE = re.compile(r"^( *)(`{3,})(?P<language>[^`\n]*)\n(?P<text>.*?)^\1\2`* *$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"(?<!`)(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
HEADING = re.compile(r"^#{1,6} +(.*?)(?: +#+)? *$", re.MULTILINE)


def prose(text: str) -> str:
    """The text with code blanked out, letter for letter, so that positions stay."""
    for code in (FENCE, CODE):
        text = code.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    return text


def links(text: str) -> Iterator[re.Match[str]]:
    """The links and pictures of a page; those in code are none."""
    yield from LINK.finditer(prose(text))


def local(target: str) -> bool:
    """Whether a link leads into the repository."""
    return not re.match(r"[a-z][a-z0-9+.-]*:|//", target)


def resolved(target: str, page: str) -> tuple[str, str]:
    """Where in the repository a link of `page` leads: a path, and the anchor in it."""
    path, _, anchor = target.partition("#")
    return posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page, anchor


def place(path: str) -> str:
    """Where on the site a path of the repository is."""
    if path in PAGES:
        return PAGES[path]
    if path.startswith(DOCS):
        return path.removeprefix(DOCS)
    folder, name = posixpath.split(path)
    if folder == "problems" and name.endswith(".yaml"):
        return f"gallery/{name.removesuffix('.yaml')}.md"
    return FILES + path


def moved(text: str, page: str, here: str) -> str:
    """The text of `page` with its links as they must be where it is on the site, `here`."""
    parts, end = [], 0
    for link in links(text):
        target = link["target"]
        if local(target):
            path, anchor = resolved(target, page)
            target = posixpath.relpath(place(path), posixpath.dirname(here) or ".") + f"#{anchor}" * bool(anchor)
        parts += [text[end : link.start("target")], target]
        end = link.end("target")
    return "".join([*parts, text[end:]])


def handed_out(text: str, page: str) -> set[str]:
    """The paths of the repository that a page links to and that are no pages of the site."""
    paths = {resolved(link["target"], page)[0] for link in links(text) if local(link["target"])}
    return {path for path in paths if place(path).startswith(FILES)}


def anchors(text: str) -> set[str]:
    """The names under which the headings of a page can be linked to."""
    blank = FENCE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    return {slug(heading) for heading in HEADING.findall(blank)}


def slug(heading: str) -> str:
    """The name of a heading in links, as GitHub and the site have it."""
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return words.strip().replace(" ", "-")
