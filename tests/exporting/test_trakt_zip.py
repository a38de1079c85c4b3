"""The form of Trakt's own export, and the way back into a store."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from tests.exporting.conftest import Filled, film, film_play, hostile, listed, out, rated
from tests.sync.conftest import Book
from tests.test_importing import Silent
from watchbook.clock import from_iso
from watchbook.exporting.selection import Selection
from watchbook.exports.trakt_zip import BUCKETS, ENDPOINTS, LIST_ITEMS, open_export
from watchbook.importing import ImportReport, import_export
from watchbook.store.database import Database
from watchbook.store.opening import migrate
from watchbook.store.schema import items, plays

pytestmark = pytest.mark.sqlite_daily

HELD = {*BUCKETS, LIST_ITEMS}
PLAY = ("history_id", "type", "title_key", "watched_at", "action", "raw")
ITEM = ("data_set", "key", "type", "title_key", "place", "raw")


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Database]:
    """An empty store of somebody who only has the file."""
    database = Database(f"sqlite:///{tmp_path / 'other' / 'watchbook.db'}")
    migrate(database)
    yield database
    database.close()


def take(database: Database, path: Path) -> ImportReport:
    """Import an export."""
    return import_export(database, path, None, Silent())


def kept(database: Database) -> tuple[list[Any], list[Any]]:
    """The plays, and the rows of all data sets that the layout holds, as a store keeps them."""
    with database.read() as conn:
        query = sa.select(*(plays.c[name] for name in PLAY)).where(plays.c.removed_at.is_(None))
        watched = [tuple(row) for row in conn.execute(query.order_by(plays.c.history_id))]
        query = sa.select(*(items.c[name] for name in ITEM)).where(items.c.removed_at.is_(None))
        rows = [tuple(row) for row in conn.execute(query.order_by(items.c.data_set, items.c.key))]
    return watched, [_placed(row) for row in rows if row[0].partition("/")[0] in HELD]


def _placed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """Comments come in a file for each kind, so among all of them they have no order."""
    return (*row[:4], None, *row[5:]) if row[0] == "comments_all" else row


def test_a_synced_account_comes_back_the_same(
    synced: Book, other: Database, tmp_path: Path
) -> None:
    """Every row of every data set that Trakt's layout can hold, in an empty store."""
    (path,) = out(synced.store, synced.account, "trakt-zip", tmp_path / "e.zip").paths
    report = take(other, path)
    assert report.complete, report.words
    assert report.account == synced.account.trakt_slug
    watched, rows = kept(other)
    assert (watched, rows) == kept(synced.store.database)
    assert len(watched) == 600
    assert {row[0].partition("/")[0] for row in rows} == HELD - {"history"}


def test_what_went_round_goes_round_again(synced: Book, other: Database, tmp_path: Path) -> None:
    """The export of an import holds the same bytes in every file."""
    (first,) = out(synced.store, synced.account, "trakt-zip", tmp_path / "1.zip").paths
    take(other, first)
    again = Filled(synced.store, synced.account, tmp_path)
    again.store = type(synced.store)(other, synced.store.sealer, tmp_path)
    (second,) = again.export("trakt-zip", to="2.zip").paths
    assert contents(second) == contents(first)


def contents(path: Path) -> dict[str, bytes]:
    """The files in a ZIP."""
    with zipfile.ZipFile(path) as packed:
        assert packed.testzip() is None
        return {name: packed.read(name) for name in packed.namelist()}


def test_its_own_export_tells_a_store_nothing_new(synced: Book, tmp_path: Path) -> None:
    """Importing it where it came from touches not one row."""
    (path,) = out(synced.store, synced.account, "trakt-zip", tmp_path / "e.zip").paths
    before = synced.data()
    report = take(synced.store.database, path)
    assert report.order == "same"
    assert synced.data() == before


def test_the_files_are_those_of_trakts_exporter(synced: Book, tmp_path: Path) -> None:
    """The names and pages that the sandbox's exporter writes, and rows that are the same."""
    (path,) = out(synced.store, synced.account, "trakt-zip", tmp_path / "e.zip").paths
    theirs = contents(synced.sandbox.export_zip(tmp_path / "trakt.zip", numbered=True))
    ours = contents(path)
    assert set(ours) == set(theirs)
    assert {"watched-history-1.json", "watched-history-3.json"} <= set(ours)
    alike = [n for n in ours if n.startswith(("watched-history", "ratings-", "lists-list-"))]
    assert len(alike) > 10
    for name in alike:
        assert json.loads(ours[name]) == json.loads(theirs[name]), name


def test_what_it_cannot_hold_is_told(synced: Book, tmp_path: Path) -> None:
    """By data set and count."""
    notes = out(synced.store, synced.account, "trakt-zip", tmp_path / "e.zip").notes
    assert len(notes) == 1
    assert "2 rows of hidden_dropped" in notes[0]
    assert "rows of smart_lists" in notes[0]
    assert "calendar" not in notes[0]


def test_a_part_is_never_taken_for_the_whole(synced: Book, other: Database, tmp_path: Path) -> None:
    """An import of a selection adds rows, and marks nothing as missing that it lacks."""
    whole = out(synced.store, synced.account, "trakt-zip", tmp_path / "whole.zip").paths[0]
    take(other, whole)
    before = kept(other)
    synced.sandbox.add_plays(2)
    assert synced.sync().complete
    since = from_iso("2026-11-01T00:00:00Z")
    part = out(
        synced.store, synced.account, "trakt-zip", tmp_path / "p.zip", Selection(since=since)
    )
    assert any("less than all of Trakt's rows" in note for note in part.notes)
    report = take(other, part.paths[0])
    assert (report.order, report.complete) == ("newer", False)
    with other.read() as conn:
        gone = sa.select(sa.func.count()).where(plays.c.missing_at.is_not(None))
        assert conn.scalar(gone) == 0
    after = kept(other)
    assert {row[:2] for row in after[1]} >= {row[:2] for row in before[1]}
    assert len(after[0]) == len(before[0]) + 2


def test_a_chosen_list_comes_with_its_head(small: Filled) -> None:
    """And without the other lists."""
    files = contents(small.export("trakt-zip", Selection(lists=frozenset({"501"}))).paths[0])
    assert [one["ids"]["trakt"] for one in json.loads(files["lists-lists.json"])] == [501]
    assert len(json.loads(files["lists-list-501-rainy-days.json"])) == 2
    assert not any(name.startswith("lists-list-502") for name in files)
    failed = {row["endpoint"] for row in json.loads(files["_errors.json"])}
    assert {"users/me/history", "users/me/lists", "users/me/watchlist"} <= failed
    assert "lists-list-501-rainy-days" in failed  # it may lack what other filters took out


def test_what_was_never_read_has_no_file(small: Filled) -> None:
    """It is named as what could not be read, as Trakt's exporter does."""
    files = contents(small.export("trakt-zip").paths[0])
    assert "network-friends.json" not in files
    assert json.loads(files["user-profile.json"]) == {"ids": {"slug": "sandra"}}
    failed = {row["endpoint"] for row in json.loads(files["_errors.json"])}
    assert {"users/me/friends", "users/me/history"} <= failed
    assert "users/me/watchlist" not in failed
    assert len(json.loads(files["watched-history.json"])) == 5


def test_what_is_gone_does_not_go_in(small: Filled) -> None:
    """The layout cannot say it, so it would come back to life."""
    small.remove_play(13)
    written = small.export("trakt-zip", Selection(removed=True))
    ids = [row["id"] for row in json.loads(contents(written.paths[0])["watched-history.json"])]
    assert ids == [15, 14, 12, 11]
    assert any("gone at Trakt" in note for note in written.notes)


def test_hostile_titles_come_back(empty: Filled, other: Database) -> None:
    """Also as names of lists, which stand in the names of files."""
    hostile(empty)
    empty.read("history")
    empty.items("lists", {**_list(9), "ids": {"trakt": 9, "slug": "../../etc/pass\\wd\n"}})
    empty.items("list_items/9", listed(1, "movie", {"movie": film(1)}))
    (path,) = empty.export("trakt-zip").paths
    take(other, path)
    assert kept(other)[0] == kept(empty.store.database)[0]
    assert [row for row in kept(other)[1] if row[0] in {"watchlist", "list_items/9"}] == [
        row for row in kept(empty.store.database)[1] if row[0] in {"watchlist", "list_items/9"}
    ]


def _list(number: int) -> dict[str, Any]:
    return {"name": "odd", "item_count": 1, "ids": {"trakt": number, "slug": "odd"}}


def test_pages_are_as_long_as_trakts(empty: Filled) -> None:
    """One file for up to 250 rows, else numbered ones, in their order."""
    moment = "2026-05-01T20:15:00.000Z"
    empty.plays(*(film_play(n, 1, moment) for n in range(1, 502)))
    empty.items("ratings_movies", *(rated(n, 5) for n in range(1, 251)))
    (path,) = empty.export("trakt-zip").paths
    files = contents(path)
    pages = {name: len(json.loads(files[name])) for name in files if "history" in name}
    assert pages == {f"watched-history-{n}.json": size for n, size in ((1, 250), (2, 250), (3, 1))}
    assert len(json.loads(files["ratings-movies.json"])) == 250
    with open_export(path) as export:
        found = [json.loads(row)["id"] for p in export.pages("history") for row in export.rows(p)]
    assert found == list(range(501, 0, -1))


def test_every_bucket_has_an_endpoint() -> None:
    """So that each can be named in _errors.json."""
    assert {bucket for buckets in BUCKETS.values() for bucket in buckets} == set(ENDPOINTS)
