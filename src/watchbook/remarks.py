"""What a server said instead of doing what it was asked, made fit to keep and to show.

Servers explain themselves as JSON of several shapes, as a form, as plain words that call
themselves HTML, and as whole web pages. Of all these, one word to act upon and a few to show.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from watchbook.errors import RemoteChanged
from watchbook.http import Answer
from watchbook.redaction import redact, tame

MOST_WORDS = 500
"""Characters that are kept."""

_READ = 20_000
_DEEPEST = 4
_ERROR_WORD = re.compile(r"[a-z][a-z0-9_-]{2,60}")


@dataclass(frozen=True)
class Remark:
    """``error`` is the server's own word for it, such as ``invalid_grant``; ``words`` are shown.

    The words hold no markup, no control characters and no known secret, and may be empty.
    """

    error: str | None
    words: str


class _Text(HTMLParser):
    """The text of a page, without scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[str] = []

    def handle_data(self, data: str) -> None:
        if self.cdata_elem is None:
            self.pieces.append(data)


def remark(answer: Answer) -> Remark:
    """Read what ``answer`` says; never fails."""
    found = decoded(answer)
    if isinstance(found, Mapping):
        return _of_mapping(found)
    text = answer.text[:_READ].strip()
    if _ERROR_WORD.fullmatch(text):
        return Remark(text, shown(text))
    form = dict(parse_qsl(text, max_num_fields=20)) if text.startswith("error=") else {}
    return _of_mapping(form) if form else Remark(None, shown(without_markup(text)))


def decoded(answer: Answer) -> Any:
    """The JSON of an answer that is, or looks like, an object or a list; else None."""
    if not answer.is_json and answer.body.lstrip()[:1] not in {b"{", b"["}:
        return None
    try:
        return answer.json()
    except RemoteChanged:
        return None


def hidden_error(found: Any, depth: int = 0) -> str | None:
    """The error inside an answer that calls itself a success, as WordPress wraps them."""
    if not isinstance(found, Mapping) or depth > _DEEPEST:
        return None
    error = found.get("error")
    if error and isinstance(error, str | Mapping):
        return error if isinstance(error, str) else "error"
    inner = (hidden_error(value, depth + 1) for value in found.values())
    return next(filter(None, inner), None)


def without_markup(text: str) -> str:
    """The words of ``text`` without tags, scripts and styles."""
    reader = _Text()
    reader.feed(text[:_READ])
    reader.close()
    return " ".join(reader.pieces)


def shown(text: str) -> str:
    """``text`` on one line, without secrets and control characters, and not too long."""
    return tame(redact(" ".join(text.split())))[:MOST_WORDS]


def _of_mapping(found: Mapping[Any, Any]) -> Remark:
    texts = {str(key): value for key, value in found.items() if isinstance(value, str) and value}
    error = texts.get("error") or texts.get("code")
    said = texts.get("error_description") or texts.get("message")
    words = ": ".join(filter(None, (error, said))) or msgspec.json.encode(found).decode()
    return Remark(error.lower() if error else None, shown(without_markup(words)))
