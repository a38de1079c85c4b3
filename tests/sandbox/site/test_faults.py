from __future__ import annotations

from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.sandbox.site.conftest import FILM
from watchbook.sandbox.rules import parse
from watchbook.sandbox.site import FAULTS, ControlError, FaultSyntaxError, SiteOptions, running

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.sandbox.site.conftest import Visitor

PATIENCE = 0.2
"""Seconds of silence after which a test believes that nothing will come."""


def test_every_fault_is_described() -> None:
    """One line each, without a full stop, and readable as a rule."""
    for name, fault in FAULTS.items():
        assert parse(name, FAULTS).scope == fault.scope
        assert 2 < len(fault.meaning) < 80, name
        assert not fault.meaning.endswith(".")


def test_wrong_rules() -> None:
    """A site does not start with one, nor take one while it runs."""
    with pytest.raises(FaultSyntaxError), running(SiteOptions(faults=("no-such",))):
        pytest.fail("it runs")
    with running() as site, pytest.raises(ControlError, match="no-such"):
        site.set_faults("no-such")


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("http-400", 400, "invalid_request"),
        ("http-401", 401, "unauthorized"),
        ("http-403", 403, "forbidden"),
        ("http-404", 404, "not_found"),
        ("http-405", 405, "method_not_allowed"),
        ("http-409", 409, "conflict"),
        ("http-410", 410, "gone"),
        ("http-413", 413, "too_large"),
        ("http-415", 415, "unsupported_media_type"),
        ("http-422", 422, "unprocessable"),
        ("http-429:20", 429, "too_many_requests"),
        ("http-429-bare", 429, "too_many_requests"),
        ("http-500", 500, "server_error"),
        ("http-501", 501, "not_implemented"),
        ("http-502", 502, "bad_gateway"),
        ("http-503", 503, "temporarily_unavailable"),
        ("http-504", 504, "gateway_timeout"),
        ("insufficient-scope", 403, "insufficient_scope"),
        ("insufficient-scope:401", 401, "insufficient_scope"),
    ],
)
def test_refusals(visitor: Visitor, fault: str, status: int, error: str) -> None:
    """Once, in JSON, with nothing made; queries are left alone."""
    visitor.site.set_faults(f"{fault}@1")
    assert visitor.query(q="config").status_code == 200
    response = visitor.create()
    assert (response.status_code, response.json()["error"]) == (status, error)
    waits = {"http-429:20": "20", "http-503": "30"}
    assert response.headers.get("retry-after") == waits.get(fault)
    assert visitor.site.posts() == []
    assert visitor.create().status_code == 201
    struck = [row["faults"] for row in visitor.site.requests()["requests"]]
    assert struck == [[], [fault.partition(":")[0]], []]


def test_rules_with_a_path(visitor: Visitor) -> None:
    """They strike what their path is part of, queries by what is asked."""
    visitor.site.set_faults("http-500/micropub?q=config", "http-502/media", "http-503/token")
    assert visitor.query(q="config").status_code == 500
    assert visitor.query(q="source").status_code == 200
    assert visitor.create().status_code == 201
    assert visitor.upload().status_code == 502
    assert visitor.sign_in().status_code == 503


def test_errors_as_pages(visitor: Visitor) -> None:
    """What goes well is as ever."""
    visitor.site.set_faults("html-errors", "http-500@1")
    response = visitor.create()
    assert response.status_code == 500
    assert response.headers.get_list("content-type") == ["text/html; charset=UTF-8"]
    assert response.text.startswith("<!DOCTYPE html>")
    assert visitor.create().status_code == 201


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects(visitor: Visitor, status: int) -> None:
    """They lead to a page that looks like success to whoever follows, and the log shows it."""
    visitor.site.set_faults(f"redirect-post:{status}")
    response = visitor.create()
    assert response.status_code == status
    assert visitor.site.posts() == []
    assert visitor.http.get(response.headers["location"]).status_code == 200
    assert visitor.site.requests()["requests"][-1]["action"] == "followed"


def test_tokens_taken_back_midway(visitor: Visitor) -> None:
    """From that request on, the refresh token included."""
    found = visitor.sign_in().json()
    visitor.site.set_faults("token-revoked@2")
    assert visitor.create(found["access_token"]).status_code == 201
    assert visitor.create(found["access_token"]).json()["error"] == "invalid_token"
    assert visitor.create(found["access_token"]).status_code == 401
    assert visitor.refresh(found["refresh_token"]).status_code == 400


def test_tokens_that_end_midway(visitor: Visitor) -> None:
    """The refresh token goes on."""
    found = visitor.sign_in().json()
    visitor.site.set_faults("token-expired@1")
    assert visitor.create(found["access_token"]).status_code == 401
    renewed = visitor.refresh(found["refresh_token"]).json()
    assert visitor.create(renewed["access_token"]).status_code == 201


def test_tokens_are_taken_back_by_the_person(start: Callable[..., Visitor]) -> None:
    """One person's, and nobody else's."""
    visitor = start(people=2)
    alice, bob = visitor.site.people
    visitor.site.expire_tokens("bob")
    assert visitor.create(bob.token).status_code == 401
    visitor.site.revoke_tokens("alice")
    assert visitor.create(alice.token).status_code == 401
    assert visitor.refresh(alice.refresh_token).status_code == 400
    assert visitor.refresh(bob.refresh_token).status_code == 200


@pytest.mark.parametrize(
    ("fault", "posts", "lost"),
    [
        ("stall-after-accept", 1, httpx2.ReadTimeout),
        ("reset-after-accept", 1, httpx2.TransportError),
        ("reset-before-accept", 0, httpx2.TransportError),
    ],
)
def test_answers_that_are_lost(
    visitor: Visitor, fault: str, posts: int, lost: type[Exception]
) -> None:
    """The post is made or is not; nobody who asked can tell."""
    visitor.site.set_faults(f"{fault}@1")
    visitor.http.timeout = PATIENCE if fault.startswith("stall") else 20
    with pytest.raises(lost):
        visitor.create()
    visitor.http.timeout = 20
    assert len(visitor.site.posts()) == posts
    assert visitor.create().status_code == 201
    assert visitor.site.count("trakt-7") == 1


def test_a_late_answer(visitor: Visitor) -> None:
    """It comes, but not before its time."""
    visitor.site.set_faults("late:60@1", "late:0.01@2")
    with pytest.raises(httpx2.ReadTimeout):
        visitor.http.post("/micropub", timeout=PATIENCE)
    assert visitor.create().status_code == 201


def test_a_post_that_appears_later(visitor: Visitor) -> None:
    """202 with its address, where nothing is until the time has come."""
    visitor.site.set_faults("accepted-202-later:30@1")
    response = visitor.create()
    url = response.headers["location"]
    assert response.status_code == 202
    assert visitor.http.get(url).status_code == 404
    assert visitor.query(q="source", url=url).status_code == 400
    assert visitor.query(q="source").json()["items"] == []
    assert [post["there"] for post in visitor.site.posts()] == [False]
    visitor.site.advance(30)
    assert visitor.http.get(url).status_code == 200
    assert visitor.query(q="source", url=url).status_code == 200


def test_a_post_that_never_appears(visitor: Visitor) -> None:
    """202, and nothing comes of it."""
    visitor.site.set_faults("accepted-202-never@1")
    response = visitor.create()
    visitor.site.advance(10**6)
    assert response.status_code == 202
    assert visitor.http.get(response.headers["location"]).status_code == 404
    assert visitor.site.posts() == []


@pytest.mark.parametrize(
    ("fault", "location", "posts"),
    [
        ("location-empty", "", 0),
        ("location-missing", None, 1),
        ("location-undefined", "undefined", 1),
    ],
)
def test_locations(visitor: Visitor, fault: str, location: str | None, posts: int) -> None:
    """201 all the same."""
    visitor.site.set_faults(fault)
    response = visitor.create()
    assert response.status_code == 201
    assert response.headers.get("location") == location
    assert ("empty_content" in response.text) == (posts == 0)
    assert len(visitor.site.posts()) == posts


def test_slugs(visitor: Visitor) -> None:
    """Numbered, told apart by a suffix, or made of the time, which loses posts."""
    visitor.site.set_faults("slug-ignored")
    assert visitor.created() != visitor.created()
    visitor.site.set_faults("slug-suffix")
    urls = [visitor.created(mp_slug=["same"]) for _ in range(3)]
    assert [url.rpartition("/")[2] for url in urls] == ["same", "same-2", "same-3"]
    assert visitor.site.count("same") == 3
    visitor.site.set_faults("slug-by-time")
    first, second = (visitor.created(mp_slug=[slug], content=[slug]) for slug in ("one", "two"))
    assert first == second
    assert visitor.query(q="source", url=first).json()["properties"]["content"] == ["one"]
    assert visitor.site.count("two") == 0


@pytest.mark.parametrize(
    ("fault", "status", "kind"),
    [
        ("no-config", 400, "application/json; charset=utf-8"),
        ("no-config-text", 200, "text/plain; charset=utf-8"),
        ("no-config-html", 200, "text/html; charset=UTF-8"),
        ("no-config-login", 302, None),
    ],
)
def test_no_configuration(visitor: Visitor, fault: str, status: int, kind: str | None) -> None:
    """In the ways of real servers; other queries are answered."""
    visitor.site.set_faults(fault)
    response = visitor.query(q="config")
    assert (response.status_code, response.headers.get("content-type")) == (status, kind)
    assert visitor.query(q="syndicate-to").status_code == 200


def test_no_source(visitor: Visitor) -> None:
    """Not at all, as an error inside, no list, or a list without addresses."""
    url = visitor.created()
    visitor.site.set_faults("no-source@1", "no-source-hidden@2", "no-source-list@3-4")
    assert visitor.query(q="source", url=url).status_code == 400
    hidden = visitor.query(q="source", url=url)
    assert (hidden.status_code, hidden.json()["status"]) == (200, 400)
    assert visitor.query(q="source", url=url).status_code == 200
    assert visitor.query(q="source").status_code == 501
    visitor.site.set_faults("source-without-url")
    (item,) = visitor.query(q="source").json()["items"]
    assert set(item["properties"]) == {*FILM} - {"mp-slug"}


def test_deleted_posts_that_are_shown(visitor: Visitor) -> None:
    """A property says what they are."""
    url = visitor.created()
    visitor.send({"action": "delete", "url": url})
    visitor.site.set_faults("source-deleted", "delete-twice-500")
    assert visitor.query(q="source", url=url).json()["properties"]["deleted"]
    assert visitor.send({"action": "delete", "url": url}).status_code == 500


def test_updates_that_move(visitor: Visitor) -> None:
    """To the new date, or to another slug when it is the same; told or not told."""
    url = visitor.created()
    update: dict[str, Any] = {"action": "update", "url": url}
    update["replace"] = {"published": ["2026-11-01T10:00:00Z"]}
    visitor.site.set_faults("update-moves@1", "update-moves:200@2")
    told = visitor.send(update)
    moved = told.headers["location"]
    assert (told.status_code, moved) == (201, f"{visitor.site.url}/2026/11/01/trakt-7")
    untold = visitor.send({**update, "url": moved})
    assert (untold.status_code, untold.headers.get("location")) == (200, None)
    assert [visitor.http.get(one).status_code for one in (url, moved)] == [404, 404]
    assert visitor.site.posts()[0]["url"] == f"{moved}-2"


def test_pictures(visitor: Visitor) -> None:
    """Refused, refused for their type, or lost to another of the same name."""
    visitor.site.set_faults("media-403@1", "media-415@2")
    assert [visitor.upload().status_code for _ in range(3)] == [403, 415, 201]
    visitor.site.set_faults("media-same-name")
    first, second = visitor.upload("a.png"), visitor.upload("a.png")
    assert first.headers["location"] == second.headers["location"]
    assert len(visitor.site.media()) == 2


def test_cookies(start: Callable[..., Visitor]) -> None:
    """One who keeps them posts as somebody else; the log shows that they came."""
    visitor = start(people=2, faults=("cookies",))
    alice, bob = visitor.site.people
    assert visitor.create(alice.token).cookies["session"] == alice.token
    visitor.create(bob.token)
    visitor.http.cookies.clear()
    visitor.create(bob.token)
    assert [post["creates"] for post in visitor.site.posts()] == [2, 1]
    assert [post["person"] for post in visitor.site.posts()] == ["alice", "bob"]
    came = [row["cookie"] for row in visitor.site.requests()["requests"]]
    assert came == [False, True, False]


def test_without_the_fault_cookies_mean_nothing(visitor: Visitor) -> None:
    """They are neither set nor read."""
    headers = {"cookie": f"session={visitor.site.token}"}
    assert visitor.http.get("/micropub?q=config", headers=headers).status_code == 401
    assert "set-cookie" not in visitor.create().headers


def test_pages_without_links(visitor: Visitor) -> None:
    """A site that takes no posts."""
    visitor.site.set_faults("no-micropub")
    assert 'rel="micropub"' not in " ".join(visitor.get("/").headers.get_list("link"))
