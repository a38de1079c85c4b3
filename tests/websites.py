"""Websites on loopback for tests: small handlers by path, which remember what they were sent."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from watchbook.addresses import AddressRule
from watchbook.http import HttpClient


@dataclass(frozen=True)
class Asked:
    """One request."""

    method: str
    target: str
    headers: Message[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, list[str]]:
        return parse_qs(urlsplit(self.target).query, keep_blank_values=True)

    @property
    def form(self) -> dict[str, list[str]]:
        return parse_qs(self.body.decode(), keep_blank_values=True)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Said:
    """One answer; headers may repeat."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()


def html(text: str, *headers: tuple[str, str], status: int = 200) -> Said:
    """A web page."""
    return Said(status, text.encode(), [("Content-Type", "text/html; charset=utf-8"), *headers])


def as_json(value: Any, status: int = 200, *headers: tuple[str, str]) -> Said:
    """A JSON document."""
    body = json.dumps(value).encode()
    return Said(status, body, [("Content-Type", "application/json"), *headers])


def redirect(target: str, status: int = 302) -> Said:
    """A redirect."""
    return Said(status, b"", [("Location", target)])


Page = Said | Callable[[Asked], Said]


@dataclass
class Website:
    """A server that answers at any name of loopback; a path without a page is 404."""

    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    def url(self, path: str = "/", host: str = "localhost") -> str:
        """The address of a page."""
        return f"http://{host}:{self.port}{path}"

    def answer(self, asked: Asked) -> Said:
        """What a request is answered with."""
        self.asked.append(asked)
        page = self.pages.get(asked.path, html("nothing here", status=404))
        return page(asked) if callable(page) else page

    def of(self, method: str, path: str) -> list[Asked]:
        """The requests of this kind."""
        return [one for one in self.asked if (one.method, one.path) == (method, path)]


@contextmanager
def serving(website: Website) -> Iterator[Website]:
    """Let a website answer until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length)
            said = website.answer(Asked(self.command, self.path, self.headers, body))
            with suppress(OSError):
                self.send_response(said.status)
                for name, value in said.headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)

        do_GET = do_POST = _handle  # noqa: N815 - the base class looks for these names

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    website.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield website
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def local_client(*allowed: str) -> HttpClient:
    """A client for which every name leads to loopback, where it may go."""
    return HttpClient(
        AddressRule(allowed or ["127.0.0.0/8"], resolver=lambda host, port: ["127.0.0.1"])
    )
