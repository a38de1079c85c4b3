"""Where a browser ends after a sign-in that began on a terminal: a page on this machine.

A person whose browser runs elsewhere pastes the address at which it ended instead, at any time.
"""

from __future__ import annotations

import hmac
import select
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from time import monotonic
from typing import Any, TextIO
from urllib.parse import parse_qs, urlsplit

import click

PATH = "/login/callback"

_THANKS = (
    b"<!doctype html><meta charset=utf-8><title>Watchbook</title>"
    b"<p>Your site has answered. Go back to the terminal; this window may be closed."
)
_PATIENCE = 600.0
"""Seconds that a sign-in may take."""


class Landing(HTTPServer):
    """A server on loopback for the one request that brings the answer."""

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.state = ""
        self.query: str | None = None

    def wait(self, state: str) -> str:
        """The query of the answer that holds ``state``, or of the address that was pasted.

        Raises Abort when neither comes within ten minutes.
        """
        self.state, end, typed = state, monotonic() + _PATIENCE, _typing()
        while self.query is None and monotonic() < end:
            watched: list[Any] = [self, *typed]
            ready, _, _ = select.select(watched, [], [], 1.0)
            if self in ready:
                self.handle_request()
            elif ready:
                line = typed[0].readline()
                self.query, typed = query_of(line), (typed if line else [])
        if self.query is None:
            raise click.Abort
        return self.query


class _Handler(BaseHTTPRequestHandler):
    timeout = 2.0  # browsers open connections that they never use
    server: Landing

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        given = parse_qs(parts.query).get("state", [""])[0]
        ours = hmac.compare_digest(given.encode(), self.server.state.encode())
        if parts.path == PATH and ours:
            self.server.query = parts.query
        self.send_response(200 if self.server.query else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(_THANKS if self.server.query else b"Nothing here.")

    def log_message(self, *args: Any) -> None:
        """Say nothing: the address holds a code."""


@contextmanager
def landing(base_url: str) -> Iterator[tuple[Landing, str]]:
    """A server for the answer, and its address for the site.

    It takes the port of ``base_url`` (on loopback) where that is free, since some sites send
    answers nowhere else; otherwise any port.
    """
    parts = urlsplit(base_url)
    try:
        server, host = Landing(parts.port or 80), parts.netloc
    except OSError:
        server = Landing(0)
        host = f"127.0.0.1:{server.server_port}"
    with server:
        yield server, f"http://{host}{PATH}"


def query_of(text: str) -> str | None:
    """The query of an address that was pasted; a query alone will do. None for an empty line."""
    _, found, query = text.strip().partition("?")
    return ((query if found else text.strip()).partition("#")[0]) or None


def _typing() -> list[TextIO]:
    """Standard input, where it can be waited for."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stdin.fileno()
        return [] if sys.platform == "win32" else [sys.stdin]
    return []
