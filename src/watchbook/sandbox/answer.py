"""Answers of the stand-ins, before they are put on the wire."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

Headers = list[tuple[bytes, bytes]]
JSON_TYPE = (b"content-type", b"application/json; charset=utf-8")
HTML_TYPE = (b"content-type", b"text/html; charset=UTF-8")
TEXT_TYPE = (b"content-type", b"text/plain; charset=utf-8")

_encode = msgspec.json.Encoder().encode


@dataclass(slots=True)
class Answer:
    """A finished answer; `stream` replaces the body of those that are too large to hold."""

    status: int
    body: bytes = b""
    headers: Headers = field(default_factory=list)
    stream: Iterator[bytes] | None = None
    wire: str = ""
    """A fault of the connection that the answer itself asks for."""


class Refusal(Exception):
    """Raised by a handler to answer something else at once."""

    def __init__(self, answer: Answer) -> None:
        """Carry the answer."""
        super().__init__(answer.status)
        self.answer = answer


def encode(value: object) -> bytes:
    """A value as compact JSON; entries inside it in their plain form."""
    return _encode(value)


def as_json(value: object, status: int = 200, headers: Headers | None = None) -> Answer:
    """An answer with a JSON body."""
    return Answer(status, encode(value), [JSON_TYPE, *(headers or [])])


def refused(status: int, error: str, description: str, headers: Headers | None = None) -> Answer:
    """An error of the application, in the words of OAuth."""
    return as_json({"error": error, "error_description": description}, status, headers)
