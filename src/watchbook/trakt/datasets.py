"""The catalogue: every kind of personal data that Trakt serves, as data.

A line of the catalogue says where a data set is read, what moves when it changed, what names
a row, which of its fields are secrets and under which name it is archived. Reading, keeping,
archiving and documenting it follow from that line.

Left out on purpose: what is derived from these (recommendations, progress, up next, month and
year in review), what belongs to others (friends' activities), and undocumented routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

WATCHED = ("movies.watched_at", "episodes.watched_at")
HIDDEN = ("movies.hidden_at", "shows.hidden_at", "seasons.hidden_at")
KINDS = ("movies", "shows", "seasons", "episodes")
LIST_TYPES = "movie,show,season,episode,person"


class Shape(Enum):
    """What an answer is made of and how it is kept."""

    PLAYS = "plays"
    """Rows of history, kept as plays."""
    ROWS = "rows"
    """Rows that stay; one that Trakt no longer serves is marked removed."""
    LATEST = "latest"
    """Rows of which only the newest reading counts, such as a calendar."""
    OBJECT = "object"
    """One object, or nothing at all (204)."""


@dataclass(frozen=True)
class Parent:
    """Rows of ``data_set`` that each have a data set of their own.

    ``fields`` fill the braces of the path from the parent's row, ``count`` is the field that
    says how many rows there are, ``version`` are the fields that move when they change.
    """

    data_set: str
    fields: Mapping[str, str]
    count: str | None
    version: tuple[str, ...]
    always: bool = False
    """Kept also when there are no rows."""


@dataclass(frozen=True)
class DataSet:
    """One line of the catalogue."""

    name: str
    path: str
    meaning: str
    shape: Shape = Shape.ROWS
    key: str = "id"
    """Field that names a row; ``subject`` stands for its type and its object's Trakt id."""
    params: Mapping[str, str] = field(default_factory=dict)
    guard: tuple[str, ...] = ()
    """Fields of last_activities; when one moved, the data set is read again."""
    daily: bool = False
    """Read once a day too, since no timestamp covers (all of) it."""
    paged: bool = True
    limit: int = 250
    secrets: tuple[str, ...] = ("share_link",)
    """Fields, by the end of their path, that are taken out before anything is kept."""
    split: tuple[str, ...] = ()
    """Types of which each has a file of its own in the archive."""
    stats: tuple[str, ...] = ()
    """Fields of the account's statistics that count the rows, added up."""
    parent: Parent | None = None
    derived_from_plays: bool = False
    """A row vanishes when its last play did; the plays' own second look confirms it."""
    volatile: bool = False
    """Changes by itself, so it does not make an archive differ from the last one."""

    @property
    def unguarded(self) -> bool:
        """Whether no timestamp tells that it changed."""
        return self.daily or not (self.guard or self.parent)


def _ratings(kind: str) -> DataSet:
    return DataSet(
        f"ratings_{kind}",
        f"/users/me/ratings/{kind}",
        f"Ratings of {kind}.",
        key="subject",
        guard=(f"{kind}.rated_at",),
        stats=(f"{kind}.ratings",),
    )


def _hidden(section: str, meaning: str, *guard: str) -> DataSet:
    return DataSet(
        f"hidden_{section}", f"/users/hidden/{section}", meaning, key="subject", guard=guard
    )


def _notes(kind: str) -> DataSet:
    meaning = f"Notes on {kind.replace('_', ' ')}."
    return DataSet(f"notes_{kind}", f"/users/me/notes/{kind}", meaning, guard=("notes.updated_at",))


def _people(name: str, meaning: str, *guard: str) -> DataSet:
    return DataSet(name, f"/users/me/{name}", meaning, key="subject", guard=guard)


def _collection(kind: str, *guard: str) -> DataSet:
    return DataSet(
        f"collection_{kind}",
        f"/sync/collection/{kind}",
        f"Collected {kind} with what is known of the copies.",
        key="subject",
        params={"extended": "metadata"},
        guard=guard,
        stats=() if kind == "shows" else (f"{kind}.collected",),
    )


def _list_part(name: str, path: str, meaning: str, count: str, *, owner: bool) -> DataSet:
    fields = {"id": "ids.trakt"} | ({"owner": "user.ids.slug"} if owner else {})
    return DataSet(
        name,
        path,
        meaning,
        key="subject" if count == "likes" else "id",
        params={"sort_by": "rank", "sort_how": "asc"} if count == "item_count" else {},
        parent=Parent(
            "lists_collaborations" if owner else "lists",
            fields,
            count,
            ("updated_at", count),
            always=count == "item_count",
        ),
    )


_ACCOUNT = (
    DataSet(
        "user_settings",
        "/users/settings",
        "Settings of the account, its limits and time zone.",
        Shape.OBJECT,
        params={"extended": "browsing"},
        guard=("account.settings_at",),
        secrets=("account.token", "share_link"),
    ),
    DataSet(
        "user_profile",
        "/users/me",
        "The public profile.",
        Shape.OBJECT,
        params={"extended": "full,vip"},
        guard=("account.settings_at",),
    ),
    DataSet(
        "user_stats",
        "/users/me/stats",
        "Trakt's own counts, against which a copy is held.",
        Shape.OBJECT,
    ),
    DataSet(
        "user_last_activities",
        "/sync/last_activities",
        "When each kind of data last moved, as of the last reading.",
        Shape.OBJECT,
        guard=("all",),
        volatile=True,
    ),
    DataSet(
        "saved_filters",
        "/users/saved_filters",
        "Saved filters (Trakt VIP only).",
        guard=("saved_filters.updated_at",),
    ),
    DataSet("data_syncs", "/users/syncs", "Imports and syncs from other services."),
    DataSet(
        "data_syncs_paused",
        "/users/syncs/{id}/paused",
        "Rows of a sync that wait.",
        key="",
        parent=Parent("data_syncs", {"id": "id"}, "paused_count", ("paused_count",)),
    ),
    DataSet(
        "data_syncs_skipped",
        "/users/syncs/{id}/skipped",
        "Rows of a sync that were left out.",
        key="",
        parent=Parent("data_syncs", {"id": "id"}, "skipped_count", ("skipped_count",)),
    ),
    DataSet(
        "settings_plex",
        "/users/settings/plex",
        "The connection to Plex.",
        Shape.OBJECT,
        secrets=("webhook.url", "token", "share_link"),
    ),
    DataSet(
        "younify_connections",
        "/younify/connections",
        "Connections to streaming services.",
        paged=False,
    ),
    DataSet(
        "user_watching",
        "/users/me/watching",
        "What is playing right now.",
        Shape.OBJECT,
        daily=True,
        volatile=True,
    ),
    DataSet(
        "calendar_shows",
        "/calendars/my/shows/{today}/33",
        "Upcoming episodes of watched shows, 33 days ahead.",
        Shape.LATEST,
        key="episode.ids.trakt",
        paged=False,
        volatile=True,
    ),
)

_WATCHING = (
    DataSet(
        "history",
        "/users/me/history",
        "Every play.",
        Shape.PLAYS,
        guard=WATCHED,
        split=("movies", "episodes"),
        stats=("movies.plays", "episodes.plays"),
    ),
    DataSet(
        "watched_movies",
        "/sync/watched/movies",
        "Films seen, with the count of plays and the films' details.",
        key="movie.ids.trakt",
        params={"extended": "full"},
        guard=WATCHED[:1],
        stats=("movies.watched",),
        derived_from_plays=True,
    ),
    DataSet(
        "watched_shows",
        "/sync/watched/shows",
        "Shows seen, with progress by episode (specials too) and the shows' details.",
        key="show.ids.trakt",
        params={"extended": "full,progress", "specials": "true"},
        guard=WATCHED[1:],
        limit=100,
        derived_from_plays=True,
    ),
    DataSet(
        "playback",
        "/sync/playback",
        "What was paused, and where.",
        guard=("movies.paused_at", "episodes.paused_at"),
        split=("movies", "episodes"),
    ),
    _hidden("calendar", "Hidden from the calendar.", *HIDDEN),
    _hidden("progress_watched", "Hidden from watched progress.", *HIDDEN[1:]),
    _hidden("progress_watched_reset", "Shows being watched anew.", "shows.hidden_at"),
    _hidden("progress_collected", "Hidden from collection progress.", *HIDDEN[1:]),
    _hidden("recommendations", "Hidden from recommendations.", *HIDDEN[:2]),
    _hidden("comments", "People whose comments are hidden.", "comments.blocked_at"),
    _hidden("dropped", "Shows given up.", "shows.dropped_at"),
)

_CHOSEN = (
    *map(_ratings, KINDS),
    DataSet(
        "watchlist",
        "/users/me/watchlist",
        "Films, shows, seasons and episodes to watch, with notes and order.",
        params={"sort_by": "rank", "sort_how": "asc"},
        guard=("watchlist.updated_at", *(f"{kind}.watchlisted_at" for kind in KINDS)),
        split=KINDS,
    ),
    DataSet(
        "favorites",
        "/users/me/favorites",
        "Favorite films and shows, with notes and order.",
        params={"sort_by": "rank", "sort_how": "asc"},
        guard=("favorites.updated_at", "movies.favorited_at", "shows.favorited_at"),
        split=("movies", "shows"),
    ),
    _collection("movies", "movies.collected_at"),
    _collection("shows", "episodes.collected_at"),
    _collection("episodes", "episodes.collected_at"),
    DataSet(
        "lists",
        "/users/me/lists",
        "Personal lists.",
        key="ids.trakt",
        guard=("lists.updated_at", "lists.commented_at"),
        daily=True,
    ),
    _list_part(
        "list_items",
        "/users/me/lists/{id}/items/" + LIST_TYPES,
        "What is on a personal list.",
        "item_count",
        owner=False,
    ),
    _list_part(
        "list_comments",
        "/users/me/lists/{id}/comments/newest",
        "Comments on a personal list.",
        "comment_count",
        owner=False,
    ),
    _list_part(
        "list_likes",
        "/users/me/lists/{id}/likes",
        "Who likes a personal list.",
        "likes",
        owner=False,
    ),
    DataSet(
        "lists_collaborations",
        "/users/me/lists/collaborations",
        "Lists of others that may be edited.",
        key="ids.trakt",
        guard=("collaborations.updated_at",),
        daily=True,
        paged=False,
    ),
    _list_part(
        "collaboration_items",
        "/users/{owner}/lists/{id}/items/" + LIST_TYPES,
        "What is on a list of somebody else that may be edited.",
        "item_count",
        owner=True,
    ),
    DataSet("smart_lists", "/users/me/smart-lists", "Smart lists.", key="ids.trakt", paged=False),
    DataSet(
        "smart_list_items",
        "/smart-lists/{id}/items/{type}/rank/asc",
        "What a smart list finds now.",
        Shape.LATEST,
        key="subject",
        volatile=True,
        daily=True,
        parent=Parent(
            "smart_lists",
            {"id": "ids.trakt", "type": "media_type"},
            None,
            ("updated_at",),
            always=True,
        ),
    ),
    DataSet(
        "watchlist_comments", "/users/me/watchlist/comments/newest", "Comments on the watchlist."
    ),
    DataSet(
        "favorites_comments", "/users/me/favorites/comments/newest", "Comments on the favorites."
    ),
)

_SOCIAL = (
    DataSet(
        "likes_lists",
        "/users/likes/lists",
        "Liked lists.",
        key="list.ids.trakt",
        guard=("lists.liked_at",),
    ),
    DataSet(
        "likes_comments",
        "/users/likes/comments",
        "Liked comments.",
        key="comment.id",
        params={"extended": "comments"},
        guard=("comments.liked_at",),
    ),
    DataSet(
        "reactions_comments",
        "/users/reactions/comments",
        "Reactions to comments.",
        key="comment.id",
        guard=("comments.reacted_at",),
    ),
    DataSet(
        "comments_all",
        "/users/me/comments/all/all",
        "Own comments, reviews and replies.",
        key="comment.id",
        params={"include_replies": "true"},
        guard=tuple(f"{kind}.commented_at" for kind in (*KINDS, "lists")),
        daily=True,
    ),
    DataSet(
        "comment_replies",
        "/comments/{id}/replies",
        "What others answered to an own comment.",
        parent=Parent(
            "comments_all", {"id": "comment.id"}, "comment.replies", ("comment.replies",)
        ),
    ),
    *map(
        _notes,
        (*KINDS, "people", "activities", "collection_items", "ratings"),
    ),
    _people("followers", "Who follows.", "account.followed_at"),
    _people("following", "Who is followed.", "account.following_at"),
    _people("friends", "Who follows back.", "account.followed_at", "account.following_at"),
    DataSet(
        "requests",
        "/users/requests",
        "Who asked to follow.",
        guard=("account.requested_at",),
        paged=False,
    ),
    DataSet(
        "requests_following",
        "/users/requests/following",
        "Who was asked.",
        guard=("account.pending_at",),
        paged=False,
    ),
    DataSet(
        "blocked",
        "/users/blocked",
        "Blocked people.",
        key="subject",
        guard=("comments.blocked_at",),
        paged=False,
    ),
)

CATALOGUE: tuple[DataSet, ...] = (*_ACCOUNT, *_WATCHING, *_CHOSEN, *_SOCIAL)
"""Every data set, in the order in which a full sync reads them; a parent before its parts."""

BY_NAME: Mapping[str, DataSet] = {data_set.name: data_set for data_set in CATALOGUE}


def of(name: str) -> DataSet:
    """The catalogue's line for a stored data set: ``list_items/123`` is one of list_items."""
    return BY_NAME[name.partition("/")[0]]
