"""The ASGI side of a stand-in: reading requests, waiting, and breaking the wire where asked."""

from __future__ import annotations

import asyncio
import time
from abc import ABC, abstractmethod
from asyncio import Event
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import parse_qsl

from starlette.types import Receive, Scope, Send

from watchbook.sandbox.answer import Answer
from watchbook.sandbox.control import PREFIX, Stage
from watchbook.sandbox.rules import Rule
from watchbook.sandbox.wire import Wire

TRANSPORT = "watchbook.transport"
"""Name under which the server hands the connection to the application."""


@dataclass(eq=False)
class Request:
    """One request as it came; names of headers are in lower case."""

    method: str
    path: str
    query_string: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    port: int
    started: float = field(default_factory=time.perf_counter)

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters; the last one of a name counts."""
        return dict(parse_qsl(self.query_string, keep_blank_values=True))


class App(ABC):
    """Answers every request of a stand-in."""

    def __init__(self, stage: Stage, stopping: Event) -> None:
        """Serve until told to stop."""
        self._stage = stage
        self._stopping = stopping

    @abstractmethod
    def control(self, request: Request) -> Answer:
        """The answer to a request for a control route."""

    @abstractmethod
    def reply(self, request: Request) -> tuple[Answer, list[Rule]]:
        """The answer to any other request, and the faults of the connection that strike it."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = await _read(scope, receive)
        if request.path.startswith(PREFIX):
            await Wire(send, None, self._stopping).deliver(self.control(request), [])
            return
        if self._stage.latency:
            await self._linger(self._stage.latency)
        answer, rules = self.reply(request)
        await self._deliver(scope, receive, send, answer, rules)

    async def _linger(self, seconds: float) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

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


async def _read(scope: Scope, receive: Receive) -> Request:
    started = time.perf_counter()
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    return Request(
        scope["method"],
        scope["path"],
        scope["query_string"].decode("latin-1"),
        {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body,
        (scope.get("client") or ("", 0))[0],
        (scope.get("server") or ("", 0))[1],
        started,
    )
