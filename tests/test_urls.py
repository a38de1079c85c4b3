from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.urls import absolute, appended, origin

BASE = "https://a.example/blog/page?x=1"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("https://b.example/x", "https://b.example/x"),
        (" /auth ", "https://a.example/auth"),
        ("auth", "https://a.example/blog/auth"),
        ("?p=3", "https://a.example/blog/page?p=3"),
        ("//b.example/x", "https://b.example/x"),
        ("", BASE),
        ("#top", BASE),
        ("https://b.example/x#y", "https://b.example/x"),
        ("http://b.example:8080/", "http://b.example:8080/"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("mailto:a@b.example", None),
        ("file:///etc/passwd", None),
        ("https://u:p@b.example/", None),
        ("https://@b.example/", None),
        ("https://b.example:99999/", None),
        ("https://b.example:0/", None),
        ("https://b.example:x/", None),
        ("https://[::1/", None),
        ("https://b.example\\@c.example/", None),
        ("https://b.example/a b", None),
        ("https://b.example/\x00", None),
        ("https://b.example/\r\nX: y", None),
        ("https://b.example/" + "x" * 2048, None),
    ],
)
def test_what_counts_as_an_address(text: str, found: str | None) -> None:
    """Only plain http and https addresses count, seen from the page that names them."""
    assert absolute(text, BASE) == found


def test_a_fragment_is_kept_when_asked_for() -> None:
    """A post may be a part of a page."""
    assert absolute("/2026#one", BASE, fragment=True) == "https://a.example/2026#one"
    assert absolute("https://u@b.example/#x", BASE, fragment=True) is None


@settings(deadline=None)
@given(st.text(), st.sampled_from([BASE, None]))
def test_any_text_for_an_address(text: str, base: str | None) -> None:
    """Whatever is read, nothing is raised, and what comes out is read again as itself."""
    found = absolute(text, base)
    assert found is None or absolute(found) == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://a.example/e", "https://a.example/e?q=a+b&u=%2F"),
        ("https://a.example/e?", "https://a.example/e?q=a+b&u=%2F"),
        ("https://a.example/e?r=%2Fx", "https://a.example/e?r=%2Fx&q=a+b&u=%2F"),
        ("https://a.example/e?q=1&", "https://a.example/e?q=1&q=a+b&u=%2F"),
    ],
)
def test_appends_to_a_query(url: str, found: str) -> None:
    """What an address asks already stays, letter by letter, before what is added."""
    assert appended(url, {"q": "a b", "u": "/"}) == found


def test_an_origin_is_scheme_host_and_port() -> None:
    """A port that goes without saying makes no difference; scheme and host do."""
    assert origin("https://A.example/x") == origin("https://a.example:443/y")
    assert origin("https://a.example/") != origin("http://a.example/")
    assert origin("https://a.example/") != origin("https://b.a.example/")
