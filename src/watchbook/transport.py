"""The wire: sockets that open only to checked addresses and never outlive a deadline.

httpx2 lets its connection pool do the networking through a *network backend* of httpcore2.
Ours resolves a name, has every address judged by the :class:`AddressRule`, and connects to
exactly one of these. The name stays what it was for TLS and for ``Host``. The check happens
where the socket is opened, so redirects and rebinding names meet it as well.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import httpcore2
import httpx2

from watchbook import clock
from watchbook.addresses import AddressRule

_WRITE_PIECE = 64 * 1024
_LIMITS = httpx2.Limits(max_connections=32, max_keepalive_connections=8, keepalive_expiry=15)

# Synchronous httpcore2 does all the work of a request in the thread that asked for it, and
# HTTP/1.1 gives it a connection of its own meanwhile: so the streams find its deadline here.
_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def deadline(moment: float) -> Iterator[None]:
    """Let no socket operation in this thread last beyond ``moment`` (monotonic seconds)."""
    token = _deadline.set(moment)
    try:
        yield
    finally:
        _deadline.reset(token)


def _allowance(timeout: float | None, late: type[httpcore2.TimeoutException]) -> float | None:
    """The shorter of ``timeout`` and what is left until the deadline; raises ``late`` after it."""
    moment = _deadline.get()
    if moment is None:
        return timeout
    left = moment - clock.monotonic()
    if left <= 0:
        raise late("the time allowed for the whole exchange is over")
    return left if timeout is None else min(timeout, left)


class TimedStream(httpcore2.NetworkStream):
    """A connection whose every operation ends at the deadline.

    Timeouts of single reads do not stop a server that drips a byte now and then.
    """

    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what has come, at most ``max_bytes``."""
        return self._stream.read(max_bytes, _allowance(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send ``buffer`` in pieces, so that a slow reader meets the deadline too."""
        for start in range(0, len(buffer), _WRITE_PIECE):
            allowed = _allowance(timeout, httpcore2.WriteTimeout)
            self._stream.write(buffer[start : start + _WRITE_PIECE], allowed)

    def close(self) -> None:
        """Close the socket."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Speak TLS from here on, with the certificate checked against ``server_hostname``."""
        allowed = _allowance(timeout, httpcore2.ConnectTimeout)
        return TimedStream(self._stream.start_tls(ssl_context, server_hostname, allowed))

    def get_extra_info(self, info: str) -> Any:
        """What the pool asks about the socket."""
        return self._stream.get_extra_info(info)


class GuardedBackend(httpcore2.NetworkBackend):
    """Opens TCP connections to addresses that the rule allows; the base class refuses the rest."""

    def __init__(self, rule: AddressRule) -> None:
        self._rule = rule
        self._sockets = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of ``host`` that answers, within ``timeout`` seconds.

        Looking up the name is bounded by the system's own resolver settings. Raises
        AddressRefused before anything is sent.
        """
        try:
            addresses = self._rule.addresses(host, port)
        except OSError as reason:
            raise httpcore2.ConnectError(str(reason)) from reason
        left = _allowance(timeout, httpcore2.ConnectTimeout)
        share = None if left is None else left / len(addresses)
        failure: Exception | None = None
        for address in addresses:
            try:
                stream = self._sockets.connect_tcp(
                    address, port, share, local_address, socket_options
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as reason:
                failure = reason
            else:
                return TimedStream(stream)
        raise failure or httpcore2.ConnectError("no address")


def guarded_transport(rule: AddressRule) -> httpx2.HTTPTransport:
    """An httpx2 transport that opens sockets under ``rule`` only.

    There is no public way to hand a backend to it. Were the private attribute renamed, a plain
    assignment would leave the door open without a sound: hence the check.
    """
    transport = httpx2.HTTPTransport(limits=_LIMITS)
    pool = transport._pool  # noqa: SLF001
    if not isinstance(getattr(pool, "_network_backend", None), httpcore2.NetworkBackend):
        raise TypeError("httpcore2 keeps its network backend somewhere else now")
    pool._network_backend = GuardedBackend(rule)  # noqa: SLF001
    return transport
