"""The client tests of micropub.rocks, by their numbers.

The checker below was written from the published table of what each test demands. Left out is
107 alone, which nobody can pass: its server has no code for it. Watchbook's own posts pass those
that concern a publisher of plays. The client passes the others too, with posts that Watchbook
does not make: a photo on the entry (104, 203, 205, 300) makes it another kind of post, and
updates that add or remove (401 to 403) are not for all servers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from email import message_from_bytes
from email.message import Message
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.micropub.conftest import HEAT, NOW, POSTER, an_episode
from tests.websites import Asked, Said, Website, as_json, html
from watchbook.http import HttpClient
from watchbook.indieauth.discovery import discover
from watchbook.indieauth.document import client_at
from watchbook.indieauth.flow import start
from watchbook.indieauth.identity import SignedIn, complete
from watchbook.micropub.citing import pictured
from watchbook.micropub.client import Micropub
from watchbook.micropub.media import upload
from watchbook.micropub.outcome import Kind
from watchbook.micropub.parts import File, picture
from watchbook.micropub.post import Look, Post, form, properties
from watchbook.micropub.titles import Watched

NEWS = "https://news.indieweb.org/en"
CREATED = Said(201, b"", [("Location", "/client/x/posts/1")])


def is_form(asked: Asked) -> bool:
    """Whether a request is what micropub.rocks takes for a form."""
    return asked.headers["content-type"] == "application/x-www-form-urlencoded"


def is_json(asked: Asked) -> bool:
    """Whether it is JSON; with a charset behind its type it would be taken for a form."""
    return asked.headers["content-type"] == "application/json"


def entry_form(asked: Asked) -> dict[str, list[str]]:
    """The fields of a post made by a form."""
    assert is_form(asked)
    assert asked.form["h"] == ["entry"]
    return asked.form


def entry_json(asked: Asked) -> dict[str, list[Any]]:
    """The properties of a post made by JSON, all of them lists."""
    assert is_json(asked)
    assert "h-entry" in asked.json["type"]
    found: dict[str, list[Any]] = asked.json["properties"]
    assert all(isinstance(values, list) for values in found.values())
    return found


def nested(found: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The values that are objects of their own."""
    values = [value for values in found.values() for value in values if isinstance(value, dict)]
    return [value for value in values if value.get("type", [""])[0].startswith("h-")]


def action(asked: Asked, name: str) -> dict[str, Any]:
    """The body of a change."""
    assert is_json(asked)
    body: dict[str, Any] = asked.json
    assert body["action"] == name
    assert body["url"]
    return body


def replaced(asked: Asked) -> bool:
    """Whether the content is replaced by a sentence of three words."""
    found = action(asked, "update")["replace"]["content"]
    return isinstance(found, list) and len(found[0].split()) >= 3


def parts(asked: Asked) -> dict[str, Message]:
    """The parts of a form with files, by their names."""
    kind = asked.headers["content-type"] or ""
    assert kind.startswith("multipart/form-data;")
    whole = message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + asked.body)
    named = ((part.get_param("name", header="content-disposition"), part) for part in whole.walk())
    return {name: part for name, part in named if isinstance(name, str)}


def entry_parts(asked: Asked) -> dict[str, Message]:
    """The parts of a post that brings its files along."""
    found = parts(asked)
    assert found["h"].get_payload() == "entry"
    return found


def is_url(value: Any) -> bool:
    """Whether a value is an address, alone or with a description."""
    found = value["value"] if isinstance(value, dict) else value
    return bool(urlsplit(found).scheme in {"http", "https"} and urlsplit(found).hostname)


def described(value: Any) -> bool:
    """Whether a picture has an address and a text in its place."""
    return bool(value["value"] and value["alt"])


def changed(asked: Asked, name: str) -> Any:
    """What an update adds or deletes."""
    return action(asked, "update")[name]


CHECKS: dict[int, Callable[[Asked], bool]] = {
    100: lambda asked: bool(entry_form(asked)["content"][0]),
    101: lambda asked: len(entry_form(asked)["category[]"]) >= 2,
    104: lambda asked: is_url(entry_form(asked)["photo"][0]),
    105: lambda asked: NEWS in entry_form(asked)["mp-syndicate-to"],
    106: lambda asked: "access_token" not in entry_form(asked),
    200: lambda asked: isinstance(entry_json(asked)["content"][0], str),
    201: lambda asked: len(entry_json(asked)["category"]) >= 2,
    202: lambda asked: bool(entry_json(asked)["content"][0]["html"]),
    203: lambda asked: is_url(entry_json(asked)["photo"][0]),
    204: lambda asked: any(
        isinstance(one["properties"], dict) for one in nested(entry_json(asked))
    ),
    205: lambda asked: described(entry_json(asked)["photo"][0]),
    300: lambda asked: bool(entry_parts(asked)["photo"].get_filename()),
    301: lambda asked: "access_token" not in entry_parts(asked),
    400: replaced,
    401: lambda asked: changed(asked, "add")["category"] == ["foo"],
    402: lambda asked: changed(asked, "delete")["category"] == ["foo"],
    403: lambda asked: (
        isinstance(changed(asked, "delete"), list) and "category" in changed(asked, "delete")
    ),
    500: lambda asked: bool(action(asked, "delete")),
    502: lambda asked: bool(action(asked, "undelete")),
    600: lambda asked: asked.query == {"q": ["config"]},
    601: lambda asked: asked.query == {"q": ["syndicate-to"]},
    602: lambda asked: asked.query.keys() == {"q", "url"} and asked.query["q"] == ["source"],
    603: lambda asked: asked.query["q"] == ["source"] and bool(asked.query["properties[]"]),
    700: lambda asked: "file" in parts(asked),
}
"""What each test demands; the published list has these numbers and 107."""


@dataclass
class Rocks:
    """A stand-in for micropub.rocks while one of its tests is open in the browser."""

    site: Website
    passed: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        base = "/client/x"
        links = {"authorization_endpoint": "auth", "token_endpoint": "token", "micropub": "mp"}
        self.site.pages[base] = html(
            "".join(f'<link rel="{rel}" href="{base}/{end}">' for rel, end in links.items()),
            *(("Link", f'<{base}/{end}>; rel="{rel}"') for rel, end in links.items()),
        )
        self.site.pages[f"{base}/token"] = self.token
        self.site.pages[f"{base}/mp"] = self.site.pages[f"{base}/media"] = self.micropub

    def consent(self, address: str) -> str:
        """The callback of the authorization endpoint, which demands these fields."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        assert asked["response_type"] == "code"
        assert "create" in asked["scope"].split()
        assert asked["me"].startswith("http")
        assert {"client_id", "redirect_uri"} <= asked.keys()
        return urlencode({"code": "the-code", "state": asked["state"]})

    def token(self, asked: Asked) -> Said:
        """A token without type; JSON for those who ask for it."""
        assert {"grant_type", "code", "client_id", "redirect_uri"} <= asked.form.keys()
        found = {"access_token": "rocks-token", "scope": "create"}
        found["me"] = self.site.url("/client/x")
        if "json" in asked.headers["accept"]:
            return as_json(found)
        kind = "application/x-www-form-urlencoded"
        return Said(200, urlencode(found).encode(), [("Content-Type", kind)])

    def micropub(self, asked: Asked) -> Said:
        """Check a request against every test; the one that is open decides."""
        if "authorization" not in asked.headers:
            return Said(400)
        if asked.headers["authorization"] != "Bearer rocks-token":
            return Said(403)
        self.passed |= {number for number, check in CHECKS.items() if fulfils(check, asked)}
        if asked.method == "GET":
            return as_json({"media-endpoint": "/client/x/media"})
        return CREATED


def fulfils(check: Callable[[Asked], bool], asked: Asked) -> bool:
    """Whether a request passes; one of another kind does not."""
    try:
        return check(asked)
    except (AssertionError, KeyError, TypeError, ValueError, IndexError):
        return False


@pytest.fixture
def rocks(site: Website) -> Rocks:
    """The checker."""
    return Rocks(site)


@pytest.fixture
def signed_in(http: HttpClient, rocks: Rocks) -> SignedIn:
    """Somebody who has signed in there."""
    found = discover(http, rocks.site.url("/client/x"), loopback=True)
    address, pending = start(found, client_at("http://localhost:8420"), ["create"], now=NOW)
    return complete(http, pending, rocks.consent(address), now=NOW, loopback=True)


@pytest.fixture
def client(http: HttpClient, signed_in: SignedIn) -> Micropub:
    """Their endpoint."""
    assert signed_in.micropub is not None
    return Micropub(http, signed_in.micropub, signed_in.token.access)


def made(client: Micropub, post: Post) -> None:
    """Make the post as JSON."""
    assert client.create(properties(post, now=NOW)).kind is Kind.PUBLISHED


def made_by_form(client: Micropub, post: Post) -> None:
    """Make the post as a form."""
    assert client.create_by_form(form(post, now=NOW)).kind is Kind.PUBLISHED


def a_file() -> File:
    """A picture."""
    found = picture(b"\xff\xd8\xff\xe0")
    assert found is not None
    return found


def with_file(client: Micropub) -> None:
    """Make a post that brings its picture along."""
    assert client.create_with_files(FIELDS, {"photo": a_file()}).kind is Kind.PUBLISHED


def uploaded(client: Micropub) -> None:
    """Upload a poster to the media endpoint that the configuration names."""
    media = client.config().media_endpoint
    assert media is not None
    assert upload(client.http, media, client.token, a_file()).kind is Kind.PUBLISHED


URL = "https://a.example/1"
POST = an_episode()
FIELDS: dict[str, str | list[str]] = {"h": "entry", "content": "Look", "category[]": ["a", "b"]}
DEEDS: dict[int, Callable[[Micropub], object]] = {
    100: lambda client: made_by_form(client, POST),
    101: lambda client: made_by_form(client, POST),
    104: lambda client: client.create_by_form({**FIELDS, "photo": POSTER.url}),
    105: lambda client: made_by_form(client, replace(POST, look=Look(syndicate_to=(NEWS,)))),
    106: lambda client: made_by_form(client, POST),
    200: lambda client: made(client, POST),
    201: lambda client: made(client, POST),
    202: lambda client: made(client, replace(POST, html="<b>Watched</b> it")),
    203: lambda client: client.create({"content": ["Look"], "photo": [POSTER.url]}),
    204: lambda client: made(client, Post([Watched(7, HEAT, POSTER)], "x")),
    205: lambda client: client.create({"content": ["Look"], "photo": [pictured(POSTER)]}),
    300: with_file,
    301: with_file,
    400: lambda client: client.update(URL, {"content": ["Watched Heat again"]}),
    401: lambda client: client.update(URL, add={"category": ["foo"]}),
    402: lambda client: client.update(URL, delete={"category": ["foo"]}),
    403: lambda client: client.update(URL, delete=["category"]),
    500: lambda client: client.delete(URL),
    502: lambda client: client.undelete(URL),
    600: lambda client: client.config(),
    601: lambda client: client.syndicate_to(),
    602: lambda client: client.source(URL),
    603: lambda client: client.source(URL, ["content"]),
    700: uploaded,
}
THE_LIST = {
    *(100, 101, 104, 105, 106, 107, 200, 201, 202, 203, 204, 205, 300, 301),
    *(400, 401, 402, 403, 500, 502, 600, 601, 602, 603, 700),
}
"""Every client test that micropub.rocks defines."""


def test_every_number_has_a_test() -> None:
    """Of the list only that is left out which nobody can pass."""
    assert DEEDS.keys() == CHECKS.keys() == THE_LIST - {107}


@pytest.mark.parametrize("number", DEEDS)
def test_passes(number: int, client: Micropub, rocks: Rocks) -> None:
    """What Watchbook does anyway passes the test of this number."""
    DEEDS[number](client)
    assert number in rocks.passed


def test_the_checker_is_strict(client: Micropub, rocks: Rocks) -> None:
    """A request of one kind passes no test of another, and a wrong token none at all."""
    made_by_form(client, POST)
    assert rocks.passed == {100, 101, 106}
    assert replace(client, token="another").create({}).kind is Kind.SIGN_IN
    assert rocks.passed == {100, 101, 106}
    with_file(client)
    assert rocks.passed == {100, 101, 106, 300, 301}


def test_signs_in_there(signed_in: SignedIn) -> None:
    """Old links, no issuer, no type of token, and a scope that is always the same."""
    assert signed_in.token.access == "rocks-token"
    assert signed_in.token.may_post
    assert signed_in.endpoints.issuer is None
