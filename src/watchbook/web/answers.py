"""Answers that are made once and given many times."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec
from starlette.requests import Request
from starlette.responses import Response

JSON = "application/json"
HTML = "text/html; charset=utf-8"
SVG = "image/svg+xml; charset=utf-8"
PNG = "image/png"

NOT_KEPT = "no-store"
FOR_ANYBODY: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Headers by which pages of any origin may read an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. What is not to be kept has no ``ETag``."""

    body: bytes
    media_type: str
    status: int = 200
    cache: str = NOT_KEPT
    """``Cache-Control``."""
    headers: Mapping[str, str] = field(default_factory=dict)
    etag: str = ""

    def __post_init__(self) -> None:
        if self.cache != NOT_KEPT and not self.etag:
            digest = hashlib.blake2b(self.body, digest_size=12).hexdigest()
            object.__setattr__(self, "etag", f'"{digest}"')

    def response(self, request: Request) -> Response:
        """This answer to ``request``: 304 without a body when the asker has it already."""
        headers = {**self.headers, "Cache-Control": self.cache}
        if self.etag:
            headers["ETag"] = self.etag
            if _has(request.headers.get("if-none-match", ""), self.etag):
                return Response(status_code=304, headers=headers)
        return Response(self.body, self.status, headers, self.media_type)


def _has(asked: str, etag: str) -> bool:
    """Whether ``If-None-Match`` names ``etag``; compared weakly (RFC 9110, 13.1.2)."""
    known = (one.strip().removeprefix("W/") for one in asked.split(","))
    return asked.strip() == "*" or etag in known


def kept_for(fresh: timedelta, longer: timedelta = timedelta(days=1)) -> str:
    """``Cache-Control`` for what everybody may keep, and show a while longer when we are away."""
    seconds, stale = int(fresh.total_seconds()), int(longer.total_seconds())
    return f"public, max-age={seconds}, stale-while-revalidate={stale}, stale-if-error={stale}"


def as_json(told: object, *, status: int = 200, cache: str = NOT_KEPT) -> Answer:
    """``told`` as JSON that any origin may read."""
    return Answer(msgspec.json.encode(told), JSON, status, cache, FOR_ANYBODY)
