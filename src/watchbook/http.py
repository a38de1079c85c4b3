"""The only way out: every request that Watchbook makes goes through an :class:`HttpClient`.

It connects to allowed addresses only, keeps no cookies, asks no proxy, reads no more than it
was told to, and ends when its time is over. It does not retry and takes no HTTP status for an
error: who asks knows what an answer means.

httpx2 takes a tenth of a second to import, so it is imported when the first client is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC
from email.message import Message
from email.utils import parsedate_to_datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, Self

import msgspec

from watchbook import clock
from watchbook.errors import RemoteChanged

if TYPE_CHECKING:
    import httpx2

    from watchbook.addresses import AddressRule
    from watchbook.exchange import Reply, Terms

MAX_BYTES = 16 * 1024 * 1024
MAX_REDIRECTS = 5


@dataclass(frozen=True)
class Timeouts:
    """Seconds allowed for connecting, for each silence, and for the whole request."""

    connect: float = 10
    read: float = 30
    total: float = 120


@dataclass(frozen=True)
class Exchange:
    """What a hook is told about one request: its ``status`` is None when no answer came."""

    method: str
    address: str
    status: int | None
    seconds: float


@dataclass(frozen=True)
class Answer:
    """A whole answer: ``body`` is decoded, ``url`` where it came from after ``history``.

    ``settled`` is the last address that only permanent redirects led to: the one to use from
    now on.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str
    history: tuple[str, ...] = field(default=(), kw_only=True)
    settled: str = field(default="", kw_only=True)
    service: str = field(default="the server", kw_only=True)
    address: str | None = field(default=None, kw_only=True)

    @property
    def content_type(self) -> str:
        """The media type alone, in lower case, or an empty text."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def is_json(self) -> bool:
        """Whether the server says that it is JSON, of whatever kind."""
        kind = self.content_type
        return kind in {"application/json", "text/json"} or kind.endswith("+json")

    @property
    def is_html(self) -> bool:
        """Whether the server says that it is a web page."""
        return self.content_type in {"text/html", "application/xhtml+xml"}

    @property
    def text(self) -> str:
        """The body as text, in the character set it names, else UTF-8; never fails."""
        declared = Message()
        declared["content-type"] = self.headers.get("content-type", "")
        try:
            return self.body.decode(str(declared.get_param("charset", "utf-8")), "replace")
        except (LookupError, ValueError):
            return self.body.decode("utf-8", "replace")

    @property
    def retry_after(self) -> float | None:
        """Seconds that ``Retry-After`` asks for (RFC 9110, 10.2.3: a number or a date)."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return float(text[:9])
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, OverflowError):
            return None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return max(0.0, (moment - clock.now()).total_seconds())

    def json(self) -> Any:
        """Decode the body strictly, whatever type the server calls it.

        A byte order mark is passed over. Raises RemoteChanged for anything that is not JSON,
        NaN and nesting without end included.
        """
        try:
            return msgspec.json.decode(self.body.removeprefix(b"\xef\xbb\xbf"))
        except (ValueError, RecursionError):  # msgspec's errors are ValueErrors
            raise RemoteChanged(
                f"{self.service} answered with something that is not JSON "
                f"(status {self.status}, {self.content_type or 'no type'}, "
                f"{clock.counted(len(self.body), 'byte')}).",
                service=self.service,
                status=self.status,
                address=self.address,
            ) from None


def user_agent(about: str | None = None) -> str:
    """How Watchbook names itself: ``Watchbook/0.1.0 (+about)``, with the URL when given."""
    from importlib.metadata import version  # noqa: PLC0415 - slow, and asked for once

    name = f"Watchbook/{version('watchbook')}"
    return f"{name} (+{about})" if about else name


class HttpClient:
    """Makes requests under a rule about addresses; threads may share it.

    ``service`` names the other side in errors, else its host does. ``on_request`` is called
    after every request, answered or not. ``transport`` replaces the network in tests.
    """

    def __init__(
        self,
        rule: AddressRule,
        *,
        service: str | None = None,
        agent: str | None = None,
        on_request: Callable[[Exchange], None] | None = None,
        transport: httpx2.BaseTransport | None = None,
    ) -> None:
        from watchbook import exchange  # noqa: PLC0415 - imports httpx2: see the top
        from watchbook.transport import guarded_transport  # noqa: PLC0415 - likewise

        self._wire = exchange
        self._transport = transport or guarded_transport(rule)
        self._service = service
        self._headers = {"User-Agent": agent or user_agent(), "Accept-Encoding": "gzip"}
        self._on_request = on_request
        self._requests = 0
        self._lock = Lock()

    def __enter__(self) -> Self:
        """Use the client in a ``with`` statement, which closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    def counting_apart(self) -> Self:
        """The same client, over the same connections, with a count of its own that begins at 0."""
        apart = copy(self)
        apart._requests, apart._lock = 0, Lock()  # noqa: SLF001 - a copy of our own
        return apart

    def naming_hosts(self) -> Self:
        """The same client, whose errors name the host that was asked."""
        apart = self.counting_apart()
        apart._service = None  # noqa: SLF001 - a copy of our own
        return apart

    @property
    def requests(self) -> int:
        """How many requests were made so far, each redirect counted."""
        return self._requests

    def request(  # noqa: PLR0913 - the shape of an HTTP request
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        content: bytes | None = None,
        timeout: Timeouts | None = None,
        follow_redirects: bool = False,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """Make one request and read its answer.

        At most one of ``json``, ``form`` and ``content`` is the body. ``params`` join the query
        of ``url``. Redirects are followed when asked for, at most 5, and of GET and HEAD only;
        headers that may hold a secret do not go to another scheme, host or port.

        Raises AddressRefused, InputError for an impossible header, RemoteUnavailable,
        RemoteChanged when the body is larger than ``max_bytes`` or packed in an unknown way,
        RemoteRejected for endless redirects, and OutcomeUnknown when a request that may change
        something was sent and its answer is lost or unusable.
        """
        limits = timeout or Timeouts()
        terms = self._wire.Terms(
            self._service,
            limits.connect,
            limits.read,
            clock.monotonic() + limits.total,
            max_bytes,
        )
        request = self._wire.prepare(
            method, url, {**self._headers, **(headers or {})}, params,
            json=json, data=form, content=content,
        )  # fmt: skip
        return self._follow(request, terms, MAX_REDIRECTS if follow_redirects else 0)

    def _follow(self, request: httpx2.Request, terms: Terms, redirects: int) -> Answer:
        history: list[str] = []
        settled, settling = str(request.url), True
        while True:
            reply = self._exchange(request, terms)
            onward = self._wire.redirected(request, reply) if redirects else None
            if onward is None:
                return self._answer(request, reply, terms, history=tuple(history), settled=settled)
            history.append(str(request.url))
            if len(history) > redirects:
                raise self._wire.too_many_redirects(request, terms)
            request, settling = onward, settling and reply.status in {301, 308}
            settled = str(request.url) if settling else settled

    def _exchange(self, request: httpx2.Request, terms: Terms) -> Reply:
        with self._lock:
            self._requests += 1
        started = clock.monotonic()
        reply = None
        try:
            reply = self._wire.send(self._transport, request, terms)
            return reply
        finally:
            if self._on_request is not None:
                status = reply.status if reply else None
                seconds = clock.monotonic() - started
                address = self._wire.address_of(request.url)
                self._on_request(Exchange(request.method, address, status, seconds))

    def _answer(self, request: httpx2.Request, reply: Reply, terms: Terms, **course: Any) -> Answer:
        return Answer(
            reply.status,
            reply.headers,
            reply.body,
            str(request.url),
            service=terms.service or request.url.host,
            address=self._wire.address_of(request.url),
            **course,
        )
