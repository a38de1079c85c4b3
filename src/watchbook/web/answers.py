"""Answers that are made once and given many times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
HTML = "text/html; charset=utf-8"
SVG = "image/svg+xml; charset=utf-8"
PNG = "image/png"

NOT_KEPT = "no-store"
_RENEWING = timedelta(minutes=10)
_FAILING = timedelta(days=1)
FOR_ANYBODY: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Headers by which pages of any origin may read an answer."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Answer:
    """A whole answer. What is not to be kept has no ``ETag``."""

    body: bytes
    media_type: str
    status: int = 200
    cache: str = NOT_KEPT
    """``Cache-Control``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""
    ends_at: datetime | None = None
    """When it stops being true even if nothing changes."""

    def __post_init__(self) -> None:
        if self.cache != NOT_KEPT and not self.etag:
            digest = hashlib.blake2b(self.body, digest_size=12).hexdigest()
            object.__setattr__(self, "etag", f'"{digest}"')

    def response(self, request: Request) -> Response:
        """This answer to ``request``: 304 without a body when the asker has it already."""
        asked = request.headers.get("if-none-match", "")
        return self.unchanged() if self.etag and has(asked, self.etag) else self.whole()

    def whole(self) -> Response:
        """This answer with its body."""
        return Response(self.body, self.status, self._told(), self.media_type)

    def unchanged(self) -> Response:
        """What is said to somebody who has this answer already."""
        return Response(status_code=304, headers=self._told())

    def _told(self) -> dict[str, str]:
        told = {**self.headers, "Cache-Control": self.cache}
        return {**told, "ETag": self.etag} if self.etag else told


def has(asked: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names ``etag``; compared weakly (RFC 9110, 13.1.2)."""
    known = (one.strip().removeprefix("W/") for one in asked.split(","))
    return asked.strip() == "*" or etag in known


def kept_for(fresh: timedelta, longer: timedelta = _RENEWING) -> str:
    """``Cache-Control`` for what everybody may keep, show while it is renewed, and when we fail.

    What is not public any more is no error, so nothing outlives ``longer`` after it was switched
    off, whoever keeps it.
    """
    spans = (int(span.total_seconds()) for span in (fresh, longer, max(longer, _FAILING)))
    return "public, max-age={}, stale-while-revalidate={}, stale-if-error={}".format(*spans)


def as_json(
    told: object, *, status: int = 200, cache: str = NOT_KEPT, ends_at: datetime | None = None
) -> Answer:
    """``told`` as JSON that any origin may read."""
    body = msgspec.json.encode(told)
    return Answer(body, JSON, status, cache, FOR_ANYBODY, ends_at=ends_at)
