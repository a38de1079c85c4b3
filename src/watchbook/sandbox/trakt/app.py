"""The ASGI application: one door for the API, the auth host, the control routes and the page."""

from __future__ import annotations

import asyncio
import time
from asyncio import Event
from contextlib import suppress
from itertools import count
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from watchbook.sandbox.trakt import control, gate, oauth, pages
from watchbook.sandbox.trakt.call import Answer, Call
from watchbook.sandbox.trakt.faults import Rule
from watchbook.sandbox.trakt.record import Asked
from watchbook.sandbox.trakt.wire import Wire
from watchbook.sandbox.trakt.world import World

_AUTH = ("/oauth/", "/activate")
TRANSPORT = "watchbook.transport"
"""Name under which the server hands the connection to the application."""


class SandboxApp:
    """Answers every request of a sandbox."""

    def __init__(self, world: World, stopping: Event, auth_port: int) -> None:
        """Serve a world until told to stop; one of the ports is the auth host's."""
        self.world = world
        self._stopping = stopping
        self._auth_port = auth_port
        self._serial = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        started = time.perf_counter()
        call = await _read(self.world, scope, receive)
        if call.path.startswith("/_sandbox"):
            client = scope.get("client") or ("", 0)
            await Wire(send, None, self._stopping).deliver(control.answer(call, client[0]), [])
            return
        if self.world.latency:
            await self._linger(self.world.latency)
        answer = self._answer(call, scope)
        rules = self.world.faults.firing(call.path, "wire") if self.world.faults.rules else []
        self._note(call, answer)
        self._sign(answer, started)
        await self._deliver(scope, receive, send, answer, rules)

    async def _linger(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    def _answer(self, call: Call, scope: Scope) -> Answer:
        server = scope.get("server") or ("", 0)
        if call.path == "/" and "trakt-api-key" not in call.headers:
            return pages.home(self.world)
        if server[1] == self._auth_port or call.path.startswith(_AUTH):
            return oauth.answer(call)
        return gate.answer(call)

    def _note(self, call: Call, answer: Answer) -> None:
        struck = self.world.faults.take_struck()
        slug = call.viewer.slug if call.viewer else None
        query = "&".join(f"{name}={value}" for name, value in call.query.items())
        self.world.record.note(Asked(call.method, call.path, query, answer.status, slug, struck))

    def _sign(self, answer: Answer, started: float) -> None:
        """The headers by which an answer of the application differs from one of the edge."""
        if all(name != b"cf-ray" for name, _ in answer.headers):
            spent = f"{time.perf_counter() - started:.6f}".encode()
            serial = f"{next(self._serial):032x}".encode()
            answer.headers += [(b"x-request-id", serial), (b"x-runtime", spent)]

    async def _deliver(
        self, scope: Scope, receive: Receive, send: Send, answer: Answer, rules: list[Rule]
    ) -> None:
        if not (rules or answer.wire or answer.stream):
            await Wire(send, None, self._stopping).deliver(answer, rules)
            return
        gone = Event()
        watch = asyncio.create_task(_watch(receive, gone, self._stopping))
        transport = scope.get("extensions", {}).get(TRANSPORT, {}).get("transport")
        try:
            await Wire(send, transport, gone).deliver(answer, rules)
        finally:
            watch.cancel()


async def _watch(receive: Receive, gone: Event, stopping: Event) -> None:
    """Notice when the client hangs up or the sandbox stops."""
    leaving = [asyncio.ensure_future(receive()), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(leaving, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in leaving:
            task.cancel()
        gone.set()


async def _read(world: World, scope: Scope, receive: Receive) -> Call:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    return Call(world, scope["method"], scope["path"], query, headers, body)
