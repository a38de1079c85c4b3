from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.errors import (
    AddressRefused,
    InputError,
    OutcomeUnknown,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.http import Answer
from watchbook.micropub.outcome import TABLE, Kind, asked, changed, created, kind_of, lost

ENDPOINT = "https://a.example/micropub"
POST = "https://a.example/posts/1"


def answer(status: int, body: Any = b"", kind: str = "application/json", **headers: str) -> Answer:
    """What a server answers; a body that is no bytes is JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"content-type": kind, **named}, raw, ENDPOINT)


@pytest.mark.parametrize(
    ("location", "url"),
    [
        (POST, POST),
        ("/posts/1", POST),
        ("//a.example/posts/1", POST),
        ("https://b.example/x", "https://b.example/x"),
        ("/2026#one", "https://a.example/2026#one"),
        ("?p=18", "https://a.example/micropub?p=18"),
        (" /posts/1 ", POST),
        ("", None),
        ("undefined", None),
        ("null", None),
        ("posts/1", None),
        ("javascript:alert(1)", None),
        ("file:///etc/passwd", None),
        ("https://:80/", None),
        ("https://u:p@a.example/", None),
        ("https://a.example/" + "x" * 3000, None),
        ("https://a.example/a b", None),
    ],
)
@pytest.mark.parametrize("status", [201, 202])
def test_success_is_a_real_address(status: int, location: str, url: str | None) -> None:
    """201 and 202 count with an address that a post can have; without one nobody knows."""
    found = created(answer(status, location=location))
    assert found.url == url
    assert found.kind is (Kind.PUBLISHED if url else Kind.UNKNOWN)
    assert found.good is (url is not None)


def test_a_success_that_hides_an_error_is_none() -> None:
    """WordPress says 201 without an address, and the error inside: no post exists."""
    hidden = {"ID": {"errors": {}, "data": {"error": "empty_content"}}}
    found = created(answer(201, hidden, location=""))
    assert (found.kind, found.url) == (Kind.REFUSED, None)
    assert "empty_content" in found.words


@pytest.mark.parametrize(
    ("status", "location", "kind"),
    [
        (200, POST, Kind.PUBLISHED),
        (204, POST, Kind.PUBLISHED),
        (200, "", Kind.UNKNOWN),
        (204, "", Kind.UNKNOWN),
        (206, POST, Kind.UNKNOWN),
    ],
)
def test_other_successes(status: int, location: str, kind: Kind) -> None:
    """What the specification does not name counts with an address only."""
    assert created(answer(status, location=location)).kind is kind


@pytest.mark.parametrize(
    ("status", "location", "draft", "provisional"),
    [
        (201, POST, False, False),
        (202, POST, False, True),
        (201, POST, True, True),
        (201, "https://a.example/?p=18", False, True),
        (201, "https://a.example/?post=18", False, False),
    ],
)
def test_provisional_addresses(status: int, location: str, draft: bool, provisional: bool) -> None:
    """Of what is built later, of drafts and of what is scheduled the address may change."""
    assert created(answer(status, location=location), draft=draft).provisional is provisional


FAILURES = [
    (400, {"error": "invalid_request", "error_description": "no"}, Kind.REFUSED),
    (400, {"error": "bad_request"}, Kind.REFUSED),
    (400, b"", Kind.REFUSED),
    (400, {"message": "bad token"}, Kind.REFUSED),
    (400, {"properties": {"published": [["Bad date"]]}}, Kind.REFUSED),
    (400, {"error": "invalid_token"}, Kind.SIGN_IN),
    (401, {"error": "unauthorized"}, Kind.SIGN_IN),
    (401, {"error": "invalid_token"}, Kind.SIGN_IN),
    (401, b"", Kind.SIGN_IN),
    (401, {"error": "insufficient_scope"}, Kind.MORE_SCOPE),
    (403, {"error": "insufficient_scope"}, Kind.MORE_SCOPE),
    (403, {"code": "insufficient_scope", "message": "x", "data": {}}, Kind.MORE_SCOPE),
    (403, {"error": "forbidden"}, Kind.SIGN_IN),
    (403, b"no", Kind.SIGN_IN),
    (404, b"", Kind.MOVED),
    (405, b"", Kind.MOVED),
    (410, b"", Kind.MOVED),
    (301, b"", Kind.MOVED),
    (302, b"", Kind.MOVED),
    (303, b"", Kind.MOVED),
    (307, b"", Kind.MOVED),
    (308, b"", Kind.MOVED),
    (409, b"", Kind.REFUSED),
    (422, {"error": "unprocessable"}, Kind.REFUSED),
    (451, b"", Kind.REFUSED),
    (413, b"", Kind.TOO_LARGE),
    (415, b"", Kind.TYPE_REFUSED),
    (429, b"", Kind.SLOW_DOWN),
    (500, b"<h1>Error</h1>", Kind.TROUBLE),
    (500, {"code": "internal_server_error"}, Kind.TROUBLE),
    (501, {"error": "not_implemented"}, Kind.REFUSED),
    (502, b"<html>Bad Gateway", Kind.DOWN),
    (503, b"", Kind.DOWN),
    (507, b"", Kind.DOWN),
    (522, b"", Kind.DOWN),
    (408, b"", Kind.UNKNOWN),
    (504, b"", Kind.UNKNOWN),
    (524, b"", Kind.UNKNOWN),
    (600, b"", Kind.UNKNOWN),
]


@pytest.mark.parametrize(("status", "body", "kind"), FAILURES)
def test_every_way_of_saying_no(status: int, body: Any, kind: Kind) -> None:
    """Each row of the table, for making a post and for changing one alike."""
    said = answer(status, body)
    for found in (created(said), changed(said, POST)):
        assert (found.kind, found.status) == (kind, status)
        assert not found.good
        assert found.url is None


def test_every_row_of_the_table_is_reached() -> None:
    """No row stands behind another that takes all of its answers."""
    reached = {
        next(row for row in TABLE if row.fits(status, error))
        for status in range(300, 601)
        for error in (None, "insufficient_scope", "invalid_token", "other")
    }
    assert reached == set(TABLE)


@settings(deadline=None)
@given(st.integers(), st.none() | st.text())
def test_any_status_has_a_meaning(status: int, error: str | None) -> None:
    """There is no answer that the table does not know what to do about."""
    assert isinstance(kind_of(status, error), Kind)


def test_how_long_to_wait() -> None:
    """Seconds or a date where the server names them; without, the caller's own growing pause."""
    assert created(answer(429, retry_after="30")).wait == 30
    assert created(answer(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")).wait == 0
    assert created(answer(429)).wait is None
    assert created(answer(503, retry_after="5")).wait == 5
    assert created(answer(400, retry_after="5")).wait is None


def test_keeps_what_was_said() -> None:
    """Status, type and the first words, without markup."""
    page = b"<html><head><style>x{}</style></head><h1>Oops</h1>" + b"<p>again</p>" * 1000
    found = created(answer(500, page, "text/html; charset=utf-8"))
    assert (found.status, found.content_type) == (500, "text/html")
    assert found.words.startswith("Oops again")
    assert "<" not in found.words
    assert len(found.words) == 500


@pytest.mark.parametrize(
    ("said", "url"),
    [
        (answer(200), POST),
        (answer(204), POST),
        (answer(202), POST),
        (answer(201, location="/moved"), "https://a.example/moved"),
        (answer(201, location=POST), POST),
        (answer(200, location="undefined"), POST),
        (answer(200, {"success": "update"}), POST),
    ],
)
def test_where_a_changed_post_is(said: Answer, url: str) -> None:
    """An update may move a post; without a real address it is where it was."""
    assert changed(said, POST) == type(changed(said, POST))(
        Kind.DONE, url, status=said.status, content_type="application/json"
    )


def test_an_update_that_hides_an_error_is_none() -> None:
    """200 with an error inside is a refusal."""
    found = changed(answer(200, {"data": {"error": "invalid_request"}, "status": 400}), POST)
    assert found.kind is Kind.REFUSED


@pytest.mark.parametrize(
    ("status", "kind"),
    [(200, Kind.DONE), (302, Kind.UNKNOWN), (401, Kind.SIGN_IN), (404, Kind.MOVED)],
)
def test_what_a_query_says_about_the_token(status: int, kind: Kind) -> None:
    """A query that is sent to a log-in page says nothing about the token."""
    assert asked(answer(status)).kind is kind


@pytest.mark.parametrize(
    ("reason", "kind", "words"),
    [
        (RemoteUnavailable("refused"), Kind.DOWN, "The server could not be reached."),
        (AddressRefused("leads inside"), Kind.DOWN, "The server could not be reached."),
        (InputError("A bad header."), Kind.DOWN, "A bad header."),
        (OutcomeUnknown("It broke off.", status=200), Kind.UNKNOWN, "It broke off."),
    ],
)
def test_what_no_answer_means(reason: WatchbookError, kind: Kind, words: str) -> None:
    """Not sent, or sent and lost: only the first may be sent again without a look.

    That an address is not allowed is not told apart from silence.
    """
    assert (lost(reason).kind, lost(reason).words) == (kind, words)


@settings(deadline=None)
@given(st.integers(200, 599), st.binary(max_size=200), st.text(max_size=50))
def test_any_answer(status: int, body: bytes, location: str) -> None:
    """Whatever comes back has an outcome, and a success has an address."""
    said = answer(status, body, location=location)
    found = created(said)
    assert found.good == (found.url is not None)
    assert changed(said, POST).kind in Kind
