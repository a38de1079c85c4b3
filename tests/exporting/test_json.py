"""The document with everything."""

from __future__ import annotations

import json
from typing import Any

from tests.exporting.conftest import Filled, hostile, out
from tests.sync.conftest import Book
from watchbook.exporting.selection import Selection
from watchbook.trakt.datasets import CATALOGUE


def document(book: Filled, **wanted: Any) -> dict[str, Any]:
    """The document, read by another reader than wrote it."""
    (path,) = book.export("json", Selection(**wanted)).paths
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def test_every_row_has_our_key_and_trakts_object(small: Filled) -> None:
    """Plays, lists with their items, and everything else by name."""
    found = document(small)
    assert (found["format"], found["version"], found["account"]) == (
        "watchbook-export",
        1,
        "sandra",
    )
    play = found["plays"][0]
    assert (play["history_id"], play["title"], play["rating"]) == (15, "episode:702", 7)
    assert play["trakt"]["show"]["title"] == "Show 70"
    assert "watched_at" not in found["plays"][-1]
    assert found["plays"][-1]["trakt"]["watched_at"] == "1970-01-01T00:00:00.000Z"
    assert [(r["data_set"], r["key"]) for r in found["ratings"]] == [
        ("ratings_movies", "movie:1"),
        ("ratings_movies", "movie:3"),
        ("ratings_episodes", "episode:702"),
    ]
    rainy, second = found["lists"]
    assert (rainy["name"], rainy["trakt"]["ids"]["slug"]) == ("Rainy Days", "rainy-days")
    assert [item["type"] for item in rainy["items"]] == ["movie", "person"]
    assert len(second["items"]) == 1


def test_a_selection_is_written_down(small: Filled) -> None:
    """So that nobody takes a part for the whole."""
    found = document(small, types=frozenset({"movie"}), lists=frozenset({"rainy-days"}))
    assert found["selection"]["types"] == ["movie"]
    assert found["selection"]["lists"] == ["rainy-days"]
    assert found["plays"] == found["watchlist"] == []
    assert [[item["key"] for item in one["items"]] for one in found["lists"]] == [["5"]]


def test_what_is_gone_says_since_when(small: Filled) -> None:
    """Only when asked for."""
    small.remove_play(13)
    assert 13 not in [play["history_id"] for play in document(small)["plays"]]
    rows = document(small, removed=True)["plays"]
    assert [row["removed_at"] for row in rows if "removed_at" in row] == ["2026-11-01T00:00:00Z"]


def test_hostile_titles_come_back(empty: Filled) -> None:
    """Byte for byte what Trakt said."""
    wanted = list(hostile(empty))
    found = document(empty)
    assert [row["trakt"]["movie"]["title"] for row in found["plays"]] == wanted[::-1]
    assert [one["trakt"]["name"] for one in found["lists"]] == wanted


def test_an_account_without_a_row_is_a_document_too(empty: Filled) -> None:
    """All members are there."""
    found = document(empty)
    assert found["plays"] == found["lists"] == found["notes"] == []
    assert found["others"]["user_settings"] == []


def test_a_row_stands_on_a_line(small: Filled) -> None:
    """Who reads line by line needs no more memory for more plays."""
    lines = small.export("json").paths[0].read_text("utf-8").splitlines()
    assert sum(line.startswith('{"history_id":') for line in lines) == 5


def test_everything_that_was_read_is_in_it(synced: Book) -> None:
    """Every row of every data set, with the objects that Trakt sent."""
    folder = synced.installation.settings.home
    (path,) = out(synced.store, synced.account, "json", folder / "all.json").paths
    found = json.loads(path.read_bytes())
    kept = {raw for (raw,) in synced.rows("select raw from items where removed_at is null")}
    told = [row["trakt"] for rows in found.values() if isinstance(rows, list) for row in rows]
    told += [row["trakt"] for rows in found["others"].values() for row in rows]
    told += [row["trakt"] for one in found["lists"] for row in one["items"]]
    plays = {raw for (raw,) in synced.rows("select raw from plays")}
    assert {json.dumps(row, sort_keys=True) for row in told} == {
        json.dumps(json.loads(raw), sort_keys=True) for raw in kept | plays
    }
    named = {row["data_set"].partition("/")[0] for row in _named(found)} | {*found["others"]}
    lines = {line.name for line in CATALOGUE if line.parent is None}
    assert lines - named == {"history", "lists", "lists_collaborations"}


def _named(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows outside of others that name their data set."""
    rows = [row for rows in found.values() if isinstance(rows, list) for row in rows]
    return [row for row in rows if "data_set" in row]
