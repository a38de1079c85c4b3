"""The web server, in a thread of its own, so that signals stay with the process's own thread."""

from __future__ import annotations

import socket
import threading
from typing import Self

import uvicorn
from starlette.applications import Starlette

from watchbook.errors import SettingsError
from watchbook.values import Listen

_PATIENCE = 2.0
"""Seconds that an answer under way may still take when the server stops."""


class WebServer:
    """Serves an application within a ``with`` block; ``address`` says where.

    Raises SettingsError when that address may not be had.
    """

    def __init__(self, app: Starlette, listen: Listen) -> None:
        self._socket = _listening(listen)
        self._server = uvicorn.Server(
            uvicorn.Config(
                app,
                loop="uvloop",
                http="httptools",
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
        self.address = str(Listen(listen.host, self._socket.getsockname()[1]))

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer nothing any more."""
        self._server.should_exit = True
        self._thread.join(_PATIENCE)
        self._socket.close()


def _listening(listen: Listen) -> socket.socket:
    """The socket; raises SettingsError when somebody else has it, or it may not be had."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=2048)
    except OSError as reason:
        raise SettingsError(
            f"Nothing can be served at {listen}: {reason.strerror or reason}.",
            hint="WATCHBOOK_LISTEN says where; a right example: WATCHBOOK_LISTEN=127.0.0.1:8421",
        ) from reason
