"""The web server, in a thread of its own, so that signals stay with the process's own thread."""

from __future__ import annotations

import socket
import threading
from typing import Self

import uvicorn
from starlette.types import ASGIApp

from watchbook.errors import SettingsError
from watchbook.values import Listen
from watchbook.web.heads import BoundedHeads

_PATIENCE = 2.0
"""Seconds that an answer under way may still take when the server stops."""


class WebServer:
    """Serves an application on a socket that listens, within a ``with`` block."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        self._socket = listener
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                loop="uvloop",
                http=BoundedHeads,
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="web", daemon=True
        )

    @property
    def address(self) -> str:
        """Where it answers."""
        return str(Listen(*self._socket.getsockname()[:2]))

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer nothing any more."""
        self._server.should_exit = True
        self._thread.join(_PATIENCE)


def listening(listen: Listen) -> socket.socket:
    """A socket at that address; raises SettingsError when it may not be had."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=2048)
    except OSError as reason:
        raise SettingsError(
            f"Nothing can be served at {listen}: {reason.strerror or reason}.",
            hint="WATCHBOOK_LISTEN says where; a right example: WATCHBOOK_LISTEN=127.0.0.1:8421",
        ) from reason
