"""Addresses that people and servers write, read with care; nothing here opens one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urldefrag, urlencode, urljoin, urlsplit, urlunsplit

LONGEST = 2048
"""Characters. No honest address is longer, and nobody need keep or follow one that is."""

_NEVER_INSIDE = re.compile(r"[\x00-\x20\x7f\\]")


def absolute(text: str, base: str | None = None, *, fragment: bool = False) -> str | None:
    """The http or https address that ``text`` names, seen from ``base``; None when it names none.

    A fragment is left off unless it is asked for: it is part of where a post is, and never of
    what is connected to. Addresses with credentials, spaces, control characters or more than
    2,048 characters are none.
    """
    text = text.strip(" \t\r\n\f")
    if _NEVER_INSIDE.search(text):
        return None
    try:
        whole = urljoin(base, text) if base is not None else text
        found = whole if fragment else urldefrag(whole).url
        parts = urlsplit(found)
        port = parts.port
    except ValueError:
        return None
    fit = parts.scheme in {"http", "https"} and parts.hostname and "@" not in parts.netloc
    return found if fit and port != 0 and len(found) <= LONGEST else None


def appended(url: str, params: Mapping[str, str] | Iterable[tuple[str, str]]) -> str:
    """``url`` with ``params`` behind the query it has already, which stays as it is."""
    pairs = list(params.items() if isinstance(params, Mapping) else params)
    parts = urlsplit(url)
    query = "&".join(filter(None, (parts.query.rstrip("&"), urlencode(pairs))))
    return urlunsplit(parts._replace(query=query))


def is_https(url: str) -> bool:
    """Whether what is sent to ``url`` is protected on its way."""
    return urlsplit(url).scheme == "https"


def origin(url: str) -> tuple[str, str | None, int | None]:
    """Scheme, host and port: what decides whether two addresses belong to one server."""
    parts = urlsplit(url)
    port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    return parts.scheme, parts.hostname, port
