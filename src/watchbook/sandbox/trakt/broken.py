"""Answers that Trakt, its edge or its database give when something is wrong."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator

from watchbook.sandbox.answer import (
    HTML_TYPE,
    JSON_TYPE,
    TEXT_TYPE,
    Answer,
    Headers,
    as_json,
    encode,
    refused,
)
from watchbook.sandbox.rules import Rule

_MIB = 1024 * 1024
_GZIP_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\x02\xff"
_EDGE: Headers = [HTML_TYPE, (b"server", b"cloudflare"), (b"cf-ray", b"8f00000000000000-CPH")]
_PAGE = (
    "<!DOCTYPE html>\n<html lang='en-US'><head><title>{title}</title></head>"
    "<body><h1>{title}</h1><p>{text}</p><p>Cloudflare Ray ID: 8f00000000000000</p></body></html>"
)


def edge(status: int, title: str, text: str, headers: Headers | None = None) -> Answer:
    """An HTML page by the edge in front of Trakt: none of the application's own headers."""
    body = _PAGE.format(title=title, text=text).encode()
    return Answer(status, body, [*_EDGE, *(headers or [])])


def blocked() -> Answer:
    """What a client without an honest User-Agent gets."""
    text = (
        "The owner of this website has banned your access based on your browser's signature (1010)."
    )
    return edge(403, "Access denied", text)


def plain(status: int, body: bytes, headers: Headers | None = None) -> Answer:
    """A body of plain text."""
    return Answer(status, body, [TEXT_TYPE, *(headers or [])])


def _json_status(rule: Rule) -> Answer:
    status = int(rule.name.removeprefix("http-").removesuffix("-bare"))
    error, description, headers = _STATUSES[status]
    return refused(status, error, description, list(headers))


_UPGRADE = (b"x-upgrade-url", b"https://app.trakt.tv/vip")
_STATUSES: dict[int, tuple[str, str, Headers]] = {
    400: ("invalid_request", "The request could not be parsed", []),
    401: ("invalid_token", "The access token expired", []),
    403: ("forbidden", "The app is not approved", []),
    404: ("not_found", "No such record", []),
    405: ("method_not_allowed", "Method not allowed", []),
    408: ("timeout", "The request took too long", []),
    409: ("conflict", "It exists already", []),
    412: ("precondition_failed", "A required header is missing", []),
    420: (
        "limit_exceeded",
        "The account limit is reached",
        [_UPGRADE, (b"x-vip-user", b"false"), (b"x-account-limit", b"100")],
    ),
    423: ("locked", "The account is locked", [(b"x-account-locked", b"true")]),
    426: ("vip_only", "Upgrade to VIP", [_UPGRADE]),
    500: ("server_error", "Something broke", [(b"x-error-message", b"undefined method for nil")]),
    502: ("bad_gateway", "Bad gateway", []),
    504: ("gateway_timeout", "Gateway timeout", []),
}


def _wait(rule: Rule) -> Headers:
    return [(b"retry-after", str(int(rule.number())).encode())]


def _limited(rule: Rule) -> Answer:
    seconds = int(rule.number())
    told = {
        "name": "AUTHED_API_GET_LIMIT",
        "period": 300,
        "limit": 500,
        "remaining": 0,
        "until": "2026-01-01T00:00:00Z",
    }
    return as_json(
        {"error": "rate_limited"},
        429,
        [(b"x-ratelimit", encode(told)), (b"retry-after", str(seconds).encode())],
    )


def _edge_status(rule: Rule) -> Answer:
    status = int(rule.name.removeprefix("http-"))
    return edge(status, f"Error {status}", "There is an unknown connection issue.")


def _too_many(rule: Rule) -> Answer:
    headers = _wait(rule) if rule.value else []
    return edge(429, "Access denied", "You are being rate limited (1015).", headers)


def _huge(rule: Rule) -> Answer:
    return Answer(200, b"", [JSON_TYPE], _ballast(int(rule.number())))


def _ballast(mebibytes: int) -> Iterator[bytes]:
    """A JSON array of strings, a MiB each."""
    block = b'"' + b"x" * (_MIB - 4) + b'",\n'
    yield b"["
    for _ in range(mebibytes):
        yield block
    yield b'"end"]'


def _bomb(rule: Rule) -> Answer:
    headers = [JSON_TYPE, (b"content-encoding", b"gzip")]
    return Answer(200, b"", headers, _packed(int(rule.number())))


def _packed(mebibytes: int) -> Iterator[bytes]:
    """Blanks inside an array, a thousand to one, in gzip.

    A block that is flushed in full does not refer to what went before it, so one block is packed
    and sent again and again.
    """
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    blanks = b" " * _MIB
    yield _GZIP_HEAD + packer.compress(b"[") + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(blanks) + packer.flush(zlib.Z_FULL_FLUSH)
    check = zlib.crc32(b"[")
    for _ in range(mebibytes):
        check = zlib.crc32(blanks, check)
        yield block
    check = zlib.crc32(b"]", check)
    size = (mebibytes * _MIB + 2) % 2**32
    yield packer.compress(b"]") + packer.flush() + struct.pack("<II", check, size)


def _body(text: bytes) -> Callable[[Rule], Answer]:
    return lambda _: Answer(200, text, [JSON_TYPE])


def _deep(rule: Rule) -> Answer:
    depth = int(rule.number())
    return Answer(200, b"[" * depth + b"]" * depth, [JSON_TYPE])


_ANSWERS: dict[str, Callable[[Rule], Answer]] = {
    "cloudflare-403": lambda _: blocked(),
    "cloudflare-429": _too_many,
    "cloudflare-429-bare": _too_many,
    "rate-429": _limited,
    "rate-429-bare": lambda _: as_json({"error": "rate_limited"}, 429),
    "http-420-bare": lambda _: Answer(420),
    "http-422": lambda _: as_json({"errors": {"comment": ["must be at least 5 words"]}}, 422),
    "http-503": lambda rule: refused(503, "overloaded", "Try again in 30 seconds", _wait(rule)),
    "http-520": _edge_status,
    "http-521": _edge_status,
    "http-522": _edge_status,
    "body-html": lambda _: edge(200, "Just a moment...", "Checking your browser."),
    "body-empty": _body(b""),
    "body-null": _body(b"null"),
    "body-object": _body(b"{}"),
    "body-nan": _body(b'[{"id":1,"progress":NaN}]'),
    "body-deep": _deep,
    "body-huge": _huge,
    "body-gzip-bomb": _bomb,
}


def answer(rule: Rule) -> Answer:
    """The answer that a rule puts in place of the right one."""
    return _ANSWERS.get(rule.name, _json_status)(rule)
