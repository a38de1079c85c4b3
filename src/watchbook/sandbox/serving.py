"""Running a stand-in: in a thread of this process, or until a signal comes."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from threading import Event, Thread

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from watchbook.sandbox.app import TRANSPORT, App


class _Protocol(HttpToolsProtocol):
    """Hands its connection to the application, for the faults that break it."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {TRANSPORT: {"transport": self.transport}}


class _Server(uvicorn.Server):
    """Leaves signals to its owner, and tells waiting answers when it stops."""

    def __init__(self, config: uvicorn.Config, stopping: asyncio.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._stopping.set()
        await super().shutdown(sockets)


class Host:
    """Listening sockets on loopback, and the server that an application answers through.

    The sockets listen as soon as this is made, so the first request needs no patience.
    """

    def __init__(self, *ports: int) -> None:
        """Listen on some ports; 0 takes a free one."""
        self._sockets = [socket.create_server(("127.0.0.1", port)) for port in ports]
        self.ports = [int(listener.getsockname()[1]) for listener in self._sockets]
        self.urls = [f"http://127.0.0.1:{port}" for port in self.ports]
        self._server: _Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = Event()

    @contextmanager
    def running(self, make_app: Callable[[asyncio.Event], App]) -> Iterator[None]:
        """Serve in a thread of this process while a block runs."""
        thread = Thread(
            target=self.run,
            args=(make_app,),
            kwargs={"signals": False},
            name="sandbox",
            daemon=True,
        )
        thread.start()
        self._ready.wait(timeout=10)
        try:
            yield
        finally:
            if self._loop and not self._loop.is_closed():
                self._loop.call_soon_threadsafe(self._leave)
            thread.join(timeout=10)

    def run(self, make_app: Callable[[asyncio.Event], App], *, signals: bool = True) -> None:
        """Serve in an event loop of its own; with `signals` until SIGTERM or SIGINT."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(make_app, signals=signals))

    async def _serve(self, make_app: Callable[[asyncio.Event], App], *, signals: bool) -> None:
        stopping = asyncio.Event()
        config = uvicorn.Config(
            make_app(stopping),
            http=_Protocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=1,
        )
        self._server = _Server(config, stopping)
        self._loop = asyncio.get_running_loop()
        self._ready.set()
        for number in (signal.SIGTERM, signal.SIGINT) if signals else ():
            self._loop.add_signal_handler(number, self._leave)
        await self._server.serve(self._sockets)

    def _leave(self) -> None:
        if self._server:
            self._server.should_exit = True
