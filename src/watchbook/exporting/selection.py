"""Which rows go out, and those rows, read in chunks from one moment of the store.

However much there is, memory holds one chunk: titles and ratings come with each row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from watchbook.clock import from_iso, to_millis
from watchbook.errors import InputError
from watchbook.store.accounts import Account
from watchbook.store.opening import Store
from watchbook.store.schema import items as item_table
from watchbook.store.schema import plays as play_table
from watchbook.store.watched import WatchedPlay, watched
from watchbook.trakt.datasets import BY_NAME
from watchbook.trakt.parse import TITLE_TYPES, decode_any, lookup

CHUNK = 200
LISTS = {"watchlist": "watchlist", "favorites": "favorites", "favourites": "favorites"}
"""Lists that everybody has, as people write them, and their data sets."""

_PERSONAL = {"lists": "list_items", "lists_collaborations": "collaboration_items"}
_MOMENTS = (
    "rated_at",
    "listed_at",
    "collected_at",
    "last_collected_at",
    "paused_at",
    "hidden_at",
    "liked_at",
    "reacted_at",
    "last_watched_at",
    "followed_at",
    "friends_at",
    "requested_at",
    "blocked_at",
    "created_at",
    "comment.created_at",
    "list.created_at",
    "updated_at",
    "first_aired",
)


@dataclass(frozen=True)
class Selection:
    """Which rows go out; an empty filter lets everything pass."""

    since: datetime | None = None
    """Rows whose own moment (watched_at, rated_at, listed_at and so on) is at or after this."""
    until: datetime | None = None
    """And before this. A row that has no moment passes neither."""
    types: frozenset[str] = frozenset()
    """Of movie, show, season and episode; a play of an episode passes as one of its show too."""
    lists: frozenset[str] = frozenset()
    """The watchlist, favorites, or a personal list's slug, name or id: then only their rows."""
    removed: bool = False
    """Rows that are gone at Trakt too, with the moment at which that was confirmed."""

    @property
    def whole(self) -> bool:
        """Whether everything that Trakt shows passes."""
        return not (self.since or self.until or self.types or self.lists)


class SelectedItem(NamedTuple):
    """A row of any other data set; ``row`` is its JSON, decoded."""

    data_set: str
    key: str
    type: str | None
    """What it is about: a movie, show, season, episode, person, user, list or comment."""
    title_key: str | None
    place: int
    raw: str
    row: Mapping[str, Any]
    moment: int | None
    """Its own time in milliseconds: when it was rated, listed, collected …"""
    removed_at: int | None


class KnownList(NamedTuple):
    """A list that may be named: its data set, and how it is called."""

    data_set: str
    name: str
    slug: str
    id: str
    row: Mapping[str, Any]
    raw: str
    removed_at: int | None


@contextmanager
def selected(store: Store, account: Account, selection: Selection) -> Iterator[Selected]:
    """What ``selection`` lets out, as of one moment; raises InputError for an unknown list."""
    with store.database.read() as conn:
        yield Selected(conn, account, selection)


class Selected:
    """The rows of one account that a selection lets out."""

    def __init__(self, conn: sa.Connection, account: Account, selection: Selection) -> None:
        self.conn = conn
        self.account = account
        self.selection = selection
        self.known_lists = list(self._known_lists())
        self.chosen = _chosen(self.known_lists, selection.lists)
        """The data sets of the lists that were named; everything when none was."""

    def plays(self, *, newest_first: bool = False) -> Iterator[WatchedPlay]:
        """The selected plays; none at all when lists were chosen, for a play is on no list."""
        if self.selection.lists:
            return
        moment, number = play_table.c.watched_at, play_table.c.history_id
        order = (moment.desc(), number.desc()) if newest_first else (moment, number)
        for row in self._stream(
            _filtered(watched(), self.account.id, self.selection).order_by(*order)
        ):
            yield WatchedPlay._make(row)

    def count_plays(self, kind: str) -> int:
        """How many of the selected plays are of films (``movie``) or of episodes."""
        if self.selection.lists:
            return 0
        query = _filtered(sa.select(sa.func.count()), self.account.id, self.selection)
        return self.conn.scalar(query.where(play_table.c.type == kind)) or 0

    def items(self, data_set: str) -> Iterator[SelectedItem]:
        """The selected rows of a data set (``list_items/7`` for those of a list), in its order."""
        if data_set in _PERSONAL:
            yield from self._heads(data_set)
            return
        if self.selection.lists and data_set not in self.chosen:
            return
        for row in self._stream(self._item_query(data_set)):
            found = _item(data_set, row)
            if self._passes(found):
                yield found

    def _heads(self, data_set: str) -> Iterator[SelectedItem]:
        """The lists whose items are let out; a list itself is of no type and at no time."""
        wanted = {one.id for one in self.lists()}
        for row in self._stream(self._item_query(data_set)):
            found = _item(data_set, row)
            if _number_of(found) in wanted:
                yield found

    def data_sets(self, name: str) -> list[str]:
        """The stored data sets of a line of the catalogue: itself, or one for each parent's row."""
        if name in _PERSONAL.values():
            of_line = f"{name}/"
            return [one.data_set for one in self.lists() if one.data_set.startswith(of_line)]
        if BY_NAME[name].parent is None:
            return [name]
        names = sa.select(item_table.c.data_set).where(
            item_table.c.account_id == self.account.id,
            item_table.c.data_set.startswith(f"{name}/", autoescape=True),
        )
        return sorted(self.conn.scalars(names.distinct()))

    def lists(self) -> list[KnownList]:
        """The personal lists (those of others that may be edited too) that are let out."""
        personal = [one for one in self.known_lists if "/" in one.data_set]
        return [one for one in personal if not self.selection.lists or one.data_set in self.chosen]

    def object(self, data_set: str) -> str | None:
        """The raw object of a data set that is one object; no filter concerns it."""
        rows = self._stream(self._item_query(data_set, removed=False))
        return next((str(row[0]) for row in rows), None)

    def _known_lists(self) -> Iterator[KnownList]:
        for name in ("watchlist", "favorites"):
            yield KnownList(name, name, name, name, {}, "{}", None)
        for source, target in _PERSONAL.items():
            for row in self._stream(self._item_query(source)):
                found = _item(source, row)
                number = _number_of(found)
                name = str(found.row.get("name") or number)
                slug = str(lookup(found.row, "ids.slug") or number)
                place = f"{target}/{number}"
                yield KnownList(place, name, slug, number, found.row, found.raw, found.removed_at)

    def _item_query(self, data_set: str, *, removed: bool | None = None) -> sa.Select[Any]:
        columns = ("raw", "key", "type", "title_key", "place", "removed_at")
        query = sa.select(*(item_table.c[name] for name in columns)).where(
            item_table.c.account_id == self.account.id, item_table.c.data_set == data_set
        )
        if not (self.selection.removed if removed is None else removed):
            query = query.where(item_table.c.removed_at.is_(None))
        return query.order_by(item_table.c.place, item_table.c.key)

    def _stream(self, query: sa.Select[Any]) -> Iterator[sa.Row[Any]]:
        with self.conn.execute(query, execution_options={"yield_per": CHUNK}) as rows:
            yield from rows

    def _passes(self, item: SelectedItem) -> bool:
        wanted = self.selection
        if wanted.types and item.type not in wanted.types:
            return False
        return _within(item.moment, wanted.since, wanted.until)


def _within(moment: int | None, since: datetime | None, until: datetime | None) -> bool:
    if moment is None:
        return since is None and until is None
    after = since is None or moment >= to_millis(since)
    return after and (until is None or moment < to_millis(until))


def _filtered(query: sa.Select[Any], account_id: int, wanted: Selection) -> sa.Select[Any]:
    query = query.where(play_table.c.account_id == account_id)
    if not wanted.removed:
        query = query.where(play_table.c.removed_at.is_(None))
    if wanted.since is not None:
        query = query.where(play_table.c.watched_at >= to_millis(wanted.since))
    if wanted.until is not None:
        query = query.where(play_table.c.watched_at < to_millis(wanted.until))
    if wanted.types:
        kinds = wanted.types | ({"episode"} if "show" in wanted.types else set())
        query = query.where(play_table.c.type.in_(sorted(kinds)))
    return query


def _item(data_set: str, stored: sa.Row[Any]) -> SelectedItem:
    decoded = decode_any(stored.raw.encode())
    row = decoded if isinstance(decoded, dict) else {}
    return SelectedItem(
        data_set,
        stored.key,
        _type_of(row, stored.type),
        stored.title_key,
        stored.place,
        stored.raw,
        row,
        moment_of(row),
        stored.removed_at,
    )


def _type_of(row: Mapping[str, Any], kind: str | None) -> str | None:
    """What a row is about; notes hold that one step further in, comments name a movie or show."""
    inner = row.get("item")
    if isinstance(inner, dict):
        return str(inner.get("type") or "") or next((k for k in TITLE_TYPES if k in inner), kind)
    return kind


def _number_of(item: SelectedItem) -> str:
    """The number of a list, by which its items' data set is called."""
    return str(lookup(item.row, "ids.trakt") or item.key)


def moment_of(row: Mapping[str, Any]) -> int | None:
    """A row's own time in milliseconds, or None."""
    for path in _MOMENTS:
        text = lookup(row, path)
        if isinstance(text, str):
            try:
                return to_millis(from_iso(text))
            except ValueError:
                continue
    return None


def _chosen(known: Sequence[KnownList], names: frozenset[str]) -> frozenset[str]:
    return frozenset(place for name in names for place in _named(known, name))


def _named(known: Sequence[KnownList], name: str) -> list[str]:
    """The data sets of the list called ``name``: by id or slug first, then by its name."""
    wanted = LISTS.get(name.casefold(), name)
    found = [one.data_set for one in known if wanted in {one.id, one.slug}]
    found = found or [one.data_set for one in known if one.name.casefold() == wanted.casefold()]
    found = found or [one.data_set for one in known if _plain(one.name) == _plain(wanted) != ""]
    if not found:
        there = ", ".join(one.name or one.slug for one in known)
        raise InputError(f"There is no list called {name}.", hint=f"The lists are: {there}.")
    return found


def _plain(name: str) -> str:
    """A name as it is typed: without case, emoji and other signs."""
    letters = "".join(sign if sign.isalnum() else " " for sign in name.casefold())
    return " ".join(letters.split())
