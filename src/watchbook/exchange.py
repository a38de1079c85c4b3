"""One HTTP request and its answer, held to terms, with failures as errors of our own tree.

A request that cannot have reached the server is :class:`RemoteUnavailable`. So is every
failure of a GET, HEAD or OPTIONS, which may be asked again. Any other method whose request may
have gone out is :class:`OutcomeUnknown`, however the answer was lost: only the caller knows
how to find out what became of it. An answer that will not be better next time (too large, in
an unknown coding) is :class:`RemoteChanged` for a method that changes nothing.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx2

from watchbook.errors import (
    AddressRefused,
    InputError,
    OutcomeUnknown,
    RemoteChanged,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
)
from watchbook.redaction import redact
from watchbook.transport import deadline
from watchbook.urls import LONGEST

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_KEPT_ABROAD = frozenset({"accept", "accept-encoding", "accept-language", "user-agent"})
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
_LAST_PORT = 65535
_INFLATED_PIECE = 256 * 1024
_GZIP_OVERHEAD = 64 * 1024
_WORDS: tuple[tuple[type[httpx2.RequestError], str], ...] = (
    (httpx2.ConnectTimeout, "could not be reached in time"),
    (httpx2.ConnectError, "could not be reached"),
    (httpx2.PoolTimeout, "was not asked: too many requests wait already"),
    (httpx2.TimeoutException, "did not answer in time"),
    (httpx2.ProtocolError, "broke off, or answered with something other than HTTP"),
    (httpx2.DecodingError, "sent a damaged body"),
    (httpx2.RequestError, "broke the connection"),
)


@dataclass(frozen=True)
class Terms:
    """What an exchange is held to: seconds, a monotonic moment, bytes of decoded body."""

    service: str | None
    connect: float
    read: float
    until: float
    max_bytes: int


@dataclass(frozen=True)
class Reply:
    """A whole answer as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Unusable(Exception):
    """The answer breaks the terms and would do so again."""


def address_of(url: httpx2.URL) -> str:
    """The URL as it may be shown: without credentials, query and fragment."""
    return redact(str(url.copy_with(userinfo=b"", query=None, fragment=None)))


def prepare(
    method: str,
    url: str,
    headers: Mapping[str, str],
    params: Mapping[str, Any] | None,
    **body: Any,
) -> httpx2.Request:
    """Make a request; ``body`` is one of httpx2's ``json``, ``data`` and ``content``.

    Raises AddressRefused for a URL that is not http or https or carries credentials, InputError
    for a header that HTTP cannot carry.
    """
    target = _target(url)
    try:
        merged = target.copy_merge_params(params) if params else target
        return httpx2.Request(method, merged, headers=headers, **body)
    except UnicodeEncodeError:
        raise _bad_header(target) from None


def _target(url: str | httpx2.URL, base: httpx2.URL | None = None) -> httpx2.URL:
    if len(str(url)) > LONGEST:
        raise AddressRefused(f"{redact(str(url)[:100])}… is too long for an address.")
    try:
        target = base.join(url) if base is not None else httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError):
        raise AddressRefused(f"{redact(str(url))[:200]} is not an address.") from None
    if target.scheme not in {"http", "https"} or not target.host or (target.port or 1) > _LAST_PORT:
        raise AddressRefused(f"{address_of(target)} is not an http or https address.")
    if target.userinfo:
        raise AddressRefused(f"{address_of(target)} comes with a user name, which is not sent.")
    return target


def _bad_header(url: httpx2.URL) -> InputError:
    # Neither the header nor the reason is quoted: it may be a token with a stray character.
    return InputError(f"A header for {address_of(url)} holds characters that HTTP cannot carry.")


def redirected(request: httpx2.Request, reply: Reply) -> httpx2.Request | None:
    """The request that a redirect asks for, or None when it is none or may not be followed.

    Only GET and HEAD follow. To another scheme, host or port go none but the plainest headers.
    """
    location = reply.headers.get("location")
    if request.method not in {"GET", "HEAD"} or reply.status not in _REDIRECTS or not location:
        return None
    target = _target(location, request.url)
    kept = request.headers.copy()
    del kept["host"]
    if _origin(target) != _origin(request.url):
        kept = httpx2.Headers({k: v for k, v in kept.items() if k in _KEPT_ABROAD})
    return httpx2.Request(request.method, target, headers=kept)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def too_many_redirects(request: httpx2.Request, terms: Terms) -> RemoteRejected:
    """The error for a server that sends us on and on."""
    return RemoteRejected(
        f"{_name(request, terms)} redirects without end.",
        service=_name(request, terms),
        address=address_of(request.url),
    )


def send(transport: httpx2.BaseTransport, request: httpx2.Request, terms: Terms) -> Reply:
    """Send ``request`` and read the whole answer.

    No cookie is kept, no proxy asked and no redirect followed: that is why this uses a
    transport and no :class:`httpx2.Client`.
    """
    request.extensions["timeout"] = {
        "connect": terms.connect,
        "read": terms.read,
        "write": terms.read,
        "pool": terms.read,
    }
    status: int | None = None
    try:
        with deadline(terms.until):
            response = transport.handle_request(request)
            status = response.status_code
            try:
                body = _body(response, terms.max_bytes)
            finally:
                response.close()
    except httpx2.LocalProtocolError:
        raise _bad_header(request.url) from None
    except httpx2.RequestError as reason:
        raise _failure(request, terms, status, reason) from reason
    except _Unusable as reason:
        raise _unusable(request, terms, status, reason) from None
    return Reply(status, response.headers, body)


def _name(request: httpx2.Request, terms: Terms) -> str:
    return terms.service or request.url.host


def _failure(
    request: httpx2.Request, terms: Terms, status: int | None, reason: httpx2.RequestError
) -> RemoteError:
    words = next(words for kind, words in _WORDS if isinstance(reason, kind))
    never_sent = isinstance(reason, _NEVER_SENT)
    detail = f" ({redact(str(reason))})" if never_sent and str(reason) else ""
    if never_sent or request.method in _SAFE:
        return _error(RemoteUnavailable, request, terms, status, f"{words}{detail}")
    return _error(OutcomeUnknown, request, terms, status, words)


def _unusable(
    request: httpx2.Request, terms: Terms, status: int | None, reason: _Unusable
) -> RemoteError:
    kind = RemoteChanged if request.method in _SAFE else OutcomeUnknown
    return _error(kind, request, terms, status, str(reason))


def _error(
    kind: type[RemoteError], request: httpx2.Request, terms: Terms, status: int | None, words: str
) -> RemoteError:
    service, address = _name(request, terms), address_of(request.url)
    message = f"{service} {words}: {request.method} {address}."
    if kind is OutcomeUnknown:
        message += " It was sent, so it may have been done all the same."
    return kind(message, service=service, status=status, address=address)


def _body(response: httpx2.Response, max_bytes: int) -> bytes:
    # What a MockTransport answers was read and decoded when it was made.
    whole = response.is_stream_consumed
    pieces = iter([response.content]) if whole else _decoded(response, max_bytes)
    body = bytearray()
    for piece in pieces:
        body += piece
        if len(body) > max_bytes:
            raise _too_large(max_bytes)
    return bytes(body)


def _too_large(max_bytes: int) -> _Unusable:
    return _Unusable(f"sent more than the {max_bytes:,} bytes that are read of an answer")


def _decoded(response: httpx2.Response, max_bytes: int) -> Iterator[bytes]:
    """The body's pieces, unpacked in small steps: httpx2 takes a cut gzip body for a whole one."""
    coding = response.headers.get("content-encoding", "").strip().lower()
    raw = response.iter_raw()
    if coding in {"", "identity"}:
        return raw
    if coding in {"gzip", "x-gzip"}:
        return _gunzipped(raw, max_bytes)
    return _refused(raw, coding)


def _refused(raw: Iterable[bytes], coding: str) -> Iterator[bytes]:
    for piece in raw:
        if piece:
            raise _Unusable(f"sent a body in a coding that nobody asked for, {coding[:20]!r}")
        yield piece


def _gunzipped(raw: Iterable[bytes], max_bytes: int) -> Iterator[bytes]:
    inflater = zlib.decompressobj(zlib.MAX_WBITS | 16)
    taken = 0
    for piece in raw:
        taken += len(piece)
        if taken > max_bytes + _GZIP_OVERHEAD:  # a body may unpack to nothing at all
            raise _too_large(max_bytes)
        yield from _inflated(inflater, piece)
    yield inflater.flush()
    if taken and not inflater.eof:
        raise httpx2.DecodingError("the gzip body ends too early")


def _inflated(inflater: zlib._Decompress, piece: bytes) -> Iterator[bytes]:
    try:
        while piece and not inflater.eof:
            yield inflater.decompress(piece, _INFLATED_PIECE)
            piece = inflater.unconsumed_tail
    except zlib.error as reason:
        raise httpx2.DecodingError(str(reason)) from reason
    if piece or inflater.unused_data:
        raise httpx2.DecodingError("bytes follow the gzip body")
