"""Putting answers on the wire, whole or broken."""

from __future__ import annotations

import asyncio
from asyncio import Event
from collections.abc import Awaitable, Callable
from typing import Protocol

from starlette.types import Send

from watchbook.sandbox.answer import Answer
from watchbook.sandbox.rules import Rule

_BOM = b"\xef\xbb\xbf"


class Transport(Protocol):
    """The part of an asyncio transport that faults need."""

    def write(self, data: bytes) -> None:
        """Send bytes."""

    def abort(self) -> None:
        """End the connection at once."""


class Wire:
    """The way back to one client."""

    def __init__(self, send: Send, transport: Transport | None, gone: Event) -> None:
        """Send through a server; `gone` is set when the client or the server has had enough."""
        self._send = send
        self._transport = transport
        self._gone = gone

    async def deliver(self, answer: Answer, rules: list[Rule]) -> None:
        """Send an answer, with the faults of the connection that strike it."""
        for rule in rules:
            if rule.name == "late":
                await self._wait(rule.number())
            elif rule.name == "body-bom":
                answer.body = _BOM + answer.body
        breaks = [rule for rule in rules if rule.name in self._breaks]
        if answer.wire:
            await self._breaks[answer.wire](self, answer, 0)
        elif breaks:
            rule = breaks[0]
            await self._breaks[rule.name](self, answer, float(rule.value or 0))
        else:
            await self._whole(answer)

    async def _whole(self, answer: Answer) -> None:
        if answer.stream is None:
            await self._start(answer)
            await self._send({"type": "http.response.body", "body": answer.body})
            return
        await self._start(answer, sized=False)
        for part in answer.stream:
            if self._gone.is_set():
                return
            await self._more(part)
            # Making the parts takes time; others have a turn in between.
            await asyncio.sleep(0)
        await self._send({"type": "http.response.body", "body": b""})

    async def _start(self, answer: Answer, *, sized: bool = True) -> None:
        headers = list(answer.headers)
        if sized and answer.status != 204:
            headers.append((b"content-length", str(len(answer.body)).encode()))
        start = {"type": "http.response.start", "status": answer.status, "headers": headers}
        await self._send(start)

    async def _more(self, part: bytes) -> None:
        await self._send({"type": "http.response.body", "body": part, "more_body": True})

    async def _wait(self, seconds: float | None) -> None:
        """Wait, but no longer than somebody is there."""
        try:
            await asyncio.wait_for(self._gone.wait(), seconds)
        except TimeoutError:
            return

    async def _stall(self, _: Answer, __: float) -> None:
        await self._wait(None)
        await self._end()

    async def _reset(self, _: Answer, __: float) -> None:
        await self._end()

    async def _stop_in_headers(self, answer: Answer, _: float) -> None:
        if self._transport:
            self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/js")
        await self._stall(answer, 0)

    async def _stop_in_body(self, answer: Answer, _: float) -> None:
        await self._half(answer)
        await self._stall(answer, 0)

    async def _cut(self, answer: Answer, _: float) -> None:
        await self._half(answer)
        await self._end()

    async def _half(self, answer: Answer) -> None:
        await self._start(answer)
        await self._more(answer.body[: len(answer.body) // 2])

    async def _drip(self, answer: Answer, seconds: float) -> None:
        await self._start(answer)
        for at in range(len(answer.body)):
            if self._gone.is_set():
                return
            await self._more(answer.body[at : at + 1])
            await self._wait(seconds)
        await self._send({"type": "http.response.body", "body": b""})

    async def _end(self) -> None:
        if self._transport:
            self._transport.abort()
        # The server takes the loss of a connection calmly once it has heard of it.
        await self._gone.wait()

    _breaks: dict[str, Callable[[Wire, Answer, float], Awaitable[None]]] = {  # noqa: RUF012
        "stall": _stall,
        "reset": _reset,
        "stop-in-headers": _stop_in_headers,
        "stop-in-body": _stop_in_body,
        "cut-body": _cut,
        "drip": _drip,
    }
