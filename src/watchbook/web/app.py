"""The web application: what answers at which address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, Router
from starlette.types import Receive, Scope, Send

from watchbook.indieauth.document import CONTENT_TYPE
from watchbook.web import cards, embeds, feeds, metrics, static_files
from watchbook.web.answers import Answer, kept_for
from watchbook.web.api import routes as api
from watchbook.web.clients import Clients, Network
from watchbook.web.front import Front, View
from watchbook.web.gate import CLIENT, Gate
from watchbook.web.images import Images
from watchbook.web.landing import landing
from watchbook.web.lane import Lane
from watchbook.web.last import LAST
from watchbook.web.limits import Limits
from watchbook.web.metrics import Metrics, Standing, Traffic
from watchbook.web.pages import public, spelling
from watchbook.web.refusals import refusal
from watchbook.web.security import Security
from watchbook.web.shelf import Offline

VIEWS: tuple[View, ...] = (LAST, embeds.LAST, *cards.VIEWS, *feeds.VIEWS, *public.VIEWS)
"""Every public view. A new one is a module and a name here."""

_NOT_KEPT = {"Cache-Control": "no-store"}
_CLIENT_KEPT = kept_for(timedelta(minutes=10))


class App:
    """The application. ``routes`` is its table."""

    def __init__(
        self,
        standing: Standing,
        client: bytes | None,
        front: Front | None,
        trusted_proxies: Sequence[Network],
        metrics_for: Sequence[Network],
    ) -> None:
        self._standing = standing
        self._client = client
        self._front = front
        self._metrics_for = tuple(metrics_for)
        self._base_url = front.base_url if front is not None else ""
        traffic = Traffic()
        self._metrics = Metrics(standing, traffic, front.counts if front is not None else None)
        self.routes: list[BaseRoute] = [
            Route("/healthz", self._healthz),
            Route("/metrics", self._tell_metrics),
            Route("/client.json", self._about_client),
        ]
        if front is not None:
            self.routes += [Route("/", self._landing), spelling.route(front)]
            self.routes += map(front.route, VIEWS)
            self.routes += embeds.routes(front)
            self.routes += api.routes(front)
            self.routes += Images(front).routes
            self.routes += static_files.ROUTES
        self._gate = Gate(
            ExceptionMiddleware(
                Router(self.routes, redirect_slashes=False),  # they would repeat the Host header
                handlers={HTTPException: self._refused},
            ),
            base_url=self._base_url,
            clients=Clients(tuple(trusted_proxies)),
            limits=Limits(),
            traffic=traffic,
            lane=Lane(front, Security.of(self._base_url)) if front is not None else None,
            views={view.path: view for view in VIEWS},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        scope["app"] = self  # without one, the router words refusals itself
        await self._gate(scope, receive, send)

    async def _healthz(self, _request: Request) -> Response:
        told = self._standing()
        status = 503 if told["status"] == "down" else 200
        return JSONResponse(told, status, headers=_NOT_KEPT)

    async def _tell_metrics(self, request: Request) -> Response:
        if not request.scope[CLIENT].is_of(self._metrics_for):
            raise HTTPException(404)
        return Response(self._metrics.text(), headers=_NOT_KEPT, media_type=metrics.CONTENT_TYPE)

    async def _about_client(self, request: Request) -> Response:
        if self._client is None:
            raise HTTPException(404)
        return Answer(self._client, CONTENT_TYPE, cache=_CLIENT_KEPT).response(request)

    async def _landing(self, request: Request) -> Response:
        assert self._front is not None
        try:
            owner = await self._front.person(None)
        except Offline:
            owner = None
        paths = {route.path for route in self.routes if isinstance(route, Route)}
        others = paths - {view.path for view in VIEWS}
        return landing(owner, VIEWS, others).response(request)

    async def _refused(self, request: Request, reason: Exception) -> Response:
        assert isinstance(reason, HTTPException)
        headers = dict(reason.headers or {})
        return refusal(request.scope, reason.status_code, self._base_url, headers).whole()


def make_app(
    standing: Standing,
    client: bytes | None = None,
    front: Front | None = None,
    *,
    trusted_proxies: Sequence[Network] = (),
    metrics_for: Sequence[Network] = (),
) -> App:
    """The application, which tells at ``/healthz`` what ``standing`` says.

    ``client`` is the document at ``/client.json`` that tells websites who asks; without one they
    find nothing there. ``front`` gives the public views. Of ``trusted_proxies`` is believed for
    whom they ask; the networks of ``metrics_for`` may read ``/metrics``.
    """
    return App(standing, client, front, trusted_proxies, metrics_for)
