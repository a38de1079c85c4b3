"""Forms with files in them: a picture as it travels (RFC 7578)."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

Fields = Mapping[str, str | list[str]]

_BEGINNINGS = (
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
    (b"GIF87a", "image/gif", "gif"),
    (b"GIF89a", "image/gif", "gif"),
)


@dataclass(frozen=True)
class File:
    """A picture as it is sent: what it is and what it is called."""

    content: bytes
    content_type: str
    name: str


def picture(content: bytes) -> File | None:
    """The file to send for the bytes of a picture; None when they are no picture we know."""
    kind = _kind(content)
    if kind is None:
        return None
    return File(content, kind[0], f"{hashlib.sha256(content).hexdigest()[:32]}.{kind[1]}")


def multipart(files: Mapping[str, File], fields: Fields | None = None) -> tuple[str, bytes]:
    """The content type and body of a form with ``fields`` and ``files``, by their names."""
    boundary = secrets.token_hex(16)
    body = b"".join(
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + value + b"\r\n"
        for head, value in _parts(files, fields or {})
    )
    return f"multipart/form-data; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _parts(files: Mapping[str, File], fields: Fields) -> Iterator[tuple[str, bytes]]:
    for name, values in fields.items():
        for value in [values] if isinstance(values, str) else values:
            yield f'name="{name}"', value.encode()
    for name, file in files.items():
        told = f'name="{name}"; filename="{file.name}"'
        yield f"{told}\r\nContent-Type: {file.content_type}", file.content


def _kind(content: bytes) -> tuple[str, str] | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", "webp"
    found = (kind for start, *kind in _BEGINNINGS if content.startswith(start))
    return next(((kind[0], kind[1]) for kind in found), None)
