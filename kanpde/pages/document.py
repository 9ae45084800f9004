"""One HTML file that holds all it shows and asks nothing of any network."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files
from typing import Any, Iterable

from kanpde.json_lines import strict

DATA = "data"  # the element that holds the numbers


def asset(name: str) -> str:
    """The text of a style sheet or program that comes with the package."""
    return files("kanpde.pages").joinpath(name).read_text(encoding="utf-8")


def document(title: str, body: str, scripts: Iterable[str] = (), data: Any = None) -> str:
    """A page; its policy lets the browser run these programs alone, and fetch nothing."""
    style, programs = asset("style.css"), [asset(name) for name in scripts]
    allowed = " ".join(f"'sha256-{digest(text)}'" for text in programs) or "'none'"
    policy = (
        f"default-src 'none'; img-src data:; style-src 'sha256-{digest(style)}'; script-src {allowed}; "
        "base-uri 'none'; form-action 'none'"
    )
    held = f'<script type="application/json" id="{DATA}">{embedded(data)}</script>' if data is not None else ""
    run = "".join(f"<script>{text}</script>" for text in programs)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<link rel="icon" href="data:,">\n<title>{escape(title)}</title>\n<style>{style}</style>\n</head>\n'
        f"<body>\n{body}\n{held}\n{run}\n</body>\n</html>\n"
    )


def digest(text: str) -> str:
    """The SHA-256 by which a policy names a program or a style sheet."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def embedded(data: Any) -> str:
    """JSON that cannot end the element it stands in."""
    return json.dumps(strict(data), ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def picture(png: bytes, about: str, kind: str = "") -> str:
    """A picture in the page itself."""
    shown = base64.b64encode(png).decode()
    named = f' class="{kind}"' if kind else ""
    return f'<img{named} src="data:image/png;base64,{shown}" alt="{escape(about)}">'
