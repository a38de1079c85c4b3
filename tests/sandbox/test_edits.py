from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from watchbook.sandbox.trakt import ControlError

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api

HISTORY = "/users/me/history"


def activities(api: Api) -> dict[str, str]:
    """All timestamps, flat."""
    found = api.json("/sync/last_activities")
    flat = {"all": found.pop("all")}
    for group, fields in found.items():
        flat |= {f"{group}.{name}": at for name, at in fields.items()}
    return flat


class Moves:
    """The timestamps that differ from those at the start."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.before = activities(api)

    def seen(self) -> set[str]:
        """Names of the fields that moved since the last look; `all` is left out and checked."""
        now = activities(self.api)
        moved = {name for name, at in now.items() if at != self.before[name]}
        assert ("all" in moved) == bool(moved)
        assert all(now[name] > self.before[name] for name in moved)
        self.before = now
        return moved - {"all"}


@pytest.fixture
def moves(api: Api) -> Moves:
    """The timestamps of this test's sandbox."""
    return Moves(api)


def film(api: Api, number: int = 0) -> int:
    """The id of a film that was seen."""
    return int(api.json("/sync/watched/movies")[number]["movie"]["ids"]["trakt"])


def show(api: Api) -> dict[str, Any]:
    """A show that was seen."""
    return dict(api.json("/sync/watched/shows?extended=progress")[0]["show"])


def episode(api: Api) -> int:
    """The id of an episode that was seen, of a show that is not on the watchlist."""
    wanted = [row["show"] for row in api.json("/sync/watchlist/shows")]
    rows = api.pages("/users/me/history/episodes")
    return next(int(r["episode"]["ids"]["trakt"]) for r in rows if r["show"] not in wanted)


def test_reading_moves_nothing(moves: Moves) -> None:
    """Timestamps stand still while nobody changes anything."""
    moves.api.pages(HISTORY)
    assert moves.seen() == set()


def test_a_new_play(moves: Moves) -> None:
    """It is the first row, counts at once, and moves the timestamp of its kind."""
    api, stats = moves.api, moves.api.json("/users/me/stats")
    added = api.sandbox.add_plays(movie=film(api))[0]
    assert moves.seen() >= {"movies.watched_at"}
    newest = api.json(f"{HISTORY}?limit=1")[0]
    assert (newest["id"], newest["watched_at"]) == (added["id"], added["watched_at"])
    assert newest["action"] == "watch"
    after = api.json("/users/me/stats")
    assert after["movies"]["plays"] == stats["movies"]["plays"] + 1
    assert after["movies"]["watched"] == stats["movies"]["watched"]
    assert after["movies"]["minutes"] > stats["movies"]["minutes"]
    row = next(r for r in api.json("/sync/watched/movies") if r["movie"] == newest["movie"])
    assert row["plays"] >= 2
    assert row["last_watched_at"] == row["last_updated_at"] == added["watched_at"]


def test_new_plays_of_episodes(moves: Moves) -> None:
    """Only the episodes' timestamp moves; several plays are a minute apart."""
    added = moves.api.sandbox.add_plays(3, episode=episode(moves.api))
    assert moves.seen() == {"episodes.watched_at"}
    assert len({play["watched_at"] for play in added}) == 3
    assert len({play["id"] for play in added}) == 3


def test_watching_takes_a_title_off_the_watchlist(moves: Moves) -> None:
    """The film goes, the ranks close up, and both timestamps of the watchlist move."""
    api = moves.api
    wanted = next(r for r in api.json("/sync/watchlist") if r["type"] == "movie")
    api.sandbox.add_plays(movie=wanted["movie"]["ids"]["trakt"])
    assert moves.seen() == {"movies.watched_at", "watchlist.updated_at", "movies.watchlisted_at"}
    rows = api.json("/sync/watchlist")
    assert wanted["id"] not in {row["id"] for row in rows}
    assert [row["rank"] for row in rows] == [*range(1, len(rows) + 1)]


def test_backdated_plays(moves: Moves) -> None:
    """They take their place in the past, with an id above all others."""
    api = moves.api
    newest = api.json(f"{HISTORY}?limit=1")[0]
    added = api.sandbox.backdate(days=300, episode=episode(api))[0]
    rows = api.pages(HISTORY)
    place = [row["id"] for row in rows].index(added["id"])
    assert rows[0] == newest
    assert rows[place - 1]["watched_at"] >= added["watched_at"] >= rows[place + 1]["watched_at"]
    assert added["id"] == max(row["id"] for row in rows)
    assert moves.seen() == {"episodes.watched_at"}


def test_plays_of_the_future_and_of_no_date(api: Api) -> None:
    """One leads the history, the other ends it."""
    future = api.sandbox.add_plays(watched_at="2031-05-01T20:00:00Z", movie=film(api))[0]
    unknown = api.sandbox.add_plays(watched_at="unknown", movie=film(api))[0]
    rows = api.pages(HISTORY)
    assert rows[0]["id"] == future["id"]
    assert rows[-1]["watched_at"] == "1970-01-01T00:00:00.000Z"
    assert unknown["id"] in {row["id"] for row in rows if row["watched_at"].startswith("1970")}


def test_deleted_plays_leave_nothing_behind(moves: Moves) -> None:
    """The rows are gone everywhere, `last_updated_at` stands still, the timestamp moves."""
    api = moves.api
    row = api.json("/sync/watched/movies")[0]
    key = row["movie"]["ids"]["trakt"]
    api.sandbox.add_plays(movie=key, watched_at="2020-01-01T00:00:00Z")
    moves.seen()
    updated = api.json("/sync/watched/movies")
    ids = [play["id"] for play in api.json(f"/sync/history/movies/{key}")][:-1]
    assert [play["id"] for play in api.sandbox.delete_plays(ids=ids)] == sorted(ids)
    assert moves.seen() == {"movies.watched_at"}
    kept = next(r for r in api.json("/sync/watched/movies") if r["movie"] == row["movie"])
    old = next(r for r in updated if r["movie"] == row["movie"])
    assert kept["plays"] == 1
    assert kept["last_updated_at"] == old["last_updated_at"]
    api.sandbox.delete_plays(ids=[p["id"] for p in api.json(f"/sync/history/movies/{key}")])
    assert all(r["movie"] != row["movie"] for r in api.json("/sync/watched/movies"))


def test_a_share_of_all_plays_can_vanish(api: Api) -> None:
    """The same seed takes the same plays."""
    gone = api.sandbox.delete_plays(share=0.5, seed=3)
    assert len(gone) == 150
    assert len(api.pages(HISTORY)) == 150
    assert len(api.sandbox.delete_plays(7)) == 7
    stats = api.json("/users/me/stats")
    assert stats["movies"]["plays"] + stats["episodes"]["plays"] == 143
    assert api.sandbox.delete_plays(ids=[1]) == []


@pytest.mark.parametrize("keep", [True, False])
def test_an_edited_date(moves: Moves, keep: bool) -> None:
    """The play moves to its new place, with its id or a new one."""
    api = moves.api
    row = api.json("/users/me/history/movies")[0]
    edited = api.sandbox.edit_play(row["id"], "2021-02-03T04:05:00Z", keep_id=keep)
    assert (edited["id"] == row["id"]) == keep
    assert edited["watched_at"] == "2021-02-03T04:05:00.000Z"
    assert moves.seen() == {"movies.watched_at"}
    rows = {r["id"]: r["watched_at"] for r in api.pages(HISTORY)}
    assert rows[edited["id"]] == edited["watched_at"]
    assert len(rows) == 300
    with pytest.raises(ControlError, match="404"):
        api.sandbox.edit_play(1, "2021-01-01T00:00:00Z")


def test_ratings(moves: Moves) -> None:
    """A new rating replaces the old one; taking it back leaves none."""
    api, key = moves.api, show(moves.api)["ids"]["trakt"]
    for mark in (3, 10):
        api.sandbox.rate(mark, show=key)
        assert moves.seen() == {"shows.rated_at"}
        found = [r for r in api.pages("/sync/ratings/shows") if r["show"]["ids"]["trakt"] == key]
        assert [row["rating"] for row in found] == [mark]
    api.sandbox.rate(None, show=key)
    assert moves.seen() == {"shows.rated_at"}
    assert key not in {r["show"]["ids"]["trakt"] for r in api.pages("/sync/ratings/shows")}


def test_the_watchlist(moves: Moves) -> None:
    """Added at the end, removed without a gap."""
    api = moves.api
    season = api.json(f"/shows/{show(api)['ids']['trakt']}/seasons")[0]["ids"]["trakt"]
    before = len(api.json("/sync/watchlist"))
    api.sandbox.watchlist("add", season=season)
    assert moves.seen() == {"watchlist.updated_at", "seasons.watchlisted_at"}
    last = api.json("/sync/watchlist")[-1]
    assert (last["rank"], last["season"]["ids"]["trakt"]) == (before + 1, season)
    api.sandbox.watchlist("remove", season=season)
    assert moves.seen() == {"watchlist.updated_at", "seasons.watchlisted_at"}
    assert len(api.json("/sync/watchlist")) == before


def test_favourites(moves: Moves) -> None:
    """Films and shows have a timestamp each beside the common one."""
    api, key = moves.api, film(moves.api)
    api.sandbox.favorites("add", movie=key)
    assert moves.seen() == {"favorites.updated_at", "movies.favorited_at"}
    assert api.json("/sync/favorites")[-1]["movie"]["ids"]["trakt"] == key
    api.sandbox.favorites("remove", movie=key)
    assert key not in {r["movie"]["ids"]["trakt"] for r in api.json("/sync/favorites/movies")}


def test_lists(moves: Moves) -> None:
    """Made, filled, renamed, emptied, deleted: each moves the timestamp of lists and the list's."""
    api = moves.api
    number = api.sandbox.add_list("Ünder Test", "public")
    assert moves.seen() == {"lists.updated_at"}
    path = f"/users/me/lists/{number}"
    assert api.json(path)["ids"]["slug"] == "under-test"
    api.sandbox.list_item("add", number, movie=film(api))
    assert moves.seen() == {"lists.updated_at"}
    assert api.json(path)["item_count"] == len(api.json(f"{path}/items")) == 1
    api.sandbox.rename_list(number, "Renamed")
    assert moves.seen() == {"lists.updated_at"}
    assert api.json(path)["name"] == "Renamed"
    api.sandbox.list_item("remove", number, rank=1)
    assert api.json(f"{path}/items") == []
    api.sandbox.delete_list(number)
    assert moves.seen() == {"lists.updated_at"}
    assert api.get(path).status_code == 404
    with pytest.raises(ControlError, match="no list"):
        api.sandbox.delete_list(number)


@pytest.mark.parametrize(
    ("section", "field"),
    [("dropped", "shows.dropped_at"), ("calendar", "shows.hidden_at")],
)
def test_hiding(moves: Moves, section: str, field: str) -> None:
    """Dropping a show has a timestamp of its own."""
    api, key = moves.api, show(moves.api)["ids"]["trakt"]
    api.sandbox.hide(section, show=key)
    assert moves.seen() == {field}
    path = f"/users/hidden/{section}?type=show"
    assert key in {row["show"]["ids"]["trakt"] for row in api.json(path)}
    api.sandbox.unhide(section, show=key)
    assert moves.seen() == {field}
    assert key not in {row["show"]["ids"]["trakt"] for row in api.json(path)}


def test_watching_now(moves: Moves) -> None:
    """It runs for two hours, is no play, and moves no timestamp."""
    api = moves.api
    api.sandbox.watching(episode=episode(api))
    found = api.json("/users/me/watching")
    assert (found["type"], found["action"]) == ("episode", "checkin")
    assert found["show"]["title"]
    api.sandbox.watching()
    assert api.get("/users/me/watching").status_code == 204
    api.sandbox.watching(movie=film(api))
    api.sandbox.advance(3 * 3600)
    assert api.get("/users/me/watching").status_code == 204
    assert moves.seen() == set()


def test_comments_and_settings(moves: Moves) -> None:
    """A comment moves the timestamp of what it is about, a time zone that of the settings."""
    api = moves.api
    number = api.sandbox.comment("Better than the trailer, and longer.", movie=film(api))
    assert moves.seen() == {"movies.commented_at"}
    assert api.json("/users/me/comments/all/all")[0]["comment"]["id"] == number
    assert api.json("/users/me/stats")["movies"]["comments"] == 7
    api.sandbox.change_settings("Asia/Kathmandu")
    assert moves.seen() == {"account.settings_at"}
    assert api.json("/users/settings")["account"]["timezone"] == "Asia/Kathmandu"


def test_the_truth_agrees_with_what_is_served(api: Api) -> None:
    """Plays, counts, timestamps and statistics are those that a client reads."""
    api.sandbox.add_plays(4)
    truth = api.sandbox.truth()
    served = [{"id": r["id"], "watched_at": r["watched_at"]} for r in api.pages(HISTORY)]
    assert served == truth["plays"][::-1]
    assert truth["stats"] == api.json("/users/me/stats")
    assert truth["last_activities"] == api.json("/sync/last_activities")
    counts = truth["counts"]
    paths = {
        "history": HISTORY,
        "watched_movies": "/sync/watched/movies",
        "watched_shows": "/sync/watched/shows?specials=true",
        "watchlist": "/sync/watchlist",
        "favorites": "/sync/favorites",
        "collection_movies": "/sync/collection/movies",
        "collection_shows": "/sync/collection/shows",
        "comments": "/users/me/comments/all/all?include_replies=true",
        "following": "/users/me/following",
        "ratings_episodes": "/sync/ratings/episodes",
        "hidden_recommendations": "/users/hidden/recommendations",
        "notes_people": "/users/me/notes/people",
    }
    assert {name: len(api.pages(path)) for name, path in paths.items()} == {
        name: counts[name] for name in paths
    }


def test_the_clock_moves_the_calendar(api: Api) -> None:
    """The default calendar begins today, whatever day the sandbox thinks it is."""
    before = api.json("/calendars/my/shows")
    api.sandbox.advance(6 * 86_400)
    after = api.json("/calendars/my/shows")
    assert before != after
    assert all(row["first_aired"] >= "2026-11-26" for row in after)
    api.sandbox.freeze(frozen=False)
    assert api.sandbox.truth()["now"] >= "2026-11-26"
    api.sandbox.freeze()
    assert api.sandbox.truth()["now"] == api.sandbox.truth()["now"]


def test_titles_that_do_not_exist(api: Api) -> None:
    """Control requests name titles that are in the catalogue."""
    for kind in ("movie", "show", "season", "episode"):
        with pytest.raises(ControlError, match="404"):
            api.sandbox.call("ratings/set", {kind: 0})
