"""Tables for spreadsheets."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from tests.exporting.conftest import Filled, film_play, hostile
from watchbook.exporting.selection import Selection
from watchbook.exporting.spreadsheet import PLAY_CELLS, TABLES, guarded, write_rows
from watchbook.exporting.tables import ITEM_TABLES
from watchbook.intake import NOT_HELD
from watchbook.store import datasets
from watchbook.store.datasets import DataSetState
from watchbook.store.schema import titles
from watchbook.trakt.datasets import BY_NAME


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a file, as a program with a proper reader sees them."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def table(book: Filled, what: str | None = None, **wanted: Any) -> list[dict[str, str]]:
    """The rows of one table."""
    (path,) = book.export("csv", Selection(**wanted), what=what).paths
    return read(path)


def test_plays_have_everything_on_one_line(small: Filled) -> None:
    """Newest first, by UTC and by the account's clock; an unknown date is an empty cell."""
    rows = table(small)
    assert [row["history_id"] for row in rows] == ["15", "14", "13", "12", "11"]
    assert rows[0] == {
        "watched_at": "2026-05-03T20:15:00Z",
        "watched_at_local": "2026-05-03T22:15:00+02:00",
        "type": "episode",
        "title": "Show 70",
        "year": "1999",
        "season": "1",
        "episode": "2",
        "episode_title": "The Next One",
        "rating": "7",
        "action": "scrobble",
        "trakt_id": "702",
        "show_trakt_id": "70",
        "show_tvdb_id": "210",
        "history_id": "15",
        **dict.fromkeys(
            "runtime genres country language network imdb_id tmdb_id tvdb_id "
            "show_imdb_id show_tmdb_id".split(),
            "",
        ),
    }
    assert rows[3]["watched_at_local"] == "2026-01-01T00:30:00+01:00"
    assert rows[4]["watched_at"] == rows[4]["watched_at_local"] == ""


def test_other_tables_are_named(small: Filled) -> None:
    """Each row says what it is about, and what is its own."""
    first, second = table(small, "watchlist")
    assert (first["title"], first["type"], first["notes"]) == ("Film 4", "movie", "soon")
    assert (second["title"], second["type"], second["rank"]) == ("Show 71", "show", "2")
    ratings = table(small, "ratings")
    assert [(row["title"], row["episode_title"], row["rating"]) for row in ratings] == [
        ("Film 1", "", "9"),
        ("Film 3", "", "4"),
        ("Show 70", "The Next One", "7"),
    ]
    lists = table(small, "list_items")
    assert [(row["list"], row["title"], row["person"]) for row in lists] == [
        ("Rainy Days", "Film 2", ""),
        ("Rainy Days", "", "Ida Lupino"),
        ("Zweite", "Show 70", ""),
    ]
    assert [row["name"] for row in table(small, "lists")] == ["Rainy Days", "Zweite"]


def test_a_list_gives_its_items_instead_of_plays(small: Filled) -> None:
    """Also several lists of different kinds at once."""
    rows = table(small, lists=frozenset({"rainy-days", "watchlist"}))
    assert [(row["list"], row["title"] or row["person"]) for row in rows] == [
        ("watchlist", "Film 4"),
        ("watchlist", "Show 71"),
        ("Rainy Days", "Film 2"),
        ("Rainy Days", "Ida Lupino"),
    ]
    written = small.export("csv", Selection(lists=frozenset({"zweite"})), what="plays")
    assert read(written.paths[0]) == []
    assert written.notes == ["A play is on no list, so --list lets no play out."]


def test_a_folder_gets_every_table(small: Filled) -> None:
    """One file for each, with its header even where it has no rows."""
    written = small.export("csv", to="all", folder=True)
    assert [path.name for path in written.paths] == [f"{name}.csv" for name in TABLES]
    assert {path.parent for path in written.paths} == {small.folder / "all"}
    assert written.counts["plays"] == 5
    assert written.counts["notes"] == 0
    assert b"note_id" in (small.folder / "all" / "notes.csv").read_bytes()


def test_what_is_gone_says_since_when(small: Filled) -> None:
    """A column more, and only when it was asked for."""
    small.remove_play(13)
    assert "removed_at" not in table(small)[0]
    rows = table(small, removed=True)
    assert {row["history_id"]: row["removed_at"] for row in rows if row["removed_at"]} == {
        "13": "2026-11-01T00:00:00Z"
    }


def test_excel_and_others_read_it(small: Filled) -> None:
    """A byte order mark in front, and lines that end as RFC 4180 has them."""
    data = small.export("csv").paths[0].read_bytes()
    assert data.startswith(b"\xef\xbb\xbfwatched_at,")
    assert data.count(b"\r\n") == 6


def test_hostile_titles_stay_texts(empty: Filled) -> None:
    """No cell begins as a formula, and each title is there as it is."""
    wanted = [title.replace("\0", "") for title in hostile(empty)]
    for rows in (table(empty)[::-1], table(empty, "watchlist"), table(empty, "lists")):
        cells = [row.get("name") or row["title"] for row in rows]
        assert [cell.removeprefix("'") if cell != wanted[13] else cell for cell in cells] == wanted
        every = [cell for row in rows for cell in row.values()]
        assert [cell for cell in every if cell.lstrip(" ")[:1] in tuple("=+-@\t\r\n")] == []


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1", "'=1"),
        (" =1", "' =1"),
        ("\t=1", "'\t=1"),
        ("-", "'-"),
        *((f"{sign}1", f"'{sign}1") for sign in "\uff1d\uff0b\uff0d\uff20"),
        *((f"{space}=1", f"'{space}=1") for space in ("\xa0", "\u3000 ", "\ufeff", " \xa0\t")),
        ("\xa0a", "\xa0a"),
        ("a=1", "a=1"),
        ("", ""),
        (-5, -5),
        (None, None),
    ],
)
def test_only_what_looks_like_a_formula_is_guarded(value: Any, cell: Any) -> None:
    """Numbers are numbers."""
    assert guarded(value) == cell


def test_nothing_selected_is_a_header(empty: Filled) -> None:
    """A file without rows, not an error."""
    assert table(empty) == []


def test_every_column_of_plays_is_documented() -> None:
    """In the how-to, where people look for it."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / "export.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`([a-z_]+)`", row.split("|")[1])}
    assert {*PLAY_CELLS, "removed_at"} - named == set()
    assert [name for name in TABLES if f"`{name}`" not in text] == []


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00.000Z", "9999-12-31T23:59:59.000Z"])
def test_the_ends_of_the_calendar_are_no_obstacle(empty: Filled, at: str) -> None:
    """Where the account's clock would show a year that there is not."""
    for zone in ("America/New_York", "Asia/Tokyo"):
        empty.account = replace(empty.account, timezone=zone)
        empty.plays(film_play(1, 1, at))
        assert table(empty)[0]["history_id"] == "1"


@given(st.lists(st.text(), min_size=1))
def test_any_text_comes_back(texts: list[str]) -> None:
    """Whatever is in a cell, a proper reader finds it there."""
    file = io.StringIO(newline="")
    assert write_rows(file, ["a"] * len(texts), [texts]) == 1
    file.seek(0)
    assert list(csv.reader(file, strict=True))[1] == [guarded(text) for text in texts]


def test_tables_hold_data_sets_of_the_catalogue() -> None:
    """Each of them once."""
    names = [name for table in ITEM_TABLES for name in table.data_sets]
    assert len(names) == len(set(names))
    assert set(names) <= set(BY_NAME)


def test_a_book_of_exports_says_why_columns_are_empty(small: Filled) -> None:
    """Runtime and genres are not in Trakt's exports; a book read from Trakt needs no note."""
    assert small.export("csv").notes == []
    with small.store.database.write() as conn:
        conn.execute(sa.update(titles).values(runtime=None))
        state = DataSetState("user_stats", datasets.UNAVAILABLE, NOT_HELD)
        datasets.save(conn, small.account.id, state)
    (note,) = small.export("csv").notes
    assert note.startswith("Runtime, genres, country, language and network are empty")
