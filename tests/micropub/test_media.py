from __future__ import annotations

from email import message_from_bytes
from email.message import Message

import pytest

from tests.websites import Asked, Said, Website, as_json, local_client
from watchbook.http import HttpClient
from watchbook.micropub.media import upload
from watchbook.micropub.outcome import Kind
from watchbook.micropub.parts import File, picture

JPEG = b"\xff\xd8\xff\xe0 a picture \r\n--with a line like a boundary\r\n\x00"
TOKEN = "the-access-token"


def parts(asked: Asked) -> list[Message]:
    """The parts of a multipart request."""
    head = f"Content-Type: {asked.headers['content-type']}\r\n\r\n".encode()
    found = message_from_bytes(head + asked.body).get_payload()
    assert isinstance(found, list)
    return [part for part in found if isinstance(part, Message)]


def a_picture() -> File:
    """A picture to send."""
    found = picture(JPEG)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("content", "kind", "ending"),
    [
        (JPEG, "image/jpeg", ".jpg"),
        (b"\x89PNG\r\n\x1a\n...", "image/png", ".png"),
        (b"GIF89a...", "image/gif", ".gif"),
        (b"GIF87a...", "image/gif", ".gif"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", ".webp"),
    ],
)
def test_a_picture_says_what_it_is(content: bytes, kind: str, ending: str) -> None:
    """The type comes from the bytes, the name too: equal pictures have equal names."""
    found = picture(content)
    assert found is not None
    assert (found.content_type, found.content) == (kind, content)
    assert found.name.endswith(ending)
    again, other = picture(content), picture(content + b"x")
    assert again is not None
    assert other is not None
    assert again.name == found.name != other.name


@pytest.mark.parametrize("content", [b"", b"<svg>", b"<html>", b"RIFF....WAVE", b"%PDF-"])
def test_what_is_no_picture_is_not_sent(content: bytes) -> None:
    """A server breaks on what it cannot recognise."""
    assert picture(content) is None


def test_uploads(http: HttpClient, site: Website) -> None:
    """One part named `file`, with name and type; the token in the header; an address back."""
    site.pages["/media"] = Said(201, b"", [("Location", "/files/1.jpg")])
    found = upload(http, site.url("/media"), TOKEN, a_picture())
    assert (found.kind, found.url) == (Kind.PUBLISHED, site.url("/files/1.jpg"))
    [asked] = site.asked
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    [part] = parts(asked)
    assert part.get_param("name", header="content-disposition") == "file"
    assert part.get_filename() == a_picture().name
    assert part.get_content_type() == "image/jpeg"
    assert JPEG in asked.body
    assert TOKEN.encode() not in asked.body


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said(201), Kind.UNKNOWN),
        (as_json({"error": "insufficient_scope"}, 403), Kind.MORE_SCOPE),
        (Said(403), Kind.SIGN_IN),
        (Said(413), Kind.TOO_LARGE),
        (Said(415), Kind.TYPE_REFUSED),
        (Said(500), Kind.TROUBLE),
        (Said(302, b"", [("Location", "/x")]), Kind.MOVED),
    ],
)
def test_uploads_that_fail(http: HttpClient, site: Website, said: Said, kind: Kind) -> None:
    """Each failure has its kind, so that the post can go out without the picture."""
    site.pages["/media"] = said
    found = upload(http, site.url("/media"), TOKEN, a_picture())
    assert (found.kind, found.good) == (kind, False)
    assert len(site.asked) == 1


def test_nothing_is_uploaded_inside(site: Website) -> None:
    """A media endpoint is an address that a stranger named, like all others."""
    with local_client("9.9.9.9") as guarded:
        assert upload(guarded, site.url("/media"), TOKEN, a_picture()).kind is Kind.DOWN
    assert site.asked == []
