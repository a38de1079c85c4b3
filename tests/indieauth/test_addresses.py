from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from watchbook.errors import InputError
from watchbook.indieauth.addresses import is_loopback, profile_url


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("a.example", "https://a.example/"),
        ("  https://a.example ", "https://a.example/"),
        ("https://a.example", "https://a.example/"),
        ("http://a.example/", "http://a.example/"),
        ("HTTPS://A.Example/U", "https://a.example/U"),
        ("https://a.example/u", "https://a.example/u"),
        ("https://a.example/u/", "https://a.example/u/"),
        ("www.a.example", "https://www.a.example/"),
        ("https://a.example/~j.doe", "https://a.example/~j.doe"),
        ("https://a.example/index.html", "https://a.example/index.html"),
        ("https://a.example/.well-known/x", "https://a.example/.well-known/x"),
        ("https://a.example/...", "https://a.example/..."),
        ("https://a.example/?id=1&x=%2F", "https://a.example/?id=1&x=%2F"),
        ("https://a.example?id=1", "https://a.example/?id=1"),
        ("https://a.example/%7Ebob", "https://a.example/%7Ebob"),
        ("https://a.example/%E2%82%AC", "https://a.example/%E2%82%AC"),
        ("https://a.example/jürgen", "https://a.example/j%C3%BCrgen"),
        ("Bücher.example", "https://xn--bcher-kva.example/"),
        ("https://a.example//x//", "https://a.example//x//"),
        ("https://a.example/@bob", "https://a.example/@bob"),
        ("1password.example", "https://1password.example/"),
        ("a.localdomain", "https://a.localdomain/"),
    ],
)
def test_canonical_profile_urls(typed: str, canonical: str) -> None:
    """A scheme, a path and a lower-case host are added; all else stays as it was typed."""
    assert profile_url(typed) == canonical


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("", "not the address"),
        ("   ", "not the address"),
        ("https://", "not the address"),
        ("ftp://a.example/", "not the address"),
        ("javascript://a.example/%0Aalert(1)", "not the address"),
        ("javascript:alert(1)", "not the address"),
        ("data:text/html,x", "not the address"),
        ("mailto:bob@a.example", "e-mail|address of a website"),
        ("bob@a.example", "e-mail"),
        ("https://bob@a.example/", "e-mail"),
        ("https://bob:pw@a.example/", "e-mail"),
        ("https://a.example/#me", "begins with #"),
        ("https://a.example/#", "begins with #"),
        ("https://a.example/a/../b", "between slashes"),
        ("https://a.example/./b", "between slashes"),
        ("https://a.example/a/..", "between slashes"),
        ("https://a.example/%2e%2E/b", "between slashes"),
        ("https://a.example:8080/", "port"),
        ("https://a.example:443/", "port"),
        ("https://a.example:/", "port"),
        ("https://a.example:99999/", "not the address"),
        ("https://192.0.2.1/", "number"),
        ("127.0.0.1", "number"),
        ("127.1", "number"),
        ("2130706433", "number"),
        ("0x7f.1", "number"),
        ("0177.0.0.1", "number|name of a host"),
        ("https://[::1]/", "number"),
        ("https://[2001:db8::1]:80/", "number"),
        ("①②⑦.0.0.1", "number|name of a host"),
        ("localhost", "machine"),
        ("alice.localhost", "machine"),
        ("https://a..example/", "name of a host"),
        ("https://.a.example/", "name of a host"),
        ("https://" + "a" * 300 + ".example/", "name of a host"),
        ("https://a b.example/", "not the address"),
        ("https://a.example/ b", "not the address"),
        ("https://a.example\\@b.example/", "not the address"),
        ("https://a.example/\r\nX: y", "not the address"),
        ("https://[::1/", "not the address"),
        ("https://a.example/" + "x" * 2048, "not the address"),
    ],
)
def test_what_is_no_profile_url(typed: str, why: str) -> None:
    """What people are not known by is refused with a reason and a right example."""
    with pytest.raises(InputError, match=why) as caught:
        profile_url(typed)
    assert caught.value.hint is not None


@pytest.mark.parametrize(
    ("typed", "canonical"),
    [
        ("http://localhost:8421", "http://localhost:8421/"),
        ("http://alice.localhost:8421/", "http://alice.localhost:8421/"),
        ("http://127.0.0.1:8421/bob", "http://127.0.0.1:8421/bob"),
        ("http://[::1]:8421/", "http://[::1]:8421/"),
        ("http://localhost/", "http://localhost/"),
    ],
)
def test_this_machine_may_be_named_where_that_is_allowed(typed: str, canonical: str) -> None:
    """For demo and tests loopback is a profile, with a port; nothing else gains by it."""
    assert profile_url(typed, loopback=True) == canonical
    with pytest.raises(InputError):
        profile_url(typed)


@pytest.mark.parametrize("typed", ["http://a.example:8421/", "http://10.0.0.1/", "http://1.1.1.1/"])
def test_other_numbers_and_ports_stay_refused(typed: str) -> None:
    """Allowing loopback allows nothing else."""
    with pytest.raises(InputError):
        profile_url(typed, loopback=True)


@settings(deadline=None)
@given(
    st.one_of(
        st.text(),
        st.from_regex(r"(https?://)?[A-Za-zü0-9.:@\[\]-]{1,20}([/?#][!-ÿ]{0,20})?", fullmatch=True),
    ),
    st.booleans(),
)
def test_canonical_is_canonical(text: str, loopback: bool) -> None:
    """Any text is refused or becomes a URL that stays what it is, in ASCII."""
    with suppress(InputError):
        found = profile_url(text, loopback=loopback)
        assert profile_url(found, loopback=loopback) == found
        assert found.isascii()


def test_knows_this_machine() -> None:
    """Names and addresses of loopback are told from others."""
    assert all(is_loopback(host) for host in ("localhost", "a.localhost", "127.9.9.9", "::1"))
    assert not any(is_loopback(host) for host in ("localhost.example", "128.0.0.1", "a.example"))
