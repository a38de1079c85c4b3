"""Running a sandbox: in a thread of this process, or as a command until it is stopped."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from threading import Event, Thread

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from watchbook.sandbox.trakt.app import TRANSPORT, SandboxApp
from watchbook.sandbox.trakt.client import SandboxControl
from watchbook.sandbox.trakt.options import SandboxOptions
from watchbook.sandbox.trakt.world import World


@dataclass(frozen=True, slots=True)
class SandboxAccount:
    """One account of a running sandbox and the tokens to begin with."""

    slug: str
    access_token: str
    refresh_token: str


class RunningSandbox(SandboxControl):
    """A sandbox that answers, with everything that is needed to sign in and to control it."""

    def __init__(self, world: World, accounts: list[SandboxAccount]) -> None:
        """Describe a world that is being served."""
        super().__init__(world.url)
        self.auth_url = world.auth_url
        self.client_id = world.client_id
        self.client_secret = world.client_secret
        self.accounts = accounts
        self.access_token = accounts[0].access_token
        self.refresh_token = accounts[0].refresh_token

    def line(self) -> dict[str, object]:
        """What the command prints first, to be written as one line of JSON."""
        facts: dict[str, object] = {
            "url": self.url,
            "auth_url": self.auth_url,
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "access_token": self.access_token,
            "refresh_token": self.refresh_token,
        }
        if len(self.accounts) > 1:
            facts["accounts"] = [asdict(account) for account in self.accounts]
        return facts


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


class _Host:
    """Two listening sockets, a world behind them, and the server between."""

    def __init__(self, options: SandboxOptions) -> None:
        self.world = World(options)
        self.sockets = [socket.create_server(("127.0.0.1", port)) for port in (options.port, 0)]
        ports = [int(listener.getsockname()[1]) for listener in self.sockets]
        self.world.url, self.world.auth_url = (f"http://127.0.0.1:{port}" for port in ports)
        self._auth_port = ports[1]
        self._server: _Server | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self.ready = Event()

    def describe(self) -> RunningSandbox:
        """Make the first tokens of every account."""
        accounts = []
        for slug in self.world.slugs:
            pair = self.world.grants.issue(slug)
            tokens = str(pair["access_token"]), str(pair["refresh_token"])
            accounts.append(SandboxAccount(slug, *tokens))
        return RunningSandbox(self.world, accounts)

    async def serve(self, *, signals: bool) -> None:
        """Answer until stopped."""
        stopping = asyncio.Event()
        config = uvicorn.Config(
            SandboxApp(self.world, stopping, self._auth_port),
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
        self.ready.set()
        for number in (signal.SIGTERM, signal.SIGINT) if signals else ():
            self._loop.add_signal_handler(number, self._leave)
        await self._server.serve(self.sockets)

    def _leave(self) -> None:
        if self._server:
            self._server.should_exit = True

    def stop(self) -> None:
        """Ask the server to stop, from another thread."""
        if self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._leave)

    def run(self, *, signals: bool) -> None:
        """Serve in an event loop of its own."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self.serve(signals=signals))


@contextmanager
def running(options: SandboxOptions | None = None) -> Iterator[RunningSandbox]:
    """Serve a sandbox in a thread of this process while a block runs.

    The sockets listen before the block begins, so the first request needs no patience.
    """
    host = _Host(options or SandboxOptions())
    described = host.describe()
    thread = Thread(target=host.run, kwargs={"signals": False}, name="sandbox", daemon=True)
    thread.start()
    host.ready.wait(timeout=10)
    try:
        yield described
    finally:
        host.stop()
        thread.join(timeout=10)


def serve(options: SandboxOptions, announce: Callable[[str], None]) -> None:
    """Serve a sandbox until SIGTERM or SIGINT; the first thing announced is a line of JSON."""
    host = _Host(options)
    announce(json.dumps(host.describe().line()))
    host.run(signals=True)
