from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest
from lxml import etree  # type: ignore[import-untyped]

from tests.hostile import STORABLE
from tests.web.open_book import BASE_URL, OpenBook, a_film, ago, an_episode, hang_poster
from tests.web.open_book import open_book as opening
from tests.web.valid import problems
from watchbook.render.plain import LONGEST, plain
from watchbook.sharing import Part
from watchbook.store.opening import Store

ATOM = "{http://www.w3.org/2005/Atom}"
FORMATS = ("atom", "rss", "json")


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Iterator[OpenBook]:
    """An open book without a play."""
    with opening(store, tmp_path / "out") as opened:
        yield opened


def feed(book: OpenBook, kind: str, query: str = "") -> Any:
    """A feed that is as its format has it, read by somebody else's reader where there is one."""
    told = book.ask(f"/feeds/plays.{kind}{query}")
    assert told.status == 200, told.body
    assert problems(kind, told.body) == []
    if kind == "json":
        return json.loads(told.body)
    found = feedparser.parse(
        told.body, response_headers={"content-type": told.headers["content-type"]}
    )
    assert not found.bozo, found.get("bozo_exception")
    return found


def titles(book: OpenBook, kind: str, query: str = "") -> list[str]:
    """The titles of a feed's entries."""
    found = feed(book, kind, query)
    return [one["title"] for one in (found["items"] if kind == "json" else found.entries)]


def ids(book: OpenBook, kind: str, query: str = "") -> list[str]:
    """The ids of a feed's entries."""
    found = feed(book, kind, query)
    return [one["id"] for one in (found["items"] if kind == "json" else found.entries)]


def pages(book: OpenBook, kind: str, query: str) -> Iterator[Any]:
    """A feed from page to page, as its links lead."""
    asked: str | None = query
    while asked is not None:
        found = feed(book, kind, asked)
        yield found
        links = [] if kind == "json" else found.feed.links
        named = {link.rel: link.href for link in links} | {"json": found.get("next_url")}
        following = named["json"] if kind == "json" else named.get("next")
        asked = following and following.removeprefix(f"{BASE_URL}/feeds/plays.{kind}")


def every(book: OpenBook, kind: str, key: str, limit: int) -> list[str]:
    """One value of each entry, over all pages."""
    found = pages(book, kind, f"?limit={limit}")
    parts = (one["items"] if kind == "json" else one.entries for one in found)
    return [entry[key] for part in parts for entry in part]


def a_rating(value: int) -> dict[str, Any]:
    """A rating of the film."""
    about = a_film(0, "")["movie"]
    return {"rated_at": ago(hours=1), "rating": value, "type": "movie", "movie": about}


def test_a_feed_tells_the_newest_plays_first(book: OpenBook) -> None:
    """Titles are as everywhere, and every format says the same."""
    book.book.plays(an_episode(2, ago(hours=1)), a_film(1, ago(days=3)))
    for kind in FORMATS:
        assert titles(book, kind) == ["Severance S2 E7 · Chikhai Bardo", "Heat (1995)"]


def test_an_entry_tells_everything(book: OpenBook) -> None:
    """Date, links, genres, poster with size and text, and the rating are in each entry."""
    at = "2026-10-03T19:30:00Z"
    book.book.plays(a_film(77, at))
    book.book.items("ratings_movies", a_rating(9))
    key = hang_poster(book.book.store, "movie:1")
    (entry,) = feed(book, "atom").entries
    assert entry.published == entry.updated == at
    links = {link.rel: link.href for link in entry.links}
    assert links["alternate"] == f"{BASE_URL}/@sandra/77"
    assert links["related"] == "https://app.trakt.tv/movies/film-1"
    assert [tag.term for tag in entry.tags] == ["crime", "drama"]
    html = entry.content[0].value
    assert f'src="{BASE_URL}/images/{key}"' in html
    assert 'width="342"' in html
    assert 'alt="Poster of Heat"' in html
    assert "Saturday, 3 October 2026, 21:30" in html  # Sandra lives in Berlin
    assert "Rated 9 of 10" in html
    (item,) = feed(book, "json")["items"]
    assert item["image"] == f"{BASE_URL}/images/{key}"
    assert item["tags"] == ["crime", "drama"]
    (item,) = feed(book, "rss").entries
    assert item.content[0].value == html
    assert item.link == f"{BASE_URL}/@sandra/77"


def test_what_is_switched_off_is_not_told(book: OpenBook) -> None:
    """Without the parts, no rating and no link to a page that is not there."""
    book.book.plays(a_film(77, ago(days=1)))
    book.book.items("ratings_movies", a_rating(9))
    book.share(Part.RATINGS, Part.HISTORY, on=False)
    for kind in FORMATS:
        told = book.ask(f"/feeds/plays.{kind}").body
        assert b"Rated" not in told
        assert b"/@sandra" not in told
        assert b"https://app.trakt.tv/movies/film-1" in told


def test_a_private_account_has_no_feeds(book: OpenBook) -> None:
    """It is answered like an account that does not exist."""
    book.book.plays(a_film(77, ago(days=1)))
    book.share(Part.FEEDS, on=False)
    for path in ("plays.atom", "plays.rss", "plays.json", "calendar.ics"):
        refused, unknown = book.ask(f"/feeds/{path}"), book.ask(f"/feeds/{path}?account=nobody")
        assert refused.status == unknown.status == 404
        assert refused.body == unknown.body
        assert refused.json == {"ok": False, "reason": "not public"}


def test_ids_stay_and_are_the_same_everywhere(book: OpenBook) -> None:
    """An id hangs on nothing but Trakt's number: not on the format, the name or the address."""
    book.book.plays(a_film(77, ago(days=1)), an_episode(78, ago(days=2)))
    first = ids(book, "atom")
    assert first == ids(book, "rss") == ids(book, "json")
    assert first[0] == "urn:uuid:c431b2d2-94d7-5729-ae7b-558283d47931"
    book.share(Part.HISTORY, on=False)
    assert ids(book, "atom") == first


def test_filters(book: OpenBook) -> None:
    """Films only, episodes only, one show only; a show that nobody knows has no plays."""
    other = an_episode(4, ago(hours=4), "Forks", of="The Bear")
    other["show"]["ids"] = {"trakt": 22, "slug": "the-bear"}
    other["episode"]["ids"] = {"trakt": 32}
    book.book.plays(a_film(1, ago(hours=1)), an_episode(2, ago(hours=2)), other)
    severance, bear = "Severance S2 E7 · Chikhai Bardo", "The Bear S2 E7 · Forks"
    for kind in FORMATS:
        assert titles(book, kind, "?type=movie") == ["Heat (1995)"]
        assert titles(book, kind, "?type=episode") == [severance, bear]
        assert titles(book, kind, "?show=the-bear") == [bear]
        assert titles(book, kind, "?show=show-21&type=movie") == []
        assert titles(book, kind, "?show=x%00y") == []


def test_odd_parameters_are_refused(book: OpenBook) -> None:
    """They are answered with what is wrong and what is right."""
    odd = ("type=show", "limit=0", "limit=201", "limit=x", "before=x", f"before=1_{2**63}")
    for query in odd:
        told = book.ask(f"/feeds/plays.atom?{query}")
        assert told.status == 400
        assert told.json["hint"]


def test_pages_hold_every_play_once(book: OpenBook) -> None:
    """Following the links to the next page gives all plays in order, and then ends."""
    book.book.plays(
        *(a_film(n, ago(hours=n // 2 + 1)) for n in range(1, 12))
    )  # pairs at one moment
    for kind in FORMATS:
        seen = every(book, kind, "id", 4)
        assert len(seen) == len(set(seen)) == 11
        assert seen == ids(book, kind, "?limit=11")


def test_a_play_shows_after_the_delay(book: OpenBook) -> None:
    """A play younger than the delay, or of the future, is in no feed."""
    book.book.plays(a_film(1, ago(hours=1)), a_film(2, ago(hours=3)), a_film(3, ago(days=-3)))
    assert [len(ids(book, kind)) for kind in FORMATS] == [2, 2, 2]
    book.share(after="2h")
    assert [len(ids(book, kind)) for kind in FORMATS] == [1, 1, 1]


def test_unknown_dates_are_left_out(book: OpenBook) -> None:
    """A feed is a list by date; films watched before 1970 have one."""
    old = a_film(3, "1939-12-15T20:00:00.000Z", "Gone with the Wind", 3)
    book.book.plays(a_film(1, ago(hours=1)), a_film(2, "1970-01-01T00:00:00.000Z", "When?", 2), old)
    for kind in FORMATS:
        assert titles(book, kind) == ["Heat (1995)", "Gone with the Wind (1995)"]


def test_an_empty_feed_is_a_feed(book: OpenBook) -> None:
    """Without a play there is still a whole document."""
    assert [titles(book, kind) for kind in FORMATS] == [[], [], []]


def test_hostile_titles(book: OpenBook) -> None:
    """Every title there is gives a document without fault that says the title and runs nothing."""
    some = list(enumerate(STORABLE, 1))
    book.book.plays(*(a_film(n, ago(minutes=n), text, n) for n, text in some))
    said = [f"{plain(text)} (1995)" if text.strip() else "" for _, text in some]
    for kind in FORMATS:
        seen = every(book, kind, "title", 200)
        assert len(seen) == len(some)
        assert all(len(title) <= LONGEST + len(" (1995)") for title in seen)
    assert [one for one, known in zip(seen, said, strict=True) if known and one != known] == []


def test_atom_has_what_its_standard_demands(book: OpenBook) -> None:
    """RFC 4287: one id, title and updated each, an author, and a link for entries; ids are IRIs."""
    book.book.plays(*(a_film(n, ago(hours=n)) for n in range(1, 4)))
    told = book.ask("/feeds/plays.atom?limit=2")
    assert told.headers["content-type"] == "application/atom+xml; charset=utf-8"
    root = etree.fromstring(told.body)
    assert root.tag == f"{ATOM}feed"
    for element in (root, *root.findall(f"{ATOM}entry")):
        for name in ("id", "title", "updated"):
            assert len(element.findall(f"{ATOM}{name}")) == 1
        assert element.findtext(f"{ATOM}id", "").startswith("urn:uuid:")
        assert datetime.fromisoformat(element.findtext(f"{ATOM}updated", "")).tzinfo is not None
        rels = [link.get("rel") for link in element.findall(f"{ATOM}link")]
        assert rels.count("alternate") == 1
    assert root.find(f"{ATOM}author/{ATOM}name") is not None
    rels = [link.get("rel") for link in root.findall(f"{ATOM}link")]
    assert sorted(rels) == ["alternate", "first", "next", "self"]


def test_what_is_known_is_not_sent_again(book: OpenBook) -> None:
    """A reader that has the feed is told so; after a play it gets the new one."""
    book.book.plays(a_film(1, ago(hours=1)))
    first = book.ask("/feeds/plays.atom")
    again = book.visitor.ask("/feeds/plays.atom", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")
    book.book.plays(a_film(2, ago(minutes=1)))
    book.visitor.look()
    later = book.visitor.ask("/feeds/plays.atom?limit=50", if_none_match=first.headers["etag"])
    assert later.status == 200


def test_feeds_may_be_read_by_any_page(book: OpenBook) -> None:
    """Programs in browsers read them, caches keep them, search engines are asked not to."""
    headers = book.ask("/feeds/plays.json").headers
    assert headers["content-type"] == "application/feed+json"
    assert headers["access-control-allow-origin"] == "*"
    assert "max-age=300" in headers["cache-control"]
    assert headers["x-robots-tag"] == "noindex"
