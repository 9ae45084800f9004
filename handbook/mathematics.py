"""TeX in the pages as MathML, which browsers set without any program."""

from __future__ import annotations

import re
from html import unescape

from latex2mathml.converter import convert
from links import FENCE

INLINE = re.compile(r'<span class="arithmatex">\\\((.*?)\\\)</span>', re.DOTALL)
DISPLAYED = re.compile(r'<div class="arithmatex">\s*\\\[(.*?)\\\]\s*</div>', re.DOTALL)


def displayed(text: str) -> str:
    """The Markdown with its blocks of `math`, as GitHub has them, in dollars."""
    return FENCE.sub(lambda found: f"$$\n{found['text']}$$" if found["language"] == "math" else found.group(), text)


def typeset(page: str) -> str:
    """The HTML with all formulas as MathML; raises ValueError for what is no TeX."""
    page = DISPLAYED.sub(lambda found: f"<p>{mathml(found[1], 'block')}</p>", page)
    return INLINE.sub(lambda found: mathml(found[1], "inline"), page)


def mathml(tex: str, display: str) -> str:
    """One formula."""
    try:
        return convert(unescape(tex), display=display)
    except Exception as error:
        raise ValueError(f"not understood as TeX: {tex} ({error})") from error
