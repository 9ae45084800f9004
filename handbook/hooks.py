"""What MkDocs does not do by itself: pages made from other files, links out of docs/, and mathematics as MathML."""

from __future__ import annotations

from typing import Any

import gallery
from links import DOCS, FILES, PAGES, ROOT, handed_out, moved, slug
from mathematics import displayed, typeset
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

SOURCES = {there: name for name, there in PAGES.items() if name.endswith(".md") and there != "index.md"}


def on_config(config: Any) -> Any:
    """Put the problems into the navigation, and name headings as GitHub does."""
    config.mdx_configs.setdefault("toc", {})["slugify"] = lambda text, separator: slug(text)
    listed: list[Any] = ["gallery/index.md"]
    listed += [{title: [f"gallery/{name}.md" for name in names]} for title, names in gallery.grouped().items()]
    config.nav = [{"Gallery": [*listed, "gallery/references.md"]} if part == "gallery" else part
                  for part in config.nav]  # fmt: skip
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add the pages of the gallery, those of the repository's own files, and the files that pages link to."""
    made = {"gallery/index.md": gallery.index(), "gallery/references.md": gallery.references()}
    made |= {f"gallery/{name}.md": gallery.page(name) for name in gallery.problems()}
    made |= {there: (ROOT / name).read_text(encoding="utf-8") for there, name in SOURCES.items()}
    for there, text in made.items():
        files.append(File.generated(config, there, content=text))
    pages = {origin(there): text for there, text in made.items()}
    pages |= {DOCS + file.src_uri: file.content_string for file in files.documentation_pages()
              if file.src_uri not in made}  # fmt: skip
    for path in sorted({path for page, text in pages.items() for path in handed_out(text, page)}):
        if not (ROOT / path).is_file():
            raise PluginError(f"there is a link to {path}, which is no file")
        files.append(File.generated(config, FILES + path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Let links lead to where things are on the site, and set off formulas as Markdown's extensions have it."""
    here = page.file.src_uri
    return displayed(moved(markdown, origin(here), here))


def on_page_content(html: str, page: Any, config: Any, files: Files) -> str:
    """Set the mathematics."""
    try:
        return typeset(html)
    except ValueError as error:
        raise PluginError(f"{page.file.src_uri}: {error}") from error


def origin(there: str) -> str:
    """The file of the repository from which a page of the site is read; for the gallery's, where it would lie."""
    return SOURCES.get(there, DOCS + there)
