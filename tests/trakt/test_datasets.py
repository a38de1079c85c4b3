from __future__ import annotations

import re
import string

import pytest

from watchbook.trakt.datasets import BY_NAME, CATALOGUE, DataSet, Shape, of

ACTIVITIES = {
    # GET /sync/last_activities: contract sync/schema/response/lastActivitiesResponseSchema.ts
    "movies": "watched_at collected_at rated_at watchlisted_at favorited_at commented_at "
    "paused_at hidden_at",
    "episodes": "watched_at collected_at rated_at watchlisted_at commented_at paused_at",
    "shows": "rated_at watchlisted_at favorited_at commented_at hidden_at dropped_at",
    "seasons": "rated_at watchlisted_at commented_at hidden_at",
    "comments": "liked_at reacted_at blocked_at",
    "lists": "liked_at reacted_at updated_at commented_at",
    "watchlist": "updated_at",
    "favorites": "updated_at",
    "collaborations": "updated_at",
    "account": "settings_at followed_at following_at pending_at requested_at",
    "saved_filters": "updated_at",
    "notes": "updated_at",
}
MOMENTS = {"all"} | {
    f"{part}.{name}" for part, names in ACTIVITIES.items() for name in names.split()
}
NOTHING_TO_READ = {"lists.reacted_at"}
"""Moments for which no endpoint is documented."""

STATS = {
    # GET /users/me/stats
    "movies": "plays watched minutes collected ratings comments",
    "shows": "watched collected ratings comments",
    "seasons": "ratings comments",
    "episodes": "plays watched minutes collected ratings comments",
    "network": "friends followers following",
}
COUNTS = {f"{part}.{name}" for part, names in STATS.items() for name in names.split()}

PERSONAL = {
    # every GET route of the contract (July 2026) that tells something about the person who
    # signed in: the data set that reads it
    "/users/settings": "user_settings",
    "/users/me": "user_profile",
    "/users/me/stats": "user_stats",
    "/sync/last_activities": "user_last_activities",
    "/users/saved_filters": "saved_filters",
    "/users/syncs": "data_syncs",
    "/users/syncs/{id}/paused": "data_syncs_paused",
    "/users/syncs/{id}/skipped": "data_syncs_skipped",
    "/users/settings/plex": "settings_plex",
    "/younify/connections": "younify_connections",
    "/users/me/watching": "user_watching",
    "/users/me/history": "history",
    "/sync/watched/movies": "watched_movies",
    "/sync/watched/shows": "watched_shows",
    "/sync/playback": "playback",
    "/users/hidden/calendar": "hidden_calendar",
    "/users/hidden/progress_watched": "hidden_progress_watched",
    "/users/hidden/progress_watched_reset": "hidden_progress_watched_reset",
    "/users/hidden/progress_collected": "hidden_progress_collected",
    "/users/hidden/recommendations": "hidden_recommendations",
    "/users/hidden/comments": "hidden_comments",
    "/users/hidden/dropped": "hidden_dropped",
    **{
        f"/users/me/ratings/{k}": f"ratings_{k}" for k in ("movies", "shows", "seasons", "episodes")
    },
    "/users/me/watchlist": "watchlist",
    "/users/me/favorites": "favorites",
    "/users/me/lists": "lists",
    "/users/me/lists/{id}/items/movie,show,season,episode,person": "list_items",
    "/users/me/lists/{id}/comments/newest": "list_comments",
    "/users/me/lists/{id}/likes": "list_likes",
    "/users/me/lists/collaborations": "lists_collaborations",
    "/users/{owner}/lists/{id}/items/movie,show,season,episode,person": "collaboration_items",
    "/users/me/watchlist/comments/newest": "watchlist_comments",
    "/users/me/favorites/comments/newest": "favorites_comments",
    "/users/likes/lists": "likes_lists",
    "/users/likes/comments": "likes_comments",
    "/users/reactions/comments": "reactions_comments",
    "/users/me/smart-lists": "smart_lists",
    "/smart-lists/{id}/items/{type}/rank/asc": "smart_list_items",
    **{f"/sync/collection/{k}": f"collection_{k}" for k in ("movies", "shows", "episodes")},
    "/users/me/comments/all/all": "comments_all",
    "/comments/{id}/replies": "comment_replies",
    **{
        f"/users/me/notes/{kind}": f"notes_{kind}"
        for kind in (
            "movies shows seasons episodes people activities collection_items ratings"
        ).split()
    },
    "/users/blocked": "blocked",
    "/users/me/followers": "followers",
    "/users/me/following": "following",
    "/users/me/friends": "friends",
    "/users/requests": "requests",
    "/users/requests/following": "requests_following",
    "/calendars/my/shows/{today}/33": "calendar_shows",
}
LEFT_OUT = {
    "/sync/watched/episodes": "derived from history",
    "/users/syncs/{id}": "the same object as a row of /users/syncs",
    "/users/settings/plex/servers": "asks the person's server at that moment",
    "/users/me/lists/{id}": "the same object as a row of /users/me/lists",
    "/smart-lists/{id}": "the same object as a row of /users/me/smart-lists",
    "/sync/collection/media": "movies and episodes of the collection in one",
    "/sync/collection/minimal/{type}": "the collection without its details",
    "/comments/{id}": "the same object as in /users/me/comments",
    "/comments/{id}/likes": "who likes a comment; its count is in the comment",
    "/comments/{id}/reactions": "likewise",
    "/notes/{id}": "the same object as in /users/me/notes",
    "/shows/{id}/progress/watched": "derived from history",
    "/sync/progress/watched": "derived from history",
    "/sync/progress/up_next": "derived from history",
    "/users/me/friends/activities": "belongs to others",
    "/calendars/my/movies/{start}/{days}": "derived from what is watched and collected",
    "/recommendations/{type}": "derived, and new every time",
    "/social_recommendations/{type}": "derived, and new every time",
    "/users/me/mir/{year}/{month}": "derived from history",
    "/users/me/yir/{year}": "derived from history",
    "/sync/updates/{type}": "about titles, not about the person",
    "/users/me/leaderboard": "derived, and about others",
}
"""Personal routes that nothing reads, and why not."""


def test_names_and_paths_are_unique() -> None:
    """No two lines have one name, or read the same."""
    assert len(BY_NAME) == len(CATALOGUE) == len({line.path for line in CATALOGUE})


@pytest.mark.parametrize("line", CATALOGUE, ids=lambda line: line.name)
def test_line_of_the_catalogue(line: DataSet) -> None:
    """A line can be a file name, says what it means, and asks for no more than Trakt serves."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", line.name)
    assert line.path.startswith("/")
    assert "/v3/" not in line.path
    assert line.meaning.endswith(".")
    assert 0 < line.limit <= 250
    assert "page" not in line.params
    assert "limit" not in line.params
    assert "share_link" in line.secrets
    assert set(line.stats) <= COUNTS
    assert set(line.split) <= {"movies", "shows", "seasons", "episodes"}


@pytest.mark.parametrize("line", CATALOGUE, ids=lambda line: line.name)
def test_guards_are_moments_of_trakt(line: DataSet) -> None:
    """What guards a line is a field of last_activities, and each is named once."""
    assert set(line.guard) <= MOMENTS
    assert len(set(line.guard)) == len(line.guard)


def test_every_moment_guards_something() -> None:
    """Whatever moves at Trakt makes us read something."""
    guarded = {moment for line in CATALOGUE for moment in line.guard}
    assert MOMENTS - guarded == NOTHING_TO_READ


def test_parents_come_before_their_parts() -> None:
    """What a part needs from its parent's rows has been read when its turn comes."""
    names = [line.name for line in CATALOGUE]
    for line in CATALOGUE:
        if line.parent is not None:
            assert names.index(line.parent.data_set) < names.index(line.name)
            assert BY_NAME[line.parent.data_set].parent is None


def test_plays_come_before_what_is_derived_from_them() -> None:
    """Rows that vanish with the last play are read after the plays were settled."""
    names = [line.name for line in CATALOGUE]
    derived = [line.name for line in CATALOGUE if line.derived_from_plays]
    assert derived
    assert all(names.index(name) > names.index("history") for name in derived)


@pytest.mark.parametrize("line", CATALOGUE, ids=lambda line: line.name)
def test_braces_of_a_path_are_filled(line: DataSet) -> None:
    """Whatever a path leaves open comes from the parent's row, or is the day."""
    braces = {name for _, name, _, _ in string.Formatter().parse(line.path) if name}
    filled = set(line.parent.fields) if line.parent else set()
    assert braces - {"today"} == filled


def test_what_is_read_without_a_guard() -> None:
    """Only what no moment covers is read by the day, and everything is read at some time."""
    unguarded = {line.name for line in CATALOGUE if line.unguarded}
    assert unguarded == {
        "data_syncs", "settings_plex", "younify_connections", "user_watching", "calendar_shows",
        "lists", "lists_collaborations", "smart_lists", "smart_list_items", "watchlist_comments",
        "favorites_comments", "comments_all", "user_stats",
    }  # fmt: skip


def test_one_line_is_plays() -> None:
    """History is the only data set that is kept as plays."""
    assert [line.name for line in CATALOGUE if line.shape is Shape.PLAYS] == ["history"]


@pytest.mark.parametrize("line", CATALOGUE, ids=lambda line: line.name)
def test_what_changes_by_itself(line: DataSet) -> None:
    """What counts only as of now changes by itself, and no archive differs because of it."""
    assert line.volatile or line.shape is not Shape.LATEST


def test_everything_personal_is_covered() -> None:
    """Every route that tells something about the person is read, or left out for a reason."""
    assert {line.path: line.name for line in CATALOGUE} == PERSONAL
    assert not PERSONAL.keys() & LEFT_OUT.keys()


def test_known_secrets_are_declared() -> None:
    """The two fields that open something at Trakt besides share links."""
    assert "account.token" in BY_NAME["user_settings"].secrets
    assert "webhook.url" in BY_NAME["settings_plex"].secrets


def test_pages_of_progress_are_smaller() -> None:
    """With ``extended=progress`` a page holds a hundred rows at most."""
    for line in CATALOGUE:
        if "progress" in line.params.get("extended", ""):
            assert line.limit <= 100


def test_line_of_a_part() -> None:
    """The rows of one list belong to the line of all lists' rows."""
    assert of("list_items/123") is of("list_items") is BY_NAME["list_items"]
