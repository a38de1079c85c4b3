"""The web application: what answers at which address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from watchbook.indieauth.document import CONTENT_TYPE
from watchbook.web.front import Front, View

Standing = Callable[[], Mapping[str, Any]]
"""Says how the service stands, at once and from memory; its ``status`` may be ``down``."""

VIEWS: tuple[View, ...] = ()
"""Every public view. A new one is a module and a name here."""

_NOT_KEPT = {"Cache-Control": "no-store"}


def make_app(
    standing: Standing, client: bytes | None = None, front: Front | None = None
) -> Starlette:
    """The application, which tells at ``/healthz`` what ``standing`` says.

    ``client`` is the document at ``/client.json`` that tells websites who asks; without one they
    find nothing there. ``front`` gives the public views.
    """

    async def healthz(_request: Request) -> Response:
        told = standing()
        status = 503 if told["status"] == "down" else 200
        return JSONResponse(told, status, headers=_NOT_KEPT)

    async def about_client(_request: Request) -> Response:
        if client is None:
            raise HTTPException(404)
        return Response(client, media_type=CONTENT_TYPE)

    routes: list[BaseRoute] = [Route("/healthz", healthz), Route("/client.json", about_client)]
    if front is not None:
        routes += map(front.route, VIEWS)
    return Starlette(routes=routes, exception_handlers={HTTPException: _refused})


async def _refused(_request: Request, reason: Exception) -> Response:
    assert isinstance(reason, HTTPException)
    told = {"ok": False, "reason": reason.detail}
    return JSONResponse(told, reason.status_code, headers={**_NOT_KEPT, **(reason.headers or {})})
