from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.indieauth.conftest import Authority
from tests.websites import Said, Website, as_json, html, local_client, redirect, serving
from watchbook.addresses import AddressRule
from watchbook.errors import (
    AddressRefused,
    RateLimited,
    RemoteChanged,
    RemoteError,
    RemoteRejected,
    RemoteUnavailable,
    WatchbookError,
)
from watchbook.http import HttpClient, Timeouts
from watchbook.indieauth import fetching
from watchbook.indieauth.discovery import Discovered, checked, discover, endpoints_in, moved_to
from watchbook.indieauth.refusals import SignInFailed

OLD = (
    '<link rel="authorization_endpoint" href="/auth"><link rel="token_endpoint" href="/token">'
    '<link rel="micropub" href="/micropub">'
)
META = {
    "issuer": "https://a.example/",
    "authorization_endpoint": "https://a.example/auth",
    "token_endpoint": "/token",
}


def found_at(http: HttpClient, url: str) -> Discovered:
    """What is discovered there, on loopback."""
    return discover(http, url, loopback=True)


def test_reads_the_metadata_document(http: HttpClient, site: Website, authority: Authority) -> None:
    """Endpoints and issuer come from the document, the Micropub endpoint from the page."""
    found = found_at(http, site.url())
    assert found.typed == found.me == site.url()
    assert found.seen == (site.url(),)
    assert found.endpoints.authorization == site.url("/auth")
    assert found.endpoints.token == site.url("/token")
    assert found.endpoints.revocation == site.url("/revoke")
    assert found.endpoints.issuer == site.url("")
    assert found.micropub == site.url("/micropub")


def test_reads_the_old_links(http: HttpClient, site: Website) -> None:
    """A page without a metadata document names its endpoints itself; then there is no issuer."""
    site.pages["/"] = html(OLD)
    endpoints = found_at(http, site.url()).endpoints
    assert (endpoints.authorization, endpoints.token) == (site.url("/auth"), site.url("/token"))
    assert (endpoints.issuer, endpoints.revocation) == (None, None)


def test_headers_and_page_are_both_looked_at(http: HttpClient, site: Website) -> None:
    """That a header names one endpoint does not hide the others in the page."""
    site.pages["/"] = html(OLD, ("Link", '</other>; rel="micropub"'), ("Link", "</x>; rel=me"))
    found = found_at(http, site.url())
    assert found.micropub == site.url("/other")
    assert found.endpoints.token == site.url("/token")


def test_a_comment_takes_over_nothing(http: HttpClient, site: Website) -> None:
    """Anchors of visitors, comments and templates name no endpoint."""
    evil = "https://evil.example/"
    site.pages["/"] = html(
        f'<a rel="micropub authorization_endpoint token_endpoint" href="{evil}">hi</a>'
        f'<!-- <link rel="micropub" href="{evil}"> -->'
        f'<template><link rel="token_endpoint" href="{evil}"></template>'
        f"{OLD}"
    )
    assert evil not in str(found_at(http, site.url()))


def test_a_site_without_micropub_is_found_all_the_same(http: HttpClient, site: Website) -> None:
    """Who takes no posts may sign in."""
    site.pages["/"] = html(OLD.partition('<link rel="micropub"')[0])
    assert found_at(http, site.url()).micropub is None


@pytest.mark.parametrize(
    ("steps", "me", "final"),
    [
        ([("/", 301, "/home")], "/home", "/home"),
        ([("/", 308, "/home")], "/home", "/home"),
        ([("/", 302, "/home")], "/", "/home"),
        ([("/", 301, "/a"), ("/a", 302, "/home")], "/a", "/home"),
        ([("/", 303, "/a"), ("/a", 301, "/home")], "/", "/home"),
    ],
)
def test_follows_redirects(
    http: HttpClient, site: Website, steps: list[tuple[str, int, str]], me: str, final: str
) -> None:
    """``me`` is the address after redirects that last; links are seen from the final page."""
    for path, status, target in steps:
        site.pages[path] = redirect(target, status)
    site.pages[final] = html(OLD.replace('"/auth"', '"auth"'))
    found = found_at(http, site.url())
    assert found.typed == site.url()
    assert found.me == site.url(me)
    assert found.seen == tuple(site.url(path) for path, *_ in [*steps, (final, 0, "")])
    assert found.endpoints.authorization == site.url("/auth")


def test_gives_up_on_endless_redirects(http: HttpClient, site: Website) -> None:
    """More than five redirects lead nowhere."""
    site.pages["/"] = redirect("/")
    with pytest.raises(RemoteRejected, match="without end"):
        found_at(http, site.url())
    assert len(site.asked) == 6


BROKEN_DOCUMENTS: dict[str, tuple[Said, type[WatchbookError]]] = {
    "not there": (html("gone", status=404), RemoteRejected),
    "forbidden": (html("no", status=403), RemoteRejected),
    "down": (html("oops", status=503), RemoteUnavailable),
    "busy": (Said(429, b"", [("Retry-After", "7")]), RateLimited),
    "a page": (html("<p>welcome"), RemoteChanged),
    "not whole": (Said(200, b'{"issuer":', [("Content-Type", "application/json")]), RemoteChanged),
    "a list": (as_json([1]), RemoteChanged),
    "too large": (as_json({"x": "x" * 70_000}), RemoteChanged),
    "empty": (as_json({}), RemoteRejected),
    "no issuer": (as_json({n: v for n, v in META.items() if n != "issuer"}), RemoteRejected),
}


@pytest.mark.parametrize("fault", BROKEN_DOCUMENTS)
def test_a_broken_document_is_an_error(http: HttpClient, site: Website, fault: str) -> None:
    """A page that names a document is not asked for the old links, which would lose `iss`."""
    said, kind = BROKEN_DOCUMENTS[fault]
    site.pages["/"] = html(f'<link rel="indieauth-metadata" href="/meta">{OLD}')
    site.pages["/meta"] = said
    with pytest.raises(kind) as caught:
        found_at(http, site.url())
    assert isinstance(caught.value, RemoteError)
    assert caught.value.message


@pytest.mark.parametrize(
    ("changes", "source", "fine"),
    [
        ({}, "https://a.example/meta", True),
        ({"issuer": "https://a.example"}, "https://a.example/meta", True),
        ({"issuer": "https://a.example/x"}, "https://a.example/x/meta", True),
        ({"issuer": "https://a.example/x"}, "https://a.example/y/meta", False),
        ({"issuer": "https://b.example/"}, "https://a.example/meta", False),
        ({"issuer": "https://a.example"}, "https://a.example.evil.example/meta", False),
        ({"issuer": "https://a.ex"}, "https://a.example/meta", False),
        ({"issuer": "http://a.example/"}, "http://a.example/meta", False),
        ({"issuer": "https://a.example/?x"}, "https://a.example/?x/meta", False),
        ({"issuer": "https://a.example/#x"}, "https://a.example/#x", False),
        ({"issuer": ["https://a.example/"]}, "https://a.example/meta", False),
        ({"issuer": None}, "https://a.example/meta", False),
        ({"token_endpoint": None}, "https://a.example/meta", False),
        ({"token_endpoint": 1}, "https://a.example/meta", False),
        ({"token_endpoint": ""}, "https://a.example/meta", False),
        ({"authorization_endpoint": None}, "https://a.example/meta", False),
        ({"authorization_endpoint": "javascript:alert(1)"}, "https://a.example/meta", False),
        ({"authorization_endpoint": "http://a.example/auth"}, "https://a.example/meta", False),
        ({"token_endpoint": "http://a.example/token"}, "https://a.example/meta", False),
        ({"revocation_endpoint": "http://a.example/r"}, "https://a.example/meta", False),
        ({"authorization_endpoint": "https://u:p@a.example/"}, "https://a.example/meta", False),
    ],
)
def test_what_a_document_has_to_hold(changes: dict[str, Any], source: str, fine: bool) -> None:
    """An issuer that may speak through the document, and endpoints as protected as the page."""
    document = META | changes
    if fine:
        found = endpoints_in(document, source, "https://a.example/", secure=True)
        assert found.token == "https://a.example/token"
        assert found.issuer == document["issuer"]
    else:
        with pytest.raises(RemoteRejected) as caught:
            endpoints_in(document, source, "https://a.example/", secure=True)
        assert caught.value.hint is not None


def test_an_unprotected_page_may_have_unprotected_endpoints() -> None:
    """Only an https profile requires https of everything."""
    assert checked("http://a.example/", "token endpoint", "http://a.example/t", secure=False)
    with pytest.raises(RemoteRejected, match="not protected by https"):
        checked("https://a.example/", "token endpoint", "http://a.example/t", secure=True)


@pytest.mark.parametrize(
    ("html_text", "words"),
    [("<p>hello", "does not say where"), (OLD.partition('<link rel="token')[0], "where to sign")],
)
def test_a_page_that_names_no_server(
    http: HttpClient, site: Website, html_text: str, words: str
) -> None:
    """Without both endpoints nobody can sign in, and the error says what a site needs."""
    site.pages["/"] = html(html_text)
    with pytest.raises(RemoteRejected, match=words) as caught:
        found_at(http, site.url())
    assert "IndieAuth" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, RemoteRejected),
        (404, RemoteRejected),
        (410, RemoteRejected),
        (500, RemoteUnavailable),
        (503, RemoteUnavailable),
        (429, RateLimited),
    ],
)
def test_an_error_page_is_no_profile(
    http: HttpClient, site: Website, status: int, kind: type[RemoteError]
) -> None:
    """What a block page links to does not count, and the error says what came."""
    site.pages["/"] = html(OLD, status=status)
    with pytest.raises(kind, match=f"status {status}, text/html"):
        found_at(http, site.url())


def test_an_oversized_page_is_refused(http: HttpClient, site: Website) -> None:
    """A page beyond a mebibyte is not read to its end."""
    site.pages["/"] = html(OLD + "x" * (1024 * 1024))
    with pytest.raises(RemoteChanged, match="1,048,576 bytes"):
        found_at(http, site.url())


@pytest.fixture
def dripping() -> Iterator[int]:
    """The port of a server that never comes to the end of its headers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


def test_a_silent_page_is_given_up(
    http: HttpClient, dripping: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that takes its time is left, and reads like one that cannot be reached."""
    monkeypatch.setattr(fetching, "_PATIENCE", Timeouts(connect=1, read=0.1, total=0.1))
    with pytest.raises(RemoteUnavailable, match=r"^localhost could not be reached\.$"):
        found_at(http, f"http://localhost:{dripping}/")


# Addresses that may not be connected to

PLACES: dict[str, Callable[[Website, str], str]] = {
    "typed": lambda site, target: target,
    "redirect": lambda site, target: site.url("/redirect"),
    "metadata": lambda site, target: site.url("/metadata"),
    "redirect of the metadata": lambda site, target: site.url("/moved-metadata"),
}
INSIDE = """
    127.0.0.1 127.1 0x7f.1 2130706433 0177.0.0.1 [::1] [::ffff:127.0.0.1] [::ffff:7f00:1]
    [64:ff9b::7f00:1] [2002:7f00:1::] [::127.0.0.1] localhost 10.0.0.1 169.254.169.254
    192.168.1.1 172.16.0.1 100.64.0.1 0.0.0.0 224.0.0.1 [fe80::1] [fc00::1] [fec0::1] [ff02::1]
    [64:ff9b::a9fe:a9fe] 192.0.0.8 192.88.99.1 [3fff::1] [5f00::1]
""".split()


@pytest.fixture
def trap() -> Iterator[socket.socket]:
    """A listening socket that nobody may connect to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        yield listener


@pytest.mark.parametrize("inside", INSIDE)
@pytest.mark.parametrize("place", PLACES)
def test_leads_nobody_inside(site: Website, trap: socket.socket, place: str, inside: str) -> None:
    """However a private address is written, and wherever it is named, nothing connects to it."""
    target = f"http://{inside}:{trap.getsockname()[1]}/"
    site.pages["/redirect"] = redirect(target)
    site.pages["/metadata"] = html(f'<link rel="indieauth-metadata" href="{target}">')
    site.pages["/moved-metadata"] = html('<link rel="indieauth-metadata" href="/redirect">')
    with HttpClient(AddressRule([f"127.0.0.1:{site.port}"])) as guarded:
        with pytest.raises(RemoteUnavailable) as caught:
            discover(guarded, PLACES[place](site, target).replace("localhost", "127.0.0.1"))
        assert "could not be reached" in caught.value.message
    with pytest.raises(BlockingIOError):
        trap.accept()


def test_refused_and_unreachable_read_alike(trap: socket.socket) -> None:
    """Nobody learns from an error which addresses of our network answer."""
    said = []
    with socket.create_server(("127.0.0.1", 0)) as closed:
        nothing_there = closed.getsockname()[1]
    for port, allowed in ((trap.getsockname()[1], "9.9.9.9"), (nothing_there, "127.0.0.1")):
        with local_client(allowed) as client, pytest.raises(RemoteUnavailable) as caught:
            discover(client, f"http://a.localhost:{port}/", loopback=True)
        error = caught.value
        said.append((type(error), error.message, error.hint, error.service, error.address))
    assert said[0] == said[1]
    assert not isinstance(caught.value, AddressRefused)


def test_no_cookie_goes_back(http: HttpClient, authority: Authority) -> None:
    """What a site sets while it is discovered is not sent with anything."""
    site = authority.site
    cookie = ("Set-Cookie", "token=bob; Path=/")
    site.pages["/"] = html(authority.head, cookie)
    site.pages["/meta"] = as_json(authority.metadata, 200, cookie)
    found_at(http, site.url())
    found_at(http, site.url())
    assert len(site.asked) == 4
    assert not any("cookie" in one.headers for one in site.asked)


def test_says_who_asks_and_what_for(http: HttpClient, authority: Authority) -> None:
    """A site sees the program's name, and what kind of document is wanted."""
    found_at(http, authority.site.url())
    page, document = authority.site.asked
    assert page.headers["user-agent"].startswith("Watchbook/")
    assert page.headers["accept"].startswith("text/html")
    assert document.headers["accept"] == "application/json"


def test_a_protected_page_may_not_lead_to_an_open_one() -> None:
    """A redirect from https to http would let the network choose the server."""
    import httpx2  # noqa: PLC0415 - for this one stand-in of https

    def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.scheme == "https":
            return httpx2.Response(302, headers={"Location": "http://a.example/"})
        return httpx2.Response(200, html=OLD)

    with (
        HttpClient(AddressRule(), transport=httpx2.MockTransport(answer)) as client,
        pytest.raises(RemoteRejected, match="not protected by https"),
    ):
        discover(client, "https://a.example/")


def test_an_endpoint_that_moved_is_found_again(http: HttpClient, site: Website) -> None:
    """On the same server the token may be used at the new address."""
    site.pages["/"] = html(OLD)
    found = moved_to(http, site.url(), site.url("/old"))
    assert found == site.url("/micropub")


@pytest.mark.parametrize(
    ("link", "before"),
    [
        ("https://evil.example/micropub", "http://localhost/micropub"),
        ("http://localhost/micropub", "https://localhost/micropub"),
        ("", "http://localhost/micropub"),
    ],
)
def test_a_token_does_not_move_to_another_server(
    http: HttpClient, site: Website, link: str, before: str
) -> None:
    """A page that names another host, an open address or nothing is no place for a token."""
    site.pages["/"] = html(
        OLD.replace('rel="micropub" href="/micropub"', f'rel="{link and "micropub"}" href="{link}"')
    )
    with pytest.raises(SignInFailed) as caught:
        moved_to(http, site.url(), before)
    assert caught.value.hint is not None


def test_two_sites_do_not_share_anything(http: HttpClient, authority: Authority) -> None:
    """Each page is read for itself, whatever was discovered before."""
    with serving(Website({"/": html(OLD)})) as other:
        found_at(http, authority.site.url())
        assert found_at(http, other.url()).endpoints.token == other.url("/token")
