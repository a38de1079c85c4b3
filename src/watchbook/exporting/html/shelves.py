"""Ratings, lists, notes and comments, as the page holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from watchbook.exporting.html.plays import wall_minutes
from watchbook.exporting.html.titles import TYPES, Titles
from watchbook.exporting.moments import Wall
from watchbook.exporting.selection import KnownList, Selected, SelectedItem
from watchbook.store.watched import rating_in
from watchbook.trakt.parse import lookup

RATINGS = tuple(f"ratings_{kind}s" for kind in TYPES)
COLLECTION = ("collection_movies", "collection_shows")
NOTES = (
    *(f"notes_{kind}s" for kind in TYPES),
    "notes_people",
    "notes_activities",
    "notes_collection_items",
    "notes_ratings",
)
COMMENTS = "comments_all"

_BESIDE = {"season", "episode"}
"""Titles that say little without the name of their show."""


@dataclass
class Shelves:
    """Rows of the page's last block. What a row is about is a title's number, or a name."""

    ratings: list[list[Any]] = field(default_factory=list)
    """About, rating, when."""
    lists: list[dict[str, Any]] = field(default_factory=list)
    """Each with its ``rows``: about, when, note."""
    said: list[list[Any]] = field(default_factory=list)
    """Note or comment, about, when, text, whether it spoils, and more words."""
    counts: dict[str, int] = field(default_factory=dict)


def read_shelves(chosen: Selected, titles: Titles, wall: Wall) -> Shelves:
    """Read what is selected of them, and number their titles."""
    reader = _Reader(chosen, titles, wall)
    found = Shelves(reader.ratings(), reader.lists(), [*reader.notes(), *reader.comments()])
    found.counts = {
        "ratings": len(found.ratings),
        "rows of lists": sum(len(one["rows"]) for one in found.lists),
        "notes and comments": len(found.said),
    }
    return found


class _Reader:
    def __init__(self, chosen: Selected, titles: Titles, wall: Wall) -> None:
        self._chosen = chosen
        self._titles = titles
        self._wall = wall

    def ratings(self) -> list[list[Any]]:
        rows = []
        for item in self._items(*RATINGS):
            rating = rating_in(item.raw)
            if rating is not None:
                rows.append([self._about(item), rating, self._when(item)])
        return rows

    def lists(self) -> list[dict[str, Any]]:
        wanted = self._chosen.chosen
        lists = [
            self._list(one)
            for one in self._chosen.known_lists
            if one.removed_at is None and (not wanted or one.data_set in wanted)
        ]
        collected = [self._row(item) for item in self._items(*COLLECTION)]
        if collected:
            lists.append({"id": "collection", "name": "Collection", "rows": collected})
        return lists

    def _list(self, one: KnownList) -> dict[str, Any]:
        rows = [self._row(item) for item in self._items(one.data_set)]
        name = (_text(one.name) or one.id) if "/" in one.data_set else one.name.capitalize()
        owner = lookup(one.row, "user.username")
        shared = one.data_set.startswith("collaboration")
        return {
            "id": one.data_set.replace("/", "-"),
            "name": name,
            "about": _text(one.row.get("description")),
            "owner": _text(owner) if shared else None,
            "rows": rows,
        }

    def notes(self) -> list[list[Any]]:
        return [
            self._said("note", item, item.row, "notes", [_text(item.row.get("privacy"))])
            for item in self._items(*NOTES)
        ]

    def comments(self) -> list[list[Any]]:
        return [
            self._said("comment", item, comment, "comment", _praise(comment))
            for item in self._items(COMMENTS)
            if isinstance(comment := item.row.get("comment"), dict)
        ]

    def _said(
        self, kind: str, item: SelectedItem, row: Mapping[str, Any], name: str, more: list[Any]
    ) -> list[Any]:
        text = _text(row.get(name)) or ""
        words = [word for word in more if word]
        return [kind, self._about(item), self._when(item), text, bool(row.get("spoiler")), words]

    def _row(self, item: SelectedItem) -> list[Any]:
        note = _text(item.row.get("notes"))
        return [self._about(item), self._when(item), *([note] if note else [])]

    def _items(self, *data_sets: str) -> Iterator[SelectedItem]:
        for name in data_sets:
            yield from (one for one in self._chosen.items(name) if one.removed_at is None)

    def _when(self, item: SelectedItem) -> int | None:
        return wall_minutes(self._wall, item.moment) if item.moment else None

    def _about(self, item: SelectedItem) -> int | str:
        """The number of the title that a row is about, or the name of whatever else it is."""
        if item.title_key is not None:
            return self._titles.number(item.title_key)
        inner = item.row.get("item")
        row = inner if isinstance(inner, dict) else item.row
        trakt = lookup(row, f"{item.type}.ids.trakt")
        if item.type in TYPES and isinstance(trakt, int):
            number = self._titles.number_if_known(f"{item.type}:{trakt}")
            if number is not None:
                return number
        return _name(row, item.type)


def _name(row: Mapping[str, Any], kind: str | None) -> str:
    own = next(
        filter(None, (_text(lookup(row, f"{kind}.{name}")) for name in ("title", "name"))), None
    )
    if kind in _BESIDE:
        season = lookup(row, "season.number")
        beside = [_text(lookup(row, "show.title")), own or (season and f"Season {season}")]
        own = ", ".join(str(part) for part in beside if part)
    return own or f"untitled {kind or 'row'}"


def _praise(comment: Mapping[str, Any]) -> list[Any]:
    """What there is to say of a comment besides its text."""
    rating = lookup(comment, "user_stats.rating") or comment.get("user_rating")
    likes = comment.get("likes")
    return [
        "review" if comment.get("review") else None,
        "reply" if comment.get("parent_id") else None,
        f"rated {rating}" if isinstance(rating, int) else None,
        f"{likes} like{'s' * (likes != 1)}" if isinstance(likes, int) and likes else None,
    ]


def _text(value: object) -> str | None:
    return (value.replace("\0", "") or None) if isinstance(value, str) else None
