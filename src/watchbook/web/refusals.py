"""Refusals and other short words: a small page for browsers, JSON for everything else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from html import escape
from http import HTTPStatus

from starlette.types import Scope

from watchbook.web.answers import HTML, Answer, as_json
from watchbook.web.security import CSP, digest, policy
from watchbook.web.static_files import icon

_STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; background: light-dark(#faf8f3, #171614); color: light-dark(#1e1b17, #ece7de);
  font: 1.1rem/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 14vh auto; padding: 0 1.5rem; }
h1 { font: 600 1.8rem/1.2 "Iowan Old Style", Palatino, Georgia, "Noto Serif", serif; }
a { color: light-dark(#97271a, #ff9f8a); }
small { color: light-dark(#5f584d, #aba396); }
"""
_WORDS = {
    400: "That could not be understood.",
    404: "There is nothing here, or it is not public.",
    405: "This can only be read.",
    429: "That was a lot at once. Please try again in a moment.",
    500: "Watchbook met a fault of its own. It is written down in its log.",
    503: "This cannot be shown right now. Please try again in a moment.",
}
_POLICY = policy(style_src=digest(_STYLE), img_src="data:")


def page(title: str, *blocks: str, status: int = 200) -> Answer:
    """A small page of Watchbook's own, light or dark; ``blocks`` are HTML."""
    body = (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="{escape(icon())}">'
        f"<style>{_STYLE}</style>"
        f"<main><h1>{escape(title)}</h1>{''.join(blocks)}</main></html>"
    )
    return Answer(body.encode(), HTML, status, headers={CSP: _POLICY})


def refusal(
    scope: Scope, status: int, base_url: str, headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer to a question that is refused with ``status``."""
    if wants_page(scope):
        words = _WORDS.get(status, "")
        back = f'<p><a href="{escape(base_url)}/">Watchbook</a></p>'
        answer = page(_phrase(status), f"<p>{words}</p>", back, status=status)
    else:
        answer = as_json({"ok": False, "reason": _phrase(status)}, status=status)
    return replace(answer, headers={**answer.headers, "Vary": "Accept", **(headers or {})})


def wants_page(scope: Scope) -> bool:
    """Whether a person in front of a browser asks, not a program."""
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in accept and not scope["path"].startswith("/api/")


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase
