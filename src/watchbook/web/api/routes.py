"""The addresses of the API: its operations, its OpenAPI document and its docs page."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from watchbook.web.answers import Answer, as_json, kept_for
from watchbook.web.api.docs import docs_page
from watchbook.web.api.document import document
from watchbook.web.api.door import NOTHING_HERE, Door
from watchbook.web.api.operations import OPERATIONS
from watchbook.web.front import Front

DOCUMENT = "/api/openapi.json"
DOCS = "/api/docs"
_KEPT = kept_for(timedelta(minutes=10))


def routes(front: Front) -> list[Route]:
    """Everything below ``/api/v1``, and what tells of it."""
    door = Door(front)

    async def told(request: Request) -> Response:
        return _document(front.base_url).response(request)

    async def explained(request: Request) -> Response:
        return docs_page(front.base_url).response(request)

    async def nothing(request: Request) -> Response:
        return NOTHING_HERE.response(request)

    return [
        Route(DOCUMENT, told),
        Route(DOCS, explained),
        *map(door.route, OPERATIONS),
        Route("/api/v1/{rest:path}", nothing),
    ]


@cache
def _document(base_url: str) -> Answer:
    return as_json(msgspec.to_builtins(document(base_url)), cache=_KEPT)
