"""JSON of any length, row by row: memory holds one row and one piece of the file."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Protocol

import msgspec

from watchbook.errors import ArchiveDamaged

_PIECE = 1 << 20
_LONGEST_ROW = 16 << 20
_NOT_SPACE = re.compile(r"[^ \t\r\n]")
_BEHIND = {" ", "\t", "\r", "\n", ",", "]"}
_UNREADABLE = (ValueError, RecursionError)
_scan = json.JSONDecoder(strict=False).raw_decode


class Readable(Protocol):
    """Anything that gives bytes."""

    def read(self, size: int = -1, /) -> bytes:
        """Up to ``size`` bytes."""


def rows_of(stream: Readable, name: str) -> Iterator[bytes]:
    """The rows of the array in the file called ``name``, each as it stands there.

    A file that says ``null`` has none. Raises ArchiveDamaged, naming the place.
    """
    text = _Text(stream, name)
    if text.peek() == "n" and text.value() == "null" and not text.peek():
        return
    text.expect("[", "is not a list")
    mark = text.peek()
    if mark == "]":
        text.expect("]", "")
    while mark != "]":
        text.peek()
        yield text.value().encode("utf-8", "surrogateescape")
        mark = text.expect(",]", "has something else between two rows")
    if text.peek():
        raise text.damaged("goes on behind its end")


def object_of(stream: Readable, name: str) -> bytes | None:
    """The one object in a file, as it stands there; None where it says ``null``."""
    text = _Text(stream, name)
    mark = text.peek()
    found = text.value().encode("utf-8", "surrogateescape")
    if text.peek():
        raise text.damaged("goes on behind its end")
    if mark != "{" and found != b"null":
        raise text.damaged("is not an object")
    try:
        msgspec.json.decode(found)
    except _UNREADABLE:
        raise text.damaged("holds what is no JSON") from None
    return found if mark == "{" else None


class _Text:
    """The text of a file, of which only the part around the current row is in memory."""

    def __init__(self, stream: Readable, name: str) -> None:
        self._stream = stream
        self._name = name
        self._decode = codecs.getincrementaldecoder("utf-8-sig")("surrogateescape").decode
        self._text = ""
        self._at = 0
        self._before = 0
        self._ended = False

    def damaged(self, what: str) -> ArchiveDamaged:
        """An error that names the place."""
        return ArchiveDamaged(
            f"{self._name} {what} (near character {self._before + self._at:,}).",
            hint="Download the export again; nothing was taken from this one.",
        )

    def peek(self) -> str:
        """The next character that is no space, where reading now stands; "" at the end."""
        while True:
            mark = _NOT_SPACE.search(self._text, self._at)
            self._at = mark.start() if mark else len(self._text)
            if mark or not self._more():
                return mark[0] if mark else ""

    def expect(self, allowed: str, problem: str) -> str:
        """Step over one of the ``allowed`` characters."""
        mark = self.peek()
        if not mark:
            raise self.damaged("is cut off")
        if mark not in allowed:
            raise self.damaged(problem)
        self._at += 1
        return mark

    def value(self) -> str:
        """Step over one JSON value and give its text."""
        while True:
            try:
                _, end = _scan(self._text, self._at)
            except _UNREADABLE:
                end = -1
            if end >= 0 and (self._ended or self._is_over(end)):
                found, self._at = self._text[self._at : end], end
                return found
            if len(self._text) - self._at > _LONGEST_ROW or not self._more():
                raise self.damaged("is cut off or no JSON")

    def _is_over(self, end: int) -> bool:
        """Whether a value ends there; a number might go on in the next piece."""
        return self._text[end - 1] in '}]"' or self._text[end : end + 1] in _BEHIND

    def _more(self) -> bool:
        if self._ended:
            return False
        piece = self._stream.read(_PIECE)
        self._ended = not piece
        self._before += self._at
        self._text = self._text[self._at :] + self._decode(piece, self._ended)
        self._at = 0
        return True
