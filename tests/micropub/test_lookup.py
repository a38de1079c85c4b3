from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.micropub.conftest import HEAT, NOW, SHELDON, WATCHED, an_episode
from tests.websites import Asked, Said, Website, as_json, html, redirect
from watchbook import clock
from watchbook.micropub.citing import Payload
from watchbook.micropub.client import Micropub
from watchbook.micropub.lookup import ABSENT, CANNOT_TELL, Lookup, Sight, find, foreseen, gone
from watchbook.micropub.post import Look, Post, properties
from watchbook.micropub.reading import Wanted
from watchbook.micropub.titles import Episode, Ids, Watched

POST = an_episode()
WANTED = Wanted.of(POST)
URL = "https://a.example/watches/1"
SENT = properties(POST, now=NOW)
LATER = properties(replace(POST, watched=[Watched(9, HEAT)]), now=NOW)


def without(found: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The properties without some."""
    return {name: value for name, value in found.items() if name not in names}


def indiekit(found: Any) -> Any:
    """The same with underscores, texts for lists of one, and numbers for texts."""
    if isinstance(found, dict):
        return {name.replace("-", "_"): indiekit(value) for name, value in found.items()}
    if isinstance(found, list):
        return indiekit(found[0]) if len(found) == 1 else [indiekit(one) for one in found]
    return int(found) if isinstance(found, str) and found.isdigit() else found


def bare(post: Post) -> dict[str, Any]:
    """A post as a site shows it that keeps date and address only."""
    urls = properties(replace(post, look=Look(payload=Payload.URL)), now=NOW)
    return without(urls, "mp-slug")


def reference(url: str) -> dict[str, Any]:
    """What a site keeps of the reference's citation."""
    return {"published": ["2020-02-14T16:40:46+01:00"], "watch-of": [{"properties": {"url": url}}]}


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (SENT, True),
        (indiekit(SENT) | {"watch_of": [indiekit(SENT["watch-of"])]}, True),
        (without(SENT, "mp-slug"), True),
        (without(SENT, "mp-slug", "published"), True),
        ({"mp-slug": [POST.slug or "trakt-5611853642"]}, True),
        ({"slug": "trakt-5611853642"}, True),
        ({"url": ["https://a.example/2020/02/14/trakt-5611853642"]}, True),
        ({"url": ["https://a.example/trakt-5611853642.html"]}, True),
        ({"url": "https://a.example/trakt-5611853642/"}, True),
        (bare(POST), True),
        (reference("https://trakt.tv/shows/young-sheldon/seasons/3/episodes/14"), True),
        (reference("http://www.trakt.tv/shows/young-sheldon/seasons/3/episodes/14/"), True),
        (reference("https://trakt.tv/shows/young-sheldon/seasons/3/episodes/15"), False),
        (without(bare(POST), "published"), False),
        (bare(POST) | {"published": ["2020-02-14T15:41:46Z"]}, False),
        (bare(POST) | {"published": ["no date"]}, False),
        (bare(POST) | {"mp-slug": ["trakt-5611853643"]}, False),
        (bare(POST) | {"url": ["https://a.example/trakt-56118536420"]}, False),
        (bare(POST) | {"url": ["https://a.example/notes/x"]}, True),
        (LATER, False),
        (without(LATER, "mp-slug"), False),
        ({}, False),
        ({"watch-of": [5, None], "url": [None], "published": {}}, False),
    ],
)
def test_knows_a_post_again(found: dict[str, Any], same: bool) -> None:
    """By slug, else by the plays' numbers, else by date and title; never by less."""
    assert WANTED.is_in(found) is same


def test_two_plays_of_one_minute_are_two_posts() -> None:
    """The number of the play tells apart what date and title do not."""
    twin = replace(POST, watched=[replace(POST.watched[0], history_id=8)])
    assert not WANTED.is_in(without(properties(twin, now=NOW), "mp-slug"))


def test_a_binge_is_not_one_of_its_episodes() -> None:
    """A post about three episodes is not the post about the first."""
    episodes = [Watched(n, Episode(SHELDON, 3, n, Ids(n))) for n in (14, 15, 16)]
    binge = Post(episodes, "x", WATCHED)
    single = Post(episodes[:1], "x", WATCHED)
    for payload in (Payload.STANDARD, Payload.URL):
        shown = replace(binge, look=Look(payload=payload))
        found = without(properties(shown, now=NOW), "mp-slug")
        assert Wanted.of(binge).is_in(found)
        assert not Wanted.of(single).is_in(found)


def test_without_a_date_the_title_is_not_enough() -> None:
    """Whoever sees a film twice on unknown days has two posts."""
    undated = Wanted.of(replace(POST, published=clock.UNKNOWN_DATE))
    assert undated.published is None
    assert not undated.is_in(bare(POST))


def listing(*posts: Mapping[str, Any], page: int = 50) -> Callable[[Asked], Said]:
    """A server that lists these posts, and knows nothing else."""

    def answer(asked: Asked) -> Said:
        query = asked.query
        if query.get("q") != ["source"] or "url" in query:
            return Said(400)
        start = int(query["offset"][0])
        items = [{"type": ["h-entry"], "properties": post} for post in posts[start : start + page]]
        return as_json({"items": items})

    return answer


def other(number: int, published: datetime | None = None) -> dict[str, Any]:
    """Another post."""
    found: dict[str, Any] = {"url": [f"https://a.example/{number}"], "content": ["x"]}
    return found | ({"published": [clock.to_iso(published)]} if published else {})


OLDER, NEWER = WATCHED - timedelta(days=1), WATCHED + timedelta(days=1)


def test_finds_a_post_at_its_expected_address(micropub: Micropub, site: Website) -> None:
    """What is there and is ours ends the search with one request."""
    site.pages["/micropub"] = as_json({"properties": SENT})
    assert find(micropub, WANTED, expected=URL) == Lookup(Sight.FOUND, URL)
    assert len(site.asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        as_json({"properties": LATER}),
        as_json({"properties": SENT | {"deleted": ["2026"]}}),
        as_json({}, 404),
        Said(400),
        redirect("/login"),
    ],
)
def test_an_expected_address_proves_nothing(micropub: Micropub, site: Website, said: Said) -> None:
    """A post that is not there may be somewhere else."""
    site.pages["/micropub"] = said
    assert find(micropub, WANTED, expected=URL) == CANNOT_TELL


@pytest.mark.parametrize(
    ("found", "same"),
    [
        (without(SENT, "mp-slug"), True),
        (without(SENT, "mp-slug", "watch-of"), True),
        (without(bare(POST), "published"), True),
        ({"content": ["x"]}, True),
        (without(LATER, "mp-slug"), False),
        (without(bare(replace(POST, watched=[Watched(9, HEAT)])), "published"), False),
        (without(LATER, "watch-of"), False),
        ({"slug": "trakt-9"}, False),
        ({}, False),
    ],
)
def test_what_a_post_tells_counts_before_its_address(
    micropub: Micropub, site: Website, found: dict[str, Any], same: bool
) -> None:
    """A server that answers with another post than was asked for has not got this one."""
    site.pages["/micropub"] = as_json({"properties": found})
    url = "https://a.example/2020/trakt-5611853642"
    assert (find(micropub, WANTED, expected=url) == Lookup(Sight.FOUND, url)) is same


def test_finds_a_post_in_the_list(micropub: Micropub, site: Website) -> None:
    """Also behind the first page, and when newer posts stand before it."""
    many = [other(n, NEWER) for n in range(120)]
    site.pages["/micropub"] = listing(*many, SENT | {"url": [URL]})
    assert find(micropub, WANTED) == Lookup(Sight.FOUND, URL)
    assert len(site.asked) == 3


@pytest.mark.parametrize(
    ("posts", "page", "seen"),
    [
        ([other(1, OLDER)], 50, ABSENT),
        ([other(1, NEWER)], 50, ABSENT),
        ([other(1)], 50, ABSENT),
        ([other(n, OLDER) for n in range(50)], 50, ABSENT),
        ([other(n) for n in range(2000)], 50, CANNOT_TELL),
        ([], 50, CANNOT_TELL),
    ],
)
def test_what_a_list_without_the_post_proves(
    micropub: Micropub, site: Website, posts: list[dict[str, Any]], page: int, seen: Lookup
) -> None:
    """Absent is what would have shown: at the end of the list, or before older posts."""
    site.pages["/micropub"] = listing(*posts, page=page)
    assert find(micropub, WANTED) == seen


def test_a_server_that_knows_no_pages_proves_nothing(micropub: Micropub, site: Website) -> None:
    """The same page again and again is not the end of the list."""
    items = [{"properties": other(n, NEWER)} for n in range(20)]
    site.pages["/micropub"] = as_json({"items": items})
    assert find(micropub, WANTED) == CANNOT_TELL
    assert len(site.asked) == 2


@pytest.mark.parametrize(
    "said",
    [
        Said(400),
        Said(500),
        redirect("/login"),
        html("<p>log in"),
        as_json({"data": {"error": "invalid_request"}, "status": 400}),
    ],
)
def test_no_list_proves_nothing(micropub: Micropub, site: Website, said: Said) -> None:
    """A server that lists nothing, or wants a log-in first, has not said that it is absent."""
    site.pages["/micropub"] = said
    assert find(micropub, WANTED) == CANNOT_TELL


def h_entry(url: str, slug: str = "", date: str = "", watched: str = "") -> str:
    """An entry on a page."""
    return (
        f'<div class="h-entry"><a class="u-url" href="{url}{slug}">'
        f'<time class="dt-published" datetime="{date}"></time></a>'
        + (f'<a class="u-watch-of" href="{watched}">x</a>' if watched else "")
        + "</div>"
    )


OURS = h_entry(
    "/w/1",
    "",
    "2020-02-14T15:40:46+00:00",
    "https://app.trakt.tv/shows/young-sheldon/seasons/3/episodes/14",
)


@pytest.mark.parametrize(
    ("page", "sight", "path"),
    [
        (h_entry("/watches/", "trakt-5611853642"), Sight.FOUND, "/watches/trakt-5611853642"),
        (OURS, Sight.FOUND, "/w/1"),
        (h_entry("/n/1", "", "2019-01-01T00:00:00Z"), Sight.CANNOT_TELL, None),
        (h_entry("/n/1", "", "2019-01-01T00:00:00Z", "https://x.example/"), Sight.ABSENT, None),
        (
            h_entry("/n/1", "", "2021-01-01T00:00:00Z", "https://x.example/"),
            Sight.CANNOT_TELL,
            None,
        ),
        ("<p>hello", Sight.CANNOT_TELL, None),
    ],
)
def test_looks_at_the_sites_pages(
    micropub: Micropub, site: Website, page: str, sight: Sight, path: str | None
) -> None:
    """A page of watches that shows older ones would show it; any other page proves nothing."""
    site.pages["/moved"] = html(page)
    site.pages["/"] = redirect("/moved")
    expected = Lookup(sight, path and site.url(path))
    assert find(micropub, WANTED, pages=[site.url("/")]) == expected
    assert all("authorization" not in asked.headers for asked in site.asked if asked.path == "/")


def test_a_page_that_is_not_there_proves_nothing(micropub: Micropub, site: Website) -> None:
    """Errors, other documents and servers that are gone leave the question open."""
    site.pages["/busy"] = html(OURS, status=503)
    pages = [site.url("/busy"), site.url("/none"), "http://localhost:1/"]
    assert find(micropub, WANTED, pages=pages) == CANNOT_TELL


def test_a_page_tells_the_address_that_a_list_lacks(micropub: Micropub, site: Website) -> None:
    """WordPress lists posts without their addresses."""
    site.pages["/micropub"] = listing(SENT)
    assert find(micropub, WANTED) == Lookup(Sight.FOUND, None)
    site.pages["/"] = html(OURS)
    assert find(micropub, WANTED, pages=[site.url("/")]) == Lookup(Sight.FOUND, site.url("/w/1"))
    site.pages["/"] = html("<p>hello")
    assert find(micropub, WANTED, pages=[site.url("/")]) == Lookup(Sight.FOUND, None)


@pytest.mark.parametrize(
    ("by_url", "by_list", "answer"),
    [
        (as_json({"properties": {"content": ["x"]}}), Said(400), False),
        (as_json({"properties": {"content": ["x"], "deleted": ["2026"]}}), Said(400), True),
        (Said(404), Said(400), True),
        (Said(410), Said(400), True),
        (Said(400), as_json({"items": []}), True),
        (Said(400), Said(400), None),
        (Said(500), as_json({"items": []}), None),
        (redirect("/login"), redirect("/login"), None),
        (as_json({}), as_json({"items": []}), None),
    ],
)
def test_whether_a_post_is_gone(
    micropub: Micropub, site: Website, by_url: Said, by_list: Said, answer: bool | None
) -> None:
    """A deletion that failed may have been one too many; some servers tell, others do not."""
    site.pages["/micropub"] = lambda asked: by_url if "url" in asked.query else by_list
    assert gone(micropub, URL) is answer


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://a.example/trakt-1", "https://a.example/trakt-5611853642"),
        ("https://a.example/w/trakt-1/", "https://a.example/w/trakt-5611853642/"),
        (
            "https://a.example/2019/12/31/trakt-1.html",
            "https://a.example/2020/02/14/trakt-5611853642.html",
        ),
        ("https://a.example/?p=18", None),
    ],
)
def test_foresees_addresses(url: str, expected: str | None) -> None:
    """The address of one post tells that of another, its date included."""
    dated = datetime(2019, 12, 31, 20, tzinfo=UTC)
    assert foreseen(url, "trakt-1", dated, WANTED, WATCHED) == expected


def test_an_address_with_a_date_is_not_foreseen_without_one() -> None:
    """Where the address holds a day, one has to be known."""
    url, dated = "https://a.example/2019/12/31/trakt-1", datetime(2019, 12, 31, tzinfo=UTC)
    assert foreseen(url, "trakt-1", dated, WANTED, None) is None
