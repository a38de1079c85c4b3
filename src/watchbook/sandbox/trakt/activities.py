"""`last_activities`: the timestamps that tell a client what has changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from watchbook.sandbox.library import Library
from watchbook.sandbox.library.entries import Entry, stamp

FIELDS = {
    "movies": (
        "watched_at",
        "collected_at",
        "rated_at",
        "watchlisted_at",
        "favorited_at",
        "commented_at",
        "paused_at",
        "hidden_at",
    ),
    "episodes": (
        "watched_at",
        "collected_at",
        "rated_at",
        "watchlisted_at",
        "commented_at",
        "paused_at",
    ),
    "shows": (
        "rated_at",
        "watchlisted_at",
        "favorited_at",
        "commented_at",
        "hidden_at",
        "dropped_at",
    ),
    "seasons": ("rated_at", "watchlisted_at", "commented_at", "hidden_at"),
    "comments": ("liked_at", "reacted_at", "blocked_at"),
    "lists": ("liked_at", "reacted_at", "updated_at", "commented_at"),
    "watchlist": ("updated_at",),
    "favorites": ("updated_at",),
    "collaborations": ("updated_at",),
    "account": ("settings_at", "followed_at", "following_at", "pending_at", "requested_at"),
    "saved_filters": ("updated_at",),
    "notes": ("updated_at",),
}
"""Every group and its fields, in the order in which Trakt serves them."""


class Activities:
    """The timestamps of one account."""

    def __init__(self, start: str) -> None:
        """Nothing has happened since a moment, usually the day the account was opened."""
        self.times = {f"{group}.{name}": start for group, names in FIELDS.items() for name in names}
        self.all = start

    def seed(self, field: str, times: list[str]) -> None:
        """Set a field to the latest of some times, as a library that has grown would show it."""
        self.times[field] = max([self.times[field], *times])
        self.all = max(self.all, self.times[field])

    def touch(self, now: datetime, *fields: str) -> None:
        """Note that something changed; two changes never carry the same time."""
        latest = datetime.fromisoformat(self.all).astimezone(UTC)
        moment = max(now, latest + timedelta(milliseconds=1))
        text = moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"
        for field in fields:
            if field not in self.times:
                raise KeyError(field)
            self.times[field] = text
        self.all = text

    def as_json(self) -> dict[str, object]:
        """The answer of `GET /sync/last_activities`."""
        groups = {
            group: {name: self.times[f"{group}.{name}"] for name in names}
            for group, names in FIELDS.items()
        }
        return {"all": self.all, **groups}


def of_library(library: Library, is_film: frozenset[int]) -> Activities:
    """The timestamps that a generated library would have left behind."""
    found = Activities(stamp(library.user.joined))
    films = [at for item, at in library.touched.items() if item in is_film]
    episodes = [at for item, at in library.touched.items() if item not in is_film]
    found.seed("movies.watched_at", [stamp(max(films))] if films else [])
    found.seed("episodes.watched_at", [stamp(max(episodes))] if episodes else [])
    for kind, rows in library.ratings.items():
        found.seed(f"{kind}.rated_at", _facts(rows, "rated_at"))
    _seed_items(found, library)
    _seed_social(found, library)
    return found


def _seed_items(found: Activities, library: Library) -> None:
    for kind in ("movie", "show", "season", "episode"):
        listed = [row for row in library.watchlist if row.kind == kind]
        found.seed(f"{kind}s.watchlisted_at", _facts(listed, "listed_at"))
        said = [stamp(comment.at) for comment in library.comments if comment.kind == kind]
        found.seed(f"{kind}s.commented_at", said)
    for kind in ("movie", "show"):
        liked = [row for row in library.favorites if row.kind == kind]
        found.seed(f"{kind}s.favorited_at", _facts(liked, "listed_at"))
    for kind in ("movie", "episode"):
        owned = [row for row in library.collection if row.kind == kind]
        found.seed(f"{kind}s.collected_at", _facts(owned, "collected_at"))
        paused = [row for row in library.playback if row.kind == kind]
        found.seed(f"{kind}s.paused_at", _facts(paused, "paused_at"))
    found.seed("watchlist.updated_at", _facts(library.watchlist, "listed_at"))
    found.seed("favorites.updated_at", _facts(library.favorites, "listed_at"))


def _seed_social(found: Activities, library: Library) -> None:
    found.seed("lists.updated_at", [stamp(made.updated) for made in library.lists])
    shared = [stamp(made.updated) for made in library.collaborations]
    found.seed("collaborations.updated_at", shared)
    found.seed("lists.liked_at", _facts(library.liked_lists, "liked_at"))
    found.seed("comments.liked_at", _facts(library.liked_comments, "liked_at"))
    found.seed("comments.reacted_at", _facts(library.reactions, "reacted_at"))
    found.seed("comments.blocked_at", _facts(library.blocked, "blocked_at"))
    found.seed("shows.dropped_at", _facts(library.hidden["dropped"], "hidden_at"))
    found.seed("account.followed_at", _facts(library.followers, "followed_at"))
    found.seed("account.following_at", _facts(library.following, "followed_at"))
    found.seed("account.pending_at", _facts(library.pending, "requested_at"))
    found.seed("account.requested_at", _facts(library.requests, "requested_at"))
    filters = [str(row["updated_at"]) for row in library.saved_filters]
    found.seed("saved_filters.updated_at", filters)
    notes = [str(note["updated_at"]) for rows in library.notes.values() for note in rows]
    found.seed("notes.updated_at", notes)
    for section, rows in library.hidden.items():
        for row in rows if section not in ("dropped", "comments") else ():
            found.seed(f"{row.kind}s.hidden_at", _facts([row], "hidden_at"))


def _facts(rows: list[Entry], key: str) -> list[str]:
    return [str(row.facts[key]) for row in rows]
