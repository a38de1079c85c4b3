"""Text for the body of a Markdown file: it says there what it says, and does nothing.

Static sites read a body with more than Markdown: shortcodes, Liquid or Nunjucks in double braces,
which may include files or run code. Titles come from strangers, so whatever could begin any of
these is written as a character reference, which every one of them passes on.
"""

from __future__ import annotations

import re

_ACTIVE = re.compile(
    r"[\\`*_{}\[\]<>()#!|&~$^=@]|(?<=\d)[.](?=\s)|^[-+:]|(?<=:)//|(?<=www)[.]", re.MULTILINE
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def escaped(text: str) -> str:
    """``text`` as Markdown; its lines and paragraphs stay."""
    lines = [line.strip() for line in _CONTROLS.sub("", text).split("\n")]
    whole = _ACTIVE.sub(_reference, "\n".join(lines))
    return re.sub(r"(?<=\S)\n(?=\S)", "  \n", whole)


def raw_html(html: str) -> str:
    """HTML as one block, in which Markdown is not looked for and braces are braces."""
    lines = [line.strip() for line in _CONTROLS.sub("", html).split("\n")]
    whole = "<br>\n".join(lines).replace("{", "&#123;").replace("}", "&#125;")
    return f"<div>{whole}</div>"


def _reference(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(sign)};" for sign in found[0])
