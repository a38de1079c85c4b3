"""Tables of everything but plays, as data: which rows each holds, and what its columns say.

The CSV and SQLite exports write these, and docs/reference/sqlite-export.md lists them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from watchbook.exporting.moments import utc
from watchbook.exporting.selection import Selected, SelectedItem
from watchbook.trakt.datasets import CATALOGUE, of
from watchbook.trakt.parse import ParsedItem, lookup, parse_item

Value = str | int | float | None
MOST = 2**63 - 1


@dataclass(frozen=True)
class Column:
    """A column: SQLite's type of it, what it says, and how it is read from a row."""

    name: str
    kind: str
    meaning: str
    value: Callable[[SelectedItem], Value]


@dataclass(frozen=True)
class ItemTable:
    """A table and the data sets of the catalogue whose rows are in it."""

    name: str
    meaning: str
    data_sets: tuple[str, ...]
    columns: tuple[Column, ...]
    titled: bool = True
    """Whether a row is about a film, show, season or episode."""

    def items(self, selected: Selected) -> Iterator[SelectedItem]:
        """The selected rows, data set by data set."""
        for line in self.data_sets:
            for data_set in selected.data_sets(line):
                yield from selected.items(data_set)


def text_of(value: object) -> str | None:
    """A text that every program can take: without NUL and half characters."""
    if not isinstance(value, str) or not value:
        return None
    return value.replace("\0", "").encode("utf-8", "replace").decode()


def _text(name: str, meaning: str, *paths: str) -> Column:
    def value(item: SelectedItem) -> Value:
        return next(filter(None, (text_of(lookup(item.row, path)) for path in paths)), None)

    return Column(name, "TEXT", meaning, value)


def _number(name: str, meaning: str, path: str) -> Column:
    def value(item: SelectedItem) -> Value:
        found = lookup(item.row, path)
        fits = type(found) is float or (type(found) is int and abs(found) <= MOST)
        return found if fits else None

    return Column(name, "REAL" if name == "progress" else "INTEGER", meaning, value)


def _flag(name: str, meaning: str, path: str) -> Column:
    def value(item: SelectedItem) -> Value:
        found = lookup(item.row, path)
        return int(found) if isinstance(found, bool) else None

    return Column(name, "INTEGER", f"{meaning} (1 or 0).", value)


def _own_time(name: str, meaning: str) -> Column:
    return Column(name, "TEXT", f"{meaning}, in UTC.", lambda item: utc(item.moment))


def _part(meaning: str, start: str, name: str = "section") -> Column:
    """What the name of the data set says behind ``start``."""
    return Column(name, "TEXT", meaning, lambda item: item.data_set.removeprefix(start))


def _list_number(item: SelectedItem) -> Value:
    number = item.data_set.partition("/")[2]
    return int(number) if number.isdecimal() and int(number) <= MOST else None


def _lines(start: str) -> tuple[str, ...]:
    return tuple(line.name for line in CATALOGUE if line.name.startswith(start))


_RANK = _number("rank", "Place in the list, from 1.", "rank")
_LISTED = _own_time("listed_at", "When it was put on the list")
_NOTE = _text("notes", "What was noted about it on the list.", "notes")

RATINGS = ItemTable(
    "ratings",
    "What was rated, films, shows, seasons and episodes.",
    _lines("ratings_"),
    (
        _number("rating", "From 1 to 10.", "rating"),
        _own_time("rated_at", "When it was rated"),
    ),
)
_ON_LIST = (_RANK, _LISTED, _NOTE)
WATCHLIST = ItemTable("watchlist", "What is to be watched.", ("watchlist",), _ON_LIST)
FAVORITES = ItemTable("favorites", "Favorite films and shows.", ("favorites",), _ON_LIST)
LISTS = ItemTable(
    "lists",
    "Personal lists, and lists of others that may be edited.",
    ("lists", "lists_collaborations"),
    (
        _number("list_id", "Trakt's number of the list.", "ids.trakt"),
        _text("slug", "Its name in addresses.", "ids.slug"),
        _text("name", "Its name.", "name"),
        _text("description", "What it is about.", "description"),
        _text("privacy", "Who may see it: private, link, friends or public.", "privacy"),
        _text("owner", "Whose list it is.", "user.username"),
        _text("sort_by", "What it is sorted by at Trakt.", "sort_by"),
        _text("sort_how", "asc or desc.", "sort_how"),
        _number("item_count", "How many items Trakt counts on it.", "item_count"),
        _number("likes", "How many people like it.", "likes"),
        _own_time("created_at", "When it was made"),
    ),
    titled=False,
)
LIST_ITEMS = ItemTable(
    "list_items",
    "What is on those lists.",
    ("list_items", "collaboration_items"),
    (
        Column("list_id", "INTEGER", "The list.", _list_number),
        *_ON_LIST,
        _text("person", "The name, when it is a person.", "person.name"),
    ),
)
COLLECTION = ItemTable(
    "collection",
    "Collected films and episodes, with what is known of the copies.",
    ("collection_movies", "collection_episodes"),
    (
        _own_time("collected_at", "When it was collected"),
        _text("media_type", "digital, bluray, dvd and so on.", "metadata.media_type"),
        _text("resolution", "hd_1080p, uhd_4k and so on.", "metadata.resolution"),
        _text("hdr", "Kind of HDR.", "metadata.hdr"),
        _text("audio", "Kind of sound.", "metadata.audio"),
        _text("audio_channels", "Channels of sound.", "metadata.audio_channels"),
    ),
)
COMMENTS = ItemTable(
    "comments",
    "Own comments, reviews and replies.",
    ("comments_all",),
    (
        _number("comment_id", "Trakt's number of the comment.", "comment.id"),
        _number("parent_id", "The comment that it answers, or 0.", "comment.parent_id"),
        _own_time("created_at", "When it was written"),
        _text("comment", "The text.", "comment.comment"),
        _flag("review", "Whether it is a review", "comment.review"),
        _flag("spoiler", "Whether it gives the story away", "comment.spoiler"),
        _number("likes", "How many people like it.", "comment.likes"),
        _number("replies", "How many replies it has.", "comment.replies"),
        _text("list", "The list that it is about, if it is about one.", "list.name"),
    ),
)
NOTES = ItemTable(
    "notes",
    "Notes on titles, people, plays, collected copies and ratings.",
    _lines("notes_"),
    (
        _number("note_id", "Trakt's number of the note.", "id"),
        _text("note", "The text.", "notes"),
        _text("attached_to", "What it belongs to: movie, history, rating …", "attached_to.type"),
        _number("history_id", "The play that it belongs to.", "attached_to.id"),
        _text("privacy", "Who may see it: private, friends or public.", "privacy"),
        _flag("spoiler", "Whether it gives the story away", "spoiler"),
        _own_time("created_at", "When it was written"),
        _text("person", "The name, when it is about a person.", "item.person.name"),
    ),
)
PLAYBACK = ItemTable(
    "playback",
    "What was paused, and where.",
    ("playback",),
    (
        _number("progress", "How far it was watched, in per cent.", "progress"),
        _own_time("paused_at", "When it was paused"),
    ),
)
HIDDEN = ItemTable(
    "hidden",
    "What is hidden, and where.",
    _lines("hidden_"),
    (
        _part("Where: calendar, progress_watched, dropped …", "hidden_"),
        _own_time("hidden_at", "When it was hidden"),
        _text("person", "Somebody whose comments are hidden.", "user.username"),
    ),
)
PEOPLE = ItemTable(
    "people",
    "Followers, people who are followed, friends, requests and blocked people.",
    ("followers", "following", "friends", "requests", "requests_following", "blocked"),
    (
        _part("followers, following, friends, requests …", "", "relation"),
        _text("username", "The name at Trakt.", "user.username", "username"),
        _text("name", "The name in full.", "user.name", "name"),
        _own_time("since", "Since when"),
    ),
    titled=False,
)

ITEM_TABLES = (
    RATINGS,
    WATCHLIST,
    FAVORITES,
    LISTS,
    LIST_ITEMS,
    COLLECTION,
    COMMENTS,
    NOTES,
    PLAYBACK,
    HIDDEN,
    PEOPLE,
)
"""Every table but that of plays; a list before its items."""


def titles_of(item: SelectedItem) -> dict[str, Mapping[str, Any]]:
    """The titles that a row names, by type, as columns of the store's ``titles``."""
    inner = item.row.get("item")
    raw = msgspec.json.encode(inner) if isinstance(inner, dict) else item.raw.encode()
    parsed = parse_item(raw, of(item.data_set), item.place)
    found = parsed.titles if isinstance(parsed, ParsedItem) else ()
    return {title["type"]: title for title in found}


def subject_of(item: SelectedItem) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """The title that a row is about, and its show; both empty where there is none."""
    titles = titles_of(item)
    about = titles.get(item.type or "", {})
    return about, titles.get("show", {}) if item.type in {"season", "episode"} else {}
