"""Answers that are made once and given many times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from watchbook.web.compression import compressed, takes_gzip

JSON = "application/json"
HTML = "text/html; charset=utf-8"
SVG = "image/svg+xml; charset=utf-8"
PNG = "image/png"

NOT_KEPT = "no-store"
FOR_GOOD = "public, max-age=31536000, immutable"
"""``Cache-Control`` of what is found at an address that is made of its content."""
_ENCODING = "Content-Encoding"
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
    small: Answer | None = field(default=None, init=False)
    """The same by gzip, made once, where the answer is kept and that is worth it."""

    def __post_init__(self) -> None:
        if self.cache == NOT_KEPT:
            return
        if not self.etag:
            digest = hashlib.blake2b(self.body, digest_size=12).hexdigest()
            object.__setattr__(self, "etag", f'"{digest}"')
        if _ENCODING not in self.headers:
            self._make_small()

    def _make_small(self) -> None:
        body = compressed(self.body, self.media_type)
        if body is not None:
            headers, etag = {**self.headers, _ENCODING: "gzip"}, f'{self.etag[:-1]}-gzip"'
            small = replace(self, body=body, headers=headers, etag=etag)
            object.__setattr__(self, "small", small)

    @property
    def weight(self) -> int:
        """Bytes that it takes in memory."""
        return len(self.body) + (len(self.small.body) if self.small else 0)

    def response(self, request: Request) -> Response:
        """This answer to ``request``: 304 without a body when the asker has it already."""
        form = self.form_for(request.headers.get("accept-encoding", ""))
        asked = request.headers.get("if-none-match", "")
        return form.unchanged() if form.etag and has(asked, form.etag) else form.whole()

    def form_for(self, wish: str) -> Answer:
        """This answer in the form that suits an ``Accept-Encoding``."""
        return self.small if self.small is not None and takes_gzip(wish) else self

    def whole(self) -> Response:
        """This answer with its body."""
        return Response(self.body, self.status, self._told(), self.media_type)

    def unchanged(self) -> Response:
        """What is said to somebody who has this answer already."""
        told = self._told()
        told.pop(_ENCODING, None)  # there is nothing that could be decoded
        return Response(status_code=304, headers=told)

    def _told(self) -> dict[str, str]:
        told = {**self.headers, "Cache-Control": self.cache}
        if self.small is not None or _ENCODING in told:
            told["Vary"] = ", ".join(filter(None, (told.get("Vary"), "Accept-Encoding")))
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
