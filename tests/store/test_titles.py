from __future__ import annotations

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
import time_machine

from watchbook.store.database import Database
from watchbook.store.schema import titles
from watchbook.store.titles import TitleWriter, undetailed
from watchbook.trakt.parse import ParsedPlay, parse_play

SHOW: dict[str, Any] = {"title": "Dark", "year": 2017, "ids": {"trakt": 1, "slug": "dark"}}
EPISODE: dict[str, Any] = {"season": 1, "number": 2, "title": "Lies", "ids": {"trakt": 12}}
DETAILS: dict[str, Any] = {
    "genres": ["drama"], "runtime": 53, "network": "Netflix", "status": "ended",
    "country": "de", "language": "de", "aired_episodes": 26, "first_aired": "2017-12-01T08:00:00Z",
}  # fmt: skip
FULL_SHOW = SHOW | DETAILS | {"ids": SHOW["ids"] | {"tvdb": 334824, "imdb": "tt5753856"}}


def of_episode(episode: dict[str, Any], show: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """The titles of a play of that episode."""
    row = {
        "id": 1, "watched_at": "2026-01-01T00:00:00Z", "action": "watch", "type": "episode",
        "episode": episode, "show": show,
    }  # fmt: skip
    found = parse_play(msgspec.json.encode(row))
    assert isinstance(found, ParsedPlay)
    return found.titles


def save(database: Database, *batches: tuple[dict[str, Any], ...]) -> None:
    """Save batches, each as another writer in a transaction of its own."""
    for batch in batches:
        with database.write() as conn:
            TitleWriter().save(conn, batch)


def row(database: Database, key: str) -> dict[str, Any]:
    """What is kept of a title."""
    with database.read() as conn:
        return dict(conn.execute(sa.select(titles).where(titles.c.key == key)).one()._mapping)


def test_short_form(database: Database) -> None:
    """A short form tells names and numbers, and that nobody told the details yet."""
    save(database, of_episode(EPISODE, SHOW))
    episode, show = row(database, "episode:12"), row(database, "show:1")
    assert (episode["title"], episode["season"], episode["number"]) == ("Lies", 1, 2)
    assert (episode["show_key"], show["show_key"]) == ("show:1", None)
    assert (show["slug"], show["runtime"], show["detailed_at"]) == ("dark", None, None)


@time_machine.travel(datetime(2026, 11, 21, tzinfo=UTC), tick=False)
def test_full_form_completes(database: Database) -> None:
    """A full form adds details and ids, and the moment at which they were told."""
    save(database, of_episode(EPISODE, SHOW), of_episode(EPISODE, FULL_SHOW))
    show = row(database, "show:1")
    assert (show["genres"], show["runtime"], show["tvdb"]) == ("drama", 53, 334824)
    assert show["detailed_at"] == 1_795_219_200_000


@pytest.mark.parametrize("order", list(permutations(["short", "full", "bare"])))
def test_no_form_takes_anything_away(database: Database, order: tuple[str, ...]) -> None:
    """In whatever order the forms come, all that any of them told is there in the end."""
    forms = {"short": SHOW, "full": FULL_SHOW, "bare": {"ids": {"trakt": 1}}}
    save(database, *(of_episode(EPISODE, forms[name]) for name in order))
    show = row(database, "show:1")
    assert (show["title"], show["year"], show["slug"]) == ("Dark", 2017, "dark")
    assert (show["genres"], show["runtime"], show["tvdb"]) == ("drama", 53, 334824)
    assert show["detailed_at"] is not None


def test_newer_name_counts(database: Database) -> None:
    """A title that was renamed gets its new name, also from a short form."""
    save(database, of_episode(EPISODE, FULL_SHOW), of_episode(EPISODE, SHOW | {"title": "Dunkel"}))
    show = row(database, "show:1")
    assert (show["title"], show["genres"]) == ("Dunkel", "drama")


@pytest.mark.parametrize("full_show", [False, True])
@pytest.mark.parametrize("full_episode", [False, True])
def test_shows_come_before_their_episodes(
    database: Database, full_show: bool, full_episode: bool
) -> None:
    """A show is there before what refers to it, whichever of the two comes in full."""
    episode = EPISODE | ({"runtime": 50} if full_episode else {})
    found = of_episode(episode, FULL_SHOW if full_show else SHOW)
    save(database, tuple(reversed(found)))
    assert row(database, "episode:12")["show_key"] == "show:1"


def test_same_form_is_written_once(database: Database) -> None:
    """One writer sends each form of each title to the database once."""
    writer = TitleWriter()
    found = of_episode(EPISODE, SHOW)
    with database.write() as conn:
        writer.save(conn, found)
        conn.execute(sa.delete(titles))
        writer.save(conn, found)
        assert conn.scalar(sa.select(sa.func.count()).select_from(titles)) == 0
        TitleWriter().save(conn, found)
        assert conn.scalar(sa.select(sa.func.count()).select_from(titles)) == 2


def test_nothing_to_save(database: Database) -> None:
    """No titles are fine."""
    save(database, ())


def test_undetailed(database: Database) -> None:
    """Of the keys asked for, those are named whose details nobody told; unknown ones are not."""
    save(database, of_episode(EPISODE, FULL_SHOW))
    with database.read() as conn:
        assert undetailed(conn, ["show:1", "episode:12", "movie:9"]) == {"episode:12"}
        assert undetailed(conn, []) == set()
