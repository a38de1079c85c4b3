from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api


def headers(response: Any) -> tuple[int, ...]:
    """Page, limit, page count and item count."""
    names = ("page", "limit", "page-count", "item-count")
    return tuple(int(response.headers[f"x-pagination-{name}"]) for name in names)


@pytest.mark.parametrize(
    ("path", "default", "maximum"),
    [
        ("/users/me/history", 100, 250),
        ("/sync/watched/movies", 100, 250),
        ("/sync/watched/shows", 100, 250),
        ("/sync/watched/shows?extended=progress", 100, 100),
        ("/sync/watched/shows?extended=min", 100, 250),
        ("/sync/watchlist", 100, 250),
        ("/users/me/ratings/movies", 100, 250),
        ("/users/me/followers", 100, 250),
        ("/users/me/comments/all/all", 10, 250),
        ("/users/me/notes/movies", 10, 250),
        ("/users/hidden/dropped", 10, 250),
    ],
)
def test_limits_are_clamped_silently(read: Api, path: str, default: int, maximum: int) -> None:
    """Without a limit the default counts; a larger one becomes the maximum."""
    joint = "&" if "?" in path else "?"
    assert headers(read.get(path))[1] == default
    for asked in ("251", "100000", "all"):
        assert headers(read.get(f"{path}{joint}limit={asked}"))[1] == maximum
    assert headers(read.get(f"{path}{joint}limit=7"))[1] == 7


@pytest.mark.parametrize("query", ["page=0", "page=-1", "page=x", "limit=0", "limit=x"])
def test_senseless_pages_mean_the_usual_ones(read: Api, query: str) -> None:
    """The first page and the default limit."""
    assert headers(read.get(f"/users/me/history?{query}")) == (1, 100, 15, 1_500)


def test_pages_cover_the_history_once(read: Api) -> None:
    """Newest first, ids as tie-breakers, nothing twice, nothing lost, nothing past the end."""
    rows = read.pages("/users/me/history", limit=70)
    keys = [(row["watched_at"], row["id"]) for row in rows]
    assert keys == sorted(keys, reverse=True)
    assert len({row["id"] for row in rows}) == len(rows) == 1_500
    response = read.get("/users/me/history?page=99")
    assert response.json() == []
    assert headers(response) == (99, 100, 15, 1_500)


def test_the_unknown_dates_are_the_tail(read: Api) -> None:
    """Plays of 1970 come last, the higher id first."""
    tail = read.json("/users/me/history?limit=250&page=6")[-6:]
    assert {row["watched_at"] for row in tail} == {"1970-01-01T00:00:00.000Z"}
    assert [row["id"] for row in tail] == sorted((row["id"] for row in tail), reverse=True)


def test_a_window_includes_both_ends(read: Api) -> None:
    """`start_at` and `end_at` take instants in any zone and whole days."""
    rows = read.pages("/users/me/history")
    first, last = rows[20]["watched_at"], rows[10]["watched_at"]
    inside = [row for row in rows if first <= row["watched_at"] <= last]
    found = read.pages(f"/users/me/history?start_at={first}&end_at={last}")
    assert found == inside
    day = rows[10]["watched_at"][:10]
    whole = read.pages(f"/users/me/history?start_at={day}&end_at={day}")
    assert whole == [row for row in rows if row["watched_at"][:10] == day]
    zoned = read.pages(f"/users/me/history?end_at={day}T02:00:00%2B02:00")
    assert zoned == [row for row in rows if row["watched_at"] <= f"{day}T00:00:00.000Z"]


def test_seconds_of_a_window_count(read: Api) -> None:
    """A start half a minute after a play leaves it out; an end half a minute later keeps it."""
    row = read.json("/users/me/history?limit=1")[0]
    late = row["watched_at"].replace(":00.000Z", ":30.000Z")
    assert read.json(f"/users/me/history?start_at={late}") == []
    assert read.json(f"/users/me/history?end_at={late}&limit=1") == [row]


def test_an_end_alone_keeps_the_unknown_dates(read: Api) -> None:
    """The tail of 1970 is older than any end."""
    rows = read.pages("/users/me/history?end_at=2000-01-01")
    assert {row["watched_at"][:4] for row in rows} == {"1970"}
    assert read.get("/users/me/history?start_at=yesterday").status_code == 400


@pytest.mark.parametrize("kind", ["movies", "shows", "seasons", "episodes"])
def test_history_of_one_title(read: Api, kind: str) -> None:
    """The typed routes serve the plays of one title and no others."""
    rows = read.pages("/users/me/history")
    pairs = {"movies": "movie", "shows": "show", "episodes": "episode", "seasons": "episode"}
    row = next(r for r in rows if r.get(pairs[kind]))
    if kind == "seasons":
        seasons = read.json(f"/shows/{row['show']['ids']['trakt']}/seasons")
        number = row["episode"]["season"]
        key = next(s["ids"]["trakt"] for s in seasons if s["number"] == number)
        expected = [
            r for r in rows if r.get("show") == row["show"] and r["episode"]["season"] == number
        ]
    else:
        name = pairs[kind]
        key = row[name]["ids"]["trakt"]
        expected = [r for r in rows if r.get(name) and r[name]["ids"]["trakt"] == key]
    assert read.pages(f"/sync/history/{kind}/{key}") == expected
    assert read.get(f"/sync/history/{kind}/0").status_code == 404


def test_types_of_history(read: Api) -> None:
    """Shows and seasons mean episodes, all means all, anything else is missing."""
    episodes = read.pages("/sync/history/episodes")
    assert episodes == read.pages("/sync/history/shows") == read.pages("/sync/history/seasons")
    films = read.pages("/users/me/history/movies")
    assert len(films) + len(episodes) == len(read.pages("/sync/history/all")) == 1_500
    assert read.get("/sync/history/books").status_code == 404
    assert read.get("/sync/history/books/1").status_code == 404


def test_playback_has_windows_and_types(read: Api) -> None:
    """Ids are 64-bit, types and windows pick rows."""
    rows = read.json("/sync/playback")
    assert min(row["id"] for row in rows) > 2**53
    assert {row["type"] for row in read.json("/sync/playback/movies")} == {"movie"}
    middle = sorted(row["paused_at"] for row in rows)[2]
    later = read.json(f"/sync/playback?start_at={middle}")
    assert [row["paused_at"] >= middle for row in later].count(True) == 3
    assert len(read.json(f"/sync/playback?end_at={middle}")) == 3
