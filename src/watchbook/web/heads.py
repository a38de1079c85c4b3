"""Uvicorn's protocol, with an end to how long and how big a question and its head may be.

Without it a client could send headers for ever, before a body or behind it, and the server would
keep all of them.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BIGGEST_HEAD = 64 * 1024
"""Bytes of the first line and all headers."""
BIGGEST_QUESTION = 1024 * 1024
"""Bytes of a head, a body and the headers that may follow it; more is read than is ever wanted."""
PATIENCE = 20.0
"""Seconds in which a head that was begun has to come to its end."""
_TOO_BIG = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-length: 0\r\nconnection: close\r\n\r\n"
)


class BoundedHeads(HttpToolsProtocol):
    """Speaks HTTP with one client, and leaves it when what it asks is too big or too slow."""

    _size = 0
    _late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for the first head."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._ended()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Begin to wait for the end of another head."""
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Wait no more: the head is there."""
        self._ended()
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the question or its head is too big by now."""
        super().data_received(data)
        self._size += len(data)
        if self._late is not None and self._size > BIGGEST_HEAD:
            self._leave(_TOO_BIG)
        elif self._size > BIGGEST_QUESTION:
            self._leave()

    def _wait(self) -> None:
        if self._late is None:
            self._size = 0
            self._late = self.loop.call_later(PATIENCE, self._leave)

    def _ended(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None

    def _leave(self, words: bytes = b"") -> None:
        self._ended()
        if not self.transport.is_closing():
            self.transport.write(words)
            self.transport.close()
