"""Front matter: the fields at the head of a Markdown file, as YAML or as TOML.

Both are written by one small function. A text that JSON would quote is one in either language, if
only what YAML calls unprintable is escaped and everything else is left as it is; lists and
mappings in their short form differ in a single sign. Nothing is ever written bare that a reader
might take for something else.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

MARK = "watchbook"
"""The field that tells our files from others; it holds the post's slug."""

_FENCES = {"yaml": "---", "toml": "+++"}
_BETWEEN = {"yaml": ": ", "toml": " = "}
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_MARKED = re.compile(rf"^{MARK}\s*[:=]\s*[\"']?([\w-]+)[\"']?\s*$", re.MULTILINE)


def document(fields: Mapping[str, Any], body: str, language: str) -> str:
    """A whole file with ``fields`` (texts, numbers, moments, lists, mappings) in yaml or toml.

    Fields that are None are left out.
    """
    fence, between = _FENCES[language], _BETWEEN[language]
    lines = [f"{name}{between}{_written(value, between)}" for name, value in _known(fields)]
    return "\n".join((fence, *lines, fence, "", body.rstrip("\n"), ""))


def mark_of(text: str) -> str | None:
    """The slug in the front matter of a file of ours; None for a file of somebody else's."""
    fence, _, rest = text.partition("\n")
    head, closing, _ = rest.partition(f"\n{fence.strip()}")
    found = _MARKED.search(head) if closing and fence.strip() in _FENCES.values() else None
    return found[1] if found else None


def _known(fields: Mapping[str, Any]) -> list[tuple[str, Any]]:
    return [(name, value) for name, value in fields.items() if value is not None]


def _written(value: Any, between: str) -> str:
    if isinstance(value, Mapping):
        pairs = (f"{name}{between}{_written(one, between)}" for name, one in _known(value))
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, Sequence):
        return f"[{', '.join(_written(one, between) for one in value)}]"
    return json.dumps(value)


def _quoted(text: str) -> str:
    return _UNPRINTABLE.sub(_escape, json.dumps(text, ensure_ascii=False))


def _escape(found: re.Match[str]) -> str:
    """The escape that both know; half a surrogate pair is no character, so a mark stands there."""
    code = ord(found[0])
    return "\ufffd" if 0xD800 <= code <= 0xDFFF else f"\\u{code:04x}"


def _moment(value: datetime) -> str:
    """With its offset in minutes, as both languages have it; in UTC where that does not do."""
    offset = value.utcoffset()
    odd = offset is None or offset.total_seconds() % 60
    return (value.astimezone(UTC) if odd else value).isoformat(timespec="seconds")
