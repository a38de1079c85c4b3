"""The gate: what every question passes before the application, and every answer on its way out.

It is plain ASGI. It refuses what is too much or too big, answers at once what stands in memory,
completes the headers, and counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchbook.clock import monotonic
from watchbook.logs import logger
from watchbook.web.answers import FOR_ANYBODY, Answer, has
from watchbook.web.clients import Clients
from watchbook.web.compression import takes_gzip
from watchbook.web.front import View
from watchbook.web.lane import Lane, Ready
from watchbook.web.limits import Limits
from watchbook.web.metrics import Traffic
from watchbook.web.refusals import refusal
from watchbook.web.security import Security

CLIENT = "watchbook.client"
"""Where the scope of a question says who asks."""
LONGEST_ADDRESS = 8 * 1024
BIGGEST_BODY = 64 * 1024
_READS = ("GET", "HEAD")
_log = logger("web")


class TooBig(Exception):
    """A body was sent that is bigger than anything we read."""


class Gate:
    """An application with everything that is the same for all of its routes."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        base_url: str,
        clients: Clients,
        limits: Limits,
        traffic: Traffic,
        lane: Lane | None,
        views: Mapping[str, View],
    ) -> None:
        self._app = app
        self._base_url = base_url
        self._security = Security.of(base_url)
        self._clients = clients
        self._limits = limits
        self._traffic = traffic
        self._lane = lane
        self._views = views

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = monotonic()
        client = scope[CLIENT] = self._clients.of(scope)
        wait = self._limits.ask(client.counted_as)
        if wait == 0 and (found := self._at_hand(scope)) is not None:
            ready, answer = found
            status = await _give(ready, answer, scope, send)
            self._traffic.count(ready.view.path, status, monotonic() - began)
            return
        wait = wait or self._limits.begin(client.counted_as)
        going = _Going(self._security, send)
        await self._go_the_long_way(scope, receive, going, wait)
        took = monotonic() - began
        self._traffic.count(_route_of(scope), going.status, took)
        if wait == 0:
            self._limits.charge(client.counted_as, going.status, took)
            self._note(scope, going.status)

    def _at_hand(self, scope: Scope) -> tuple[Ready, Answer] | None:
        if self._lane is None or scope["method"] not in _READS:
            return None
        return self._lane.at_hand(scope)

    def _note(self, scope: Scope, status: int) -> None:
        view = self._views.get(_route_of(scope))
        if view is not None and self._lane is not None and status in {200, 304}:
            self._lane.note(scope, view)

    async def _go_the_long_way(
        self, scope: Scope, receive: Receive, going: _Going, wait: float
    ) -> None:
        """Let the application answer, unless this is too much or too big."""
        if wait:
            again = {"Retry-After": str(ceil(wait))}
            await self._refuse(429, scope, receive, going.send, again)
        elif status := _too_big(scope):
            await self._refuse(status, scope, receive, going.send)
        else:
            await self._ask(scope, receive, going)

    async def _ask(self, scope: Scope, receive: Receive, going: _Going) -> None:
        """Let the application answer; a fault in it is ours to write down, once."""
        try:
            await self._app(scope, _bounded(receive), going.send)
        except TooBig:
            await self._refuse(413, scope, receive, going.send)
        except Exception:  # noqa: BLE001 - the last resort of the web
            _log.exception("An answer met a fault in Watchbook.", path=scope["path"])
            if not going.status:
                await self._refuse(500, scope, receive, going.send)

    async def _refuse(
        self,
        status: int,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        told = {**FOR_ANYBODY, **(headers or {})}
        answer = refusal(scope, status, self._base_url, told)
        await answer.whole()(scope, receive, send)


class _Going:
    """An answer on its way out: its headers are completed, and its status is kept."""

    def __init__(self, security: Security, send: Send) -> None:
        self._security = security
        self._send = send
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = self._security.complete(list(message.get("headers", ())))
        await self._send(message)


async def _give(ready: Ready, answer: Answer, scope: Scope, send: Send) -> int:
    """Send what stands ready, or that the asker has it already; the status."""
    form, heads = answer, ready.plain
    if answer.small is not None and takes_gzip(_said(scope, b"accept-encoding").decode("latin-1")):
        form, heads = answer.small, ready.small
    asked = _said(scope, b"if-none-match")
    if asked and form.etag and has(asked.decode("latin-1"), form.etag):
        status, headers, body = 304, heads.unchanged, b""
    else:
        status, headers, body = form.status, heads.whole, form.body
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
    return status


def _said(scope: Scope, wanted: bytes) -> bytes:
    """What a header of the question says; its name in lower case."""
    for name, value in scope["headers"]:
        if name == wanted:
            found: bytes = value
            return found
    return b""


def _route_of(scope: Scope) -> str:
    """The pattern of the route that answered; never what was asked for, which may be a name."""
    return getattr(scope.get("route"), "path", "none")


def _too_big(scope: Scope) -> int:
    """The status by which a question is refused before anybody reads it, or 0."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
        return 414
    length = _said(scope, b"content-length")
    return 413 if length.isdigit() and int(length) > BIGGEST_BODY else 0


def _bounded(receive: Receive) -> Receive:
    """``receive``, which raises TooBig rather than reading on and on."""
    read = 0

    async def bounded() -> Message:
        nonlocal read
        message = await receive()
        read += len(message.get("body", b""))
        if read > BIGGEST_BODY:
            raise TooBig
        return message

    return bounded
