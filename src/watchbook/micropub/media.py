"""Pictures: uploaded to a media endpoint, each under a name of its own.

Some servers keep the file's name and take a second ``poster.jpg`` of a day for the first, so the
name is made of the content. A picture that is not taken is no reason not to post.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

from watchbook.errors import WatchbookError
from watchbook.http import HttpClient
from watchbook.micropub import outcome
from watchbook.micropub.client import ANSWER_BYTES, PATIENCE, bearer
from watchbook.micropub.outcome import Outcome

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


def upload(http: HttpClient, endpoint: str, token: str, file: File) -> Outcome:
    """Send a picture to the media endpoint; the outcome's ``url`` is what posts refer to."""
    content_type, body = multipart(file)
    try:
        answer = http.request(
            "POST",
            endpoint,
            headers={**bearer(token), "Content-Type": content_type},
            content=body,
            timeout=PATIENCE,
            max_bytes=ANSWER_BYTES,
        )
    except WatchbookError as reason:
        return outcome.lost(reason)
    return outcome.created(answer)


def multipart(file: File) -> tuple[str, bytes]:
    """The content type and body of a form with one part, ``file`` (RFC 7578)."""
    boundary = secrets.token_hex(16)
    head = (
        f"--{boundary}\r\n"
        f'Content-Disposition: form-data; name="file"; filename="{file.name}"\r\n'
        f"Content-Type: {file.content_type}\r\n\r\n"
    )
    body = head.encode() + file.content + f"\r\n--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body


def _kind(content: bytes) -> tuple[str, str] | None:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp", "webp"
    found = (kind for start, *kind in _BEGINNINGS if content.startswith(start))
    return next(((kind[0], kind[1]) for kind in found), None)
