"""JSON Feed 1.1, said as a table: what may stand where, and what must."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

VERSION = "https://jsonfeed.org/version/1.1"
_TEXT, _URL, _DATE = "text", "url", "date"
_AUTHOR = {"name": _TEXT, "url": _URL, "avatar": _URL}
_FEED: dict[str, Any] = {
    "version": _TEXT,
    "title": _TEXT,
    "home_page_url": _URL,
    "feed_url": _URL,
    "description": _TEXT,
    "user_comment": _TEXT,
    "next_url": _URL,
    "icon": _URL,
    "favicon": _URL,
    "authors": [_AUTHOR],
    "language": _TEXT,
    "items": None,
}
_ITEM: dict[str, Any] = {
    "id": _TEXT,
    "url": _URL,
    "external_url": _URL,
    "title": _TEXT,
    "content_html": _TEXT,
    "content_text": _TEXT,
    "summary": _TEXT,
    "image": _URL,
    "banner_image": _URL,
    "date_published": _DATE,
    "date_modified": _DATE,
    "authors": [_AUTHOR],
    "tags": [_TEXT],
    "language": _TEXT,
}


def problems(feed: dict[str, Any]) -> list[str]:
    """What a feed does that the format does not allow; empty for a valid one."""
    found = list(_against(feed, _FEED, "feed"))
    found += [f"feed has no {name}" for name in ("title", "items") if name not in feed]
    if feed.get("version") != VERSION:
        found.append("another version")
    for place, item in enumerate(feed.get("items", ())):
        found += _against(item, _ITEM, f"item {place}")
        if not item.get("id"):
            found.append(f"item {place} has no id")
        if not {"content_html", "content_text"} & item.keys():
            found.append(f"item {place} has no content")
    return found


def _against(value: Any, shape: Any, where: str) -> Iterator[str]:
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield f"{where} is no object"
            return
        for name, inner in value.items():
            if name not in shape:
                yield f"{where}.{name} is not known"
            elif shape[name] is not None:
                yield from _against(inner, shape[name], f"{where}.{name}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{where} is no list"
            return
        for inner in value:
            yield from _against(inner, shape[0], where)
    elif not isinstance(value, str) or not _is(shape, value):
        yield f"{where} is no {shape}"


def _is(kind: str, value: str) -> bool:
    if kind == _URL:
        return urlsplit(value).scheme in {"http", "https"} and bool(urlsplit(value).hostname)
    if kind == _DATE:
        return datetime.fromisoformat(value).tzinfo is not None
    return True
