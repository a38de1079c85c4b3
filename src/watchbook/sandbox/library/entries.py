"""What a person keeps at Trakt: plays, and rows that say something about a title or a member."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

from watchbook.sandbox.library.titles import DAY, Episode, Film, Person, Season, Show, User

Facts = dict[str, object]
"""Members of a JSON object, in the order in which they are served."""

ACTIONS = ("scrobble", "checkin", "watch")
UNKNOWN_DATE = 0
"""Trakt files plays of unknown date under the first minute of 1970."""


class Play(NamedTuple):
    """One play; plays sort by time, then by history id, the way Trakt orders them."""

    minute: int
    id: int
    item: int
    action: str


@dataclass(slots=True, eq=False)
class Comment:
    """A comment, a review or a reply; `subject` is what it is about."""

    id: int
    parent_id: int
    author: User
    text: str
    at: int
    kind: str
    subject: Subject
    spoiler: bool = False
    review: bool = False
    likes: int = 0
    rating: int | None = None
    edited: int = 0
    replies: list[Comment] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class UserList:
    """A list somebody made, with its items in order of rank."""

    trakt: int
    name: str
    slug: str
    owner: User
    privacy: str
    at: int
    updated: int
    description: str | None = None
    sort_by: str = "rank"
    sort_how: str = "asc"
    display_numbers: bool = False
    items: list[Entry] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    likes: list[Entry] = field(default_factory=list)


Subject = Film | Show | Season | Episode | Person | User | UserList | Comment | None


@dataclass(slots=True, eq=False)
class Entry:
    """One row: its own facts, then the thing that it is about under the name of its kind."""

    kind: str
    subject: Subject
    facts: Facts
    trailing: Facts | None = None
    """Facts that come after the thing, such as the metadata of a collected copy."""


_CLOCK = tuple(f"T{m // 60:02}:{m % 60:02}:00.000Z" for m in range(DAY))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@lru_cache(maxsize=40_000)
def _day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%d")


def stamp(minute: int) -> str:
    """A minute as Trakt writes it: `2026-11-21T20:15:00.000Z`."""
    day, rest = divmod(minute, DAY)
    return _day(day) + _CLOCK[rest]


def date_of(minute: int) -> str:
    """The day of a minute: `2026-11-21`."""
    return _day(minute // DAY)
