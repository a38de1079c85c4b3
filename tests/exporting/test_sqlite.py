"""The database for Datasette and SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.exporting.conftest import Filled, film_play, hostile, out
from tests.sync.conftest import Book
from watchbook.clock import from_iso
from watchbook.exporting.database_schema import APPLICATION, SEARCH, TABLES, VERSION, VIEWS
from watchbook.exporting.selection import Selection
from watchbook.store import accounts

pytestmark = pytest.mark.sqlite_daily


@contextmanager
def opened(path: Path) -> Iterator[sqlite3.Connection]:
    """The file as a program opens it that must not change it."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as conn:
        yield conn


def ask(book: Filled, query: str, **wanted: Any) -> list[tuple[Any, ...]]:
    """The answer of a query on a new export."""
    (path,) = book.export("sqlite", Selection(**wanted)).paths
    with opened(path) as conn:
        return conn.execute(query).fetchall()


def test_plays_lead_to_their_titles(small: Filled) -> None:
    """Times as texts, an unknown date as nothing, the show of an episode."""
    rows = ask(small, "SELECT * FROM plays ORDER BY history_id")
    assert [row[0] for row in rows] == [11, 12, 13, 14, 15]
    assert rows[0][3:6] == (None, None, None)
    assert rows[1][3:6] == (
        "2025-12-31T23:30:00Z",
        "2026-01-01T00:30:00+01:00",
        "2026-01-01",
    )
    query = "SELECT title, year, season, episode, episode_title, rating FROM plays_with_titles"
    assert ask(small, f"{query} ORDER BY history_id DESC LIMIT 2") == [
        ("Show 70", 1999, 1, 2, "The Next One", 7),
        ("Show 70", 1999, 1, 1, "Pilot", None),
    ]


def test_other_tables_and_views_say_what_they_are_about(small: Filled) -> None:
    """Ratings, lists and what is on them."""
    assert ask(small, "SELECT title, rating, rated_at FROM ratings_with_titles LIMIT 1") == [
        ("Film 1", 9, "2026-06-01T08:00:00Z")
    ]
    query = "SELECT list, coalesce(title, person) FROM list_items_with_titles ORDER BY rank"
    assert ask(small, query) == [
        ("Rainy Days", "Film 2"),
        ("Rainy Days", "Ida Lupino"),
        ("Zweite", "Show 70"),
    ]
    months = ask(small, "SELECT month, plays, films, episodes FROM plays_by_month ORDER BY month")
    assert months == [(None, 1, 1, 0), ("2026-01", 1, 1, 0), ("2026-05", 3, 1, 2)]
    query = "SELECT title, plays, first_on, last_on FROM most_watched ORDER BY title"
    assert ask(small, query) == [
        ("Film 1", 2, "2026-01-01", "2026-01-01"),
        ("Film 2", 1, "2026-05-01", "2026-05-01"),
        ("Show 70", 2, "2026-05-02", "2026-05-03"),
    ]


def test_titles_can_be_searched(small: Filled) -> None:
    """Whole words, without accents, through the index that Datasette finds by itself."""
    small.plays(film_play(30, 8, title="Amélie à Paris"))
    query = (
        f"SELECT title FROM titles WHERE id IN (SELECT rowid FROM {SEARCH} WHERE {SEARCH} MATCH "
    )
    assert ask(small, f"{query} 'amelie')") == [("Amélie à Paris",)]
    sql = ask(small, f"SELECT sql FROM sqlite_master WHERE name = '{SEARCH}'")[0][0]
    assert "content='titles'" in sql


def test_a_selection_leaves_no_other_titles(small: Filled) -> None:
    """A title is there because a row names it."""
    wanted = {"since": from_iso("2026-05-03T00:00:00Z"), "until": from_iso("2026-05-04T00:00:00Z")}
    assert ask(small, "SELECT key FROM titles ORDER BY key", **wanted) == [
        ("episode:702",),
        ("show:70",),
    ]
    lists = {"lists": frozenset({"rainy-days"})}
    assert ask(small, "SELECT key FROM titles", **lists) == [("movie:2",)]
    assert ask(small, "SELECT name FROM lists", **lists) == [("Rainy Days",)]


def test_nothing_of_another_account_is_in_it(small: Filled) -> None:
    """Neither rows nor titles, although titles are shared in the store."""
    with small.store.database.write() as conn:
        tom = accounts.add(conn, "tom", trakt_slug="tom")
    Filled(small.store, tom, small.folder).plays(film_play(90, 999, title="Only Tom's"))
    (path,) = small.export("sqlite").paths
    assert b"Only Tom's" not in path.read_bytes()


def test_what_is_gone_says_since_when(small: Filled) -> None:
    """And does not count in the views that count."""
    small.remove_play(13)
    assert ask(small, "SELECT count(*) FROM plays") == [(4,)]
    gone = ask(
        small, "SELECT history_id, removed_at FROM plays WHERE removed_at > ''", removed=True
    )
    assert gone == [(13, "2026-11-01T00:00:00Z")]
    assert ask(small, "SELECT sum(plays) FROM plays_by_month", removed=True) == [(4,)]


def test_it_is_sound_and_whole_in_one_file(synced: Book, tmp_path: Path) -> None:
    """No log beside it, every reference leads somewhere, and it says what it is."""
    written = out(synced.store, synced.account, "sqlite", tmp_path / "out" / "b.sqlite")
    path = written.paths[0]
    assert [file.name for file in path.parent.iterdir()] == ["b.sqlite"]
    assert path.stat().st_mode & 0o777 == 0o600
    with opened(path) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert conn.execute("PRAGMA foreign_key_check").fetchall() == []
        assert conn.execute("PRAGMA journal_mode").fetchone() != ("wal",)
        assert conn.execute("PRAGMA user_version").fetchone() == (VERSION,)
        assert conn.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
        facts = dict(conn.execute("SELECT key, value FROM metadata"))
        assert conn.execute("SELECT count(*) FROM plays").fetchone() == (600,)
        for table in TABLES[2:]:
            count = conn.execute(f"SELECT count(*) FROM {table.name}").fetchone()[0]
            assert count == written.counts[table.name], table.name
            assert count, table.name
            untitled = f"SELECT count(*) FROM {table.name} WHERE title_id IS NULL AND type IN "
            if any(field.name == "title_id" for field in table.fields) and table.name != "plays":
                films = conn.execute(f"{untitled} ('movie', 'show', 'season', 'episode')")
                assert films.fetchone() == (0,), table.name
    assert facts["account"] == synced.account.name
    assert facts["timezone"] == synced.account.timezone
    assert facts["since"] is None


def test_counts_are_those_of_the_store(synced: Book, tmp_path: Path) -> None:
    """Nothing falls by the way."""
    written = out(synced.store, synced.account, "sqlite", tmp_path / "b.sqlite")
    starts = {
        "ratings": ["ratings_"],
        "list_items": ["list_items/", "collaboration_items/"],
        "notes": ["notes_"],
        "hidden": ["hidden_"],
    }
    names = [name for (name,) in synced.rows("select data_set from items")]
    for table, start in starts.items():
        assert written.counts[table] == sum(name.startswith(tuple(start)) for name in names), table


def test_hostile_titles_come_back(empty: Filled) -> None:
    """As they are, without the NUL that texts in databases cannot hold."""
    wanted = [title.replace("\0", "") for title in hostile(empty)]
    rows = ask(empty, "SELECT title FROM plays_with_titles ORDER BY history_id")
    assert [row[0] for row in rows] == wanted
    assert [row[0] for row in ask(empty, "SELECT name FROM lists ORDER BY list_id")] == wanted


def test_the_file_is_what_is_documented(small: Filled) -> None:
    """Every table, column and view that there is, and no other."""
    (path,) = small.export("sqlite").paths
    with opened(path) as conn:
        found = {
            name: [row[1] for row in conn.execute(f"PRAGMA table_info({name})")]
            for (name,) in conn.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            if not name.startswith(("sqlite_", SEARCH))
        }
        views = conn.execute("SELECT name FROM sqlite_master WHERE type = 'view'").fetchall()
    assert found == {table.name: [field.name for field in table.fields] for table in TABLES}
    assert [name for (name,) in views] == [view.name for view in VIEWS]


@pytest.mark.daily(3)
@pytest.mark.parametrize("secret", ["share_link", "[redacted]", "_sealed", "fingerprint"])
def test_nothing_internal_is_in_it(synced: Book, tmp_path: Path, secret: str) -> None:
    """No columns of the store's own, no field that gives access to something."""
    (path,) = out(synced.store, synced.account, "sqlite", tmp_path / "b.sqlite").paths
    assert secret.encode() not in path.read_bytes()


def test_the_file_program_knows_it(empty: Filled) -> None:
    """It is a plain SQLite 3 database."""
    assert empty.export("sqlite").paths[0].read_bytes()[:16] == b"SQLite format 3\0"
