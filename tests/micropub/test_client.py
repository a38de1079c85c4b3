from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.micropub.conftest import NOW, an_episode
from tests.websites import Asked, Said, Website, as_json, html, local_client, redirect, serving
from watchbook.http import HttpClient
from watchbook.micropub.client import Config, Micropub, Target
from watchbook.micropub.outcome import Kind
from watchbook.micropub.post import Look, form, properties

PROPERTIES = properties(an_episode(), now=NOW)
MADE = Said(201, b"", [("Location", "/posts/1")])


def test_makes_a_post(micropub: Micropub, site: Website) -> None:
    """One JSON request with the token in its header, and the address that comes back."""
    site.pages["/micropub"] = MADE
    assert micropub.create(PROPERTIES).url == site.url("/posts/1")
    [asked] = site.asked
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["accept"] == "application/json"
    assert asked.headers["authorization"] == "Bearer the-access-token"
    assert asked.json == {"type": ["h-entry"], "properties": PROPERTIES}
    assert b"the-access-token" not in asked.body
    assert "the-access-token" not in asked.target
    assert "the-access-token" not in repr(micropub)


def test_makes_a_post_by_form(micropub: Micropub, site: Website) -> None:
    """The same as a form, for servers that take no JSON."""
    site.pages["/micropub"] = MADE
    assert micropub.create_by_form(form(an_episode(), now=NOW)).kind is Kind.PUBLISHED
    [asked] = site.asked
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.form["h"] == ["entry"]
    assert asked.form["category[]"] == ["watched", "tv"]
    assert asked.form["mp-slug"] == ["trakt-5611853642"]
    assert "access_token" not in asked.form


def test_publishes_as_json_and_else_as_a_form(micropub: Micropub, site: Website) -> None:
    """Only a server that takes no JSON, and has done nothing then, is sent the form."""

    def forms_only(asked: Asked) -> Said:
        return Said(415) if asked.headers["content-type"] == "application/json" else MADE

    for page, requests, good in ((MADE, 1, True), (forms_only, 2, True), (Said(500), 1, False)):
        site.asked.clear()
        site.pages["/micropub"] = page
        assert micropub.publish(an_episode(), now=NOW).good is good
        assert len(site.asked) == requests
    site.pages["/micropub"] = forms_only
    draft = replace(an_episode(), look=Look(status="draft"))
    assert micropub.publish(draft, now=NOW).provisional
    assert site.asked[-1].form["post-status"] == ["draft"]


def test_drafts_have_provisional_addresses(micropub: Micropub, site: Website) -> None:
    """Who made a draft knows that its address may change."""
    site.pages["/micropub"] = MADE
    assert micropub.create(PROPERTIES, draft=True).provisional
    assert micropub.create_by_form({"h": "entry"}, draft=True).provisional
    assert not micropub.create(PROPERTIES).provisional


CHANGES: dict[str, tuple[Callable[[Micropub, str], Any], dict[str, Any]]] = {
    "update": (lambda m, url: m.update(url, {"content": ["x"]}), {"replace": {"content": ["x"]}}),
    "delete": (lambda m, url: m.delete(url), {}),
    "undelete": (lambda m, url: m.undelete(url), {}),
}


@pytest.mark.parametrize("action", CHANGES)
def test_changes_a_post(micropub: Micropub, site: Website, action: str) -> None:
    """Updates replace and nothing else; deleting and bringing back name the post."""
    change, more = CHANGES[action]
    site.pages["/micropub"] = Said(204)
    outcome = change(micropub, "https://a.example/1")
    assert (outcome.kind, outcome.url) == (Kind.DONE, "https://a.example/1")
    assert site.asked[0].json == {"action": action, "url": "https://a.example/1", **more}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirected_post_is_not_followed(micropub: Micropub, site: Website, status: int) -> None:
    """The page behind a redirect would say 200, and nothing would have been posted."""
    site.pages["/micropub"] = redirect("/micropub/", status)
    site.pages["/micropub/"] = MADE
    assert micropub.create(PROPERTIES).kind is Kind.MOVED
    assert [asked.path for asked in site.asked] == ["/micropub"]


@pytest.mark.parametrize("status", [302, 307])
def test_the_token_goes_to_no_other_host(http: HttpClient, status: int) -> None:
    """Queries are not redirected either, least of all to another server."""
    with serving(Website()) as other, serving(Website()) as site:
        site.pages["/micropub"] = redirect(other.url("/"), status)
        client = Micropub(http, site.url("/micropub"), "the-access-token")
        assert client.config() == Config()
        assert client.create(PROPERTIES).kind is Kind.MOVED
        assert client.test().kind is Kind.UNKNOWN
        assert other.asked == []


def test_a_cookie_is_never_sent_back(site: Website, http: HttpClient) -> None:
    """A server that puts a token into a cookie would take Bob's films for Alice's."""
    cookie = ("Set-Cookie", "token=alice; Path=/")
    site.pages["/micropub"] = Said(202, b"", [("Location", "/posts/1"), cookie])
    for token in ("alices-token", "bobs-token"):
        Micropub(http, site.url("/micropub"), token).create(PROPERTIES)
        Micropub(http, site.url("/micropub"), token).config()
    assert len(site.asked) == 4
    assert not any("cookie" in asked.headers for asked in site.asked)
    assert site.asked[2].headers["authorization"] == "Bearer bobs-token"


@pytest.mark.parametrize(
    ("endpoint", "target"),
    [
        ("/micropub", "/micropub?q=config"),
        ("/?rest_route=%2Fmicropub&q=x", "/?rest_route=%2Fmicropub&q=x&q=config"),
    ],
)
def test_queries_are_appended(http: HttpClient, site: Website, endpoint: str, target: str) -> None:
    """An endpoint with a query of its own keeps it, letter by letter."""
    Micropub(http, site.url(endpoint), "the-access-token").config()
    assert site.asked[0].target == target
    assert site.asked[0].headers["authorization"] == "Bearer the-access-token"


def test_reads_the_configuration(micropub: Micropub, site: Website) -> None:
    """Media endpoint, targets, categories, queries and visibilities, as far as they are there."""
    site.pages["/micropub"] = as_json(
        {
            "media-endpoint": "/media",
            "syndicate-to": [{"uid": "u1", "name": "One"}, {"uid": "u2"}, {"name": "x"}, "y"],
            "categories": ["tv", 5],
            "q": ["config", "source"],
            "visibility": ["public"],
        }
    )
    assert micropub.config() == Config(
        site.url("/media"),
        (Target("u1", "One"), Target("u2", "u2")),
        ("tv",),
        frozenset({"config", "source"}),
        ("public",),
    )


ODD: dict[str, Said] = {
    "Tanzawa": as_json({"message": "no"}, 400),
    "Indiekit": as_json({"error": "not_implemented"}, 501),
    "WordPress": as_json({"data": {"error": "invalid_request"}, "status": 400}),
    "django-indieweb": Said(200, b"me=https://a.example/", [("Content-Type", "text/html")]),
    "a page": html("<h1>Welcome"),
    "a log-in page": redirect("/login"),
    "nothing": Said(),
    "a list": as_json([1, 2]),
    "null": as_json(None),
    "half": Said(200, b'{"media-endpoint":"/m', [("Content-Type", "application/json")]),
    "wrong types": as_json(
        {"media-endpoint": 5, "syndicate-to": {"a": 1}, "categories": "x", "q": 1, "items": 3}
    ),
    "not protected": as_json({"media-endpoint": "javascript:alert(1)"}),
    "too large": as_json({"media-endpoint": "/m", "x": "x" * (1 << 20)}),
}


@pytest.mark.parametrize("server", ODD)
def test_an_unexpected_answer_counts_as_empty(
    micropub: Micropub, site: Website, server: str
) -> None:
    """Servers answer what they do not know in many ways, also with 200."""
    site.pages["/micropub"] = ODD[server]
    assert micropub.config() == Config()
    assert micropub.syndicate_to() == ()
    assert micropub.categories() == ()
    assert not micropub.source("https://a.example/1").there
    assert micropub.source_list(10) is None
    assert site.of("GET", "/login") == []


def test_an_open_media_endpoint_is_not_used_by_a_protected_site(http: HttpClient) -> None:
    """The token goes only where it is as well protected as at the endpoint."""
    client = Micropub(http, "https://a.example/micropub", "the-access-token")
    assert client._endpoint("http://a.example/media") is None
    assert client._endpoint("https://media.example/") == "https://media.example/"


def by_query(answers: dict[str, Said]) -> Callable[[Asked], Said]:
    """Answer each query in its own way."""
    return lambda asked: answers.get(asked.query["q"][0], Said(400))


def test_asks_for_targets_and_categories(micropub: Micropub, site: Website) -> None:
    """Each has a query of its own."""
    site.pages["/micropub"] = by_query(
        {
            "syndicate-to": as_json({"syndicate-to": [{"uid": "u", "name": "N"}]}),
            "category": as_json({"categories": ["a", "b"]}),
        }
    )
    assert micropub.syndicate_to() == (Target("u", "N"),)
    assert micropub.categories() == ("a", "b")


def test_reads_the_source_of_a_post(micropub: Micropub, site: Website) -> None:
    """All properties, or those that are named; a deleted post is not there."""
    site.pages["/micropub"] = as_json({"properties": {"content": ["x"]}})
    source = micropub.source("https://a.example/1?x=1", ["content", "category"])
    assert (source.there, source.properties) == (True, {"content": ["x"]})
    assert site.asked[0].query == {
        "q": ["source"],
        "url": ["https://a.example/1?x=1"],
        "properties[]": ["content", "category"],
    }
    site.pages["/micropub"] = as_json({"properties": {"content": ["x"], "deleted": ["2026"]}})
    gone = micropub.source("https://a.example/1")
    assert (gone.there, gone.deleted) == (False, True)


def test_lists_posts(micropub: Micropub, site: Website) -> None:
    """Items without properties are passed over."""
    site.pages["/micropub"] = as_json({"items": [{"properties": {"a": ["b"]}}, {}, 5, None]})
    assert micropub.source_list(20, 40) == [{"a": ["b"]}]
    assert site.asked[0].query == {"q": ["source"], "limit": ["20"], "offset": ["40"]}


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (as_json({}), Kind.DONE),
        (as_json({"error": "unauthorized"}, 401), Kind.SIGN_IN),
        (Said(403), Kind.SIGN_IN),
        (redirect("/login"), Kind.UNKNOWN),
        (Said(503), Kind.DOWN),
    ],
)
def test_tests_the_token(micropub: Micropub, site: Website, said: Said, kind: Kind) -> None:
    """Whether the token is taken can be asked without posting anything."""
    site.pages["/micropub"] = said
    assert micropub.test().kind is kind


def test_a_server_that_is_not_there(http: HttpClient) -> None:
    """Nothing was sent, so nothing was done; an address inside reads no different."""
    gone = Micropub(http, "http://localhost:1/micropub", "the-access-token")
    with local_client("9.9.9.9") as guarded:
        inside = Micropub(guarded, "http://localhost:1/micropub", "the-access-token")
        for client in (gone, inside):
            assert client.create(PROPERTIES).kind is Kind.DOWN
            assert client.delete("https://a.example/1").kind is Kind.DOWN
            assert client.test().kind is Kind.DOWN
            assert client.config() == Config()
            assert client.source("https://a.example/1").status is None


def test_an_answer_that_is_lost_leaves_nobody_the_wiser(micropub: Micropub, site: Website) -> None:
    """A request that went out and was not answered may have made a post."""
    site.pages["/micropub"] = Said(201, b"x" * (1 << 20) + b"x", [("Location", "/posts/1")])
    found = micropub.create(PROPERTIES)
    assert (found.kind, found.url) == (Kind.UNKNOWN, None)
    assert "the-access-token" not in found.words


def test_a_server_that_repeats_the_token_is_not_quoted(micropub: Micropub, site: Website) -> None:
    """Whatever a server says is kept without anything shaped like a token."""
    words = b"Bearer the-access-token is not for this site"
    site.pages["/micropub"] = Said(400, words, [("Content-Type", "text/plain")])
    assert "the-access-token" not in micropub.create(PROPERTIES).words
