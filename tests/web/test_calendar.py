from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from icalendar import Calendar

from tests.hostile import STORABLE
from tests.web.open_book import BASE_URL, OpenBook, a_film, ago, an_episode
from tests.web.open_book import open_book as opening
from tests.web.valid import problems
from watchbook.clock import from_iso, now, to_millis
from watchbook.render.plain import plain
from watchbook.sharing import Part
from watchbook.store import changes, datasets
from watchbook.store.opening import Store
from watchbook.store.schema import items

PATH = "/feeds/calendar.ics"


@pytest.fixture
def book(store: Store, tmp_path: Path) -> Iterator[OpenBook]:
    """An open book without a play, on each database."""
    with opening(store, tmp_path / "out") as opened:
        yield opened


def read(book: OpenBook, query: str = "") -> Any:
    """The calendar, read back."""
    told = book.ask(PATH + query)
    assert told.status == 200, told.body
    assert told.headers["content-type"] == "text/calendar; charset=utf-8"
    assert problems("ics", told.body) == []
    return Calendar.from_ical(told.body)


def summaries(book: OpenBook, query: str = "") -> list[str]:
    """What its events are called."""
    return [str(event["SUMMARY"]) for event in read(book, query).events]


def airing(number: int, at: str, name: str | None = "Cold Harbor") -> dict[str, Any]:
    """A row of Trakt's calendar about the next episode of Severance."""
    row = an_episode(0, at, name)
    about = row["episode"] | {"number": number, "ids": {"trakt": 500 + number}}
    return {
        "first_aired": at,
        "episode": about,
        "show": row["show"] | {"network": "Apple TV", "runtime": 45},
    }


def test_a_play_ends_when_it_was_watched(book: OpenBook) -> None:
    """It lasts as long as the film does, blocks no time, and leads to its page."""
    book.book.plays(a_film(77, "2026-10-03T19:30:00Z"))
    (event,) = read(book).events
    ended = datetime(2026, 10, 3, 19, 30, tzinfo=UTC)
    assert (event.start, event.end) == (ended - timedelta(minutes=170), ended)
    assert str(event["SUMMARY"]) == "Heat (1995)"
    assert str(event["TRANSP"]) == "TRANSPARENT"
    assert str(event["URL"]) == f"{BASE_URL}/@sandra/77"
    assert "https://app.trakt.tv/movies/film-1" in str(event["DESCRIPTION"])
    assert event["CATEGORIES"].to_ical() == b"Watched,crime,drama"
    assert str(event["UID"]) == "c431b2d2-94d7-5729-ae7b-558283d47931"


def test_without_a_runtime_a_play_is_a_moment(book: OpenBook) -> None:
    """No length is made up; a runtime that cannot be one counts as none."""
    for n, runtime in enumerate((None, 0, 100_000), 1):
        row = a_film(n, ago(days=n), "Short", n)
        row["movie"]["runtime"] = runtime
        book.book.plays(row)
    for event in read(book).events:
        assert "DTEND" not in event


def test_upcoming_episodes(book: OpenBook) -> None:
    """What Trakt's calendar told and what is still to come, the next one first."""
    book.book.plays(an_episode(1, ago(days=1)))
    rows = (airing(9, ago(days=-9), None), airing(8, ago(days=-2)), airing(7, ago(days=1)))
    book.book.items("calendar_shows", *rows)
    with book.book.store.database.write() as conn:
        datasets.change(conn, book.book.account.id, "calendar_shows", {"read_at": 1})
        changes.tell(conn, changes.of_account(book.book.account.id))
    assert summaries(book, "?what=upcoming") == ["Severance S2 E8 · Cold Harbor", "Severance S2 E9"]
    assert len(summaries(book)) == 3
    assert summaries(book, "?what=plays") == ["Severance S2 E7 · Chikhai Bardo"]
    assert summaries(book, "?what=upcoming&show=other") == []
    for show in ("show-21", "21"):
        assert len(summaries(book, f"?what=upcoming&show={show}")) == 2
    assert summaries(book, "?what=upcoming&type=movie") == []
    first = read(book, "?what=upcoming").events[0]
    assert first.end - first.start == timedelta(minutes=50)
    assert abs(first.start - from_iso(ago(days=-2))) < timedelta(minutes=5)
    assert "Apple TV" in str(first["DESCRIPTION"])
    assert "DESCRIPTION" not in read(book, "?what=upcoming")


def test_what_comes_waits_as_long_as_plays_do(book: OpenBook) -> None:
    """Whoever has just begun a show has its next episodes in Trakt's calendar at once."""
    book.book.items("calendar_shows", airing(8, ago(days=-2)))
    with book.book.store.database.write() as conn:
        datasets.change(conn, book.book.account.id, "calendar_shows", {"read_at": 1})
    for hours, delay, shown in ((0, None, 1), (1, "2h", 0), (3, "2h", 1)):
        with book.book.store.database.write() as conn:
            known = to_millis(now() - timedelta(hours=hours))
            conn.execute(sa.update(items).values(discovered_at=known))
        book.share(after=delay)
        assert len(summaries(book, f"?what=upcoming&limit={hours + 1}")) == shown


def test_an_account_without_trakt_has_a_calendar(book: OpenBook) -> None:
    """An account that lives on exports knows nothing of what comes, and says so."""
    assert summaries(book, "?what=upcoming") == []
    assert "once the account is connected" in str(read(book, "?what=upcoming")["DESCRIPTION"])
    assert "DESCRIPTION" not in read(book, "?what=plays")


def test_the_calendar_itself(book: OpenBook) -> None:
    """Its name, its address and how often to ask are there for every program."""
    found = read(book)
    assert str(found["NAME"]) == str(found["X-WR-CALNAME"]) == "Watchbook of sandra"
    assert found["REFRESH-INTERVAL"].to_ical() == b"PT1H"
    assert str(found["X-PUBLISHED-TTL"]) == "PT1H"
    assert str(found["SOURCE"]) == f"{BASE_URL}{PATH}?account=sandra"
    assert str(found["URL"]) == f"{BASE_URL}/@sandra"


def test_the_same_plays_are_the_same_bytes(book: OpenBook) -> None:
    """Nothing in it hangs on when it was asked for."""
    book.book.plays(a_film(1, ago(days=1)))
    first = book.ask(PATH)
    assert book.ask(f"{PATH}?limit=200").headers["etag"] != first.headers["etag"]  # its own address
    again = book.visitor.ask(PATH, if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, b"")


def test_what_is_not_shown_is_not_in_it(book: OpenBook) -> None:
    """Plays younger than the delay, of the future or of no date; ratings and pages that are off."""
    book.book.plays(
        a_film(1, ago(hours=1)), a_film(2, ago(days=-1)), a_film(3, "1970-01-01T00:00:00Z")
    )
    row = {"rated_at": ago(hours=1), "rating": 9, "type": "movie"}
    book.book.items("ratings_movies", row | {"movie": a_film(1, "")["movie"]})
    (event,) = read(book).events
    assert "Rated 9 of 10" in str(event["DESCRIPTION"])
    book.share(Part.RATINGS, Part.HISTORY, on=False)
    (event,) = read(book).events
    assert "Rated" not in str(event["DESCRIPTION"])
    assert str(event["URL"]) == "https://app.trakt.tv/movies/film-1"
    book.share(after="2h")
    assert summaries(book) == []


def test_odd_parameters_are_refused(book: OpenBook) -> None:
    """They are answered with what is right."""
    for query in ("what=x", "limit=501", "type=show"):
        assert book.ask(f"{PATH}?{query}").status == 400


def test_hostile_titles(book: OpenBook) -> None:
    """Every title is the summary of its event and nothing else."""
    some = list(enumerate(STORABLE, 1))
    book.book.plays(*(a_film(n, ago(minutes=n), text, n) for n, text in some))
    found = read(book, "?limit=500").events
    assert len(found) == len(some)
    for event, (n, text) in zip(found, some, strict=True):
        assert str(event["URL"]) == f"{BASE_URL}/@sandra/{n}"
        if plain(text):
            assert str(event["SUMMARY"]) == f"{plain(text)} (1995)"
