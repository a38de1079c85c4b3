from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.sandbox.conftest import Api

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
MOVIE = {"title": str, "year": int, "ids": dict}
SHOW = {"title": str, "year": int, "ids": dict}
SEASON = {"number": int, "ids": dict}
EPISODE = {"season": int, "number": int, "title": str | None, "ids": dict}
PERSON = {"name": str, "ids": dict}
USER = {"username": str, "private": bool, "deleted": bool, "ids": dict}
COMMENT = {
    "id": int,
    "parent_id": int,
    "created_at": TIME,
    "updated_at": TIME,
    "comment": str,
    "spoiler": bool,
    "review": bool,
    "replies": int,
    "likes": int,
    "user_stats": dict,
    "user": USER,
}
LIST = {
    "name": str,
    "privacy": str,
    "share_link": str,
    "type": str,
    "display_numbers": bool,
    "allow_comments": bool,
    "sort_by": str,
    "sort_how": str,
    "created_at": TIME,
    "updated_at": TIME,
    "item_count": int,
    "comment_count": int,
    "likes": int,
    "ids": dict,
    "user": USER,
}
INNER: dict[str, Any] = {
    "movie": MOVIE,
    "show": SHOW,
    "season": SEASON,
    "episode": EPISODE,
    "person": PERSON,
    "user": USER,
    "comment": COMMENT,
    "list": LIST,
}
ITEM = {"rank": int, "id": int, "listed_at": TIME, "type": str}
NOTE = {"id": int, "notes": str, "privacy": str, "spoiler": bool, "created_at": TIME, "item": dict}
SYNC = {"id": int, "created_at": TIME, "kind": str, "undone": bool, "items": dict}

ROWS: list[tuple[str, dict[str, Any]]] = [
    ("/users/me/history", {"id": int, "watched_at": TIME, "action": str, "type": str}),
    ("/sync/history?extended=full", {"id": int, "watched_at": TIME, "action": str, "type": str}),
    ("/sync/watched/movies", {"plays": int, "last_watched_at": TIME, "last_updated_at": TIME}),
    ("/users/me/watched/shows", {"plays": int, "last_watched_at": TIME, "last_updated_at": TIME}),
    ("/sync/watched/episodes", {"plays": int, "last_watched_at": TIME, "last_updated_at": TIME}),
    ("/sync/playback", {"progress": float, "paused_at": TIME, "id": int, "type": str}),
    ("/users/me/ratings/movies", {"rated_at": TIME, "rating": int, "type": str}),
    ("/users/me/ratings/seasons", {"rated_at": TIME, "rating": int, "type": str}),
    ("/sync/ratings/episodes", {"rated_at": TIME, "rating": int, "type": str}),
    ("/sync/watchlist", ITEM),
    ("/users/me/watchlist/movie,show/rank/asc", ITEM),
    ("/sync/favorites", ITEM),
    ("/sync/collection/movies", {"collected_at": TIME, "updated_at": TIME, "type": str}),
    ("/sync/collection/episodes", {"collected_at": TIME, "updated_at": TIME, "type": str}),
    ("/users/me/collection/shows", {"last_collected_at": TIME, "seasons": list}),
    ("/users/me/lists", LIST),
    ("/users/me/lists/collaborations", LIST),
    ("/users/likes/lists", {"liked_at": TIME, "type": str}),
    ("/users/likes/comments?extended=comments", {"liked_at": TIME, "comment_type": str}),
    ("/users/reactions/comments", {"reacted_at": TIME, "reaction": dict, "type": str}),
    ("/users/me/smart-lists", {"name": str, "source": str, "media_type": str, "filters": dict}),
    ("/users/me/comments/all/all", {"type": str, "comment": COMMENT}),
    ("/users/me/notes/movies", NOTE),
    ("/users/me/notes/activities", NOTE),
    ("/users/hidden/dropped", {"hidden_at": TIME, "type": str}),
    ("/users/hidden/progress_watched_reset", {"hidden_at": TIME, "type": str}),
    ("/users/me/followers", {"followed_at": TIME, "user": USER}),
    ("/users/me/following", {"followed_at": TIME, "user": USER}),
    ("/users/me/friends", {"friends_at": TIME, "user": USER}),
    ("/users/requests", {"id": int, "requested_at": TIME, "user": USER}),
    ("/users/requests/following", {"id": int, "requested_at": TIME, "user": USER}),
    ("/users/blocked", {"blocked_at": TIME, "user": USER}),
    ("/users/saved_filters", {"rank": int, "id": int, "section": str, "path": str, "query": str}),
    ("/users/syncs", {**SYNC, "paused_count": int, "skipped_count": int}),
    ("/younify/connections", {"id": str, "connected": bool}),
    ("/calendars/my/shows", {"first_aired": TIME}),
]


def fits(value: Any, wanted: Any) -> bool:
    """Whether a value has a shape: a type, a pattern, or a dictionary of shapes."""
    if isinstance(wanted, re.Pattern):
        return isinstance(value, str) and bool(wanted.fullmatch(value))
    if isinstance(wanted, dict):
        return isinstance(value, dict) and all(fits(value.get(k), w) for k, w in wanted.items())
    return isinstance(value, wanted) and (wanted is bool or not isinstance(value, bool))


@pytest.mark.parametrize(("path", "shape"), ROWS)
def test_rows_have_their_shape(read: Api, path: str, shape: dict[str, Any]) -> None:
    """Every row has the members of its kind, and so has every title inside it."""
    rows = read.json(path)
    assert rows
    for row in rows:
        assert fits(row, shape), row
        for name in INNER.keys() & row.keys():
            assert row[name] is None or fits(row[name], INNER[name]), row


def test_a_row_names_its_title_by_its_type(read: Api) -> None:
    """A row of type episode has an episode and its show, and so on for all items of lists."""
    rows = read.json("/sync/watchlist") + read.json("/users/me/lists/" + some_list(read) + "/items")
    assert {row["type"] for row in rows} == {"movie", "show", "season", "episode", "person"} - {
        kind for kind in ("episode",) if not any(row["type"] == kind for row in rows)
    }
    for row in rows:
        assert row["type"] in row
        assert ("show" in row) == (row["type"] in ("show", "season", "episode"))


def some_list(api: Api) -> str:
    """The id of a list with items of many kinds."""
    return str(api.json("/users/me/lists")[0]["ids"]["trakt"])


def test_settings_hold_the_secret_and_the_limits(read: Api) -> None:
    """`account.token` and `limits` are there; `browsing` when asked for."""
    plain, extended = read.json("/users/settings"), read.json("/users/settings?extended=browsing")
    assert len(plain["account"]["token"]) == 64
    assert plain["account"]["timezone"] == "Europe/Copenhagen"
    assert plain["limits"]["favorites"]["item_count"] == 100
    assert "browsing" not in plain
    assert extended["browsing"]["watch_only_once"] is False


def test_statistics_agree_with_the_rows(read: Api) -> None:
    """Plays, ratings, copies and people are counted from what the endpoints serve."""
    stats = read.json("/users/me/stats")
    films, episodes = (read.pages(f"/users/me/history/{kind}") for kind in ("movies", "episodes"))
    assert stats["movies"]["plays"] == len(films)
    assert stats["episodes"]["plays"] == len(episodes)
    assert stats["episodes"]["watched"] == len({row["episode"]["ids"]["trakt"] for row in episodes})
    assert stats["ratings"]["total"] == len(read.pages("/users/me/ratings"))
    assert sum(stats["ratings"]["distribution"].values()) == stats["ratings"]["total"]
    assert stats["movies"]["collected"] == len(read.pages("/sync/collection/movies"))
    assert stats["network"]["followers"] == len(read.pages("/users/me/followers"))


def test_the_compact_maps_hold_every_play(read: Api) -> None:
    """All times of the history are in the maps, but for films that are gone."""
    films: dict[str, Any] = {}
    shows: dict[str, Any] = {}
    for page in range(1, 5):
        films |= read.json(f"/sync/watched/movies?extended=min&limit=250&page={page}")
        query = f"extended=min&specials=true&limit=250&page={page}"
        shows |= read.json(f"/sync/watched/shows?{query}")
    times = [time for found in films.values() for time in found]
    for seasons in shows.values():
        times += [t for season in seasons.values() for found in season.values() for t in found]
    history = read.pages("/users/me/history")
    gone = sum(row["type"] == "movie" and row["movie"] is None for row in history)
    assert gone >= 1
    assert len(times) == len(history) - gone


def test_seasons_come_with_progress_only(read: Api) -> None:
    """`full` brings none, `full,progress` brings them and the long form of the show."""
    path = "/users/me/watched/shows"
    assert all("seasons" not in row for row in read.json(path))
    assert all("seasons" not in row for row in read.json(f"{path}?extended=full"))
    both = read.json(f"{path}?extended=full,progress&specials=true")
    assert all(row["seasons"] and "overview" in row["show"] for row in both)
    for row in both:
        episodes = [e for season in row["seasons"] for e in season["episodes"]]
        assert sum(e["plays"] for e in episodes) == row["plays"]


def test_specials_are_left_out_unless_asked_for(read: Api) -> None:
    """Season 0 appears with `specials=true` only."""
    path = "/sync/watched/shows?extended=progress"
    without, with_them = read.pages(path), read.pages(f"{path}&specials=true")
    numbers = [season["number"] for row in without for season in row["seasons"]]
    assert 0 not in numbers
    assert 0 in [season["number"] for row in with_them for season in row["seasons"]]
    assert sum(row["plays"] for row in without) < sum(row["plays"] for row in with_them)


def test_reset_shows_say_so(read: Api) -> None:
    """Every show that is being watched again carries `reset_at`; the others have null."""
    reset = {
        row["show"]["ids"]["trakt"] for row in read.json("/users/hidden/progress_watched_reset")
    }
    for row in read.pages("/users/me/watched/shows"):
        assert (row["reset_at"] is not None) == (row["show"]["ids"]["trakt"] in reset)


def test_metadata_of_copies_comes_when_asked_for(read: Api) -> None:
    """The type of `3d` differs between films and episodes."""
    assert "metadata" not in read.json("/sync/collection/movies")[0]
    film = read.json("/sync/collection/movies?extended=metadata")[0]["metadata"]
    episode = read.json("/sync/collection/episodes?extended=metadata")[0]["metadata"]
    assert film["3d"] is None
    assert episode["3d"] is False


def test_collected_times_by_id(read: Api) -> None:
    """The minimal forms map ids to times, nested for shows."""
    films = read.json("/sync/collection/minimal/movies")
    shows = read.json("/sync/collection/minimal/shows")
    assert all(TIME.fullmatch(at) for at in films.values())
    nested = [at for seasons in shows.values() for s in seasons.values() for at in s.values()]
    assert len(nested) == len(read.json("/sync/collection/minimal/episodes"))
    assert read.json("/sync/collection/movies?extended=min") == films
    assert read.get("/sync/collection/minimal/books").status_code == 404
    assert read.get("/sync/collection/books").status_code == 404


def test_titles_have_summaries(read: Api) -> None:
    """Films, shows, seasons and episodes can be looked up by id and by slug."""
    movie = read.json("/sync/watched/movies")[0]["movie"]["ids"]
    show = read.json("/sync/watched/shows")[0]["show"]["ids"]
    assert read.json(f"/movies/{movie['slug']}") == read.json(f"/movies/{movie['trakt']}")
    assert "genres" in read.json(f"/movies/{movie['trakt']}?extended=full")
    assert read.json(f"/shows/{show['slug']}?extended=full")["network"]
    seasons = read.json(f"/shows/{show['trakt']}/seasons")
    number = seasons[-1]["number"]
    episodes = read.json(f"/shows/{show['trakt']}/seasons/{number}?extended=full")
    assert read.json(f"/shows/{show['trakt']}/seasons/{number}/episodes/1")["number"] == 1
    assert episodes[0]["first_aired"]
    for missing in ("/movies/0", "/shows/0", f"/shows/{show['trakt']}/seasons/99"):
        assert read.get(missing).status_code == 404
    assert read.get(f"/shows/{show['trakt']}/seasons/1/episodes/999").status_code == 404


def test_the_removed_film_is_null_everywhere(read: Api) -> None:
    """Its plays stay with a null film, and it has no summary and no row among the watched."""
    rows = read.pages("/users/me/history/movies?extended=full")
    assert any(row["movie"] is None for row in rows)
    assert all(row["movie"] for row in read.pages("/sync/watched/movies"))


def test_comments_replies_and_likes(read: Api) -> None:
    """Replies are apart, reviews are longer, and what others answered can be read."""
    own = read.pages("/users/me/comments/all/all")
    both = read.pages("/users/me/comments/all/all?include_replies=true")
    only = read.pages("/users/me/comments/all/all?include_replies=only")
    assert len(both) == len(own) + len(only)
    assert all(row["comment"]["parent_id"] for row in only)
    reviews = read.pages("/users/me/comments/reviews/all")
    assert all(len(row["comment"]["comment"].split()) >= 200 for row in reviews)
    answered = next(row["comment"] for row in own if row["comment"]["replies"])
    number = answered["id"]
    assert len(read.json(f"/comments/{number}/replies")) == answered["replies"]
    assert read.json(f"/comments/{number}")["id"] == number
    assert len(read.json(f"/comments/{number}/likes")) == answered["likes"]
    assert len(read.json(f"/comments/{number}/reactions")) == answered["likes"]
    summary = read.json(f"/comments/{number}/reactions/summary")
    assert summary["reaction_count"] == answered["likes"]
    assert read.get("/comments/1").status_code == 404


def test_what_a_comment_or_note_is_about(read: Api) -> None:
    """Items of comments are bare, items of notes say what they are attached to."""
    row = read.json("/users/me/comments/all/movies")[0]
    assert read.json(f"/comments/{row['comment']['id']}/item") == row["movie"]
    note = read.json("/users/me/notes/ratings")[0]
    assert read.json(f"/notes/{note['id']}") == note
    assert read.json(f"/notes/{note['id']}/item")["attached_to"] == {"type": "rating"}
    assert read.get("/notes/1").status_code == 404
    assert read.get("/users/me/notes/socks").status_code == 404
    play = read.json("/users/me/notes/activities")[0]["attached_to"]
    assert play["id"] in {row["id"] for row in read.pages("/users/me/history")}


def test_lists_are_found_by_id_and_slug_and_hide_from_others(read: Api, other_api: Api) -> None:
    """The owner sees all lists, somebody else the public ones; shared links carry a secret."""
    lists = read.json("/users/me/lists")
    public = other_api.json("/users/sam-example/lists")
    assert {made["privacy"] for made in public} == {"public"}
    assert len(public) < len(lists)
    linked = next(made for made in lists if made["privacy"] == "link")
    assert "/share/" in linked["share_link"]
    number, slug = linked["ids"]["trakt"], linked["ids"]["slug"]
    assert read.json(f"/users/me/lists/{number}") == read.json(f"/users/me/lists/{slug}")
    assert other_api.json(f"/users/sam-example/lists/{number}")["name"] == linked["name"]
    private = next(made for made in lists if made["privacy"] == "private")["ids"]["trakt"]
    assert other_api.get(f"/users/sam-example/lists/{private}").status_code == 404
    assert read.get("/users/me/lists/0").status_code == 404


def test_collaborations_are_read_under_their_owner(read: Api) -> None:
    """The owner's slug leads to the list and its items."""
    made = read.json("/users/me/lists/collaborations")[0]
    owner, number = made["user"]["ids"]["slug"], made["ids"]["trakt"]
    assert len(read.json(f"/users/{owner}/lists/{number}/items")) == made["item_count"]


def test_persons_are_left_out_of_typed_items(read: Api) -> None:
    """The four kinds of the contract have no persons; the bare path has."""
    path = f"/users/me/lists/{some_list(read)}/items"
    for four in ("movie,show,season,episode", "all"):
        assert "person" not in {row["type"] for row in read.json(f"{path}/{four}")}
    assert {row["type"] for row in read.json(f"{path}/media")} == {"movie", "show"}
    assert {row["type"] for row in read.json(f"{path}/person")} == {"person"}


def test_items_are_sorted_as_asked(read: Api) -> None:
    """By rank unless told otherwise, and the headers say what was applied."""
    response = read.get("/sync/watchlist/all/added/desc")
    added = [row["listed_at"] for row in response.json()]
    assert added == sorted(added, reverse=True)
    assert response.headers["x-applied-sort-by"] == "added"
    assert [row["rank"] for row in read.json("/sync/watchlist")][:3] == [1, 2, 3]
    by_title = read.json("/sync/watchlist/movies/title/asc")
    assert by_title == sorted(by_title, key=lambda row: row["movie"]["title"].lower())


def test_ratings_can_be_picked_by_mark(read: Api) -> None:
    """One mark or several, of one kind or of all."""
    assert {row["rating"] for row in read.json("/sync/ratings/all/7,8")} == {7, 8}
    assert {row["type"] for row in read.pages("/users/me/ratings")} == {
        "movie",
        "show",
        "season",
        "episode",
    }
    assert read.get("/sync/ratings/books").status_code == 404


def test_smart_lists_have_items(read: Api) -> None:
    """A definition can be read by id, and its items are computed."""
    made = read.json("/users/me/smart-lists")[1]
    number = made["ids"]["trakt"]
    assert read.json(f"/smart-lists/{number}") == read.json(f"/users/me/smart-lists/{number}")
    items = read.json(f"/smart-lists/{number}/items/media/rank/asc")
    assert {row["type"] for row in items} == {"movie", "show"}
    assert read.get("/smart-lists/0").status_code == 404


def test_data_syncs_and_what_they_left_aside(read: Api) -> None:
    """All three kinds are there, each with paused and skipped rows of its own."""
    syncs = read.json("/users/syncs")
    assert {row["kind"] for row in syncs} == {"younify", "plex", "import"}
    first = syncs[0]
    assert read.json(f"/users/syncs/{first['id']}") == first
    assert read.json(f"/users/syncs/{first['kind']}") == [first]
    paused = read.json(f"/users/syncs/{first['id']}/paused")
    assert len(paused) == first["paused_count"]
    assert all(row["trakt_item"]["type"] == row["type"] for row in paused)
    assert read.json(f"/users/syncs/{first['id']}/skipped") == []
    assert read.get("/users/syncs/1").status_code == 404


def test_connections_and_reviews(read: Api) -> None:
    """Plex has a secret webhook, months and years can be reviewed."""
    assert "/webhook/" in read.json("/users/settings/plex")["webhook"]["url"]
    assert read.get("/users/settings/plex/servers").status_code == 504
    month, year = read.json("/users/me/mir/2026/6"), read.json("/users/me/yir/2026")
    counts = [found["stats"]["all"]["play_counts"]["total"] for found in (month, year)]
    assert 0 < counts[0] < counts[1]
    assert read.json("/users/me/yir/1980")["first_watched"] is None
    assert read.get("/users/me/mir/2026/13").status_code == 404
    assert read.get("/users/me/yir/long-ago").status_code == 404


def test_the_calendar_shows_what_is_to_come(read: Api) -> None:
    """Episodes lie inside the days asked for, 33 at most."""
    month = read.json("/calendars/my/shows/2026-11-20/90")
    assert month
    assert all("2026-11-20" <= row["first_aired"] < "2026-12-23" for row in month)
    assert len(read.json("/calendars/my/shows/2026-11-20/7")) <= len(month)
    assert all(
        row["episode"]["number"] == 1 for row in read.json("/calendars/my/shows/new/2026-11-01/33")
    )
    assert read.json("/calendars/my/movies/2026-11-20/7") == []
    assert read.get("/calendars/my/shows/soon/7").status_code == 400


def test_progress_of_one_show(read: Api) -> None:
    """Completed episodes are those watched, specials apart."""
    row = read.json("/sync/watched/shows?extended=progress")[0]
    found = read.json(f"/shows/{row['show']['ids']['trakt']}/progress/watched")
    assert found["completed"] == sum(len(season["episodes"]) for season in row["seasons"])
    assert read.get("/shows/0/progress/watched").status_code == 404


def test_profiles_of_members_are_read_by_slug(read: Api, other_api: Api) -> None:
    """`me` and the slug are the same person; a stranger does not exist."""
    assert read.json("/users/me?extended=full,vip") == read.json("/users/sam-example?extended=full")
    assert other_api.json("/users/me")["ids"]["slug"] != "sam-example"
    assert read.get("/users/nobody-at-all").status_code == 404


def test_nobody_is_watching(read: Api) -> None:
    """204 while nothing runs."""
    response = read.get("/users/me/watching")
    assert response.status_code == 204
    assert response.content == b""


def test_deleted_members_have_no_slug(read: Api) -> None:
    """One of those whom the account follows is gone."""
    users = [row["user"] for row in read.pages("/users/me/following")]
    assert [user["ids"]["slug"] for user in users if user["deleted"]] == [None]


def test_derived_data_is_empty(read: Api) -> None:
    """What a backup does not need answers with no rows."""
    for path in (
        "/sync/progress/up_next",
        "/recommendations/movies",
        "/users/me/friends/activities",
    ):
        assert read.json(path) == []
    assert read.json("/users/me/watchlist/comments") == []


@pytest.mark.parametrize("path", ["/no/such/route", "/users/me/likes/socks", "/users/hidden/socks"])
def test_unknown_routes_are_missing(read: Api, path: str) -> None:
    """404 without an explanation."""
    assert read.get(path).status_code == 404


def test_saved_filters_need_vip(start: Any) -> None:
    """426 with the way to upgrade; the Plex webhook is absent too."""
    free = start(vip=False)
    response = free.get("/users/saved_filters")
    assert response.status_code == 426
    assert "x-upgrade-url" in response.headers
    assert free.json("/users/settings/plex")["webhook"]["url"] is None
