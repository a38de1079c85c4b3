from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.http import Answer
from watchbook.redaction import secret
from watchbook.remarks import MOST_WORDS, Remark, hidden_error, remark


def said(body: str, kind: str = "application/json") -> Remark:
    """What is read out of an answer."""
    return remark(Answer(400, {"content-type": kind}, body.encode(), "https://a.example/"))


@pytest.mark.parametrize(
    ("body", "kind", "error", "words"),
    [
        (
            '{"error":"invalid_request","error_description":"no <b>content</b>"}',
            "application/json",
            "invalid_request",
            "invalid_request: no content",
        ),
        (
            '{"code":"insufficient_scope","message":"Scope","data":{"status":403}}',
            "application/json; charset=UTF-8",
            "insufficient_scope",
            "insufficient_scope: Scope",
        ),
        ('{"message":"Not a date"}', "application/json", None, "Not a date"),
        (
            '{"properties":{"published":[["Bad date"]]}}',
            "application/json",
            None,
            '{"properties":{"published":[["Bad date"]]}}',
        ),
        ("invalid_grant", "application/x-www-form-urlencoded", "invalid_grant", "invalid_grant"),
        (
            "error=invalid_grant&error_description=too+old",
            "application/x-www-form-urlencoded",
            "invalid_grant",
            "invalid_grant: too old",
        ),
        ('{"error":"gone"}', "text/html", "gone", "gone"),
        ("Only <i>plain</i>\n words", "text/html", None, "Only plain words"),
        (
            "<html><style>p{}</style><script>x()</script><h1>502</h1>Bad &amp; gone",
            "text/html",
            None,
            "502 Bad & gone",
        ),
        ("", "", None, ""),
        ("{broken", "application/json", None, "{broken"),
        ("[1]", "application/json", None, "[1]"),
    ],
)
def test_reads_every_shape_that_servers_use(
    body: str, kind: str, error: str | None, words: str
) -> None:
    """JSON of several shapes, forms, plain words and pages give one word and a few to show."""
    assert said(body, kind) == Remark(error, words)


def test_keeps_little_and_no_secret() -> None:
    """What is kept is short, on one line, without control characters and known secrets."""
    token = secret("a-token-that-nobody-may-see")
    found = said(f"{token} \x1b[2J\u202e\n" + "x" * 100_000, "text/plain")
    assert token not in found.words
    assert len(found.words) <= MOST_WORDS
    assert found.words.isprintable()


@settings(deadline=None)
@given(st.binary(), st.sampled_from(["application/json", "text/html", ""]))
def test_never_fails(body: bytes, kind: str) -> None:
    """Any body can be read."""
    found = remark(Answer(500, {"content-type": kind}, body, "https://a.example/"))
    assert len(found.words) <= MOST_WORDS


def test_finds_an_error_inside_a_success() -> None:
    """An error that is wrapped in other things is found; an address is none."""
    wrapped = json.loads('{"ID":{"data":{"error":"empty_content","x":1}}}')
    assert hidden_error(wrapped) == "empty_content"
    assert hidden_error({"data": {"error": {"code": 1}}}) == "error"
    assert hidden_error({"url": "https://a.example/", "error": None}) is None
    assert hidden_error([{"error": "x"}]) is None
